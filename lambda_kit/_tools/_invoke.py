"""
``lambda-kit invoke``: from options to an exit code.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import json
import re
import socket
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lambda_kit._local._aws import EmbeddedAws
from lambda_kit._local._function import NO_AWS_URL
from lambda_kit._local._local_function import LocalFunction
from lambda_kit._local._trace_header import TraceHeader
from lambda_kit._local._xray import XRayDaemon
from lambda_kit.errors import ConfigurationError, LambdaKitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambda_kit._local._results import InvokeResult
    from lambda_kit._tools._invoke_output import Output

EXIT_CODES = {
    0: "every invocation succeeded",
    1: "the function returned an error or crashed",
    2: "wrong use: no such handler file or event, not JSON, no such setting, AWS not reachable, a package missing",
    3: "INIT failed: the handler's module does not import, or has no such name",
    4: "the function timed out",
}
_CODE_OF_STATUS = {"success": 0, "error": 1, "init error": 3, "timeout": 4}
_USAGE_ERROR = 2

_REACH_TIMEOUT_S = 3.0

# How a log names the address that stands for no AWS.
_NO_AWS = re.compile(re.escape(NO_AWS_URL.removeprefix("http://")) + r"(?!\d)")
_NOWHERE = "AWS calls lead nowhere: --aws is none; write aws.toml beside the event, or give --aws embedded"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeOptions:
    """
    What the command line said.
    """

    handler: str
    events: Sequence[Path]
    task_root: Path
    timeout_s: float
    memory_mb: int
    env_file: Path | None
    env: Sequence[str] = field(repr=False)
    aws: str | None
    trace: bool
    init_type: str


def invoke_events(options: InvokeOptions, output: Output) -> int:
    """
    Invoke the handler with each event; return the exit code of the first invocation that did not succeed, else 0.
    """
    try:
        # As shells complete a file's name.
        return _invoke(replace(options, handler=options.handler.removeprefix("./")), output)
    except LambdaKitError as exc:
        output.error(str(exc))
        return _USAGE_ERROR


def _invoke(options: InvokeOptions, output: Output) -> int:
    """
    Check everything that can be checked, start what is asked for, and invoke.
    """
    events = [_event(path) for path in options.events]
    environ = {**_env_file(options.env_file), **_pairs(options.env, "--env")}
    check_handler(options.handler, options.task_root)
    with contextlib.ExitStack() as running:
        aws = _aws(options, running, output)
        if aws is not None:
            environ = {**aws.environ, **environ}
        elif options.aws not in (None, "none", "embedded"):
            environ = {"AWS_ENDPOINT_URL": _reachable(options.aws), **environ}
        xray = running.enter_context(XRayDaemon()) if options.trace else None
        function = running.enter_context(_function(options, environ, xray, output))
        codes = []
        for event in events:
            result = _one(function, event, aws, xray, output)
            if "AWS_ENDPOINT_URL" not in environ and _may_have_called_aws(result):
                output.hint(_NOWHERE)
            codes.append(_CODE_OF_STATUS[result.status])
    return next((code for code in codes if code), 0)


def _one(function: LocalFunction, event: bytes, aws: EmbeddedAws | None, xray: XRayDaemon | None, output: Output) -> InvokeResult:
    """
    Invoke once and show it.
    """
    result = function.invoke(event)
    trace = None if xray is None else xray.documents(TraceHeader.parse(result.trace_header).root)
    output.outcome(result, None if aws is None else aws.forget_calls(), trace)
    return result


def _may_have_called_aws(result: InvokeResult) -> bool:
    """
    Tell whether the outcome may have to do with AWS not being there.
    """
    return not result.ok or any(_NO_AWS.search(line) for line in result.log)


def _function(options: InvokeOptions, environ: dict[str, str], xray: XRayDaemon | None, output: Output) -> LocalFunction:
    """
    Return the function as configured.
    """
    return LocalFunction(
        options.handler,
        task_root=options.task_root,
        timeout_s=options.timeout_s,
        memory_mb=options.memory_mb,
        environ=environ,
        init_type=options.init_type,
        xray=xray,
        on_line=output.line,
    )


def check_handler(handler: str, task_root: Path) -> None:
    """
    See that the handler's module exists, without importing it.

    Raises:
        ConfigurationError: It does not; the message names the files that were looked for.
    """
    module, dot, name = handler.rpartition(".")
    if not dot or not module or not name.isidentifier() or name == "py":
        raise ConfigurationError(f"{handler!r} names no handler: write path/to/module.name or package.module.name")
    if not task_root.is_dir():
        raise ConfigurationError(f"the root {str(task_root)!r} is not a directory")
    path = Path(*module.replace("/", ".").split("."))
    if not any(_has_module(entry / path) for entry in [task_root, *map(Path, filter(None, sys.path))]):
        raise ConfigurationError(
            f"there is no module for {handler!r}: looked for {path}.py and {path}/__init__.py in {task_root.resolve()}"
        )


def _has_module(path: Path) -> bool:
    """
    Tell whether a module's file or package is at *path*, given without a suffix.
    """
    suffixes = importlib.machinery.all_suffixes()
    return any(path.with_name(path.name + suffix).is_file() for suffix in suffixes) or (path / "__init__.py").is_file()


def _event(path: Path) -> bytes:
    """
    Return an event file's content, which must be JSON.
    """
    content = _read(path, "event")
    try:
        json.loads(content)
    except ValueError as exc:
        raise ConfigurationError(f"the event file {path} is not JSON: {exc}") from exc
    return content


def _env_file(path: Path | None) -> dict[str, str]:
    """
    Return the variables of an env file: KEY=VALUE lines, comments, ``export`` and quotes as shells write them.
    """
    if path is None:
        return {}
    lines = [line.strip().removeprefix("export ") for line in _read(path, "env").decode(errors="replace").splitlines()]
    return _pairs([line for line in lines if line and not line.startswith("#")], str(path), unquote=True)


def _pairs(lines: Sequence[str], origin: str, *, unquote: bool = False) -> dict[str, str]:
    """
    Split KEY=VALUE texts. A wrong one is told by its number: it may hold a secret.
    """
    pairs = {}
    for number, line in enumerate(lines, start=1):
        name, equals, value = line.partition("=")
        if not equals or not name.strip().isidentifier():
            raise ConfigurationError(f"{origin}: entry {number} is not KEY=VALUE")
        quoted = unquote and len(value) >= 2 and value[0] == value[-1] and value[0] in "'\""
        pairs[name.strip()] = value[1:-1] if quoted else value
    return pairs


def _read(path: Path, kind: str) -> bytes:
    """
    Return a file's bytes.
    """
    try:
        return path.read_bytes()
    except OSError as exc:
        raise ConfigurationError(f"cannot read the {kind} file {path}: {exc.strerror}") from exc


def _aws(options: InvokeOptions, running: contextlib.ExitStack, output: Output) -> EmbeddedAws | None:
    """
    Start an embedded AWS when it is asked for, or when there is something to fill it with.
    """
    seed = options.events[0].parent / "aws.toml" if options.events else Path("aws.toml")
    if options.aws == "embedded" and not seed.is_file():
        output.hint(f"embedded AWS is empty: no aws.toml beside {options.events[0] if options.events else seed}")
    if options.aws == "embedded" or (options.aws is None and seed.is_file()):
        return running.enter_context(EmbeddedAws.start(seed if seed.is_file() else None))
    return None


def _reachable(url: str | None) -> str:
    """
    Return *url* once something listens there.
    """
    try:
        parts = urlsplit(url or "")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it has no scheme or no host")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname, port), timeout=_REACH_TIMEOUT_S).close()
    except OSError as exc:
        raise ConfigurationError(f"no AWS endpoint answers at {url}: {exc.strerror or exc}") from exc
    except ValueError as exc:  # a port or a host name that is none
        raise ConfigurationError(f"--aws takes embedded, none or a URL: not {url!r}") from exc
    return parts.geturl()
