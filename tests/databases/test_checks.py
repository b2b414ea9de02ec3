"""
Declarations that would fail, or go wrong in silence, in an invocation only.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest

from lambda_kit import databases, env, password_login, secret_login
from lambda_kit.databases import Credentials, Database
from lambda_kit.databases._checks import address_complaint, unknown_option
from lambda_kit.errors import ConfigurationError
from tests.databases.fakes import FakeDriver

# What the types forbid is written here too.
UNTYPED: Any = databases
LOGIN = password_login("app", lambda: "s3cret")
ANY = "give a function that is not async"


async def later(*_: object) -> None:
    """
    Do nothing, later.
    """


class Later:
    """
    An object whose call is async.
    """

    async def __call__(self, _: object) -> None:
        """
        Do nothing, later.
        """

    async def method(self, _: object) -> None:
        """
        Do nothing, later.
        """


class Holder:
    """
    A login as an object, as a method, and as one with a default.
    """

    def __call__(self, refused: Credentials | None, again: bool = False) -> Credentials:
        return Credentials("app", "s3cret")

    def offer(self, refused: Credentials | None) -> Credentials:
        return Credentials("app", "s3cret")


def bare(**options: Any) -> Database[Any]:
    return databases.reconnecting(**{"connect": print, "is_alive": print, "classify": print, "close": print, **options})


@pytest.mark.parametrize(
    ("name", "value", "complaint"),
    [
        ("max_connections", "s3cret", "is a str: a database needs at least one connection"),
        ("max_connections", 1.5, "is 1.5: a database needs"),
        ("max_connections", True, "is True: a database needs"),
        ("max_connections", None, "is None: a database needs"),
        ("max_connections", -1, "is -1: a database needs"),
        ("connect_timeout_s", None, "is None: give seconds, more than 0"),
        ("connect_timeout_s", "5", "is a str: give seconds"),
        ("connect_timeout_s", math.nan, "is nan: give seconds"),
        ("connect_timeout_s", math.inf, "is inf: give seconds"),
        ("connect_timeout_s", 0, "is 0: give seconds"),
        ("connect_timeout_s", -1, "is -1: give seconds"),
        ("connect_timeout_s", True, "is True: give seconds"),
        ("ping_after_s", "5", "is a str: give seconds, 0 or more, or None"),
        ("ping_after_s", math.nan, "is nan: give seconds"),
        ("ping_after_s", -1.0, "is -1.0: give seconds"),
        ("login", lambda: "s3cret", "is a function: give a login such as secret_login"),
        ("login", later, "is a function: give a login"),
        ("login", lambda a, b: a or b, "is a function: give a login"),
        ("login", ("app", "s3cret"), "is a tuple: give a login"),
    ],
)
@pytest.mark.parametrize(
    "declare",
    [
        partial(databases.postgres, "host=h"),
        partial(databases.mysql, "h", options={"user": "app"}),
        partial(databases.redis, "redis://h"),
        bare,
    ],
    ids=["postgres", "mysql", "redis", "reconnecting"],
)
def test_what_every_database_takes_is_checked(declare: Any, name: str, value: object, complaint: str) -> None:
    """
    The type of an argument is told, or a number; never a text.
    """
    with pytest.raises(ConfigurationError) as caught:
        declare(**{name: value})

    assert f"(): {name} {complaint}" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("declare", "complaint"),
    [
        (lambda: UNTYPED.postgres("host=h", autocommit="false"), "postgres(): autocommit is a str: write True or False"),
        (lambda: UNTYPED.mysql(login=LOGIN, autocommit=0), "mysql(): autocommit is 0: write True or False"),
        (lambda: UNTYPED.postgres("host=h", proxy="yes"), "postgres(): proxy is a str: write True or False"),
        (lambda: UNTYPED.postgres("host=h", on_connect="SET x"), "postgres(): on_connect is a str: give a function of the new"),
        (lambda: UNTYPED.postgres("host=h", on_connect=later), "postgres(): on_connect is a function: give a function of the new"),
        (lambda: UNTYPED.mysql(login=LOGIN, on_connect=Later()), "mysql(): on_connect is a Later: give a function of the new"),
        (lambda: UNTYPED.postgres({"host": "s3cret"}), "postgres(): conninfo is a dict: give text, or a handle"),
        (lambda: UNTYPED.postgres(None), "postgres(): conninfo is None: give text, or a handle"),
        (lambda: UNTYPED.postgres(later), "postgres(): conninfo is a function: give text, or a handle"),
        (
            lambda: UNTYPED.postgres(secret_login("x")),
            "postgres(): conninfo is a SecretLogin, which takes an argument: did you mean login=?",
        ),
        (lambda: UNTYPED.mysql(LOGIN), "mysql(): host is a PasswordLogin, which takes an argument: did you mean login=?"),
        (lambda: UNTYPED.redis(Holder().offer), "redis(): url is a method, which takes an argument: did you mean login=?"),
        (lambda: UNTYPED.mysql("h", login=LOGIN, port="43306"), "mysql(): port is a str: give a whole number from 1 to 65535"),
        (lambda: UNTYPED.mysql("h", login=LOGIN, port=70000), "mysql(): port is 70000: give a whole number"),
        (lambda: UNTYPED.mysql("h", login=LOGIN, dbname=1), "mysql(): dbname is an int: give text"),
        (lambda: UNTYPED.mysql("h", login=LOGIN, options=[("a", 1)]), "mysql(): options is a list: give a mapping"),
        (lambda: UNTYPED.redis("redis://h", options={1: 2}), "redis(): options is a dict: give a mapping of names"),
        (
            lambda: UNTYPED.mysql("h", options={"passwd": "s3cret"}),
            "mysql() takes no passwd in options: give user and password as login=",
        ),
        (lambda: UNTYPED.mysql("127.0.0.1", port=43306), "mysql() needs to know who logs in"),
        (lambda: UNTYPED.mysql("mysql://orders:s3cret@h/orders", login=LOGIN), "mysql(): host is no name of a server"),
        (lambda: UNTYPED.mysql("127.0.0.1:43306", login=LOGIN), "mysql(): host has a port in it: give it as port="),
        (lambda: UNTYPED.redis("127.0.0.1:6379"), "its url begins with redis:// or rediss://"),
        (lambda: bare(connect=None), f"reconnecting(): connect is None: {ANY}"),
        (lambda: bare(close=later), f"reconnecting(): close is a function: {ANY}"),
        (lambda: bare(commit="x", roll_back=print), f"reconnecting(): commit is a str: {ANY}"),
        (lambda: bare(name=""), "reconnecting(): name is empty text: give a name"),
        (lambda: UNTYPED.Credentials("app", None), "Credentials(): password is None: give text"),
        (lambda: UNTYPED.Credentials("app", 12345), "Credentials(): password is an int: give text"),
        (lambda: UNTYPED.Credentials("app", "s3cret", port="1"), "Credentials(): port is a str: give"),
    ],
)
def test_each_database_checks_its_own(declare: Any, complaint: str) -> None:
    """
    The message says what was declared, which argument is wrong, and what to write; a text is not shown. What the types forbid
    is checked for those who have no type checker.
    """
    with pytest.raises(ConfigurationError) as caught:
        declare()

    assert complaint in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("login", [LOGIN, Holder(), Holder().offer, print, partial(Holder()), None], ids=repr)
def test_any_callable_of_the_shape_is_a_login(login: Any) -> None:
    """
    Objects, methods, and what Python cannot tell the arguments of.
    """
    assert "0 idle" in repr(databases.postgres("host=h", login=login))


@pytest.mark.parametrize("where", [lambda: "host=h", lambda *_: "host=h", lambda host="h": host, env("CONNINFO"), str], ids=repr)
def test_any_callable_without_arguments_is_a_handle(where: Any) -> None:
    """
    It is called at each physical connect.
    """
    assert "0 idle" in repr(databases.postgres(where))


@pytest.mark.parametrize("work", [later, partial(later, 1), Later(), Later().method], ids=["function", "partial", "object", "method"])
def test_run_refuses_async_functions(work: Any) -> None:
    """
    They would make a coroutine, and the block would commit nothing.
    """
    driver = FakeDriver()
    database = Database(driver, login=None, max_connections=1, ping_after_s=None, connect_timeout_s=5.0)

    with pytest.raises(ConfigurationError, match=r"run\(\) takes a plain function.*asyncio.to_thread"):
        database.run(work)
    assert [] == driver.made


@pytest.mark.parametrize(
    ("offered", "complaint"),
    [
        (("app", "s3cret"), "a tuple: return databases.Credentials"),
        ({"password": "s3cret"}, "a dict: return"),
        (None, "None: return"),
    ],
    ids=["tuple", "dict", "None"],
)
def test_a_login_that_returns_something_else_is_named(offered: Any, complaint: str) -> None:
    """
    Its name and the type of what it returned, not the value.
    """

    def my_login(_: object) -> Any:
        return offered

    database = Database(FakeDriver(), login=my_login, max_connections=1, ping_after_s=None, connect_timeout_s=5.0)

    with pytest.raises(ConfigurationError, match=f"my_login returned {complaint}") as caught, database.connection():
        pass
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "complains"),
    [("db.internal", False), ("::1", False), ("fe80::1%eth0", False), ("h:3306", True), ("u@h", True), ("/run/my.sock", True)],
)
def test_a_host_is_a_name_alone(host: str, complains: bool) -> None:
    """
    An IPv6 address has colons, and is no name with a port.
    """
    assert complains is bool(address_complaint(host))


def test_only_an_unknown_word_is_taken_for_one() -> None:
    """
    Another TypeError stays what it is.
    """
    assert "ssl_caa" == unknown_option(TypeError("__init__() got an unexpected keyword argument 'ssl_caa'"))
    assert "" == unknown_option(TypeError("an integer is required"))
