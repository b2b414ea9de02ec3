"""
One call of a service: signed, sent, tried again where that makes sense, and its answer or refusal.
"""

from __future__ import annotations

import logging

from lambda_kit import _observe, _runtime
from lambda_kit._backoff import retrying
from lambda_kit._transport import _connections, _credentials, _endpoints, _protocol, _sigv4
from lambda_kit.errors import ServiceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# Seconds that must be left for the whole of it, how long connecting and waiting may then take, and how many attempts there are.
_LIMITS = ((7.0, 1.0, 2.0, 2), (4.0, 0.5, 1.0, 2), (1.5, 0.5, 1.0, 1), (0.0, 0.3, 0.3, 1))
_FIRST_PAUSE_S = 0.2
_MOST_PAUSE_S = 1.0

# What botocore's standard mode tries again.
# Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
_RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
_RETRIED_CODES = frozenset(
    "BandwidthLimitExceeded LimitExceededException PriorRequestNotComplete RequestLimitExceeded RequestThrottled "
    "RequestThrottledException RequestTimeout RequestTimeoutException SlowDown ThrottledException Throttling ThrottlingException "
    "TooManyRequestsException".split()
)
# What a signature made by a wrong clock, or before a freeze and sent after it, is refused with.
_OFF_CODES = frozenset(
    "AuthFailure InvalidSignatureException RequestExpired RequestInTheFuture RequestTimeTooSkewed SignatureDoesNotMatch".split()
)
_EXPIRED_CODES = frozenset("ExpiredToken ExpiredTokenException InvalidClientTokenId UnrecognizedClientException".split())
# AWS takes signatures that are up to 5 min off.
_MOST_SKEW_S = 240.0

_logger = logging.getLogger("lambda_kit")
_clock_offset_s = 0.0


class Lean:
    """
    Ask SSM, Secrets Manager and KMS without an SDK.
    """

    __slots__ = ()

    @property
    def region(self) -> str:
        """
        The function's region.
        """
        return _runtime.region()

    def load(self, service: str) -> None:
        """
        Do nothing: whoever has this has all of it.
        """

    def request(self, service: str, operation: str, payload: Mapping[str, object], *, budget_s: float) -> dict[str, Any]:
        """
        Call *operation* (``"GetParameter"``) of *service* (``"ssm"``, ``"secretsmanager"``, ``"kms"``) and return the answer.

        Payload and answer are what botocore takes and gives, except that timestamps stay numbers. Only for operations that
        may be called twice: what fails on the way is tried again, with full jitter.

        Args:
            budget_s: Seconds that all of it may take, credentials, connection, retries and pauses included.

        Raises:
            ServiceError: The service refused, or there was no answer in time.
            ConfigurationError: No region, no credentials, a variable that makes no sense.
        """
        call = _Call(service, operation, payload, budget_s)
        with _observe.span(service, "aws", operation=operation, region=call.endpoint.region):
            return retrying(call.attempt, may_retry=call.may_retry, budget_s=budget_s, first_s=_FIRST_PAUSE_S, most_s=_MOST_PAUSE_S)


class _Call:
    """
    What one call asks for, and what is left for it.
    """

    __slots__ = ("body", "endpoint", "limits", "operation", "retries_left", "service")

    def __init__(self, service: str, operation: str, payload: Mapping[str, object], budget_s: float) -> None:
        _, connect_s, read_s, attempts = next((each for each in _LIMITS if budget_s >= each[0]), _LIMITS[-1])
        self.service = service
        self.operation = operation
        self.body = _protocol.encoded(payload)
        self.endpoint = _endpoints.endpoint(service)
        self.limits = _connections.Limits(connect_s, read_s, _runtime.monotonic_s() + budget_s)
        self.retries_left = attempts - 1

    def attempt(self) -> dict[str, Any]:
        """
        Send the request, signed for now, and return the answer; a signature or credentials that are out of date are renewed once.
        """
        credentials = _credentials.credentials(self.limits.until_s)
        at_s = _runtime.wall_s() + _clock_offset_s
        answer = self._exchange(credentials, at_s)
        if answer.status >= 400 and _is_out_of_date(answer, credentials, at_s):
            answer = self._exchange(_credentials.credentials(self.limits.until_s), _runtime.wall_s() + _clock_offset_s)
        if 200 <= answer.status < 300:
            found = _protocol.decoded(self.service, answer.body)
            if found is None:
                raise self._unanswered("the answer is no JSON object")
            return found
        code, reason = _protocol.refusal(answer.status, answer.body)
        message = f"{code}: {reason}" if reason else code
        raise ServiceError(message, code=code, reason=reason, status=answer.status, region=self.endpoint.region)

    def may_retry(self, exc: Exception) -> bool:
        """
        Tell whether another attempt makes sense, and count it.
        """
        if not isinstance(exc, ServiceError) or not self.retries_left:
            return False
        self.retries_left -= 1
        return not exc.code or exc.status in _RETRIED_STATUSES or exc.code in _RETRIED_CODES

    def _exchange(self, credentials: _credentials.Credentials, at_s: float) -> _connections.Answer:
        from http.client import HTTPException

        try:
            return _connections.exchange(self.endpoint, self._request(credentials, at_s), self.limits)
        except OSError as exc:
            failure = f"{type(exc).__name__}: {exc}"
        except HTTPException as exc:
            failure = type(exc).__name__  # its text may be a part of an answer
        # Raised here, not above: the frames that the error comes from hold the session token.
        raise self._unanswered(failure)

    def _request(self, credentials: _credentials.Credentials, at_s: float) -> _connections.Request:
        endpoint = self.endpoint
        headers = {"Host": endpoint.authority, "User-Agent": "aws-lambda-kit", **_protocol.headers(self.service, self.operation)}
        options = {"method": "POST", "target": endpoint.target, "service": self.service, "region": endpoint.region}
        return _connections.Request("POST", _sigv4.signed(headers, self.body, credentials, **options, at_s=at_s), self.body)

    def _unanswered(self, failure: str) -> ServiceError:
        reason = f"no answer from {self.endpoint.authority}: {failure}"
        return ServiceError(reason, reason=reason, region=self.endpoint.region)


def _is_out_of_date(answer: _connections.Answer, credentials: _credentials.Credentials, signed_at_s: float) -> bool:
    """
    Tell whether signing anew would help: with the server's clock, or with other credentials. Sees to either.
    """
    code, _ = _protocol.refusal(answer.status, answer.body)
    if code in _EXPIRED_CODES and credentials.renewable:
        _credentials.forget(credentials)
        return True
    server_s = _seconds(answer.date) if code in _OFF_CODES else None
    if server_s is None or abs(server_s - signed_at_s) <= _MOST_SKEW_S:
        return False
    _set_clock(server_s - _runtime.wall_s())
    return True


def _seconds(date: str) -> float | None:
    """
    Return a Date header in epoch seconds.
    """
    from email.utils import mktime_tz, parsedate_tz

    parsed = parsedate_tz(date)
    return None if parsed is None else float(mktime_tz(parsed))


def _set_clock(offset_s: float) -> None:
    """
    Sign by a clock that differs from this environment's, if it does by much.
    """
    global _clock_offset_s  # one clock, one offset
    _clock_offset_s = offset_s if abs(offset_s) > _MOST_SKEW_S else 0.0
    if _clock_offset_s:
        _logger.warning("the clock is %.0f s off AWS's; requests are signed by AWS's", _clock_offset_s)


def _forget() -> None:
    global _clock_offset_s  # another clock, perhaps
    _clock_offset_s = 0.0


_runtime.register(restore=_forget, reset=_forget)
