"""
AWS clients and resources for global scope: declared at no cost, built on first touch, shared, and right after every turn
of the environment's life.
"""

from __future__ import annotations

from lambda_kit._clients._roles import role as _role
from lambda_kit._clients._standins import Declaration, declarations, declare, stand_in
from lambda_kit._clients._timeouts import CONNECT_TIMEOUT_S as CONNECT_TIMEOUT_S
from lambda_kit._clients._timeouts import READ_TIMEOUT_S as READ_TIMEOUT_S
from lambda_kit._clients._timeouts import READ_TIMEOUTS_S as READ_TIMEOUTS_S
from lambda_kit._clients._timeouts import Timeouts as Timeouts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    # boto3's own functions, so that its stubs work where they are installed.
    from boto3 import client as client
    from boto3 import resource as resource
else:

    def client(service_name: str, *args: object, **options: object) -> Any:
        """
        Return a stand-in for boto3's client of *service_name*; takes what ``boto3.client`` takes.

        Declaring imports nothing. The first touch imports boto3 and builds the client: from one session, under a lock, once for
        all stand-ins with equal arguments. Connecting takes at most 2 s, an answer 10 s (longer for services that long-poll or
        stream), retries are ``standard``, TCP keepalive is on; what ``config=`` says wins. A forked child builds its own.
        Before a SnapStart snapshot clients are built and their connections closed.

        Building reads only what this client needs of botocore's data, and connections to AWS try Amazon's own roots before
        they load the full bundle of authorities (``LAMBDA_KIT_FULL_CA=1`` turns that off).

        Raises:
            ConfigurationError: At the first touch: no region, no such service, an option boto3 refuses.
            MissingDependencyError: At the first touch: boto3 is not installed.
        """
        return declare("client", service_name, args, options)

    def resource(service_name: str, *args: object, **options: object) -> Any:
        """
        Return a stand-in for boto3's resource of *service_name*; otherwise as :func:`client`.
        """
        return declare("resource", service_name, args, options)


class AssumedRole:
    """
    What :func:`assuming_role` returns: :func:`client` and :func:`resource` for another role than the function's own.
    """

    if TYPE_CHECKING:

        def __init__(self, role: tuple[tuple[str, object], ...]) -> None:
            self._role = role
            # As attributes they keep the overloads that boto3's stubs have.
            self.client = client
            self.resource = resource
    else:
        __slots__ = ("_role",)

        def __init__(self, role: tuple[tuple[str, object], ...]) -> None:
            self._role = role

        def client(self, service_name: str, *args: object, **options: object) -> Any:
            """
            Return a stand-in for a client that calls as this role.
            """
            return declare("client", service_name, args, options, self._role)

        def resource(self, service_name: str, *args: object, **options: object) -> Any:
            """
            Return a stand-in for a resource that calls as this role.
            """
            return declare("resource", service_name, args, options, self._role)

    def __repr__(self) -> str:
        return f"<AssumedRole {dict(self._role)['RoleArn']}>"


def assuming_role(role_arn: str, *, external_id: str | None = None, session_name: str | None = None, duration_s: int = 3600) -> AssumedRole:
    """
    Return ``client`` and ``resource`` for another role, which the function's own role may assume.

    Declaring costs nothing. The first call asks STS for credentials, through the kit's own ``client("sts")``; they are renewed
    in time, also after a freeze, and each forked child asks for its own. Equal arguments share one set of credentials.

    Args:
        external_id: What the other account's trust policy asks for.
        session_name: Shows in the other account's CloudTrail; the function's name by default.
        duration_s: How long credentials are good for. A role that is assumed by a role gets 3600 s at most.

    Raises:
        ConfigurationError: *role_arn* is no role's ARN.

    Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """
    return AssumedRole(_role(role_arn, external_id=external_id, session_name=session_name, duration_s=duration_s))


def brief_client(service_name: str, timeouts: Timeouts) -> Any:
    """
    Return a stand-in for a client that gives up sooner, for the kit's own reads. Keep *timeouts*: they are part of its identity.
    """
    return stand_in(Declaration("client", service_name, {}, timeouts=timeouts))


def any_declared() -> bool:
    """
    Tell whether the function has declared a client or resource, so that it loads boto3 anyway; the kit's own reads do not count.
    """
    return any(declaration.timeouts is None for declaration in declarations())
