"""
Who logs in, and where credentials come from.
"""

from __future__ import annotations

from lambda_kit.databases._checks import complaint, kind_of
from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    from lambda_kit._typing import Protocol


class Credentials:
    """
    One way to log in: a frozen value whose repr hides the password.

    Args:
        host: Where to connect, for a login that knows; what the database was declared with goes first.
        version: Tells one password of a user from the next, such as the version id of a secret; empty when unknown.
        needs_tls: The password must not go over the wire in clear, as RDS wants it for its tokens.

    Raises:
        ConfigurationError: One of them is of another type.
    """

    __slots__ = ("dbname", "host", "needs_tls", "password", "port", "user", "version")

    user: str
    password: str
    host: str
    port: int | None
    dbname: str
    version: str
    needs_tls: bool

    def __init__(
        self,
        user: str,
        password: str,
        *,
        host: str = "",
        port: int | None = None,
        dbname: str = "",
        version: str = "",
        needs_tls: bool = False,
    ) -> None:
        wrong = complaint("Credentials", user=user, password=password, host=host, port=port, dbname=dbname, version=version)
        if wrong:
            del password
            raise ConfigurationError(wrong)
        for name, value in (
            ("user", user),
            ("password", password),
            ("host", host),
            ("port", port),
            ("dbname", dbname),
            ("version", version),
            ("needs_tls", needs_tls),
        ):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"Credentials are frozen: {name!r} cannot be set")

    def logs_in_like(self, other: Credentials | None) -> bool:
        """
        Tell whether a server that refused *other* would refuse these too: same user, same password.
        """
        return other is not None and (self.user, self.password) == (other.user, other.password)

    def __repr__(self) -> str:
        return f"<Credentials of {self.user!r}, password hidden>"


class Login(Protocol):
    """
    Return credentials to try: any callable of this shape is a login.

    It is called with ``None`` before each physical connect, and again with the credentials the server refused. It blocks.

    Raises:
        LoginError: There is nothing but what was refused.
    """

    def __call__(self, refused: Credentials | None, /) -> Credentials: ...


def ask(login: Login, refused: Credentials | None) -> Credentials:
    """
    Return what *login* offers.

    Raises:
        ConfigurationError: That is something else, of which only the type is told.
    """
    offered: object = login(refused)
    if isinstance(offered, Credentials):
        return offered
    who = getattr(login, "__qualname__", type(login).__qualname__)
    raise ConfigurationError(f"login {who} returned {kind_of(offered)}: return databases.Credentials(user, password)")
