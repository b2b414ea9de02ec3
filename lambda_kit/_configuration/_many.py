"""
Many values read at once, in the fewest calls.
"""

from __future__ import annotations

import json

from lambda_kit._configuration._conversion import check_ages, check_declaration
from lambda_kit._configuration._declarations import MAX_AGE_S, STALE_PARAMETERS_S, STALE_SECRETS_S
from lambda_kit._configuration._getters import now
from lambda_kit._configuration._reading import read_together
from lambda_kit._configuration._sources import Parameter, Secret, Tree
from lambda_kit.errors import ConfigurationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, TypeVar, overload

    from lambda_kit._configuration._sources import Source
else:
    from lambda_kit._typing import TypeVar, overload

T = TypeVar("T")


@overload
def get_parameters(
    names: Iterable[str], *, max_age_s: float = ..., stale_for_s: float = ..., decrypt: bool = ..., fresh: bool = ...
) -> dict[str, str]: ...
@overload
def get_parameters(
    names: Iterable[str],
    *,
    convert: type[T] | Callable[[str], T],
    max_age_s: float = ...,
    stale_for_s: float = ...,
    decrypt: bool = ...,
    fresh: bool = ...,
) -> dict[str, T]: ...
def get_parameters(
    names: Iterable[str],
    *,
    convert: Callable[[Any], Any] = str,
    max_age_s: float = MAX_AGE_S,
    stale_for_s: float = STALE_PARAMETERS_S,
    decrypt: bool = True,
    fresh: bool = False,
) -> dict[str, Any]:
    """
    Return parameters by the names they were asked for: ``{"/orders/price": "19.90"}``. Otherwise as ``get_parameter``.

    What is missing in the cache is asked for ten at a time, and kept for the other getters and the handles too.

    Args:
        names: Names, ARNs, ``name:version`` or ``name:label``.

    Raises:
        ParameterError: That of the first name that cannot be read. The others are cached by then.

    Source: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
    """
    asked = _names("get_parameters", names, convert, max_age_s, stale_for_s)
    sources = [Parameter(name, None, decrypt) for name in asked]
    return _all(sources, convert, None, max_age_s, stale_for_s, fresh)


def get_parameters_by_path(
    path: str,
    *,
    recursive: bool = True,
    max_age_s: float = MAX_AGE_S,
    stale_for_s: float = STALE_PARAMETERS_S,
    decrypt: bool = True,
    fresh: bool = False,
) -> dict[str, str]:
    """
    Return all parameters below *path* by their full names: ``{"/orders/price": "19.90"}``; none is an empty ``dict``.

    Each is cached for the other getters and the handles too.

    Args:
        path: Begins with ``/``.
        recursive: Those below its subfolders too.

    Source: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParametersByPath.html
    """
    check_declaration("get_parameters_by_path", path, json.loads)
    check_ages("get_parameters_by_path", path, max_age_s, stale_for_s)
    found: dict[str, str] = now(Tree(path, recursive, decrypt), json.loads, None, max_age_s, stale_for_s, fresh)
    return found


@overload
def get_secrets(
    names: Iterable[str], *, key: str | None = ..., max_age_s: float = ..., stale_for_s: float = ..., fresh: bool = ...
) -> dict[str, str]: ...
@overload
def get_secrets(
    names: Iterable[str],
    *,
    key: str | None = ...,
    convert: type[T] | Callable[[str], T] | Callable[[bytes], T],
    max_age_s: float = ...,
    stale_for_s: float = ...,
    fresh: bool = ...,
) -> dict[str, T]: ...
def get_secrets(
    names: Iterable[str],
    *,
    key: str | None = None,
    convert: Callable[[Any], Any] = str,
    max_age_s: float = MAX_AGE_S,
    stale_for_s: float = STALE_SECRETS_S,
    fresh: bool = False,
) -> dict[str, Any]:
    """
    Return the current versions of secrets by the names they were asked for. Otherwise as ``get_secret``.

    Three or more that are missing in the cache are asked for twenty at a time, by exactly these names.

    Args:
        names: Names or ARNs.

    Raises:
        ParameterError: That of the first name that cannot be read. The others are cached by then.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html
    """
    asked = _names("get_secrets", names, convert, max_age_s, stale_for_s)
    return _all([Secret(name, "AWSCURRENT") for name in asked], convert, key, max_age_s, stale_for_s, fresh)


def _names(called: str, names: Iterable[str], convert: object, max_age_s: float, stale_for_s: float) -> list[str]:
    """
    Return the names, each once, in order.
    """
    if isinstance(names, str):
        raise ConfigurationError(f"{called}() takes several names: got the text {names!r}, put it into a list")
    asked = list(dict.fromkeys(names))
    for name in asked:
        check_declaration(called, name, convert)
        check_ages(called, name, max_age_s, stale_for_s)
    return asked


def _all(
    sources: Sequence[Source], convert: Callable[[Any], Any], key: str | None, max_age_s: float, stale_for_s: float, fresh: bool
) -> dict[str, Any]:
    brought = read_together([(source, max_age_s) for source in sources], fresh=fresh)
    return {each.name: now(each, convert, key, max_age_s, stale_for_s, fresh and each.key not in brought) for each in sources}
