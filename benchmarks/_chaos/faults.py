"""
The faults themselves: what is done to server, network, secret and functions, and undone again.
"""

from __future__ import annotations

import contextlib
import os
import random
import secrets
import signal
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from benchmarks._chaos.proxy import CUT_AFTER, CUT_BEFORE, DOWN, MUTE_AFTER, MUTE_BEFORE, UP, leave_alone
from benchmarks._chaos.secret_store import OUTAGES
from lambda_kit._local._guard import descendants
from lambda_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks._chaos.environments import Environment
    from benchmarks._chaos.proxy import Link, Proxy
    from benchmarks._chaos.schedule import Fault
    from benchmarks._chaos.secret_store import SecretStore
    from lambda_kit._local import PostgresServer

DATABASE, USER, OTHERS = "chaos", "chaos", "others"
# Bytes until a cut: the first statements of a transaction, its COMMIT and the answers lie within.
MOST_BYTES = 4000
# How far into an invocation its process is struck.
LONGEST_DELAY_S = 0.006
SLOW_S = 0.02
# How often a server that a fault has ended is started; a loaded machine may need more than one.
ATTEMPTS = 10
ATTEMPT_S = 0.5
SUPERUSER_TIMEOUT_S = 3


@dataclass(frozen=True, slots=True)
class Struck:
    """
    A fault that has happened, from when to when, in seconds since the epoch. *missed*: there was nothing to hit.
    """

    kind: str
    began_s: float
    ended_s: float
    missed: bool = False


