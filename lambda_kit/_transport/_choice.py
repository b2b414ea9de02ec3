"""
Whether this process reads over the lean transport, or over boto3.
"""

from __future__ import annotations

import logging
import sys

from lambda_kit import _runtime
from lambda_kit._transport import _credentials
from lambda_kit.errors import ConfigurationError

LEAN = "lean"
BOTO3 = "boto3"

# Each of them tells the SDK to go another way, or with other credentials, than this transport would.
_ONLY_BOTO3_READS = (
    "AWS_CA_BUNDLE",
    "AWS_CONFIG_FILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "REQUESTS_CA_BUNDLE",
)
_PROXIES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY")

_logger = logging.getLogger("lambda_kit")


def usable(*, clients_declared: bool) -> bool:
    """
    Tell whether to read over the lean transport, and log why or why not at DEBUG. To be asked once per process.

    It is used on Lambda where boto3 would be loaded for these reads alone and would do nothing else than it does.
    ``LAMBDA_KIT_TRANSPORT`` set to ``lean`` or ``boto3`` decides instead.

    Args:
        clients_declared: Whether the function declared a client of the kit's, so that it loads boto3 anyway.

    Raises:
        ConfigurationError: ``LAMBDA_KIT_TRANSPORT`` is neither.
    """
    forced = (_runtime.setting("LAMBDA_KIT_TRANSPORT") or "").strip().lower()
    if forced not in ("", LEAN, BOTO3):
        raise ConfigurationError(f"LAMBDA_KIT_TRANSPORT is to be {LEAN!r} or {BOTO3!r}: got {forced!r}")
    obstacle = _obstacle(clients_declared) if not forced else ""
    chosen = forced or (BOTO3 if obstacle else LEAN)
    why = "LAMBDA_KIT_TRANSPORT says so" if forced else obstacle or "nothing else of this process needs boto3"
    _logger.debug("parameters, secrets and keys are read over %s: %s", chosen, why)
    return chosen == LEAN


def _obstacle(clients_declared: bool) -> str:
    """
    Return what speaks for boto3, or nothing.
    """
    if not _runtime.on_lambda():
        return "this is not Lambda"
    if clients_declared:
        return "a client is declared"
    if "botocore" in sys.modules:
        return "botocore is loaded"
    for name in (*_ONLY_BOTO3_READS, *_PROXIES, *map(str.lower, _PROXIES)):
        if _runtime.setting(name):
            return f"{name} is set"
    if (_runtime.setting("AWS_DEFAULT_REGION") or _runtime.region()) != _runtime.region():
        # The SDK goes by that one.
        return "AWS_DEFAULT_REGION is not AWS_REGION"
    return "" if _credentials.at_hand() else "there are no credentials in the environment"
