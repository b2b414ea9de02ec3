"""
``lambda-kit layer``: the layer builder as a command.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lambda_kit._tools._layer import Layer, build_layer
from lambda_kit._tools._layer_archive import MOST_BYTES
from lambda_kit._tools._layer_packages import Wheels
from lambda_kit.errors import LambdaKitError

layer_app = typer.Typer(name="layer", help="Build Lambda layers.", no_args_is_help=True)


@layer_app.callback()
def layer() -> None:
    """
    Build Lambda layers.
    """


@layer_app.command()
def build(
    config: Annotated[Path, typer.Option(help="The layer's plan.")] = Path("layer/layer.toml"),
    python: Annotated[str | None, typer.Option(help="Minor version, as in 3.13; the plan's first by default.")] = None,
    arch: Annotated[str | None, typer.Option(help="x86_64 or arm64; the plan's first by default.")] = None,
    out: Annotated[Path | None, typer.Option(help="The zip to write; by default dist/NAME-pythonVERSION-ARCH.zip.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if the zip is not what the plan gives now.")] = False,
    find_links: Annotated[list[Path] | None, typer.Option(help="A folder with wheels; may be repeated.")] = None,
    no_index: Annotated[bool, typer.Option("--no-index", help="Take wheels from --find-links only.")] = False,
) -> None:
    """
    Build a layer zip of pinned wheels and the kit: the same inputs give the same bytes. Exit code 1 says why there is none.
    """
    try:
        built = build_layer(config, python=python, arch=arch, out=out, check=check, wheels=Wheels(tuple(find_links or ()), no_index))
    except LambdaKitError as exc:
        typer.echo(f"error: {exc}", err=True)
        raise typer.Exit(1) from None
    for line in description(built):
        typer.echo(line)


def description(built: Layer) -> list[str]:
    """
    Return what there is to say about a built layer, line by line.
    """
    share = 100 * built.unzipped_bytes / MOST_BYTES
    compiled = f"{built.bytecode} modules" if built.bytecode else f"none: no Python {built.target.python} was found here to compile with"
    return [
        str(built.path),
        f"  content sha256   {built.content_sha256}",
        f"  size             {_mb(built.zip_bytes)} zipped, {_mb(built.unzipped_bytes)} unzipped ({share:.0f} % of Lambda's limit)",
        f"  for              {built.target}",
        f"  packages         {', '.join(f'{name} {version}' for name, version in built.packages.items())}",
        f"  from the runtime {', '.join(built.left_to_runtime) or 'nothing that is pinned'}",
        f"  left out         {built.left_out} files",
        f"  bytecode         {compiled}",
    ]


def _mb(size_bytes: int) -> str:
    return f"{size_bytes / 1024**2:.2f} MB"
