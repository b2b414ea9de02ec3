"""
Values read at once: by names that are known only now, one or many, through the cache of the handles.
"""

from __future__ import annotations

from lambda_kit._configuration._conversion import check_ages, check_declaration, check_option, known
from lambda_kit._configuration._declarations import MAX_AGE_S, STALE_PARAMETERS_S, STALE_SECRETS_S
from lambda_kit._configuration._reading import made, read_again
from lambda_kit._configuration._sources import Parameter, Secret, cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, overload

    from lambda_kit._configuration._sources import Source
else:
    from lambda_kit._typing import TypeVar, overload

T = TypeVar("T")


@overload
def get_parameter(
    name: str,
    *,
    max_age_s: float = ...,
    stale_for_s: float = ...,
    version: int | str | None = ...,
    decrypt: bool = ...,
    fresh: bool = ...,
) -> str: ...
@overload
def get_parameter(
    name: str,
    *,
    convert: type[T],
    max_age_s: float = ...,
    stale_for_s: float = ...,
    version: int | str | None = ...,
    decrypt: bool = ...,
    fresh: bool = ...,
) -> T: ...
@overload
def get_parameter(
    name: str,
    *,
    convert: Callable[[str], T],
    max_age_s: float = ...,
    stale_for_s: float = ...,
    version: int | str | None = ...,
    decrypt: bool = ...,
    fresh: bool = ...,
) -> T: ...
def get_parameter(
    name: str,
    *,
    convert: Callable[[Any], Any] = str,
    max_age_s: float = MAX_AGE_S,
    stale_for_s: float = STALE_PARAMETERS_S,
    version: int | str | None = None,
    decrypt: bool = True,
    fresh: bool = False,
) -> Any:
    """
    Return parameter *name* now, through the cache that the handles use too. Arguments and errors are those of :func:`parameter`.

    Args:
        fresh: Ask AWS whatever is in the cache, and keep the answer there.
    """
    if not fresh:
        entry = cache.fresh(("parameter", name, version, decrypt), max_age_s)
        if entry is not None:
            value = entry.value
            if convert is str and type(value) is str:
                cache.hit()
                return value
            found = known(entry, convert, None)
            if found is not None:
                cache.hit()
                return found.given()
    check_declaration("get_parameter", name, convert)
    check_ages("get_parameter", name, max_age_s, stale_for_s)
    check_option("get_parameter", name, "version", version, int, str, type(None))
    check_option("get_parameter", name, "decrypt", decrypt, bool)
    return now(Parameter(name, version, decrypt), convert, None, max_age_s, stale_for_s, fresh)


@overload
def get_secret(
    name: str,
    *,
    key: str | None = ...,
    max_age_s: float = ...,
    stale_for_s: float = ...,
    version_stage: str = ...,
    fresh: bool = ...,
) -> str: ...
@overload
def get_secret(
    name: str,
    *,
    key: str | None = ...,
    convert: type[T],
    max_age_s: float = ...,
    stale_for_s: float = ...,
    version_stage: str = ...,
    fresh: bool = ...,
) -> T: ...
@overload
def get_secret(
    name: str,
    *,
    key: str | None = ...,
    convert: Callable[[str], T] | Callable[[bytes], T],
    max_age_s: float = ...,
    stale_for_s: float = ...,
    version_stage: str = ...,
    fresh: bool = ...,
) -> T: ...
def get_secret(
    name: str,
    *,
    key: str | None = None,
    convert: Callable[[Any], Any] = str,
    max_age_s: float = MAX_AGE_S,
    stale_for_s: float = STALE_SECRETS_S,
    version_stage: str = "AWSCURRENT",
    fresh: bool = False,
) -> Any:
    """
    Return secret *name* now, through the cache that the handles use too. Arguments and errors are those of :func:`secret`.

    Args:
        fresh: Ask AWS whatever is in the cache, and keep the answer there.
    """
    if not fresh:
        entry = cache.fresh(("secret", name, version_stage), max_age_s)
        if entry is not None:
            value = entry.value
            if convert is str and key is None and type(value) is str:
                cache.hit()
                return value
            found = known(entry, convert, key)
            if found is not None:
                cache.hit()
                return found.given()
    check_declaration("get_secret", name, convert)
    check_ages("get_secret", name, max_age_s, stale_for_s)
    check_option("get_secret", name, "key", key, str, type(None))
    check_option("get_secret", name, "version_stage", version_stage, str)
    return now(Secret(name, version_stage), convert, key, max_age_s, stale_for_s, fresh)


def now(source: Source, convert: Callable[[Any], Any], key: str | None, max_age_s: float, stale_for_s: float, fresh: bool) -> Any:
    """
    Return the value of *source*, however it is come by.
    """
    if fresh:
        read_again(source, max_age_s)
    return made(source, convert, key, max_age_s=max_age_s, stale_for_s=stale_for_s)[1].given()
