"""
A driver without a server, and a context with a deadline: what the engine's own tests need.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from lambda_kit.databases import Credentials
from lambda_kit.databases._driver import Doubt, State, Verdict
from lambda_kit.errors import LoginError


class FakeError(Exception):
    """
    An error of the fake driver that says what it means.
    """

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(f"fake: {verdict.value}")
        self.verdict = verdict


class FakeConnection:
    """
    A connection that does as it is told.
    """

    def __init__(self, credentials: Credentials | None) -> None:
        self.credentials = credentials
        self.state = State.IDLE
        self.answers = True
        self.log: list[str] = []
        self.until_s: float | None = None
        self.on_commit: BaseException | None = None
        self.on_rollback: BaseException | None = None
        self.state_after_commit = State.IDLE
        self.on_inspect: BaseException | None = None
        self.on_cancel: BaseException | None = None
        self.doubt = Doubt.NOTHING


class FakeDriver:
    """
    A driver whose connects are scripted: an error is raised, anything else connects.
    """

    name = "fake"
    transactional = True
    knows_loss = True

    def __init__(self, *script: BaseException | Callable[[Credentials | None], object]) -> None:
        self.script = list(script)
        self.made: list[FakeConnection] = []
        self.timeouts_s: list[float] = []
        self.loaded = 0

    def load(self) -> None:
        self.loaded += 1

    def connect(self, credentials: Credentials | None, timeout_s: float) -> FakeConnection:
        self.timeouts_s.append(timeout_s)
        step = self.script.pop(0) if self.script else None
        if isinstance(step, BaseException):
            raise step
        if step is not None:
            step(credentials)
        connection = FakeConnection(credentials)
        self.made.append(connection)
        return connection

    def inspect(self, connection: FakeConnection) -> State:
        if connection.on_inspect is not None:
            raise connection.on_inspect
        return connection.state

    def state(self, connection: FakeConnection) -> State:
        return connection.state

    def doubt(self, connection: FakeConnection) -> Doubt:
        return connection.doubt

    def ping(self, connection: FakeConnection, timeout_s: float) -> bool:
        connection.log.append(f"ping within {timeout_s:.1f}")
        return connection.answers

    def bound(self, connection: FakeConnection, until_s: float | None) -> None:
        connection.until_s = until_s

    def commit(self, connection: FakeConnection) -> None:
        connection.log.append("commit")
        if connection.on_commit is not None:
            connection.state = connection.state_after_commit
            raise connection.on_commit
        connection.state = State.IDLE

    def roll_back(self, connection: FakeConnection, timeout_s: float) -> None:
        connection.log.append(f"roll back within {timeout_s:.1f}")
        if connection.on_rollback is not None:
            raise connection.on_rollback
        connection.state = State.IDLE

    def cancel(self, connection: FakeConnection, timeout_s: float) -> None:
        connection.log.append(f"cancel within {timeout_s:.1f}")
        if connection.on_cancel is not None:
            raise connection.on_cancel

    def close(self, connection: FakeConnection) -> None:
        connection.log.append("close")
        connection.state = State.LOST

    def drop(self, connection: FakeConnection) -> None:
        connection.log.append("drop")
        connection.state = State.LOST

    def classify(self, error: BaseException) -> Verdict | None:
        return error.verdict if isinstance(error, FakeError) else None


class FakeLogin:
    """
    A login with passwords to offer, one after the other; what it was asked is written down.
    """

    def __init__(self, *passwords: str) -> None:
        self.passwords = list(passwords)
        self.asked: list[str | None] = []

    def __call__(self, refused: Credentials | None, /) -> Credentials:
        self.asked.append(None if refused is None else refused.password)
        if refused is not None:
            later = self.passwords[self.passwords.index(refused.password) + 1 :]
            if not later:
                raise LoginError("nothing else to offer")
            return Credentials("app", later[0])
        return Credentials("app", self.passwords[0])


class FakeContext:
    """
    Lambda's context, as much of it as a deadline and a request id need.
    """

    function_name = "orders"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
    memory_limit_in_mb = "128"
    log_group_name = log_stream_name = client_context = identity = None

    def __init__(self, remaining_s: float, request_id: str = "request-1") -> None:
        self.aws_request_id = request_id
        self._remaining_s = remaining_s

    def get_remaining_time_in_millis(self) -> int:
        return int(self._remaining_s * 1000)


class TickingContext(FakeContext):
    """
    One whose time goes by.
    """

    def __init__(self, remaining_s: float, request_id: str = "request-1") -> None:
        super().__init__(remaining_s, request_id)
        self._until_s = time.monotonic() + remaining_s

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._until_s - time.monotonic()) * 1000))

    def until(self, remaining_s: float) -> None:
        """
        Wait until this much is left.
        """
        time.sleep(max(0.0, self._until_s - remaining_s - time.monotonic()))
