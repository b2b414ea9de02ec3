"""
What is promised of the getter, point by point: C14 to C23, life, memory and secrecy.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import tracemalloc
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from pydantic import BaseModel

from lambda_kit import _runtime, config_stats, get_parameter, get_secret, kms_env, parameter, secret
from lambda_kit._cache import Cache
from lambda_kit._configuration._sources import cache
from lambda_kit.errors import ParameterError, ParameterNotFoundError, ParameterUnavailableError, ParameterValueError
from lambda_kit.testing import override
from tests import fresh_process
from tests._configuration.exposure import given_away_by
from tests.aws_server import BROKEN, DENIED

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests._configuration.fault_server import FaultServer
    from tests.aws_server import AwsServer

HEAP = '''
    import gc, json, re, sys
    from lambda_kit import _runtime, get_secret, kms_env, parameter, preload, secret

    # What a secret of this test looks like; the pattern itself does not match it.
    PATTERN = re.compile(r"zq[0-9a-f]{32}qz")

    def found():
        """Walk everything reachable from modules, frames and the collector, texts and bytes included."""
        seen, hits, left = set(), 0, [*sys.modules.values(), *sys._current_frames().values(), *gc.get_objects()]
        left.remove(PATTERN) if PATTERN in left else None
        seen.update(map(id, (seen, left)))
        while left:
            each = left.pop()
            if id(each) in seen:
                continue
            seen.add(id(each))
            if type(each) in (bytes, bytearray):
                hits += bool(PATTERN.search(each.decode("latin-1")))
            elif isinstance(each, str):
                hits += bool(PATTERN.search(each))
            left.extend(gc.get_referents(each))
        return hits
'''


def test_c14_snapshot_holds_no_secret(aws_environ: AwsServer, put_parameter: Callable[..., None], put_secret: Callable[..., str]) -> None:
    """
    Before a snapshot is taken every secret is gone from the heap, where it was found before; after the restore it is read again.
    """
    marker = f"zq{uuid4().hex}qz"
    put_secret("s", json.dumps({"password": marker}))
    put_parameter("/enc", marker, Type="SecureString")
    code = f"""
{HEAP}
    def read():
        text, member, parsed = secret("s"), secret("s", key="password"), secret("s", convert=json.loads)
        encrypted = parameter("/enc")
        preload(text, member, parsed, encrypted)
        assert member() == parsed()["password"] == encrypted()
        return text, member, parsed, encrypted

    planted = ["zq" + "%032x" % 7 + "qz"]
    proof = found()
    planted.clear()
    clean = found()
    handles = read()
    held = found()
    _runtime.take_snapshot()
    left = found()
    _runtime.restored()
    print(json.dumps([proof, clean, held > 0, left, handles[1]() == handles[3]()]))
    """

    assert [1, 0, True, 0, True] == fresh_process.result(code, environ={"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"})


def test_c14_what_is_fetched_across_a_restore_is_not_kept(faults: FaultServer) -> None:
    """
    An answer to a request of before serves its caller, and nobody after.
    """

    def answer(operation: str, payload: dict[str, Any]) -> dict[str, Any]:
        if len(faults.calls) == 1:
            _runtime.restored()
        return {"Name": "s", "ARN": "arn:s-AbCdEf", "VersionId": "v", "SecretString": str(len(faults.calls))}

    faults.answer = answer
    value = secret("s")

    assert ["1", "2", "2"] == [value(), value(), value()]


@pytest.mark.parametrize(
    ("wall_s", "monotonic_s"),
    [(86_400.0, 0.0), (-86_400.0, 0.0), (0.0, -3_600.0), (0.0, 86_400.0)],
    ids=["wall on", "wall back", "monotonic back", "monotonic on"],
)
def test_c15_a_clock_that_jumps_makes_old(
    aws_environ: AwsServer, put_parameter: Callable[..., None], monkeypatch: pytest.MonkeyPatch, wall_s: float, monotonic_s: float
) -> None:
    """
    A value is too old when either clock says so or went backwards, and nothing breaks.
    """
    put_parameter("/p", "1")
    value = parameter("/p")
    value()
    put_parameter("/p", "2")
    wall, monotonic = time.time, time.monotonic
    monkeypatch.setattr(time, "time", lambda: wall() + wall_s)
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + monotonic_s)

    assert ["2", "2"] == [value(), get_parameter("/p")]
    assert 2 == len(aws_environ.calls)


@pytest.mark.realtime
def test_c16_freeze_counts(aws_environ: AwsServer, put_parameter: Callable[..., None]) -> None:
    """
    After a freeze longer than its age a value is fetched again.
    """
    put_parameter("/p", "1")
    code = """
    from lambda_kit import parameter
    value = parameter("/p", max_age_s=0.5)
    print(value(), flush=True)
    input()
    print(value(), flush=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert "1\n" == child.stdout.readline()
        os.kill(child.pid, signal.SIGSTOP)
        put_parameter("/p", "2")
        time.sleep(0.6)
        os.kill(child.pid, signal.SIGCONT)
        child.stdin.write("\n")
        child.stdin.flush()

        assert "2\n" == child.stdout.readline()
    assert 2 == len(aws_environ.calls)


def test_c17_size_is_bounded() -> None:
    """
    Ten thousand names, found and missing, fill a thousand places.
    """
    names = [f"/p/{number}" for number in range(10_000)]
    with override(dict.fromkeys(names[::2], "1")):
        for name in names:
            try:
                get_parameter(name)
            except ParameterNotFoundError:
                continue

        assert 1024 == len(cache._shelf)
        assert 1024 == len(cache._refused)
        assert 1024 >= len(cache._recent)
        assert 0 == len(cache._flights)


def test_c17_an_entry_is_small() -> None:
    """
    Beyond its value an entry costs less than a kilobyte.
    """
    kept: Cache[str] = Cache(max_entries=1000)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(1000):
            kept.put(number, "", "1")
            kept.fresh(number, 1.0)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert 1024 > (after - before) / 1000


class Login(BaseModel):
    """
    A model that refuses what the tests store.
    """

    username: str
    port: int


def test_c18_nothing_shows_a_secret(
    aws_environ: AwsServer, put_secret: Callable[..., str], pass_time: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    """
    In no repr, log line, error, cause or frame of the kit is the value of a secret, whatever goes wrong with it.
    """
    marker = uuid4().hex
    put_secret("s", json.dumps({"username": marker, "port": marker}))
    caplog.set_level(logging.DEBUG, "lambda_kit")
    shown = []
    handles: list[Any] = [
        secret("s"),
        secret("s", convert=json.loads),
        secret("s", convert=Login),
        secret("s", convert=int),
        secret("s", key="port", convert=int),
        secret("s", key="absent"),
    ]

    def read() -> None:
        for handle in handles:
            try:
                handle()
            except ParameterError as exc:
                shown.append(given_away_by(exc))
            shown.extend([repr(handle), str(handle), repr(handle._memo)])

    read()
    for trouble in (BROKEN, DENIED):
        aws_environ.always = trouble
        pass_time(400)
        read()
    pass_time(4000)
    read()
    shown += [repr(cache._shelf.content()), repr(config_stats()), *caplog.messages]

    assert 20 < len(shown)
    assert [] == [text for text in shown if marker in text]


def test_c18_a_failing_page_shows_no_earlier_one(faults: FaultServer) -> None:
    """
    What the first page brought is in no frame of the error of the second.
    """
    marker = uuid4().hex

    def answer(operation: str, payload: dict[str, Any]) -> dict[str, Any] | tuple[int, str]:
        if "NextToken" in payload:
            return 400, "AccessDeniedException"
        if operation == "GetParametersByPath":
            return {"Parameters": [{"Name": "/p/a", "Value": marker, "Version": 1}], "NextToken": "more"}
        return {"SecretValues": [{"Name": "a", "ARN": "arn:a-AbCdEf", "VersionId": "v", "SecretString": marker}], "NextToken": "more"}

    from lambda_kit import get_parameters_by_path
    from lambda_kit._configuration._batches import Batch
    from lambda_kit._configuration._sources import Secret

    faults.answer = answer
    with pytest.raises(ParameterError) as by_path:
        get_parameters_by_path("/p")
    with pytest.raises(ParameterError) as together:
        Batch("BatchGetSecretValue", [Secret(name, "AWSCURRENT") for name in "abc"]).fetch(10.0, patient=True)

    assert marker not in given_away_by(by_path.value) + given_away_by(together.value)


def test_c19_override_opens_no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A test that overrides values needs neither network nor AWS, and is told of names it forgot.
    """

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    price, login = parameter("/price", convert=float), secret("s", convert=json.loads)

    with override({"/price": "1.5", "s": {"username": "orders"}}):
        assert (1.5, {"username": "orders"}) == (price(), login())
        with pytest.raises(ParameterNotFoundError, match=r"no parameter '/forgotten' in override\(\): give it a value there"):
            get_parameter("/forgotten")


def test_c20_importing_is_light() -> None:
    """
    Declaring everything imports no third party, no SSL, no HTTP.
    """
    code = """
    import json, sys
    before = set(sys.modules)
    from lambda_kit import config_stats, get_parameter, get_secrets, kms_env, parameter, preload, secret
    parameter("/p"), secret("s"), kms_env("K"), config_stats()
    heavy = "boto3 botocore pydantic cachetools tenacity ssl http.client asyncio typing dataclasses inspect copy"
    print(json.dumps([name for name in heavy.split() if name in sys.modules and name not in before]))
    """

    assert [] == fresh_process.result(code)


def test_c21_forked_child_reads_for_itself(aws_environ: AwsServer, put_parameter: Callable[..., None]) -> None:
    """
    A child forked after a preload, while a thread holds the cache's lock, neither hangs nor uses the parent's values.
    """
    put_parameter("/p", "1")
    code = """
    import json, os, threading
    from lambda_kit import parameter, preload
    from lambda_kit._configuration._sources import cache
    value = parameter("/p")
    preload(value)
    held, done = threading.Event(), threading.Event()
    def hold():
        with cache._lock:
            held.set()
            done.wait()
    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, json.dumps([value.version, value(), value()]).encode())
        os._exit(0)
    os.waitpid(child, 0)
    done.set()
    thread.join()
    print(os.read(reading, 100).decode())
    """

    assert [None, "1", "1"] == fresh_process.result(code)
    assert 2 == len(aws_environ.calls)


def test_c22_kinds_of_value(put_parameter: Callable[..., None], put_secret: Callable[..., str]) -> None:
    """
    A StringList is a text, binary is bytes, a missing member is named and nothing else is shown.
    """
    marker = uuid4().hex
    put_parameter("/list", "a,b", Type="StringList")
    put_secret("binary", b"\x00\xff")
    put_secret("json", json.dumps({"other": marker}))

    assert ["a", "b"] == get_parameter("/list", convert=lambda text: text.split(","))
    assert ("a,b", b"\x00\xff") == (get_parameter("/list"), get_secret("binary", convert=bytes))
    with pytest.raises(ParameterValueError, match="secret 'json' has no key 'password'") as raised:
        get_secret("json", key="password")
    assert marker not in given_away_by(raised.value)


@pytest.mark.parametrize("context", [{"LambdaFunctionName": "orders"}, {}], ids=["context", "no context"])
def test_c23_encrypted_variable_is_decrypted_once(aws_environ: AwsServer, monkeypatch: pytest.MonkeyPatch, context: dict[str, str]) -> None:
    """
    However often and however late it is read, KMS is asked once per environment, with Lambda's context first.
    """
    kms = aws_environ.boto3("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"clear", EncryptionContext=context)["CiphertextBlob"]
    monkeypatch.setenv("ENCRYPTED", base64.b64encode(blob).decode())
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")
    value, upper = kms_env("ENCRYPTED"), kms_env("ENCRYPTED", convert=str.upper)

    assert ["clear", "CLEAR", "clear"] == [value(), upper(), value()]
    assert ["Decrypt"] * (1 if context else 2) == aws_environ.calls
    _runtime.take_snapshot()
    _runtime.restored()
    assert "clear" == value()
    assert ["Decrypt"] * (2 if context else 4) == aws_environ.calls


def test_c23_off_lambda_there_is_no_context(faults: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without a function's name it is decrypted without a context; what is no text is bytes.
    """
    faults.answer = lambda operation, payload: {"Plaintext": base64.b64encode(b"\x00\xff").decode()}
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    monkeypatch.setenv("ENCRYPTED", "AAEC")

    assert b"\x00\xff" == kms_env("ENCRYPTED", convert=bytes)()
    assert [("Decrypt", {"CiphertextBlob": "AAEC"})] == faults.calls


@pytest.mark.parametrize(
    ("text", "answer", "error", "message"),
    [
        (None, {}, ParameterNotFoundError, "environment variable 'ENCRYPTED' is not set: set it on the function"),
        ("plain text!", {}, ParameterValueError, "encrypted environment variable 'ENCRYPTED' is not base64: is it encrypted at all"),
        ("AAEC", (400, "InvalidCiphertextException"), ParameterValueError, "cannot be decrypted in eu-west-1 .InvalidCiphertext"),
        ("AAEC", (400, "DisabledException"), PermissionError, "the role needs kms:Decrypt for the key it was encrypted with"),
        ("AAEC", (500, "KMSInternalException"), ParameterUnavailableError, "could not be read in eu-west-1 just now"),
    ],
    ids=["unset", "not encrypted", "another key", "disabled", "outage"],
)
def test_c23_errors_of_an_encrypted_variable(
    faults: FaultServer, monkeypatch: pytest.MonkeyPatch, text: str | None, answer: Any, error: type[Exception], message: str
) -> None:
    """
    Each says which variable it is about and what to do, and does not quote it.
    """
    faults.answer = lambda operation, payload: answer
    if text is not None:
        monkeypatch.setenv("ENCRYPTED", text)

    with pytest.raises(error, match=message) as raised:
        kms_env("ENCRYPTED")()
    assert text is None or text not in str(raised.value)
