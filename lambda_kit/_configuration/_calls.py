"""
Calls to Parameter Store, Secrets Manager and KMS that fit into what is left of an invocation, and what AWS's errors mean.
"""

from __future__ import annotations

from lambda_kit import _runtime
from lambda_kit._backoff import retrying
from lambda_kit._cache import Tally, fraction
from lambda_kit._configuration._transports import transport
from lambda_kit.errors import (
    ConfigurationError,
    MissingDependencyError,
    ParameterAccessError,
    ParameterError,
    ParameterNotFoundError,
    ParameterUnavailableError,
    ParameterValueError,
    ServiceError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Asked(Protocol):
        """
        What is asked for: its name for the error's attribute, and its text for the message.
        """

        @property
        def name(self) -> str:
            """As the user gave it."""
            ...


# With less than this no call is begun: a TLS connection alone takes half of it.
LEAST_BUDGET_S = 0.3
# A throttled read that a caller has to wait for is tried once more when this is left for it.
SECOND_ROUND_S = 7.0
# How long a service that throttles is left alone by those who have a value: doubles with each further refusal.
FIRST_REST_S = 1.0
MOST_REST_S = 60.0

_ACTIONS = {
    "GetParameter": "ssm:GetParameter, and kms:Decrypt if it is a SecureString under a key of yours",
    "GetParameters": "ssm:GetParameters, and kms:Decrypt for SecureStrings under a key of yours",
    "GetParametersByPath": "ssm:GetParametersByPath, and kms:Decrypt for SecureStrings under a key of yours",
    "GetSecretValue": "secretsmanager:GetSecretValue, and kms:Decrypt if the secret is under a key of yours",
    "BatchGetSecretValue": "secretsmanager:BatchGetSecretValue and, for each, secretsmanager:GetSecretValue",
    "Decrypt": "kms:Decrypt for the key it was encrypted with, and the key has to be enabled",
}

# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
# https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html and the common errors of the three
_ABSENT = {"ParameterNotFound", "ParameterVersionNotFound", "ResourceNotFoundException"}
_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    # A KMS key that is disabled, deleted, or not for this role.
    "DecryptionFailure",
    "DisabledException",
    "IncorrectKeyException",
    "InvalidKeyId",
    "InvalidKeyUsageException",
    "KMSInvalidStateException",
    "NotFoundException",
    "InvalidClientTokenId",
    "NotAuthorized",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_UNREADABLE = {"InvalidCiphertextException"}
_THROTTLED = {
    "LimitExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_PASSING = {
    # Credentials or signatures that a freeze made too old; the next attempt signs anew.
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "RequestExpired",
    "DependencyTimeoutException",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "KeyUnavailableException",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
}


class _Rest:
    """
    How often in a row a service throttled, and until when it is left alone.
    """

    __slots__ = ("refusals", "until_s")

    def __init__(self) -> None:
        self.refusals = 0
        self.until_s = 0.0


throttled = Tally()
_rests: dict[str, _Rest] = {}


def rests_until_s(service: str) -> float:
    """
    Return until when, on the monotonic clock, those who have a value leave *service* alone; 0 when it does not throttle.
    """
    rest = _rests.get(service)
    return 0.0 if rest is None else rest.until_s


def ask(asked: Asked, service: str, operation: str, payload: dict[str, object], budget_s: float, *, patient: bool = True) -> Any:
    """
    Call *operation* in about *budget_s*, and return AWS's answer.

    Args:
        patient: Try once more when the service throttles and the budget allows it.

    Raises:
        ParameterError: The one of its kinds that says what to do; the cause is botocore's error, or a ``ServiceError``.
    """
    if budget_s < LEAST_BUDGET_S:
        raise ParameterUnavailableError(f"{asked} is not asked for with only {budget_s:.3f} s left", name=asked.name)
    until_s = _runtime.monotonic_s() + budget_s

    def attempt() -> Any:
        return transport().request(service, operation, payload, budget_s=until_s - _runtime.monotonic_s())

    rounds = iter((True,)) if patient and budget_s >= 2 * SECOND_ROUND_S else iter(())
    try:
        answer = retrying(
            attempt,
            may_retry=lambda exc: _throttles(exc, service) and next(rounds, False),
            budget_s=budget_s - SECOND_ROUND_S,
            first_s=0.5,
        )
    except ServiceError as exc:
        raise error_of(asked, operation, exc) from (exc.__cause__ or exc)
    except MissingDependencyError:
        raise
    except ConfigurationError as exc:
        raise ConfigurationError(f"{asked} cannot be asked for: {exc}") from (exc.__cause__ or exc)
    _rests.pop(service, None)
    return answer


def region() -> str:
    """
    Return where is asked, for messages.
    """
    return transport().region


def error_of(asked: Asked, operation: str, refusal: ServiceError) -> ParameterError:
    """
    Return the kit's error for what a service said, or did not say.
    """
    code, name, where = refusal.code, asked.name, refusal.region
    if not code:
        return ParameterUnavailableError(
            f"{asked} could not be read in {where}: {refusal.reason}; is the endpoint reachable from the function's network?", name=name
        )
    if code in _ABSENT:
        return ParameterNotFoundError(f"no {asked} in {where} ({refusal}): create it there, or correct the name", name=name)
    if code in _DENIED:
        return ParameterAccessError(f"{asked} may not be read in {where} ({refusal}): the role needs {_ACTIONS[operation]}", name=name)
    if code in _UNREADABLE:
        return ParameterValueError(
            f"{asked} cannot be decrypted in {where} ({refusal}): it is no ciphertext, or was encrypted with another context", name=name
        )
    if code in _PASSING or code in _THROTTLED or refusal.retryable or refusal.status >= 500:
        return ParameterUnavailableError(f"{asked} could not be read in {where} just now ({refusal})", name=name)
    return ParameterError(f"{asked} cannot be read in {where} ({refusal})", name=name)


def _throttles(exc: Exception, service: str) -> bool:
    """
    Tell whether *service* throttles; if so, count it and let the service rest, half of the time jitter.
    """
    if not isinstance(exc, ServiceError) or exc.code not in _THROTTLED:
        return False
    throttled.add()
    rest = _rests.setdefault(service, _Rest())
    pause_s = min(MOST_REST_S, FIRST_REST_S * 2**rest.refusals) * (0.5 + fraction() / 2)
    rest.refusals = min(rest.refusals + 1, 10)
    rest.until_s = _runtime.monotonic_s() + pause_s
    return True


def _forget() -> None:
    _rests.clear()


def _reset() -> None:
    global throttled  # counts from zero
    throttled = Tally()
    _rests.clear()


_runtime.register(fork=_forget, restore=_forget, reset=_reset)
