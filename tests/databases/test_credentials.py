"""
Credentials are values that do not show their password.
"""

from __future__ import annotations

import pytest

from lambda_kit.databases import Credentials


def test_the_repr_hides_the_password() -> None:
    """
    Logs and error reporters see who, not what.
    """
    assert "<Credentials of 'app', password hidden>" == repr(Credentials("app", "s3cret"))


def test_nothing_can_be_assigned() -> None:
    """
    They are frozen.
    """
    with pytest.raises(AttributeError, match="'password' cannot be set"):
        Credentials("app", "s3cret").password = "other"


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (None, False),
        (Credentials("app", "one", version="2"), True),
        (Credentials("app", "two"), False),
        (Credentials("app_clone", "one"), False),
    ],
    ids=["none", "another version of the same", "password", "user"],
)
def test_user_and_password_make_the_difference(other: Credentials | None, same: bool) -> None:
    """
    To a server it does not matter which version of a secret a password was in.
    """
    assert same is Credentials("app", "one", version="1").logs_in_like(other)
