"""
Clients through the turns of the life, under the real runtime client where it has a part in them.
"""

from __future__ import annotations

import os
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lambda_kit._local import LocalFunction
from tests import fresh_process
from tests.keep_alive import KeepAliveServer, keeping_alive
from tests.runtime_api import workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ROOT = str(Path(__file__).parents[1])

_BEGINNING = """
import os
from lambda_kit import client

ssm = client("ssm")


def ask():
    return ssm.get_parameter(Name="/p")["Parameter"]["Value"]
"""


@pytest.fixture
def function_code(tmp_path: Path) -> Callable[[str], Path]:
    """
    Write ``app.py``, which begins with a client; return the task root.
    """

    def write(source: str) -> Path:
        (tmp_path / "app.py").write_text(_BEGINNING + textwrap.dedent(source))
        return tmp_path

    return write


@pytest.fixture
def store() -> Iterator[KeepAliveServer]:
    """
    A Parameter Store with one parameter.
    """
    with keeping_alive() as server:
        yield server


def environ(store: KeepAliveServer) -> dict[str, str]:
    """
    Return what leads a process of its own to the store.
    """
    return {
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "key",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": store.url,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this platform")
def test_a_child_never_shares_a_socket(store: KeepAliveServer) -> None:
    """
    The child calls over a connection of its own; the parent's is the same before, during and after the child's life.
    """
    code = _BEGINNING + textwrap.dedent("""
        import json
        ask()
        (child_may, go), (parent_may, come) = os.pipe(), os.pipe()
        child = os.fork()
        if child == 0:
            ask()
            os.write(come, b".")
            os.read(child_may, 1)
            ask()
            os._exit(0)
        os.read(parent_may, 1)
        ask()
        os.write(go, b".")
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        ask()
        print(json.dumps(status))
    """)

    assert 0 == fresh_process.result(code, environ=environ(store))
    parent, child = store.ports[:2]
    assert parent != child
    assert [parent, child, parent, child, parent] == store.ports


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this platform")
def test_a_child_of_a_building_thread_builds(store: KeepAliveServer) -> None:
    """
    A fork while another thread holds the lock for building does not stop the child.
    """
    code = _BEGINNING + textwrap.dedent("""
        import json, threading
        from lambda_kit import _runtime
        from lambda_kit._clients import _standins
        _runtime.watch_life()
        held, go_on = threading.Event(), threading.Event()
        def hold():
            with _standins._shared.lock:
                held.set()
                go_on.wait()
        threading.Thread(target=hold).start()
        held.wait()
        child = os.fork()
        if child == 0:
            os._exit(42 if ask() == "1" else 1)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        go_on.set()
        print(json.dumps(status))
    """)

    assert 42 == fresh_process.result(code, environ=environ(store))


def test_a_snapshot_holds_built_clients_and_no_connection(store: KeepAliveServer, function_code: Callable[[str], Path]) -> None:
    """
    Under snap-start the runtime's hooks build what was declared only and close pools; after the restore all is used on.
    """
    root = function_code("""
        from lambda_kit import after_restore, before_snapshot, resource

        queues, table = client("sqs"), resource("dynamodb")
        seen = {"at INIT": ask(), "meta": id(ssm.meta)}
        connections = lambda: len(ssm._endpoint.http_session._manager.pools)
        before_snapshot(lambda: seen.update(before=[connections(), repr(queues), repr(table)]))
        after_restore(lambda: seen.update(after=[connections(), repr(queues)[:24], repr(table)]))

        def handler(event, context):
            return {**seen, "kept": id(ssm.meta) == seen["meta"], "value": ask(), "connections": connections()}
    """)
    variables = {**environ(store), "PYTHONPATH": _ROOT}
    with LocalFunction("app.handler", task_root=root, init_type="snap-start", environ=variables, region="eu-west-1") as function:
        result = function.invoke({})

    seen = result.payload
    assert isinstance(seen, dict), result.log
    assert [1, "<client('sqs'), not built>", "<resource('dynamodb'), not built>"] == seen["before"]
    assert [0, "<botocore.client.SQS obj", "dynamodb.ServiceResource()"] == seen["after"]
    assert [True, "1", 1] == [seen["kept"], seen["value"], seen["connections"]]
    assert 2 == len(set(store.ports))


@pytest.mark.skipif(sys.platform != "linux", reason="the runtime client forks its workers")
def test_managed_instances_have_a_client_per_worker(store: KeepAliveServer, function_code: Callable[[str], Path]) -> None:
    """
    With AWS_LAMBDA_MAX_CONCURRENCY=4 four processes call at the same time, each by its own client over its own connection.
    """
    root = function_code("""
        from lambda_kit import environment

        def handler(event, context):
            return {"value": ask(), "pid": os.getpid(), "type": environment().init_type}
    """)
    store.together = 4
    with workers(root, 4, environ(store)) as api:
        api.send(4)
        answers = api.answers(4)
        together = list(store.ports)
        api.send(8)
        later = api.answers(8)

    assert {("1", "lambda-managed-instances")} == {(answer["value"], answer["type"]) for answer in [*answers, *later]}
    assert 4 == len({answer["pid"] for answer in answers})
    assert 4 == len(set(together))
    # Whoever calls later does so over the connection it has.
    assert set(store.ports) == set(together)
