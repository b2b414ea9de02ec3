"""
Logins: where a database gets user and password from, and what it gets instead when the server refuses them.
"""

from __future__ import annotations

from lambda_kit._logins._rds_iam import RdsIamLogin
from lambda_kit._logins._secrets import PasswordLogin, SecretLogin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambda_kit.databases import Login


def password_login(user: str | Callable[[], str], password: Callable[[], str]) -> Login:
    """
    Log in as *user* with what *password* returns: a handle, such as ``secret("orders/password")``, or any function.

    Both are asked at each physical connect. When the server refuses the password, a handle is made to fetch it again;
    the same password is not tried twice in a row.

    Raises:
        ConfigurationError: *password* is no function.
    """
    return PasswordLogin(user, password)


def secret_login(name: str, *, pending: bool = True) -> Login:
    """
    Log in with secret *name* of Secrets Manager, in the JSON that rotation functions write.

    The shape is ``{"username": ..., "password": ..., "host": ..., "port": ..., "dbname": ...}``; user and password must
    be there, the rest may be. The secret is cached. When the server refuses it, the current version is fetched again,
    and tried if it is another; then the version a rotation is about to make current (``AWSPENDING``), which the server
    knows already while the secret does not; one that is refused is tried again after 30 s. At most five calls in 10 s are
    made for that.

    Args:
        pending: Try ``AWSPENDING``. Turn it off where the role may not read that stage.

    Raises:
        ConfigurationError: *name* is no name.
        ParameterError: At a connect: the secret cannot be read, or is not of that shape.
        LoginError: At a connect: the server refused every version.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-strategy.html
    """
    return SecretLogin(name, pending=pending)


def rds_iam_login(user: str, host: str, *, port: int = 5432, region: str = "", dbname: str = "") -> Login:
    """
    Log in to RDS or Aurora as *user* with a token in place of a password, signed with the function's own AWS credentials.

    Each physical connect gets a token of its own, which costs a fraction of a millisecond and no call; no client is built. The
    connection is encrypted, whatever the conninfo says. The database user needs ``rds_iam`` (PostgreSQL) or
    ``AWSAuthenticationPlugin`` (MySQL), the function's role ``rds-db:connect``.

    Args:
        host: The instance's or cluster's own name, which is part of what is signed. Behind another name tokens are refused.
        port: 3306 for MySQL.
        region: Where the database is; read from *host*, else from the environment.

    Raises:
        ConfigurationError: *user*, *host* or *port* is none; at a connect: there are no AWS credentials, or there is no region.
        LoginError: At a connect: the server refused a token of these AWS credentials.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html
    """
    return RdsIamLogin(user, host, port, region, dbname)
