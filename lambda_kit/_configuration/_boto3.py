"""
Asking AWS through boto3.
"""

from __future__ import annotations

from lambda_kit import _clients
from lambda_kit._handles import preload
from lambda_kit._require import require
from lambda_kit.errors import ConfigurationError, ServiceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# Seconds that must be left for the whole of (connect + answer) * attempts + one pause of up to 1 s, and the timeouts for it.
_TIMEOUTS = (
    (7.0, _clients.Timeouts(1.0, 2.0, attempts=2)),
    (4.0, _clients.Timeouts(0.5, 1.0, attempts=2)),
    (1.5, _clients.Timeouts(0.5, 1.0, attempts=1)),
    (0.0, _clients.Timeouts(0.3, 0.3, attempts=1)),
)


class Boto3:
    """
    Ask through boto3, with timeouts that fit into the budget.
    """

    __slots__ = ()

    @property
    def region(self) -> str:
        """
        The region of the kit's clients.
        """
        client = _clients.brief_client("ssm", _TIMEOUTS[0][1])
        region: str = client.meta.region_name
        return region

    def load(self, service: str) -> None:
        """
        Build the client that a request without hurry goes through.
        """
        preload(_clients.brief_client(service, _TIMEOUTS[0][1]))

    def request(self, service: str, operation: str, payload: Mapping[str, object], *, budget_s: float) -> dict[str, Any]:
        """
        Call *operation* of *service*.
        """
        exceptions = require("botocore.exceptions", extra="aws")
        xform_name = require("botocore", extra="aws").xform_name
        # Nothing may be left after a freeze.
        fitting = next((timeouts for needed_s, timeouts in _TIMEOUTS if budget_s >= needed_s), _TIMEOUTS[-1][1])
        client = _clients.brief_client(service, fitting)
        region = client.meta.region_name
        try:
            answer: dict[str, Any] = getattr(client, xform_name(operation))(**payload)
        except exceptions.ClientError as exc:
            raise _refusal(exc.response, region) from exc
        except (exceptions.NoCredentialsError, exceptions.PartialCredentialsError) as exc:
            raise ConfigurationError(f"{exc}: on Lambda the execution role brings them") from exc
        except (exceptions.ParamValidationError, exceptions.UnknownEndpointError) as exc:
            raise ServiceError(f"{type(exc).__name__}: {exc}", code=type(exc).__name__, reason=str(exc), region=region) from exc
        except exceptions.BotoCoreError as exc:
            # What is left is about the way there and back: no connection, no answer in time, half an answer.
            raise ServiceError(str(exc), reason=str(exc), region=region) from exc
        return answer


def _refusal(response: dict[str, Any], region: str) -> ServiceError:
    code, reason = response["Error"].get("Code", "") or "Unknown", response["Error"].get("Message", "")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return ServiceError(f"{code}: {reason}" if reason else code, code=code, reason=reason, status=status, region=region)
