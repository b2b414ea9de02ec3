"""
The seam between what is read and how it gets here: boto3, or a small transport of the kit's own.
"""

from __future__ import annotations

import sys

from lambda_kit import _runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    class Transport(Protocol):
        """
        A way to ask SSM, Secrets Manager and KMS.
        """

        @property
        def region(self) -> str:
            """
            Where it asks, for messages.
            """
            ...

        def load(self, service: str) -> None:
            """
            Import and build what a request to *service* needs, without network.
            """
            ...

        def request(self, service: str, operation: str, payload: Mapping[str, object], *, budget_s: float) -> dict[str, Any]:
            """
            Call *operation* (``"GetParameter"``) of *service* (``"ssm"``, ``"secretsmanager"``, ``"kms"``) and return the answer.

            Payload and answer are what botocore takes and gives: members in AWS's spelling, blobs (``SecretBinary``,
            ``CiphertextBlob``, ``Plaintext``) as ``bytes``, not base64. Timestamps may be left as numbers.

            Args:
                budget_s: About what the call may take, connection, retries and pauses included.

            Raises:
                ServiceError: The service refused (``code`` and ``status`` tell why), or there was no answer in time
                    (``code`` is empty, ``retryable`` true). No secret is in it.
                ConfigurationError: No region, no credentials.
            """
            ...


_chosen: Transport | None = None


def transport() -> Transport:
    """
    Return the way to ask, chosen once per process.
    """
    global _chosen  # the choice is this module's purpose
    if _chosen is None:
        _chosen = _choice()
    return _chosen


def _choice() -> Transport:
    """
    Return a transport of the kind that is to be used; neither is imported before it is needed.
    """
    from lambda_kit import _transport

    clients = sys.modules.get("lambda_kit._clients")
    if _transport.usable(clients_declared=clients is not None and clients.any_declared()):
        return _transport.Lean()
    from lambda_kit._configuration._boto3 import Boto3

    return Boto3()


def _forget() -> None:
    global _chosen  # see above
    _chosen = None


_runtime.register(reset=_forget)