class Faults:
    """
    All that can be done to one server and its functions.
    """

    def __init__(
        self, server: PostgresServer, proxy: Proxy, store: SecretStore, environments: list[Environment], others_password: str
    ) -> None:
        self.struck: list[Struck] = []
        self.unexpected: list[str] = []
        self._server, self._proxy, self._store, self._environments = server, proxy, store, environments
        self._others = server.conninfo(dbname=DATABASE, user=OTHERS, password=others_password)
        self._works: dict[str, Callable[[Fault], bool | None]] = {
            "terminate one": self._terminate_one,
            "terminate all": lambda _: self._terminate_all(),
            "crash server": self._crash_server,
            "crash backend": self._crash_backend,
            "restart fast": self._restart_fast,
            "restart immediately": self._restart_immediately,
            "rotate password": self._rotate,
            "rotate in outage": self._rotate_in_outage,
            "no connections left": self._exhaust,
            "read-only": lambda fault: self._setting(fault, default_transaction_read_only="on"),
            "idle sessions ended": lambda fault: self._setting(fault, idle_session_timeout="50ms"),
            "idle transactions ended": lambda fault: self._setting(fault, idle_in_transaction_session_timeout="50ms"),
            "long transactions ended": lambda fault: self._setting(fault, transaction_timeout="100ms"),
            "statements stopped": self._stop_statements,
            "tables locked": self._lock_tables,
            "frozen backend": self._freeze_backend,
            "frozen server": self._freeze_server,
            "cut": lambda fault: self._cut(fault, reset=False),
            "cut by reset": lambda fault: self._cut(fault, reset=True),
            "cut at COMMIT": lambda fault: self._end_at_commit(fault, (CUT_BEFORE, CUT_AFTER)),
            "mute at COMMIT": lambda fault: self._end_at_commit(fault, (MUTE_BEFORE, MUTE_AFTER)),
            "swallowed": self._swallow,
            "held": self._hold,
            "black hole": lambda fault: self._during(fault, self._proxy.black_hole()),
            "refused": lambda fault: self._during(fault, self._proxy.refusing()),
            "slow": self._slow_down,
            "stalled function": lambda fault: self._pick(fault, self._environments).stall(fault.seconds, _delay_s(fault)),
            "killed function": lambda fault: self._pick(fault, self._environments).kill(_delay_s(fault)),
        }

    def strike(self, faults: list[Fault], began_monotonic_s: float, stop: threading.Event) -> None:
        """
        Let one lane's faults happen, each at its time.
        """
        for fault in faults:
            if stop.wait(max(0.0, began_monotonic_s + fault.at_s - time.monotonic())):
                return
            began_s = time.time()
            missed = False
            try:
                missed = self._works[fault.kind](fault) is False
            except (psycopg.Error, OSError) as exc:
                # Faults of another lane may be in the way of this one.
                missed = True
                self.unexpected.append(f"{fault.kind}: {type(exc).__name__}: {exc}".strip())
            self.struck.append(Struck(fault.kind, began_s, time.time(), missed))

    def sessions(self) -> int:
        """
        Return how many sessions functions have, once the server answers.
        """
        self._insist(self._backends)
        return len(self._backends())

    # The server

    def _terminate_one(self, fault: Fault) -> bool:
        pids = self._backends()
        if pids:
            self._run("SELECT pg_terminate_backend(%s)", [self._pick(fault, pids)])
        return bool(pids)

    def _terminate_all(self) -> None:
        self._run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [USER])

    def _crash_server(self, fault: Fault) -> None:
        self._server.kill()
        time.sleep(fault.seconds)
        self._start()

    def _crash_backend(self, fault: Fault) -> bool:
        pids = self._backends()
        if pids:
            os.kill(self._pick(fault, pids), signal.SIGKILL)
        return bool(pids)

    def _restart_fast(self, fault: Fault) -> None:
        self._server.stop()
        time.sleep(fault.seconds)
        self._start()

    def _restart_immediately(self, fault: Fault) -> None:
        os.kill(self._postmaster(), signal.SIGQUIT)
        time.sleep(fault.seconds)
        self._start()

    def _start(self) -> None:
        for _ in range(ATTEMPTS):
            with contextlib.suppress(ConfigurationError):
                self._server.restart()
                return
        self.unexpected.append("the server did not come up again")

    def _rotate(self, fault: Fault) -> None:
        """
        Rotate as Secrets Manager's functions for a single user do: pending version, server, current version.
        """
        password = secrets.token_urlsafe(16)
        self._store.put_pending(password)
        try:
            self._server.set_password(USER, password)
            self._terminate_all()
            time.sleep(fault.seconds)
        finally:
            self._settle_password()

    def _settle_password(self) -> None:
        """
        Finish the rotation with the server knowing what is current from now on, whatever else is wrong with it.
        """
        self._insist(lambda: self._server.set_password(USER, self._store.passwords[-1]))
        self._store.finish()

    def _rotate_in_outage(self, fault: Fault) -> None:
        self._store.outage = self._pick(fault, list(OUTAGES))
        try:
            self._rotate(fault)
        finally:
            self._store.outage = None

    def _exhaust(self, fault: Fault) -> None:
        """
        Take all connections that are free, and then those of the function too.
        """
        with contextlib.ExitStack() as held:
            for attempt in range(2):
                with contextlib.suppress(psycopg.OperationalError):
                    while True:
                        held.enter_context(psycopg.connect(self._others, connect_timeout=SUPERUSER_TIMEOUT_S))
                if attempt == 0:
                    self._terminate_all()
            time.sleep(fault.seconds)

    def _setting(self, fault: Fault, **setting: str) -> None:
        """
        Change a setting for all sessions, old and new.
        """
        ((name, value),) = setting.items()
        try:
            self._run(f"ALTER SYSTEM SET {name} = '{value}'")
            self._run("SELECT pg_reload_conf()")
            time.sleep(fault.seconds)
        finally:
            self._insist(lambda: self._run(f"ALTER SYSTEM RESET {name}"))
            self._insist(lambda: self._run("SELECT pg_reload_conf()"))

    def _stop_statements(self, fault: Fault) -> None:
        try:
            self._run("ALTER SYSTEM SET statement_timeout = '20ms'")
            self._run("SELECT pg_reload_conf()")
            self._lock_tables(fault)
        finally:
            self._insist(lambda: self._run("ALTER SYSTEM RESET statement_timeout"))
            self._insist(lambda: self._run("SELECT pg_reload_conf()"))

    def _lock_tables(self, fault: Fault) -> None:
        # The superuser's statements are stopped too, meanwhile.
        with psycopg.connect(self._superuser(), options="-c statement_timeout=0", connect_timeout=SUPERUSER_TIMEOUT_S) as connection:
            connection.execute("SET lock_timeout = '500ms'")
            connection.execute("LOCK TABLE rows, keyed, transfers IN ACCESS EXCLUSIVE MODE")
            time.sleep(fault.seconds)
            connection.rollback()

    def _freeze_backend(self, fault: Fault) -> bool:
        pids = self._backends()
        if not pids:
            return False
        return self._freeze([self._pick(fault, pids)], fault.seconds)

    def _freeze_server(self, fault: Fault) -> bool:
        postmaster = self._postmaster()
        return self._freeze([postmaster, *descendants(postmaster)], fault.seconds)

    def _freeze(self, pids: list[int], seconds: float) -> bool:
        with contextlib.ExitStack() as opened:
            frozen = []
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    frozen.append(os.pidfd_open(pid))
                    opened.callback(os.close, frozen[-1])
            _signal_all(frozen, signal.SIGSTOP)
            try:
                time.sleep(seconds)
            finally:
                _signal_all(frozen, signal.SIGCONT)
        return bool(frozen)

    # The network

    def _cut(self, fault: Fault, *, reset: bool) -> None:
        """
        Cut connections, old and new, each at a byte of its own.
        """
        rng = random.Random(fault.draw)  # noqa: S311  # no secret
        self._to_all(fault, lambda link: link.cut_after(rng.choice((UP, DOWN)), rng.randint(1, MOST_BYTES), reset=reset))

    def _end_at_commit(self, fault: Fault, kinds: tuple[str, ...]) -> None:
        """
        End connections, old and new, at the next COMMIT of each.
        """
        rng = random.Random(fault.draw)  # noqa: S311  # no secret
        self._to_all(fault, lambda link: setattr(link, "at_commit", rng.choice(kinds)))

    def _to_all(self, fault: Fault, work: Callable[[Link], None]) -> None:
        """
        Do something to each connection there is, and to each new one, for a while.
        """
        struck: list[Link] = []

        def strike(link: Link) -> None:
            struck.append(link)
            work(link)

        self._proxy.on_link = strike
        for link in self._proxy.links:
            strike(link)
        time.sleep(fault.seconds)
        self._proxy.on_link = leave_alone
        for link in struck:
            link.spare()

    def _swallow(self, fault: Fault) -> bool:
        links = self._links(fault)
        directions = self._pick(fault, [{UP}, {DOWN}, {UP, DOWN}])
        for link in links:
            link.swallowed = set(directions)
        time.sleep(fault.seconds)
        for link in links:
            link.close()
        return bool(links)

    def _hold(self, fault: Fault) -> bool:
        links = self._links(fault)
        for link in links:
            link.passing.clear()
        time.sleep(fault.seconds)
        for link in links:
            link.passing.set()
        return bool(links)

    def _slow_down(self, fault: Fault) -> None:
        links = self._proxy.links
        for link in links:
            link.pause_s = SLOW_S
        time.sleep(fault.seconds)
        for link in links:
            link.pause_s = 0.0

    def _during(self, fault: Fault, block: contextlib.AbstractContextManager[None]) -> None:
        with block:
            time.sleep(fault.seconds)

    # What the others need

    def _links(self, fault: Fault) -> list[Link]:
        """
        Return every other connection, or all.
        """
        links = sorted(self._proxy.links, key=id)
        return links if fault.draw > 0.5 else links[::2]

    def _backends(self) -> list[int]:
        rows = self._run("SELECT pid FROM pg_stat_activity WHERE usename = %s ORDER BY pid", [USER])
        return [pid for (pid,) in rows]

    def _postmaster(self) -> int:
        ((content,),) = self._run("SELECT pg_read_file('postmaster.pid')")
        return int(content.split()[0])

    def _superuser(self) -> str:
        return self._server.conninfo(dbname=DATABASE)

    def _run(self, statement: str, params: list[Any] | None = None) -> list[tuple[Any, ...]]:
        """
        Run one statement as superuser, with limits: other faults may be in the way.
        """
        with psycopg.connect(
            self._superuser(), autocommit=True, options="-c statement_timeout=3s", connect_timeout=SUPERUSER_TIMEOUT_S
        ) as connection:
            cursor = connection.execute(statement, params)
            return list(cursor.fetchall()) if cursor.description else []

    def _insist(self, work: Callable[[], object]) -> None:
        """
        Undo a fault, on a server that may still recover from another.
        """
        for _ in range(ATTEMPTS):
            with contextlib.suppress(psycopg.Error):
                work()
                return
            time.sleep(ATTEMPT_S)
        self.unexpected.append("a fault could not be undone")

    @staticmethod
    def _pick(fault: Fault, things: list[Any]) -> Any:
        return things[int(fault.draw * len(things))]


def _delay_s(fault: Fault) -> float:
    return LONGEST_DELAY_S * (fault.draw * 97 % 1.0)


def _signal_all(pidfds: list[int], number: signal.Signals) -> None:
    for pidfd in pidfds:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, number)


def windows(struck: list[Struck], settle_s: float) -> Iterator[tuple[float, float]]:
    """
    Yield the spans of time in which something was wrong, or had been *settle_s* ago, in order and without overlaps.
    """
    began_s = ended_s = 0.0
    for fault in sorted(struck, key=lambda each: each.began_s):
        if fault.began_s > ended_s:
            if ended_s:
                yield began_s, ended_s
            began_s, ended_s = fault.began_s, fault.ended_s + settle_s
        ended_s = max(ended_s, fault.ended_s + settle_s)
    if ended_s:
        yield began_s, ended_s
