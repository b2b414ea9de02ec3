"""
What is configured about a function, and the environment variables Lambda makes of it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
"""

from __future__ import annotations

import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lambda_kit._local._processes import python_environment, python_name
from lambda_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ON_DEMAND = "on-demand"
PROVISIONED = "provisioned-concurrency"
SNAP_START = "snap-start"
INIT_TYPES = (ON_DEMAND, PROVISIONED, SNAP_START)

# The longest timeout Lambda takes, and the least and most memory (API reference, CreateFunction).
MAX_TIMEOUT_S = 900.0
MIN_MEMORY_MB, MAX_MEMORY_MB = 128, 10_240

# The account every emulator uses.
ACCOUNT_ID = "123456789012"

# Port 9 of loopback, where nobody listens: a call to AWS that nobody planned fails at once and reaches nobody.
NO_AWS_URL = "http://127.0.0.1:9"

# What Lambda sets itself and what this runtime relies on.
_SET_BY_LAMBDA = frozenset(
    {
        "_HANDLER",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_RUNTIME_API",
        "LAMBDA_TASK_ROOT",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionConfiguration:
    """
    Hold what Lambda knows of a function before it runs. Names follow the API's FunctionConfiguration.

    Attributes:
        handler: As in the Handler setting: ``package.module.name`` or ``path/to/module.name``, below *task_root*.
        task_root: The function's code; the current directory of the process and first on its path.
        layers: Unzipped layers, each with a ``python`` folder.
        environ: The function's own variables.
        xray_address: Where the function sends trace segments.
    """

    handler: str
    task_root: Path
    function_name: str = "function"
    function_version: str = "$LATEST"
    timeout_s: float = 3.0
    memory_mb: int = 128
    region: str = "us-east-1"
    init_type: str = ON_DEMAND
    init_timeout_s: float = 10.0
    restore_timeout_s: float = 10.0
    layers: Sequence[Path] = ()
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    xray_address: str = "127.0.0.1:2000"

    def __post_init__(self) -> None:
        if not self.task_root.is_dir():
            raise ConfigurationError(f"the root {str(self.task_root)!r} is not a directory")
        if not 0.0 < self.timeout_s <= MAX_TIMEOUT_S:
            raise ConfigurationError(f"the timeout is {self.timeout_s:g} s: Lambda takes up to {MAX_TIMEOUT_S:g} s")
        if not MIN_MEMORY_MB <= self.memory_mb <= MAX_MEMORY_MB:
            raise ConfigurationError(f"the memory is {self.memory_mb} MB: Lambda takes {MIN_MEMORY_MB} to {MAX_MEMORY_MB} MB")
        if self.init_type not in INIT_TYPES:
            raise ConfigurationError(f"no initialisation type {self.init_type!r}: there are {', '.join(INIT_TYPES)}")
        if taken := sorted(_SET_BY_LAMBDA.intersection(self.environ)):
            raise ConfigurationError(f"Lambda sets {', '.join(taken)} itself: take it out of the function's variables")

    @property
    def function_arn(self) -> str:
        """
        The ARN callers use when they name no version.
        """
        return f"arn:aws:lambda:{self.region}:{ACCOUNT_ID}:function:{self.function_name}"

    @property
    def snapshot_timeout_s(self) -> float:
        """
        How long INIT may take where nobody waits for it: 130 s, or the function's timeout if that is longer.
        """
        return max(130.0, self.timeout_s)

    def variables(self, *, runtime_api: str, temporary: Path) -> dict[str, str]:
        """
        Return the whole environment of the runtime process.

        Args:
            runtime_api: Address of the Runtime API.
            temporary: The environment's own folder for temporary files.
        """
        ours = python_environment()
        return {
            **ours,
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            "TMPDIR": str(temporary),
            "PYTHONPATH": os.pathsep.join([*self._layer_paths(), *filter(None, [ours.get("PYTHONPATH")])]),
            **self._credentials(),
            **self._xray(),
            **self.environ,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{python_name()}",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory_mb),
            "AWS_LAMBDA_FUNCTION_NAME": self.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": self.function_version,
            "AWS_LAMBDA_INITIALIZATION_TYPE": self.init_type,
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.function_name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{self.function_version}]{secrets.token_hex(16)}",
            "AWS_LAMBDA_RUNTIME_API": runtime_api,
            "LAMBDA_RUNTIME_DIR": "/var/runtime",
            "LAMBDA_TASK_ROOT": str(self.task_root),
            "_HANDLER": self.handler,
        }

    def _layer_paths(self) -> list[str]:
        """
        Return where Python code is looked for in layers, in Lambda's order.
        """
        folders = [layer / "python" for layer in self.layers]
        return [str(folder / tail) for folder in folders for tail in (f"lib/{python_name()}/site-packages", "")]

    def _credentials(self) -> dict[str, str]:
        """
        Return a role nobody has, nowhere to use it, and no way to this machine's own AWS profiles.
        """
        return {
            "AWS_ACCESS_KEY_ID": "ASIALOCALLOCALLOCAL0",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_SESSION_TOKEN": "local",
            "AWS_DEFAULT_REGION": self.region,
            "AWS_REGION": self.region,
            "AWS_ENDPOINT_URL": NO_AWS_URL,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def _xray(self) -> dict[str, str]:
        """
        Return where the trace daemon is, in the three spellings Lambda sets.
        """
        host, _, port = self.xray_address.rpartition(":")
        return {
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "AWS_XRAY_DAEMON_ADDRESS": self.xray_address,
            "_AWS_XRAY_DAEMON_ADDRESS": host,
            "_AWS_XRAY_DAEMON_PORT": port,
        }
