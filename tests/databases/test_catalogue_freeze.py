"""
A function that is frozen while its servers go on: their clocks end its sessions, and it thaws with dead sockets.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable

import pytest

from lambda_kit._local._processes import wait_until
from tests.databases.conftest import Orders
from tests.databases.servers import HOST, MariaServer, ValkeyServer

pytestmark = pytest.mark.realtime

FREEZE_S = 2.0
# Says what the session is, waits for a line, says what it is then, and how the first one ended.
_FUNCTION = """
    import json, os, sys
    from lambda_kit import databases
    {declare}
    def number():
        with db.connection() as connection:
            return {ask}
    print(number(), flush=True)
    sys.stdin.readline()
    print(json.dumps([number(), db.stats().reconnects, db.stats().pings]))
"""


def frozen(declare: str, ask: str, is_over: Callable[[int], bool]) -> tuple[int, int, dict[str, int], int]:
    """
    Freeze a function between two invocations, for two seconds at least and until its session is over; return the session's
    number before and after, and what the function says of it.
    """
    code = textwrap.dedent(_FUNCTION).replace("{declare}", declare).replace("{ask}", ask)
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as function:
        assert function.stdout is not None
        before = int(function.stdout.readline())
        os.kill(function.pid, signal.SIGSTOP)
        try:
            # The servers' clocks are what is tested.
            threading.Event().wait(FREEZE_S)
            assert wait_until(lambda: is_over(before), timeout_s=10)
        finally:
            os.kill(function.pid, signal.SIGCONT)
        said, _ = function.communicate("thaw\n", timeout=30)
    after, reconnects, pings = json.loads(said)
    return before, after, reconnects, pings


def test_postgres_ends_the_session_of_a_frozen_function(orders: Orders) -> None:
    """
    D11: after idle_session_timeout; the next invocation sees nothing of it, and waits for no ping.
    """
    orders.server.execute(f"ALTER ROLE {orders.role} SET idle_session_timeout = '500ms'")
    conninfo = f"{orders.conninfo} user={orders.role} password={orders.password}"

    before, after, reconnects, pings = frozen(
        f"db = databases.postgres({conninfo!r})",
        'connection.execute("SELECT pg_backend_pid()").fetchone()[0]',
        lambda pid: pid not in orders.backends,
    )

    assert before != after
    assert {"closed": 1} == reconnects
    assert 0 == pings


def test_mariadb_ends_the_session_of_a_frozen_function(maria: MariaServer) -> None:
    """
    D11: after wait_timeout.
    """
    maria.execute("CREATE USER frozen@'%' IDENTIFIED BY 'secret'")
    options = {"init_command": "SET wait_timeout = 1"}
    who = "databases.Credentials('frozen', 'secret')"

    before, after, reconnects, _ = frozen(
        f"db = databases.mysql({HOST!r}, port={maria.port}, login=lambda _: {who}, options={options})",
        "(connection.query('SELECT 1'), connection.thread_id())[1]",
        lambda number: (number,) not in maria.execute("SELECT id FROM information_schema.processlist"),
    )

    assert before != after
    assert {"closed": 1} == reconnects


def sessions(valkey: ValkeyServer) -> list[str]:
    with valkey.client() as client:
        return [each["id"] for each in client.client_list()]


def test_redis_ends_the_session_of_a_frozen_function(valkey: ValkeyServer) -> None:
    """
    D11: after timeout.
    """
    valkey.execute("CONFIG", "SET", "timeout", "1")
    try:
        before, after, reconnects, _ = frozen(
            f"db = databases.redis('redis://{HOST}:{valkey.port}')",
            "connection.client_id()",
            lambda number: str(number) not in sessions(valkey),
        )
    finally:
        valkey.execute("CONFIG", "SET", "timeout", "0")

    assert before != after
    assert {"closed": 1} == reconnects
