"""
Several values in one call.
"""

from __future__ import annotations

from lambda_kit import _runtime
from lambda_kit._configuration._calls import ask
from lambda_kit._configuration._sources import Parameter, cache, version_of
from lambda_kit.errors import ParameterAccessError, ParameterUnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from lambda_kit._configuration._sources import Source

# GetParameters takes ten names at most.
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
MOST_NAMES = 10


class _Batch:
    """
    Up to ten parameters that are asked for in one call.
    """

    __slots__ = ("decrypt", "names")

    def __init__(self, names: list[str], decrypt: bool) -> None:
        self.names = names
        self.decrypt = decrypt

    @property
    def name(self) -> str:
        return self.names[0]

    def __str__(self) -> str:
        return f"parameters {', '.join(map(repr, self.names))}"


def fetch_together(sources: Iterable[Source], until_s: float) -> None:
    """
    Put into the cache what can be fetched with others in one call and is not there yet, up to *until_s* on the monotonic clock.

    What that does not bring - a name that does not exist, one that the role may not read - is left to a call of its own,
    whose error belongs to it alone.
    """
    for batch in _batches(sources):
        arguments: dict[str, object] = {"Names": batch.names, "WithDecryption": batch.decrypt}
        try:
            answer = ask(batch, "ssm", "get_parameters", arguments, until_s - _runtime.monotonic_s())
        except (ParameterAccessError, ParameterUnavailableError):
            continue
        for found in answer["Parameters"]:
            cache.put(Parameter(found["Name"], None, batch.decrypt).key, found["Value"], version_of(found))


def _batches(sources: Iterable[Source]) -> list[_Batch]:
    """
    Group the plain names; those with a version, a label or an ARN are answered under another name than asked for.
    """
    names: dict[bool, dict[str, None]] = {}
    for source in sources:
        if isinstance(source, Parameter) and ":" not in source.selected_name and cache.fresh(source.key, float("inf")) is None:
            names.setdefault(source.decrypt, {})[source.name] = None
    return [
        _Batch(several[start : start + MOST_NAMES], decrypt)
        for decrypt, several in ((decrypt, list(group)) for decrypt, group in names.items())
        for start in range(0, len(several), MOST_NAMES)
        if len(several) > 1
    ]
