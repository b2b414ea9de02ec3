"""
Deps: the typed bundle of things that logic receives.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import FunctionType

from lambda_kit._handles import Handle, Member, preload
from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeGuard, TypeVar, dataclass_transform

    K = TypeVar("K")
else:
    from lambda_kit._typing import dataclass_transform

_absent = object()


@dataclass_transform(kw_only_default=True)
class Deps:
    """
    Be the base of a bundle of dependencies: each annotated attribute is a member.

    A member declared with :func:`lambda_kit.use` reads as its handle's current value. Stand-ins and databases are given
    bare. A member without a value must be given when the bundle is made. Annotations are for checkers and never evaluated.
    Keywords replace members, for tests::

        class OrderDeps(Deps):
            price: Decimal = use(parameter("/orders/price", convert=Decimal))
            db: Database[Connection] = orders_db

        OrderDeps(price=Decimal("2.50"), db=FakeDatabase())

    Making one builds and fetches nothing.

    Raises:
        ConfigurationError: There is no member of that name, or one has no value. Or, where the class is made, a member is a
            handle without ``use``.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        for name, value in vars(cls).items():
            if issubclass(type(value), Handle) and not _is_class_variable(_annotations(cls).get(name)):
                raise ConfigurationError(f"{cls.__name__}.{name} is a handle: write {name} = use(...)")

    def __init__(self, *positional: object, **replaced: object) -> None:
        members = set(_members(type(self)))
        if positional:
            raise ConfigurationError(f"{type(self).__name__}: give members by keyword, {min(members, default='name')}=...")
        for name in replaced:
            if name not in members:
                raise ConfigurationError(_no_member(type(self).__name__, name, sorted(members)))
        missing = sorted(name for name in members - set(replaced) if _declared(type(self), name) is _absent)
        if missing:
            raise ConfigurationError(f"{type(self).__name__}: {', '.join(missing)}: declared without a value: give one by keyword")
        vars(self).update(replaced)

    if not TYPE_CHECKING:
        # Checkers know the members; if they saw this, an attribute of any name would be fine with them.
        def __getattribute__(self, name):
            # Not __getattr__: it is called too when a handle raises AttributeError, and would hide that.
            try:
                return super().__getattribute__(name)
            except AttributeError:
                if name.startswith("__") or _is_known(type(self), name):
                    raise
                raise AttributeError(_no_member(type(self).__name__, name, sorted(_members(type(self)))), name=name) from None

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name!r} cannot be set: give {type(self).__name__}({name}=...) instead")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {', '.join(_members(type(self)))}>"

    @staticmethod
    def __preload__(bundles: list[Deps], _: float) -> None:
        """
        Build what the members stand for, the rare ones left out.
        """
        preload(*(thing for bundle in bundles for thing in _things(bundle) if _can_preload(thing)))


def without_network(bundle: object) -> list[object]:
    """
    Return what of *bundle* can be built before anything may be fetched: its clients and databases, the rare ones left out.

    Clients that a factory names count too: ``use(lazy(lambda: dynamodb.Table(...)))`` rests on ``dynamodb``.
    """
    if not _is(bundle, Deps):
        return []
    found = [each for thing in _things(bundle) for each in (thing, *_named_by(thing)) if _is_stand_in(each)]
    return list({id(each): each for each in found}.values())


def _members(bundle: type[Deps]) -> Iterator[str]:
    """
    Yield the names of the members, those of the bases first.
    """
    seen = set()
    for cls in reversed(bundle.__mro__[: bundle.__mro__.index(Deps)]):
        annotated = [name for name, annotation in _annotations(cls).items() if not _is_class_variable(annotation)]
        used = [name for name, value in vars(cls).items() if _is(value, Member)]
        for name in (*annotated, *used):
            if name not in seen:
                seen.add(name)
                yield name


def _annotations(cls: type) -> Mapping[str, object]:
    own: Mapping[str, object] | None = vars(cls).get("__annotations__")
    if own is not None:
        return own
    if sys.version_info >= (3, 14):  # pragma: no cover  # the branch of one version
        # There, reading __annotations__ evaluates names that may exist for checkers only.
        from annotationlib import Format, get_annotations

        return get_annotations(cls, format=Format.STRING)
    return {}


def _is_class_variable(annotation: object) -> bool:
    return str(annotation).removeprefix("typing.").startswith("ClassVar")


def _declared(bundle: type[Deps], name: str) -> object:
    """
    Return what the class says *name* is, past the descriptor.
    """
    return next((vars(cls)[name] for cls in bundle.__mro__ if name in vars(cls)), _absent)


def _is_known(bundle: type[Deps], name: str) -> bool:
    return _declared(bundle, name) is not _absent or name in _members(bundle)


def _things(bundle: Deps) -> Iterator[object]:
    """
    Yield what stands behind each member: the handle of a ``use``, else the value itself.
    """
    replaced = vars(bundle)
    for name in _members(type(bundle)):
        thing = replaced[name] if name in replaced else _declared(type(bundle), name)
        if not _is(thing, Member):
            yield thing
        elif not thing.rare:
            yield thing.handle


def _is(thing: object, kind: type[K]) -> TypeGuard[K]:
    """
    Tell whether *thing* is a *kind*. isinstance would ask a client's stand-in for its class, and so build the client.
    """
    return issubclass(type(thing), kind)


def _can_preload(thing: object) -> bool:
    return issubclass(type(thing), Handle) or hasattr(type(thing), "__preload__")


def _is_stand_in(thing: object) -> bool:
    return hasattr(type(thing), "__preload__") and not issubclass(type(thing), Handle | Deps)


def _named_by(thing: object) -> Iterator[object]:
    """
    Yield the objects that the function behind *thing* names: globals, and variables around it.
    """
    factory = getattr(thing, "factory", None) if issubclass(type(thing), Handle) else thing
    if _is(factory, FunctionType):
        yield from (factory.__globals__[name] for name in factory.__code__.co_names if name in factory.__globals__)
        for cell in factory.__closure__ or ():
            with suppress(ValueError):  # not assigned yet
                yield cell.cell_contents


def _no_member(bundle: str, name: str, members: list[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, members, 1)
    hint = f"did you mean {close[0]!r}?" if close else f"its members are: {', '.join(members) or 'none'}"
    return f"{bundle} has no member {name!r}: {hint}"
