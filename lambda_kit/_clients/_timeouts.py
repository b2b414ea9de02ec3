"""
How long a call may take and how often it is tried: fixed per service, fit for a function, not for a server.
"""

from __future__ import annotations

from lambda_kit import _runtime
from lambda_kit._require import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A function is killed at its deadline: an endpoint that cannot be connected to must fail well before.
CONNECT_TIMEOUT_S = 2.0
READ_TIMEOUT_S = 10.0
# Services whose calls may rightly take longer to answer.
READ_TIMEOUTS_S = {
    # A page of query results or of log events may take a while to be computed.
    "athena": 30.0,
    "logs": 30.0,
    # Models stream their first token late, and answer whole after minutes.
    "bedrock-agent-runtime": 300.0,
    "bedrock-runtime": 300.0,
    # A synchronous invocation takes up to 15 min, and a read timeout would start it a second time.
    "lambda": 905.0,
    # The data API ends a statement after 45 s.
    "rds-data": 50.0,
    # Bodies of objects come in parts, a slow client side included.
    "s3": 60.0,
    # Endpoints have 60 s to answer.
    "sagemaker-runtime": 70.0,
    # ReceiveMessage waits up to 20 s.
    "sqs": 25.0,
    # StartSyncExecution runs up to 5 min.
    "stepfunctions": 305.0,
    # PollForDecisionTask and PollForActivityTask wait up to 60 s.
    "swf": 70.0,
}


class Timeouts:
    """
    How long one caller is ready to wait, where that is less than what fits the service.
    """

    __slots__ = ("attempts", "connect_s", "read_s")

    def __init__(self, connect_s: float, read_s: float, attempts: int) -> None:
        self.connect_s = connect_s
        self.read_s = read_s
        self.attempts = attempts

    def as_options(self) -> dict[str, object]:
        """
        Return them as botocore's ``Config`` takes them.
        """
        retries = {"mode": "standard", "total_max_attempts": self.attempts}
        return {"connect_timeout": self.connect_s, "read_timeout": self.read_s, "retries": retries, "tcp_keepalive": True}


def config(service: str, given: Any, timeouts: Timeouts | None) -> Any:
    """
    Return the ``Config`` for a client of *service*: what was *given* wins over what fits the service, *timeouts* over both.
    """
    make = require("botocore.config", extra="aws").Config
    if timeouts is not None:
        return make(**timeouts.as_options())
    fitting = make(connect_timeout=CONNECT_TIMEOUT_S, read_timeout=READ_TIMEOUTS_S.get(service, READ_TIMEOUT_S), tcp_keepalive=True)
    if _runtime.setting("AWS_RETRY_MODE") is None:
        fitting = fitting.merge(make(retries={"mode": "standard"}))
    return fitting if given is None else fitting.merge(given)
