"""
``lambda-kit events``: what Lambda delivers, by source, with a sample of each.
"""

from __future__ import annotations

import inspect
import json
from typing import Annotated, Any

import typer

from lambda_kit._require import require
from lambda_kit.errors import MissingDependencyError
from lambda_kit.testing._samples import sample_event, sample_kinds

_USAGE_ERROR = 2


def events(
    kind: Annotated[str | None, typer.Argument(help="Print a sample event of this kind; without it, list the kinds.")] = None,
) -> None:
    """
    List the events that Lambda delivers, or print one.
    """
    try:
        lines = listing() if kind is None else [json.dumps(sample_event(kind), indent=2)]
    except (LookupError, MissingDependencyError) as exc:
        typer.echo(f"error: {exc.args[0]}", err=True)
        raise typer.Exit(_USAGE_ERROR) from None
    for line in lines:
        typer.echo(line)


def listing() -> list[str]:
    """
    Return one line for each kind: its name, its model, and what the model's documentation says first.

    Raises:
        MissingDependencyError: The models need pydantic.
    """
    require("pydantic", extra="events")
    from lambda_kit.events import parse_event

    models = {kind: type(parse_event(sample_event(kind))) for kind in sample_kinds()}
    kind_width = max(map(len, models))
    model_width = max(len(model.__name__) for model in models.values())
    return [f"{kind:{kind_width}}  {model.__name__:{model_width}}  {_first_sentence(model)}" for kind, model in models.items()]


def _first_sentence(model: type[Any]) -> str:
    text = " ".join(inspect.cleandoc(model.__doc__ or "").partition("\n\n")[0].split())
    return text.partition(". ")[0].rstrip(".").replace("``", "")
