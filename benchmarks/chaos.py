"""
Random faults against a real PostgreSQL while functions write numbered rows: is every acknowledged row there, exactly once?

    python benchmarks/chaos.py [--seconds N] [--seed N] [--workers N] [--evidence FOLDER] [--write]

Needs the packages of ``constraints/bench.txt``; ``make bench`` sees to them, and runs it for a minute. Exits with 1, and says
with which seed, when something is there that must not be.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parents[1]
# Run as a file, a benchmark sees its own folder only.
sys.path.insert(0, str(ROOT))

from benchmarks._chaos import report  # noqa: E402  # found by the line above
from benchmarks._chaos.environments import Environment  # noqa: E402
from benchmarks._chaos.faults import DATABASE, OTHERS, USER, Faults, windows  # noqa: E402
from benchmarks._chaos.oracle import Evidence, violations  # noqa: E402
from benchmarks._chaos.proxy import HOST, Proxy  # noqa: E402
from benchmarks._chaos.report import Outcome  # noqa: E402
from benchmarks._chaos.schedule import Plan, draw_faults  # noqa: E402
from benchmarks._chaos.secret_store import SecretStore  # noqa: E402
from lambda_kit._local import PostgresServer  # noqa: E402

PAGE = ROOT / "docs" / "benchmarks" / "chaos.md"
ACCOUNTS, OPENED = 16, 1_000_000
# How long after a fault its consequences may last: a refused login is not sent again for up to 5 s.
SETTLE_S = 5.0
# What a run ends with, undisturbed; a short one has a part of it.
LAST_CALM_S = SETTLE_S + 2.0
LAST_CALM_SHARE = 0.2
HEARTBEAT_S = 0.05
NOTABLE_S = 0.01

# Numbers may be there twice: nothing on the server makes up for a statement that was sent twice.
TABLES = f"""
CREATE TABLE rows (number bigint NOT NULL, part int NOT NULL);
CREATE INDEX ON rows (number);
CREATE TABLE keyed (number bigint PRIMARY KEY);
CREATE TABLE transfers (number bigint NOT NULL, source int NOT NULL, target int NOT NULL, amount int NOT NULL);
CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL);
CREATE TABLE poison (number bigint NOT NULL);
INSERT INTO accounts SELECT id, {OPENED} FROM generate_series(0, {ACCOUNTS - 1}) AS id;
"""  # noqa: S608  # numbers of this file


def main(words: list[str] | None = None) -> None:
    """
    Run, print the report, and write it into the documentation when asked to.
    """
    parser = argparse.ArgumentParser(description="Break a PostgreSQL in every way while functions write rows, then count them.")
    parser.add_argument("--seconds", type=float, default=600.0, help="how long faults happen (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="decides faults and work (default %(default)s)")
    parser.add_argument("--workers", type=int, default=4, help="environments (default %(default)s)")
    parser.add_argument("--evidence", type=Path, help="folder to leave journals, faults and the server's log in")
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks/chaos.md")
    arguments = parser.parse_args(words)
    outcome = run(arguments.seconds, arguments.seed, arguments.workers, arguments.evidence)
    page = report.page(outcome)
    print(page)
    if outcome.violations:
        print(*outcome.violations[: report.MOST_VIOLATIONS], sep="\n")
        sys.exit(f"{len(outcome.violations)} violations with seed {arguments.seed}")
    if arguments.write:
        PAGE.write_text(page, encoding="utf-8")


def run(seconds: float, seed: int, workers: int, evidence: Path | None = None) -> Outcome:
    """
    Let it all happen, and return what came of it.
    """
    password, others_password = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
    with ExitStack() as resources:
        folder = Path(resources.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o700)
        server = resources.enter_context(PostgresServer.start(settings={"max_connections": "40"}))
        _set_up(server, password, others_password)
        store = SecretStore(USER, password)
        resources.callback(store.close)
        proxy = Proxy(server.port)
        resources.callback(proxy.close)
        log = _Log(store)
        environments = [_environment(number, seed, folder, proxy, store, log) for number in range(1, workers + 1)]
        faults = Faults(server, proxy, store, environments, others_password)
        heart = _Heart()
        began_s = time.time()
        sessions = _live(environments, faults, seed, seconds)
        heart.stop()
        ended_s = time.time()
        found = _evidence(server, environments, folder, store, log, heart)
        found.sessions = sessions
        found.calm = list(_between(began_s, list(windows(faults.struck, SETTLE_S)), ended_s))
        outcome = Outcome(
            seconds=seconds,
            seed=seed,
            workers=workers,
            evidence=found,
            struck=faults.struck,
            unexpected=faults.unexpected,
            environments=environments,
            violations=violations(found),
            late_s=heart.late_s(began_s, ended_s),
            secret_calls=store.calls,
            cuts=proxy.cuts,
        )
        if evidence is not None:
            _keep(evidence, outcome, server)
    return outcome


def _set_up(server: PostgresServer, password: str, others_password: str) -> None:
    server.create_role(USER, password)
    server.create_role(OTHERS, others_password)
    server.execute(f"CREATE DATABASE {DATABASE} OWNER {USER}")
    server.execute(f"SET ROLE {USER}; {TABLES}", dbname=DATABASE)


def _environment(number: int, seed: int, folder: Path, proxy: Proxy, store: SecretStore, log: _Log) -> Environment:
    environ = {
        "CHAOS_CONNINFO": f"host={HOST} port={proxy.port} dbname={DATABASE}",
        "CHAOS_JOURNAL": str(folder / f"{number}.jsonl"),
        "AWS_ENDPOINT_URL": store.url,
    }
    return Environment(number, Plan(seed, number), root=ROOT, environ=environ, on_line=log.add)


def _live(environments: list[Environment], faults: Faults, seed: int, seconds: float) -> int:
    """
    Have functions invoked while faults strike, and for a while after the last one; return how many sessions there are then.
    """
    for environment in environments:
        environment.start()
    stop, began_s = threading.Event(), time.monotonic()
    lanes = [
        threading.Thread(target=faults.strike, args=(lane, began_s, stop), name=f"faults-{name}", daemon=True)
        for name, lane in draw_faults(seed, seconds).items()
    ]
    try:
        for lane in lanes:
            lane.start()
        for lane in lanes:
            lane.join()
        time.sleep(min(LAST_CALM_S, LAST_CALM_SHARE * seconds))
        return faults.sessions()
    finally:
        stop.set()
        for environment in environments:
            environment.stop()


def _evidence(
    server: PostgresServer, environments: list[Environment], folder: Path, store: SecretStore, log: _Log, heart: _Heart
) -> Evidence:
    """
    Read journals and tables, when nobody writes any more.
    """
    server.restart()
    journal = [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").splitlines()]
    places: Counter[tuple[str, int, int]] = Counter()
    with psycopg.connect(server.conninfo(dbname=DATABASE)) as connection:
        places.update(("rows", number, part) for number, part in connection.execute("SELECT number, part FROM rows"))
        places.update(("keyed", number, 1) for (number,) in connection.execute("SELECT number FROM keyed"))
        places.update(("transfers", number, 1) for (number,) in connection.execute("SELECT number FROM transfers"))
        poison = [number for (number,) in connection.execute("SELECT number FROM poison")]
        moved = connection.execute("SELECT source, target, amount FROM transfers").fetchall()
        balances: dict[int, int] = dict(connection.execute("SELECT id, balance FROM accounts").fetchall())
    return Evidence(
        journal=journal,
        places=places,
        poison=poison,
        transfers=[(source, target, amount) for source, target, amount in moved],
        opened=dict.fromkeys(balances, OPENED),
        balances=balances,
        runs=[replace(run, late_s=heart.late_s(run.began_s, run.ended_s)) for environment in environments for run in environment.runs],
        secrets=store.passwords,
        leaks=log.leaks,
    )


def _between(began_s: float, wrong: list[tuple[float, float]], ended_s: float) -> list[tuple[float, float]]:
    """
    Return the spans in which nothing was wrong.
    """
    edges = [began_s, *(edge for span in wrong for edge in span), ended_s]
    return [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if end > start]


def _keep(folder: Path, outcome: Outcome, server: PostgresServer) -> None:
    """
    Leave what an investigation needs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "journal.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in outcome.evidence.journal), encoding="utf-8")
    (folder / "faults.txt").write_text("".join(f"{each}\n" for each in [*outcome.struck, *outcome.unexpected]), encoding="utf-8")
    (folder / "runs.txt").write_text("".join(f"{each}\n" for each in outcome.evidence.runs), encoding="utf-8")
    (folder / "violations.txt").write_text("".join(f"{each}\n" for each in outcome.violations), encoding="utf-8")
    (folder / "server.log").write_text(server.log_file.read_text(errors="replace"), encoding="utf-8")


