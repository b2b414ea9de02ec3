"""
Deps: the typed bundle that logic receives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from lambda_kit import Deps, Handle, lazy, preload, use
from lambda_kit._deps import without_network
from lambda_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal as OnlyForCheckers


class StandIn:
    """
    What preloads like a client or a database, and fails when it is looked into.
    """

    def __init__(self) -> None:
        self.built = False

    @property  # type: ignore[misc]  # as a client's stand-in has it
    def __class__(self) -> Any:
        raise AssertionError("looking at the class of a client's stand-in builds the client")

    @staticmethod
    def __preload__(things: list[StandIn], _: float) -> None:
        for thing in things:
            thing.built = True


class Counted:
    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        return self.calls


def test_a_used_member_reads_as_its_handles_current_value() -> None:
    """
    Each read calls the handle: the value may have changed since.
    """

    class Bundle(Deps):
        count: int = use(Counted())

    bundle = Bundle()

    assert [1, 2] == [bundle.count, bundle.count]


def test_making_a_bundle_builds_nothing() -> None:
    """
    Handles are called when a member is read, not before.
    """
    counted = Counted()

    class Bundle(Deps):
        count: int = use(counted)

    Bundle()

    assert 0 == counted.calls


def test_a_bare_member_is_itself() -> None:
    """
    Stand-ins and databases are given as they are.
    """
    database = object()

    class Bundle(Deps):
        db: object = database

    assert database is Bundle().db


def test_keywords_replace_members_of_one_bundle() -> None:
    """
    A replaced member is what was given; handles are not called and other bundles not changed.
    """

    class Bundle(Deps):
        count: int = use(Counted())
        db: object = "real"

    replaced, untouched = Bundle(count=42, db="fake"), Bundle()

    assert (42, "fake") == (replaced.count, replaced.db)
    assert (1, "real") == (untouched.count, untouched.db)


def test_annotations_are_never_evaluated() -> None:
    """
    A type that exists for checkers only does no harm.
    """

    given: Any = 2

    class Bundle(Deps):
        thing: OnlyForCheckers = use(lambda: given)
        other: OnlyForCheckers

    assert [given, given] == [Bundle(other=given).thing, Bundle(other=given).other]


def test_a_wrong_name_is_answered_with_the_close_one() -> None:
    """
    A misspelt member is noticed where the bundle is made.
    """

    class Bundle(Deps):
        table: object = "t"

    with pytest.raises(ConfigurationError, match=r"Bundle has no member 'tabel': did you mean 'table'\?"):
        Bundle(tabel="x")  # type: ignore[call-arg]


def test_a_misspelt_read_is_answered_with_the_close_one() -> None:
    """
    Where a traceback is not printed by Python itself, as on Lambda, the hint is in the message.
    """

    class Bundle(Deps):
        price: int = use(lambda: 1)
        given: int

    bundle = Bundle(given=2)

    with pytest.raises(AttributeError, match=r"^Bundle has no member 'prise': did you mean 'price'\?$"):
        _ = bundle.prise  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match=r"'Bundle' object has no attribute '__nothing__'"):
        _ = bundle.__nothing__  # type: ignore[attr-defined]
    with pytest.raises(AttributeError, match=r"'Bundle' object has no attribute 'given'"):
        _ = Bundle.__new__(Bundle).given


def test_an_attribute_error_of_a_handle_passes() -> None:
    """
    A factory's own AttributeError is not mistaken for a misspelt member, and the factory runs once.
    """
    calls = []

    def broken() -> int:
        calls.append(1)
        return len(None.name)  # type: ignore[attr-defined]  # what the test is about

    class Bundle(Deps):
        price: int = use(broken)

    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'name'"):
        _ = Bundle().price
    assert [1] == calls


def test_members_are_given_by_keyword() -> None:
    """
    A position says nothing; the error shows how.
    """

    class Bundle(Deps):
        price: int = use(lambda: 1)

    with pytest.raises(ConfigurationError, match=r"^Bundle: give members by keyword, price=\.\.\.$"):
        Bundle(1)  # type: ignore[call-arg]
    with pytest.raises(ConfigurationError, match=r"^Deps: give members by keyword, name=\.\.\.$"):
        Deps(1)


def test_a_handle_without_use_is_refused() -> None:
    """
    It would be read as the handle where its value is declared; a class variable is no member.
    """
    handle: Any = lazy(lambda: 1)

    class Fine(Deps):
        shared: ClassVar[Handle[int]] = handle

    with pytest.raises(ConfigurationError, match=r"^Bundle\.price is a handle: write price = use\(\.\.\.\)$"):

        class Bundle(Deps):
            price: int = handle

    assert handle is Fine().shared


def test_a_name_close_to_nothing_is_answered_with_all() -> None:
    """
    Without a close match the error lists the members, or says that there are none.
    """

    class Bundle(Deps):
        table: object = "t"
        price: int = use(lambda: 1)

    class Empty(Deps):
        pass

    with pytest.raises(ConfigurationError, match="its members are: price, table"):
        Bundle(xyz=1)  # type: ignore[call-arg]
    with pytest.raises(ConfigurationError, match="its members are: none"):
        Empty(xyz=1)


def test_a_member_without_value_must_be_given() -> None:
    """
    What is only annotated has to come by keyword.
    """

    class Bundle(Deps):
        table: object
        price: int

    assert ("t", 1) == (Bundle(table="t", price=1).table, Bundle(table="t", price=1).price)
    with pytest.raises(ConfigurationError, match="Bundle: price: declared without a value"):
        Bundle(table="t")  # type: ignore[call-arg]


def test_members_are_inherited_and_overridden() -> None:
    """
    A bundle has the members of its bases; class variables and methods are none.
    """

    class Base(Deps):
        kind: ClassVar[str] = "base"
        table: object = "t"
        price: int = use(lambda: 1)

    class Derived(Base):
        price: int = use(lambda: 2)
        unannotated = use(lambda: 3)

        def double(self) -> int:
            return 2 * self.price

    assert ("t", 2, 3, 4) == (Derived().table, Derived().price, Derived().unannotated, Derived().double())
    assert 20 == Derived(price=10).double()
    assert "<Derived table, price, unannotated>" == repr(Derived())
    with pytest.raises(ConfigurationError, match="no member 'kind'"):
        Derived(kind="x")  # type: ignore[call-arg]


def test_members_cannot_be_assigned() -> None:
    """
    A bundle does not change under the logic that uses it; the error says how to replace a member.
    """

    class Bundle(Deps):
        price: int = use(lambda: 1)
        db: object = "real"

    for name in ("price", "db", "new"):
        with pytest.raises(AttributeError, match=rf"'{name}' cannot be set: give Bundle\({name}=\.\.\.\) instead"):
            setattr(Bundle(), name, 1)


def test_repr_shows_no_values() -> None:
    """
    Printing a bundle calls no handle and shows no secret.
    """

    class Bundle(Deps):
        password: str = use(lambda: "hunter2")
        user: str = "admin"

    assert "<Bundle password, user>" == repr(Bundle(user="root"))


def test_preload_builds_what_the_members_stand_for() -> None:
    """
    Preloading a bundle preloads its handles and stand-ins; rare ones and plain values are left alone.
    """
    often, seldom, client, fake = Counted(), Counted(), StandIn(), StandIn()

    class Bundle(Deps):
        lazily: int = use(lazy(often))
        rarely: int = use(lazy(seldom), rare=True)
        plain: int = use(lambda: pytest.fail("a plain function is no handle"))
        number: int = 1
        bare: object = client
        replaced: object = None

    preload(Bundle(replaced=fake))

    assert (1, 0) == (often.calls, seldom.calls)
    assert (True, True) == (client.built, fake.built)


module_level = StandIn()


class Factory(Handle[object]):
    """
    A handle that says what it calls.
    """

    def __init__(self, factory: Callable[[], object]) -> None:
        self.factory = factory

    def __call__(self) -> object:
        return self.factory()


def test_without_network_finds_clients_and_databases_only() -> None:
    """
    Before anything may be fetched, what is built is the stand-ins: bare, or named by the function behind a member.
    """
    one, enclosed, seldom, behind = StandIn(), StandIn(), StandIn(), StandIn()
    later: StandIn

    class Bundle(Deps):
        bare: object = one
        again: object = one
        rare: object = use(lambda: seldom, rare=True)
        by_global: object = use(lambda: module_level)
        by_closure: object = use(lambda: (enclosed, later))
        handle: object = use(lazy(lambda: pytest.fail("may fetch something")))
        behind_handle: object = use(Factory(lambda: behind))
        builtin: object = use(int)
        number: int = 1

    found = [id(thing) for thing in without_network(Bundle())]
    later = StandIn()

    assert [id(one), id(module_level), id(enclosed), id(behind)] == found
    assert later is Bundle().by_closure[1]  # type: ignore[index]  # declared as an object, to keep the bundle short


def test_without_network_has_nothing_to_do_for_other_bundles() -> None:
    """
    Dependencies may be any object; only a Deps is looked into.
    """
    assert [] == without_network({"db": StandIn()})
