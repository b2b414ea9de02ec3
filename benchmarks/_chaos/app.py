"""
The function under chaos: it writes numbered rows in every way there is, and notes what it was told about each.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib.util
import json
import os
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from benchmarks._chaos.secret_store import SECRET
from lambda_kit import Deps, databases, environment, handler, invocation, parallel_map, secret_login
from lambda_kit.errors import LambdaKitError

if TYPE_CHECKING:
    from collections.abc import Callable

    from psycopg import Connection

    from lambda_kit.databases import Database

    Work = Callable[[], object]

CONNINFO = os.environ["CHAOS_CONNINFO"]
ACCOUNTS = 8
STANDARD_ERROR = 2
# How long a transaction may do nothing.
SLOW_S = 0.12
# An invocation that still runs this long before its deadline shows where it is.
ALARM_S = 0.15
# What a forked child has to be done by.
CHILD_S = 0.3

_login = secret_login(SECRET)
_options: dict[str, Any] = {"login": _login, "ping_after_s": 1.0}


class ChaosDeps(Deps):
    """
    The same server thrice: as most functions have it, with each statement on its own, and for two threads.
    """

    db: Database[Connection] = databases.postgres(CONNINFO, **_options)
    single: Database[Connection] = databases.postgres(CONNINFO, autocommit=True, **_options)
    pair: Database[Connection] = databases.postgres(CONNINFO, max_connections=2, **_options)


deps = ChaosDeps()
engine = deps.db.sqlalchemy_engine() if importlib.util.find_spec("sqlalchemy") else None


if environment().init_type == "snap-start":
    # A connection that is open when the snapshot is taken. Faults do not wait for the end of INIT.
    with contextlib.suppress(LambdaKitError):
        deps.db.run(lambda connection: connection.execute("SELECT 1"))


class AbandonedError(Exception):
    """
    The function's own error, which rolls back.
    """


def note(number: int, **facts: object) -> None:
    """
    Add a line to the journal, which no crash of this process or of the server takes back.
    """
    line = json.dumps({"number": number, "at_s": time.time(), **facts}) + "\n"
    descriptor = os.open(os.environ["CHAOS_JOURNAL"], os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC)
    os.write(descriptor, line.encode())
    os.close(descriptor)


def attempt(name: str, number: int, work: Work) -> None:
    """
    Do *work*, and note what its caller is told: that it is done, or the error.
    """
    request = invocation().request_id
    note(number, name=name, outcome="begun", request=request)
    try:
        work()
    except Exception as exc:  # noqa: BLE001  # which error comes is what is examined
        note(number, name=name, left_s=invocation().remaining_s(), **_facts(exc))
    else:
        note(number, name=name, left_s=invocation().remaining_s(), outcome="acknowledged")


def _facts(error: Exception) -> dict[str, object]:
    driver = getattr(error, "orig", None) or error
    return {
        "outcome": type(error).__name__,
        "kit": isinstance(error, LambdaKitError),
        "in_doubt": getattr(error, "in_doubt", False),
        "sqlstate": getattr(driver, "sqlstate", None),
        "message": str(error)[:400],
        "cause": f"{type(error.__cause__).__name__}: {error.__cause__}"[:200] if error.__cause__ else "",
    }


# Rows and transfers


def add(connection: Connection, number: int, part: int = 1) -> None:
    """
    Write one row; nothing on the server keeps it from being there twice.
    """
    connection.execute("INSERT INTO rows (number, part) VALUES (%s, %s)", (number, part))


def add_all(connection: Connection, number: int, *, pause_s: float = 0.0) -> None:
    """
    Write two rows, which belong together.
    """
    add(connection, number, 1)
    time.sleep(pause_s)
    add(connection, number, 2)


def replace(connection: Connection, number: int) -> None:
    """
    Write two rows in place of those that are there.
    """
    connection.execute("DELETE FROM rows WHERE number = %s", (number,))
    add_all(connection, number)


def transfer(connection: Connection, number: int, draw: float) -> None:
    """
    Move money from one account to another, and write that down. Accounts are locked in any order: some of it deadlocks.
    """
    source, target = int(draw * ACCOUNTS), int(draw * ACCOUNTS * 10) % ACCOUNTS
    amount = 1 + number % 97
    connection.execute("INSERT INTO transfers (number, source, target, amount) VALUES (%s, %s, %s, %s)", (number, source, target, amount))
    connection.execute("UPDATE accounts SET balance = balance - %s WHERE id = %s", (amount, source))
    connection.execute("UPDATE accounts SET balance = balance + %s WHERE id = %s", (amount, target))


def guarded_transfer(connection: Connection, number: int, draw: float) -> None:
    """
    Do the same once, however often it is asked for.
    """
    if connection.execute("INSERT INTO keyed (number) VALUES (%s) ON CONFLICT DO NOTHING RETURNING number", (number,)).fetchone():
        transfer(connection, number, draw)


def keyed(connection: Connection, number: int) -> None:
    """
    Write one row that can be there once only.
    """
    connection.execute("INSERT INTO keyed (number) VALUES (%s) ON CONFLICT DO NOTHING", (number,))


def poison(connection: Connection, number: int) -> None:
    """
    Write what must never be committed.
    """
    connection.execute("INSERT INTO poison (number) VALUES (%s)", (number,))


# What one invocation does


def _many(connection: Connection, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.executemany("INSERT INTO rows (number, part) VALUES (%s, %s)", [(number, part) for part in (1, 2, 3)])


def _copy(connection: Connection, number: int) -> None:
    with connection.cursor() as cursor, cursor.copy("COPY rows (number, part) FROM STDIN") as copy:
        for part in (1, 2, 3):
            copy.write_row((number, part))


def _block(db: Database[Connection], work: Callable[[Connection], object]) -> None:
    with db.connection() as connection:
        work(connection)


def _nested(number: int) -> None:
    """
    The driver's own transaction, with a savepoint that is given up.
    """
    with deps.db.connection() as connection, connection.transaction():
        add(connection, number, 1)
        with contextlib.suppress(AbandonedError), connection.transaction():
            poison(connection, number)
            raise AbandonedError
        add(connection, number, 2)


def _own_commit(number: int, _: float) -> None:
    """
    A commit in the middle: what is before it is done, whatever comes after it.
    """
    first, second = number, number + 1
    committed: list[int] = []
    request = invocation().request_id

    def work() -> None:
        with deps.db.connection() as connection:
            add(connection, first)
            connection.commit()
            committed.append(first)
            note(first, name="own commit", outcome="acknowledged")
            note(second, name="own commit, then", outcome="begun", request=request)
            add(connection, second)

    note(first, name="own commit", outcome="begun", request=request)
    try:
        work()
    except Exception as exc:  # noqa: BLE001  # as above
        late = second if committed else first
        note(late, name="own commit, then" if committed else "own commit", left_s=invocation().remaining_s(), **_facts(exc))
    else:
        note(second, name="own commit, then", left_s=invocation().remaining_s(), outcome="acknowledged")


def _parallel(number: int, _: float) -> None:
    parallel_map(lambda each: attempt("parallel", each, lambda: deps.pair.run(partial(add, number=each))), [number, number + 1, number + 2])


def _fork(number: int, _: float) -> None:
    """
    A child that uses what it inherited, and then the parent, at the same time.
    """
    child = os.fork()
    if child == 0:
        try:
            attempt("fork", number, lambda: deps.db.run(partial(add, number=number)))
        finally:
            os._exit(0)
    attempt("fork", number + 1, lambda: deps.db.run(partial(add, number=number + 1)))
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if invocation().remaining_s() < CHILD_S:
            note(number, name="fork", outcome="outlived")
            os.kill(child, 9)
            os.waitpid(child, 0)
            return
        time.sleep(0.005)


def _abandon(number: int, _: float) -> None:
    """
    A transaction that the function's own error ends.
    """

    def work(connection: Connection) -> None:
        poison(connection, number)
        transfer(connection, number, 0.5)
        raise AbandonedError

    attempt("abandon", number, lambda: deps.db.run(work))


def _leave(number: int, _: float) -> None:
    """
    Misuse: a transaction is begun on a connection that was given back. The next invocation must not commit it.
    """
    import psycopg

    def work() -> None:
        with deps.db.connection() as connection:
            pass
        # Outside of the block errors are the driver's.
        with contextlib.suppress(psycopg.Error):
            poison(connection, number)
            connection.execute("UPDATE accounts SET balance = balance + 1000000 WHERE id = %s", (ACCOUNTS + os.getpid() % ACCOUNTS,))

    attempt("leave", number, work)


def _failed(number: int, _: float) -> None:
    """
    Misuse: a statement's error is caught within the block, which cannot be committed then.
    """
    import psycopg

    def work(connection: Connection) -> None:
        add(connection, number)
        with contextlib.suppress(psycopg.errors.DivisionByZero):
            connection.execute("SELECT 1 / 0")

    attempt("failed", number, lambda: deps.db.run(work))


def _engine(number: int, _: float) -> None:
    """
    The same connections by way of SQLAlchemy, where that is installed.
    """
    if engine is None:
        return
    from sqlalchemy import text

    def work() -> None:
        with engine.begin() as connection:
            for part in (1, 2):
                connection.execute(text("INSERT INTO rows (number, part) VALUES (:number, :part)"), {"number": number, "part": part})

    attempt("engine", number, work)


def _simple(name: str, work: Callable[[int, float], object]) -> Callable[[int, float], None]:
    return lambda number, draw: attempt(name, number, lambda: work(number, draw))


_WORKS: dict[str, Callable[[int, float], None]] = {
    name: _simple(name, work)
    for name, work in {
        "insert": lambda number, _: deps.db.run(partial(add, number=number)),
        "replace": lambda number, _: deps.db.run(partial(replace, number=number), idempotent=True),
        "transfer": lambda number, draw: deps.db.run(partial(transfer, number=number, draw=draw)),
        "guarded transfer": lambda number, draw: deps.db.run(partial(guarded_transfer, number=number, draw=draw), idempotent=True),
        "block": lambda number, _: _block(deps.db, partial(add_all, number=number)),
        "slow block": lambda number, draw: _block(deps.db, partial(add_all, number=number, pause_s=SLOW_S * draw)),
        "many": lambda number, _: deps.db.run(partial(_many, number=number)),
        "copy": lambda number, _: deps.db.run(partial(_copy, number=number)),
        "nested": lambda number, _: _nested(number),
        "single": lambda number, _: deps.single.run(partial(add, number=number)),
        "single keyed": lambda number, _: deps.single.run(partial(keyed, number=number), idempotent=True),
    }.items()
}
_WORKS |= {
    "own commit": _own_commit,
    "parallel": _parallel,
    "fork": _fork,
    "abandon": _abandon,
    "leave": _leave,
    "failed": _failed,
    "engine": _engine,
}


def _operations(event: dict[str, Any]) -> list[dict[str, Any]]:
    return list(event["operations"])


@handler.invoke(_operations, deps=deps)
def entry(operations: list[dict[str, Any]], inner: ChaosDeps) -> dict[str, Any]:
    """
    Do what the event says, one after the other, and tell what the databases have counted so far.
    """
    # Standard error's own number: what stands in for it has none.
    faulthandler.dump_traceback_later(max(0.01, invocation().remaining_s() - ALARM_S), file=STANDARD_ERROR)
    try:
        for operation in operations:
            _WORKS[operation["name"]](operation["number"], operation["draw"])
    finally:
        faulthandler.cancel_dump_traceback_later()
    counted = [database.stats() for database in (inner.db, inner.single, inner.pair)]
    causes = {cause for each in counted for cause in each.reconnects}
    return {
        "pid": os.getpid(),
        "connects": sum(each.connects for each in counted),
        "pings": sum(each.pings for each in counted),
        "rollbacks": sum(each.rollbacks for each in counted),
        "reconnects": {cause: sum(each.reconnects.get(cause, 0) for each in counted) for cause in causes},
        "descriptors": len(os.listdir("/proc/self/fd")),
        "left_s": invocation().remaining_s(),
    }
