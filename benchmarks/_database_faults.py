"""
The faults of benchmarks/databases.py, and how a subject comes through them: in processes of its own, with a real server.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Self

from benchmarks._database_subjects import FRESH, PRELUDE, RECOVER, SUBJECTS
from lambda_kit._local._postgres import PostgresServer
from tests.databases.network import Wire, namespace_if_possible, wire

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[1]
# What takes longer is cut off.
LIMIT_S = 5.0
# The kit asks a connection that has been idle this long whether it still lives.
IDLE_S = 5.2
# After this the next one begins, and those that wait go on waiting beside it.
ALONE_S = 1.5
DOWN_S = 0.8
START_S = 30.0


class Secrets:
    """
    A stand-in for Secrets Manager with one secret, whose stages hold passwords.
    """

    def __init__(self) -> None:
        self.stages: dict[str, str] = {}
        secrets = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                password = secrets.stages.get(asked.get("VersionStage", "AWSCURRENT"))
                found = {
                    "Name": "orders/db",
                    "VersionId": f"{password:0>36}",
                    "SecretString": json.dumps({"username": "app", "password": password}),
                }
                body = json.dumps(found if password else {"__type": "ResourceNotFoundException", "message": "no such version"}).encode()
                self.send_response(200 if password else 400)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Content-Type", "application/x-amz-json-1.1")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """
                Say nothing.
                """

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """
                Say nothing of clients that were killed.
                """

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """
        Stop listening.
        """
        self._server.shutdown()
        self._server.server_close()


class Lab:
    """
    A server, its secret, and two ways to it: one that a proxy can make mute, one whose packets can be lost.
    """

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self.server = stack.enter_context(PostgresServer.start())
            self.secrets = Secrets()
            stack.callback(self.secrets.stop)
            namespace = stack.enter_context(namespace_if_possible())
            self.mute = stack.enter_context(wire(self.server.port, None))
            self.dark: Wire | None = None if namespace is None else stack.enter_context(wire(self.server.port, namespace))
            self._rotations = 0
            self._starting: threading.Timer | None = None
            self.password = "first"  # noqa: S105  # of a server that lives for minutes
            self.secrets.stages = {"AWSCURRENT": self.password}
            self.server.create_role("app", self.password)
            self.server.execute("CREATE TABLE rows (writer text)")
            self.server.execute("GRANT ALL ON TABLE rows TO app")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def environment(self, fault: Fault, **more: str) -> dict[str, str]:
        """
        Return the environment of a process that goes the fault's way to the server.
        """
        between = fault.wire(self)
        way = {"HOST": self.server.host, "PORT": str(self.server.port)}
        if between is not None:
            way = {"HOST": between.host, "PORT": str(between.port)}
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "PYTHONPATH": str(ROOT),
            "PYTHONHASHSEED": "0",
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_ENDPOINT_URL": self.secrets.url,
            **({} if fault.reads_secret else {"PASSWORD": self.password}),
            **way,
            **more,
        }

    def terminate(self) -> None:
        """
        End the sessions on the server, and wait until they are gone.
        """
        self.server.execute("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'app'")

    def crash(self) -> None:
        """
        Kill the server, and start it again.
        """
        self.server.kill()
        self.server.restart()
        # The first session afterwards reads the catalogues anew, whoever's it is.
        self.server.execute("SELECT 1")

    def go_down(self) -> None:
        """
        Kill the server, and start it again a little later.
        """
        self.server.kill()
        self._starting = threading.Timer(DOWN_S, self.server.restart)
        self._starting.start()

    def rotate(self, stage: str) -> None:
        """
        Change the password, put it into *stage*, and end the sessions.
        """
        self._rotations += 1
        self.password = f"rotated-{self._rotations}"
        self.secrets.stages[stage] = self.password
        self.server.set_password("app", self.password)
        self.terminate()

    def go_mute(self) -> None:
        """
        Swallow what goes over the present connections.
        """
        self.mute.mute()

    def go_dark(self) -> None:
        """
        Lose the packets of the present connections.
        """
        if self.dark is not None:
            self.dark.go_dark()

    def committed(self) -> set[str]:
        """
        Return who has committed rows.
        """
        return {writer for (writer,) in self.server.execute("DELETE FROM rows RETURNING writer")}

    def settle(self) -> None:
        """
        Wait until the server is up, and end the rotation that was under way.
        """
        if self._starting is not None:
            self._starting.join()
        self.secrets.stages = {"AWSCURRENT": self.password}


@dataclass(frozen=True)
class Fault:
    """
    What happens between two invocations.

    Attributes:
        idle_s: How long the connections have been idle when it does.
        each: It happens for each subject anew.
        reads_secret: The subjects read the password at each connect.
    """

    title: str
    inject: Callable[[Lab], object]
    idle_s: float = 0.0
    each: bool = False
    leaves_open: bool = False
    reads_secret: bool = False
    wire: Callable[[Lab], Wire | None] = lambda _: None


TERMINATED = Fault("session ended by the server", Lab.terminate)
DARK = Fault("black hole", Lab.go_dark, idle_s=IDLE_S, wire=lambda lab: lab.dark)
MUTE = Fault("peer that does not answer", Lab.go_mute, idle_s=IDLE_S, wire=lambda lab: lab.mute)
LEFT_OPEN = Fault("transaction left open", lambda _: None, leaves_open=True)
FAULTS = (
    TERMINATED,
    Fault("server killed, up again", Lab.crash),
    Fault(f"server down for {DOWN_S} s", Lab.go_down, each=True),
    MUTE,
    DARK,
    Fault("password rotated, sessions ended", lambda lab: lab.rotate("AWSCURRENT"), reads_secret=True),
    Fault("rotation under way, sessions ended", lambda lab: lab.rotate("AWSPENDING"), reads_secret=True),
    LEFT_OPEN,
)


@dataclass
class Outcome:
    """
    How one subject came through one fault: the errors its user saw, and the seconds until it worked again, if it did.
    """

    errors: list[str] = field(default_factory=list)
    took_s: float | None = None
    committed: bool = False

    @property
    def words(self) -> str:
        """
        The outcome for a reader.
        """
        seen = ", ".join(f"{number} x {name}" for name, number in Counter(self.errors).items())
        if self.took_s is None:
            return f"{seen}, not ok in {LIMIT_S:.0f} s" if seen else f"blocked > {LIMIT_S:.0f} s"
        return f"{seen}, then ok" if seen else "ok"


class Child:
    """
    A process with one subject, which says what it sees line by line.
    """

    def __init__(self, title: str, environment: dict[str, str]) -> None:
        self._title = title
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed in end()
        self._ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-c", PRELUDE + SUBJECTS[title] + RECOVER]
            self._process = subprocess.Popen(command, env=environment, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=self._log)
        self._said = b""
        self._until_s = 0.0
        self.outcome = Outcome()

    def wait_until_warm(self) -> None:
        """
        Wait until the first unit of work is done.
        """
        if self._line(time.monotonic() + START_S) != "warm":
            self._log.seek(0)
            raise SystemExit(f"error: {self._title} does not run here:\n{self._log.read().decode()[-2000:]}")

    def go(self) -> None:
        """
        Let it work again.
        """
        self._until_s = time.monotonic() + LIMIT_S
        self._ours.sendall(b"\n")

    def watch(self, seconds: float) -> Outcome:
        """
        Return how that goes, once it works or *seconds* have passed, and at the latest at the limit.
        """
        until_s = min(time.monotonic() + seconds, self._until_s)
        while self.outcome.took_s is None and (line := self._line(until_s)) is not None:
            if line.startswith("ok "):
                self.outcome.took_s = float(line.removeprefix("ok "))
            else:
                self.outcome.errors.append(line)
        return self.outcome

    def end(self) -> None:
        """
        End the process.
        """
        self._process.kill()
        self._process.wait()
        self._ours.close()
        self._log.close()

    def _line(self, until_s: float) -> str | None:
        """
        Return the next line, or ``None`` when there is none in time.
        """
        while b"\n" not in self._said:
            # No time at all would mean not to wait, and to fail with another error.
            self._ours.settimeout(max(0.001, until_s - time.monotonic()))
            try:
                more = self._ours.recv(65536)
            except TimeoutError:
                return None
            if not more:
                return None
            self._said += more
        line, _, self._said = self._said.partition(b"\n")
        return line.decode()


def come_through(lab: Lab, fault: Fault, titles: list[str]) -> dict[str, Outcome]:
    """
    Let the subjects meet *fault*, all with a warm connection, one after the other.
    """
    if fault.each and len(titles) > 1:
        return {title: come_through(lab, fault, [title])[title] for title in titles}
    leave_open = "1" if fault.leaves_open else ""
    children = {title: Child(title, lab.environment(fault, TITLE=title, LEAVE_OPEN=leave_open)) for title in titles}
    try:
        for child in children.values():
            child.wait_until_warm()
        time.sleep(fault.idle_s)
        fault.inject(lab)
        for child in children.values():
            child.go()
            child.watch(ALONE_S)
        found = {title: child.watch(LIMIT_S) for title, child in children.items()}
    finally:
        for child in children.values():
            child.end()
        lab.settle()
    for title in lab.committed():
        found[title].committed = True
    return found


def fresh_s(lab: Lab, fault: Fault) -> float:
    """
    Return the seconds of a connect and a first statement over the fault's way, with psycopg alone.
    """
    environment = lab.environment(fault, PASSWORD=lab.password)
    done = subprocess.run([sys.executable, "-c", PRELUDE + FRESH], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"error: connecting does not work here:\n{done.stderr}")
    return float(done.stdout)
