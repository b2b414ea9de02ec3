"""
One ``with`` block on a connection: taken from its database when it begins, settled and put away when it ends.
"""

from __future__ import annotations

from threading import get_ident
from weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Generic, NoReturn, Protocol, TypeVar

    from lambda_kit.databases._session import Session
else:
    from lambda_kit._typing import Generic, Protocol, TypeVar

C = TypeVar("C")


class Lender(Protocol[C]):
    """
    The database's side of a block.
    """

    def _take(self, me: int, checkout: Callable[[], object]) -> Session[C]: ...

    def _put_away(self, me: int, session: Session[C]) -> None: ...


class Checkout(Generic[C]):
    """
    One ``with`` block.
    """

    __slots__ = ("__weakref__", "_database", "_me", "_session")

    def __init__(self, database: Lender[C]) -> None:
        self._database = database

    def __enter__(self) -> C:
        self._me = me = get_ident()
        self._session = session = self._database._take(me, ref(self))  # noqa: SLF001  # the other half of the same thing
        return session.connection

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        session = self._session
        # A second end would be that of somebody else's block.
        del self._session
        try:
            session.settle(error)
        finally:
            self._database._put_away(self._me, session)  # noqa: SLF001  # see above

    def __getattr__(self, name: str) -> NoReturn:
        # Found by nobody but who takes the block for its connection.
        raise AttributeError(f"a checkout has no {name!r}: enter it, as in `with db.connection() as connection:`")

    def hand_in(self, *, spent: bool) -> None:
        """
        End without a commit. For SQLAlchemy, which commits by itself, and may do this in another thread.
        """
        try:
            self._session.clear(spent=spent)
        finally:
            self._database._put_away(self._me, self._session)  # noqa: SLF001  # see above
