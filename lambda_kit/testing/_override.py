"""
Parameters, secrets and encrypted variables as a test wants them: no AWS, no network, no boto3.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lambda_kit._configuration._sources import Parameter, Secret, Tree, substitute_by
from lambda_kit.errors import ParameterNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lambda_kit._configuration._sources import Fetched, Source

_VERSION = "override"


@contextmanager
def override(values: Mapping[str, object]) -> Iterator[None]:
    """
    Let handles and getters of the block read *values* by name, through their own ``convert=``, and never ask AWS.

    Names that are not in *values* do not exist. Overrides nest: an inner one adds to the outer one. Everything cached is
    dropped on the way in and out. Environment variables of ``env()`` are the business of ``monkeypatch.setenv``.

    Args:
        values: By parameter (``name:version`` for one version), secret, or variable of ``kms_env()``: a text or ``bytes`` as
            they are stored, an exception to be raised, or anything else as the JSON it is stored as:
            ``{"/orders/price": "19.90", "orders/db": {"username": "orders", "password": "s3cret"}}``.
    """
    given = _Values(values)
    earlier = substitute_by(given)
    if isinstance(earlier, _Values):
        given.values = {**earlier.values, **values}
    try:
        yield
    finally:
        substitute_by(earlier)


class _Values:
    """
    What stands in for AWS.
    """

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values = dict(values)

    def __call__(self, source: Source) -> Fetched:
        if isinstance(source, Tree):
            return json.dumps(self._below(source)), _VERSION
        name = source.selected_name if isinstance(source, Parameter) and source.selected_name in self.values else source.name
        if name not in self.values or (isinstance(source, Secret) and source.stage != "AWSCURRENT"):
            raise ParameterNotFoundError(f"no {source} in override(): give it a value there", name=source.name)
        return _stored(self.values[name]), _VERSION

    def _below(self, tree: Tree) -> dict[str, str]:
        start = tree.name.rstrip("/") + "/"
        names = [name for name in self.values if name.startswith(start) and (tree.recursive or "/" not in name[len(start) :])]
        return {name: str(_stored(self.values[name])) for name in names}


def _stored(value: object) -> str | bytes:
    if isinstance(value, Exception):
        raise value
    if isinstance(value, str | bytes):
        return value
    as_json = getattr(value, "model_dump_json", None)
    return str(as_json()) if as_json is not None else json.dumps(value, default=str)
