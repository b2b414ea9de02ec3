"""
Connections cut at any byte while something is written: nothing is written twice, and what is not known is said so.
"""

# The with blocks under test have bodies (PT012); statements name a test's own tables (S608); what is random is seeded (S311).
# ruff: noqa: PT012, S311, S608

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from psycopg import Connection

from lambda_kit import databases
from lambda_kit._local._processes import wait_until
from lambda_kit.databases import Database
from lambda_kit.errors import CommitUnknownError, ConnectionLostError
from tests.databases.accounts import Shop
from tests.databases.conftest import Orders
from tests.databases.cutting import ANSWERED, SENT, CuttingProxy, cutting_proxy

RUNS = 500
# So many cuts in a hundred come after the end: the work is through, and the connection dies idle.
LATE = 25

Insert = Callable[[Any, int], object]


def into_rows(connection: Connection, number: int) -> None:
    connection.execute("INSERT INTO twice VALUES (%s)", [number])


def into_numbers(connection: Any, number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO twice VALUES (%s)", [number])


def through(proxy: CuttingProxy, orders: Orders, *, autocommit: bool = False) -> Database[Connection]:
    """
    Declare a database behind *proxy*, with a table that takes a number twice.
    """
    orders.server.execute(f"CREATE TABLE {orders.role}.twice (id int)")
    orders.server.execute(f"ALTER TABLE {orders.role}.twice OWNER TO {orders.role}")
    return databases.postgres(f"host=127.0.0.1 port={proxy.port} dbname=postgres", login=orders.login, autocommit=autocommit)


def through_to_maria(proxy: CuttingProxy, shop: Shop) -> Database[Any]:
    """
    The same for MariaDB.
    """
    shop.server.execute(f"CREATE TABLE {shop.user}.twice (id int)")
    return databases.mysql("127.0.0.1", port=proxy.port, login=shop.login)


def exchange(proxy: CuttingProxy, database: Database[Any], insert: Insert) -> dict[str, int]:
    """
    Return how many bytes one insert takes in each direction, BEGIN and COMMIT included.
    """
    with database.connection():
        pass
    before = proxy.passed()
    database.run(lambda connection: insert(connection, -1))
    return {direction: after - before[direction] for direction, after in proxy.passed().items()}


def cut_at_random(proxy: CuttingProxy, database: Database[Any], insert: Insert, *, runs: int, idempotent: bool = False) -> dict[int, str]:
    """
    Insert a number in each run, through a connection that is cut somewhere on the way, and return how each ended.
    """
    bytes_of = exchange(proxy, database, insert)
    dice = random.Random(20260321)
    ends = {}
    for number in range(runs):
        with database.connection():
            pass
        direction = dice.choice([SENT, ANSWERED])
        proxy.cut(direction, dice.randrange(bytes_of[direction] * (100 + LATE) // 100))
        try:
            database.run(lambda connection, number=number: insert(connection, number), idempotent=idempotent)  # type: ignore[misc]  # of int
            ends[number] = "done"
        except ConnectionLostError as exc:
            ends[number] = "in doubt" if exc.in_doubt else "lost"
        except CommitUnknownError:
            ends[number] = "in doubt"
    return ends


def assert_honest(ends: dict[int, str], rows: list[int]) -> None:
    """
    What is done is there once; what is lost is not; what is in doubt is there once or not.
    """
    written = Counter(rows)
    allowed = {"done": (1,), "lost": (0,), "in doubt": (0, 1)}
    assert {} == {number: (end, written[number]) for number, end in ends.items() if written[number] not in allowed[end]}


def rows_of(orders: Orders) -> list[int]:
    """
    What is committed once the server is through with all that it has got.
    """
    assert wait_until(lambda: [] == orders.backends, timeout_s=10)
    return [number for (number,) in orders.server.execute(f"SELECT id FROM {orders.role}.twice")]


def rows_of_maria(shop: Shop) -> list[int]:
    assert wait_until(lambda: [] == shop.sessions, timeout_s=10)
    return [number for (number,) in shop.server.execute(f"SELECT id FROM {shop.user}.twice")]


def test_five_hundred_cuts_write_nothing_twice(orders: Orders) -> None:
    """
    D25: a row is there exactly once after a success, not at all after a certain loss, and once or not when that is in doubt.
    """
    with cutting_proxy(orders.server.port) as proxy:
        database = through(proxy, orders)

        ends = cut_at_random(proxy, database, into_rows, runs=RUNS)
        database.close()

    assert_honest(ends, rows_of(orders))
    assert {"done", "lost", "in doubt"} == set(ends.values())


def test_cuts_of_repeatable_work_write_nothing_twice(orders: Orders) -> None:
    """
    D25: work that may be done again is, after a certain loss; after a lost COMMIT it is not.
    """
    with cutting_proxy(orders.server.port) as proxy:
        database = through(proxy, orders)

        ends = cut_at_random(proxy, database, into_rows, runs=100, idempotent=True)
        database.close()

    assert_honest(ends, rows_of(orders))
    assert {"done", "in doubt"} == set(ends.values())


def test_cuts_without_a_transaction_write_nothing_twice(orders: Orders) -> None:
    """
    D25: with autocommit each loss of a statement on the way is in doubt, and none is sent again.
    """
    with cutting_proxy(orders.server.port) as proxy:
        database = through(proxy, orders, autocommit=True)

        ends = cut_at_random(proxy, database, into_rows, runs=100)
        database.close()

    assert_honest(ends, rows_of(orders))
    assert {"done", "in doubt"} == set(ends.values())


def test_cuts_write_nothing_twice_to_mariadb(shop: Shop) -> None:
    """
    D25: with MySQL's protocol too.
    """
    with cutting_proxy(shop.server.port) as proxy:
        database = through_to_maria(proxy, shop)

        ends = cut_at_random(proxy, database, into_numbers, runs=100)
        database.close()

    assert_honest(ends, rows_of_maria(shop))
    assert {"done", "lost", "in doubt"} == set(ends.values())


def cut_each_byte_of_a_commit(proxy: CuttingProxy, database: Database[Any], insert: Insert) -> dict[int, tuple[str, int]]:
    """
    Cut the exchange of a COMMIT at each of its bytes; return direction and place of each cut. All must leave doubt.
    """
    with database.connection() as connection:
        insert(connection, -1)
        before = proxy.passed()
    bytes_of = {direction: after - before[direction] for direction, after in proxy.passed().items()}
    cuts = [(direction, after) for direction in (SENT, ANSWERED) for after in range(bytes_of[direction])]
    for number, (direction, after) in enumerate(cuts):
        with pytest.raises(CommitUnknownError), database.connection() as connection:
            insert(connection, number)
            proxy.cut(direction, after)
    database.close()
    return dict(enumerate(cuts))


def test_a_commit_cut_at_any_byte_is_unknown(orders: Orders) -> None:
    """
    D26: both happen: a COMMIT that did not arrive whole is none, one that did is one, whatever came back of the answer.
    """
    with cutting_proxy(orders.server.port) as proxy:
        cuts = cut_each_byte_of_a_commit(proxy, through(proxy, orders), into_rows)

    expected = sorted(number for number, (direction, _) in cuts.items() if direction == ANSWERED)
    assert [-1, *expected] == sorted(rows_of(orders))
    assert 0 < len(expected) < len(cuts)


def test_a_commit_cut_at_any_byte_is_unknown_with_mariadb(shop: Shop) -> None:
    """
    D26: the same with MySQL's protocol.
    """
    with cutting_proxy(shop.server.port) as proxy:
        cuts = cut_each_byte_of_a_commit(proxy, through_to_maria(proxy, shop), into_numbers)

    expected = sorted(number for number, (direction, _) in cuts.items() if direction == ANSWERED)
    assert [-1, *expected] == sorted(rows_of_maria(shop))
    assert 0 < len(expected) < len(cuts)


@pytest.mark.parametrize("idempotent", [False, True])
def test_a_statement_lost_in_flight_is_not_sent_again(orders: Orders, database: Database[Connection], idempotent: bool) -> None:
    """
    D24: work in a transaction that dies under a running statement raises, and leaves nothing; only run() with leave does it again.
    """
    seen: list[int] = []

    def work(connection: Connection) -> None:
        seen.append(connection.info.backend_pid)
        connection.execute(f"INSERT INTO {orders.role}.rows VALUES (1)")
        if len(seen) == 1:
            killing.start()
            connection.execute("SELECT pg_sleep(20)")

    def kill() -> None:
        assert wait_until(lambda: bool(orders.server.execute(sleeping, [orders.role])), timeout_s=10)
        orders.end_sessions()

    sleeping = "SELECT pid FROM pg_stat_activity WHERE usename = %s AND wait_event = 'PgSleep'"
    killing = threading.Thread(target=kill)
    if idempotent:
        database.run(work, idempotent=True)
    else:
        with pytest.raises(ConnectionLostError) as caught:
            database.run(work)
        assert not caught.value.in_doubt
    killing.join()

    assert ([1] if idempotent else []) == orders.rows
    assert (2 if idempotent else 1) == len(set(seen)) == len(seen)
