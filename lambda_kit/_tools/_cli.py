"""
``lambda-kit`` and its commands.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lambda_kit._tools._events import events
from lambda_kit._tools._invoke import EXIT_CODES, InvokeOptions, invoke_events
from lambda_kit._tools._invoke_output import JsonOutput, TerminalOutput
from lambda_kit._tools._layer_command import layer_app

app = typer.Typer(help="Run, build and explain Lambda functions.", no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(layer_app, name="layer")
app.command()(events)


@app.callback()
def lambda_kit() -> None:
    """
    Run, build and explain Lambda functions.
    """


@app.command(epilog="Exit codes: " + ", ".join(f"{code} {meaning}" for code, meaning in EXIT_CODES.items()) + ".")
def invoke(
    handler: Annotated[str, typer.Argument(help="package.module.name or path/to/module.name, below the root.")],
    event: Annotated[list[Path], typer.Option(help="A JSON file; may be repeated: the events go to one environment, in order.")],
    root: Annotated[Path, typer.Option(help="The function's code, LAMBDA_TASK_ROOT.")] = Path(),
    timeout: Annotated[float, typer.Option(help="The function's timeout in seconds.")] = 3.0,
    memory: Annotated[int, typer.Option(help="MB; the function is told, nothing enforces it.")] = 128,
    env_file: Annotated[Path | None, typer.Option(help="Variables for the function, KEY=VALUE a line.")] = None,
    env: Annotated[list[str] | None, typer.Option(help="KEY=VALUE, over the file's; may be repeated.")] = None,
    aws: Annotated[
        str | None,
        typer.Option(help="embedded, none, or a URL. By default embedded where aws.toml stands beside the first event, else none."),
    ] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Sample the traces and draw them.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document an invocation, log included, and nothing else.")] = False,
    init_type: Annotated[str, typer.Option(help="on-demand, provisioned-concurrency or snap-start.")] = "on-demand",
) -> None:
    """
    Run a handler under the real Lambda runtime client on this machine.

    Responses go to standard output, everything else to standard error.
    """
    options = InvokeOptions(
        handler=handler,
        events=event,
        task_root=root,
        timeout_s=timeout,
        memory_mb=memory,
        env_file=env_file,
        env=env or [],
        aws=aws,
        trace=trace,
        init_type=init_type,
    )
    raise typer.Exit(invoke_events(options, JsonOutput() if json else TerminalOutput()))