class _Log:
    """
    Look at every line that functions write, for passwords.
    """

    def __init__(self, store: SecretStore) -> None:
        self._store = store
        self.leaks: list[str] = []

    def add(self, line: str) -> None:
        """
        Look at one line.
        """
        if any(password in line for password in self._store.passwords):
            self.leaks.append(line)


class _Heart:
    """
    Measure how late this process wakes up: what the machine itself adds to every wait.
    """

    def __init__(self) -> None:
        self._late: list[tuple[float, float]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heart", daemon=True)
        self._thread.start()

    def late_s(self, began_s: float, ended_s: float) -> float:
        """
        Return by how much it was too late at worst, from *began_s* to *ended_s*, in seconds since the epoch.
        """
        return max((late_s for at_s, late_s in self._late if began_s <= at_s <= ended_s + late_s), default=0.0)

    def stop(self) -> None:
        """
        Measure no longer.
        """
        self._stop.set()
        self._thread.join()

    def _beat(self) -> None:
        while True:
            began_s = time.monotonic()
            if self._stop.wait(HEARTBEAT_S):
                return
            late_s = time.monotonic() - began_s - HEARTBEAT_S
            if late_s >= NOTABLE_S:
                self._late.append((time.time(), late_s))


if __name__ == "__main__":
    main()
