"""
Calls to Parameter Store and Secrets Manager that fit into what is left of an invocation, and what AWS's errors mean.
"""

from __future__ import annotations

from lambda_kit import _clients
from lambda_kit._require import require
from lambda_kit.errors import (
    ConfigurationError,
    ParameterAccessError,
    ParameterError,
    ParameterNotFoundError,
    ParameterUnavailableError,
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


# Seconds that must be left for the whole of (connect + answer) * attempts + one pause of up to 1 s, and the timeouts for it.
_TIMEOUTS = (
    (7.0, _clients.Timeouts(1.0, 2.0, attempts=2)),
    (4.0, _clients.Timeouts(0.5, 1.0, attempts=2)),
    (1.5, _clients.Timeouts(0.5, 1.0, attempts=1)),
    (0.3, _clients.Timeouts(0.3, 0.3, attempts=1)),
)

_ACTIONS = {
    "get_parameter": "ssm:GetParameter, and kms:Decrypt if it is a SecureString under a key of yours",
    "get_parameters": "ssm:GetParameters, and kms:Decrypt for SecureStrings under a key of yours",
    "get_secret_value": "secretsmanager:GetSecretValue, and kms:Decrypt if the secret is under a key of yours",
}

# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html and the common errors of both
_ABSENT = {"ParameterNotFound", "ParameterVersionNotFound", "ResourceNotFoundException"}
_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    # A KMS key that is disabled, deleted, or not for this role.
    "DecryptionFailure",
    "InvalidKeyId",
    "InvalidClientTokenId",
    "NotAuthorized",
    "OptInRequired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}
_PASSING = {
    # Credentials or signatures that a freeze made too old; the next attempt signs anew.
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidSignatureException",
    "RequestExpired",
    "InternalFailure",
    "InternalServerError",
    "InternalServiceError",
    "LimitExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}


def ask(asked: Asked, service: str, operation: str, arguments: dict[str, object], budget_s: float) -> Any:
    """
    Call *operation* with timeouts that fit into *budget_s*, and return AWS's answer.

    Raises:
        ParameterError: The one of its kinds that says what to do; the cause is botocore's error.
    """
    timeouts = next((timeouts for needed_s, timeouts in _TIMEOUTS if budget_s >= needed_s), None)
    if timeouts is None:
        raise ParameterUnavailableError(f"{asked} is not asked for with only {budget_s:.3f} s left", name=asked.name)
    exceptions = require("botocore.exceptions", extra="aws")
    client = _clients.brief_client(service, timeouts)
    try:
        return getattr(client, operation)(**arguments)
    except exceptions.ClientError as exc:
        raise _refusal(asked, operation, client.meta.region_name, exc.response) from exc
    except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as exc:
        raise ConfigurationError(f"{asked} cannot be asked for: {exc}: on Lambda the execution role brings them") from exc
    except (exceptions.ParamValidationError, exceptions.UnknownEndpointError) as exc:
        raise ParameterError(f"{asked} cannot be asked for in {client.meta.region_name}: {exc}", name=asked.name) from exc
    except exceptions.BotoCoreError as exc:
        # What is left is about the way there and back: no connection, no answer in time, half an answer.
        raise ParameterUnavailableError(
            f"{asked} could not be read in {client.meta.region_name}: {exc}; is the endpoint reachable from the function's network?",
            name=asked.name,
        ) from exc


def _refusal(asked: Asked, operation: str, region: str, response: dict[str, Any]) -> ParameterError:
    """
    Return the kit's error for an error answer of AWS.
    """
    code, message = response["Error"].get("Code", ""), response["Error"].get("Message", "")
    said = f"{code}: {message}" if message else code
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _ABSENT:
        return ParameterNotFoundError(f"no {asked} in {region} ({said}): create it there, or correct the name", name=asked.name)
    if code in _DENIED:
        return ParameterAccessError(f"{asked} may not be read in {region} ({said}): the role needs {_ACTIONS[operation]}", name=asked.name)
    if code in _PASSING or status >= 500:
        return ParameterUnavailableError(f"{asked} could not be read in {region} just now ({said})", name=asked.name)
    return ParameterError(f"{asked} cannot be read in {region} ({said})", name=asked.name)
