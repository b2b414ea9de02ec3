"""
Embedded AWS: moto's server in a process of its own, filled from ``aws.toml``; every request to it is counted.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import subprocess
import sys
import tomllib
from http.client import HTTPConnection
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from lambda_kit._local._aws_seed import check_seed, plant
from lambda_kit._local._aws_server import CALLS_PATH
from lambda_kit._local._processes import ChildProcess, python_environment
from lambda_kit._require import require
from lambda_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

# What the kit asks with little patience: moto takes about a second for a service's first answer, more than that on a loaded
# machine, and a function must not be the one that waits for it.
_IMPATIENT = {"ssm": "AmazonSSM.GetParameter", "secretsmanager": "secretsmanager.GetSecretValue"}

# moto needs about half a second, several on a loaded machine.
_START_TIMEOUT_S = 60.0


class EmbeddedAws:
    """
    Run an AWS of one's own on loopback until it is closed.

        with EmbeddedAws.start("examples/orders/aws.toml") as aws:
            aws.client("secretsmanager").create_secret(Name="orders/db", SecretString="...")
            function = LocalFunction("app.handler", environ=aws.environ)

    Known to differ from AWS: after ``update_secret_version_stage`` moto's default version stays the old one. Rotate a secret
    with ``put_secret_value``.

    Attributes:
        url: Where it is, the value of ``AWS_ENDPOINT_URL``.
    """

    def __init__(self, process: ChildProcess, url: str, *, seed: Mapping[str, Any], folder: Path, region: str) -> None:
        """
        Called by :meth:`start`.
        """
        self.url = url
        self.region = region
        self._process = process
        self._seed = seed
        self._folder = folder
        self._session = require("boto3", extra="aws").Session("local", "local", region_name=region)
        self._clients: dict[str, Any] = {}

    @classmethod
    def start(cls, seed: Mapping[str, Any] | Path | str | None = None, *, region: str = "us-east-1") -> Self:
        """
        Start the server and fill it; it takes about a second.

        Args:
            seed: A TOML file, or what one would hold: parameters, secrets, tables, queues, buckets; their shapes stand in ``_aws_seed``.

        Raises:
            MissingDependencyError: moto's server or boto3 is not installed.
            ConfigurationError: The seed cannot be read or has something unknown in it.
        """
        content, folder = _read(seed)
        content = check_seed(content)
        require("boto3", extra="aws")
        require("moto", extra="testing")
        reader, writer = os.pipe()
        try:
            process = ChildProcess(
                [sys.executable, "-W", "ignore", "-m", "lambda_kit._local._aws_server"],
                env={**python_environment(), "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull},
                stdin=subprocess.PIPE,
                output=writer,
            )
        finally:
            os.close(writer)
        with os.fdopen(reader, "rb") as output:
            aws = cls(process, _url(process, output), seed=content, folder=folder, region=region)
        try:
            aws._warm_up()
            aws._plant()
        except BaseException:
            aws.close()
            raise
        return aws

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def environ(self) -> dict[str, str]:
        """
        The variables a function needs to come here instead of to AWS.
        """
        return {"AWS_ENDPOINT_URL": self.url, "AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}

    def client(self, service: str) -> Any:
        """
        Return a boto3 client of this AWS, for looking into it and for changing it. Its calls are counted too.
        """
        if service not in self._clients:
            # Whatever proxy this machine is told to use, this AWS is on loopback.
            config = require("botocore.config", extra="aws").Config(proxies={})
            self._clients[service] = self._session.client(service, endpoint_url=self.url, config=config)
        return self._clients[service]

    def calls(self) -> Counter[str]:
        """
        Count the requests since the start or the last :meth:`forget_calls`, by operation: ``{"ssm:GetParameter": 2}``.
        """
        return collections.Counter(self._control("GET", CALLS_PATH))

    def forget_calls(self) -> Counter[str]:
        """
        Return the counts and begin anew.
        """
        return collections.Counter(self._control("DELETE", CALLS_PATH))

    def reset(self) -> None:
        """
        Go back to the seed: everything since then is gone, the counts too.
        """
        self._control("POST", "/moto-api/reset")
        self._plant()

    def close(self) -> None:
        """
        End the server and close the clients.
        """
        for client in self._clients.values():
            client.close()
        self._process.kill()

    def _warm_up(self) -> None:
        """
        Let moto load the services that are read with short timeouts. What they answer does not matter.
        """
        for service, target in _IMPATIENT.items():
            scope = f"AWS4-HMAC-SHA256 Credential=local/20260101/{self.region}/{service}/aws4_request, SignedHeaders=host, Signature=0"
            self._request("POST", "/", "{}", {"Authorization": scope, "X-Amz-Target": target})

    def _plant(self) -> None:
        """
        Fill it, uncounted.
        """
        plant(self._seed, client=self.client, folder=self._folder)
        self.forget_calls()

    def _control(self, method: str, path: str) -> Any:
        """
        Ask the server itself.
        """
        return json.loads(self._request(method, path))

    def _request(self, method: str, path: str, body: str | None = None, headers: Mapping[str, str] | None = None) -> bytes:
        """
        Send one request and return the body of its answer.
        """
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=_START_TIMEOUT_S)
        with contextlib.closing(connection):
            connection.request(method, path, body, headers or {})
            return connection.getresponse().read()


def _read(seed: Mapping[str, Any] | Path | str | None) -> tuple[Mapping[str, Any], Path]:
    """
    Return the seed's content and the folder its files are relative to.
    """
    if seed is None:
        return {}, Path.cwd()
    if not isinstance(seed, (Path, str)):
        return seed, Path.cwd()
    path = Path(seed)
    try:
        return tomllib.loads(path.read_text()), path.parent
    except FileNotFoundError as exc:
        raise ConfigurationError(f"there is no {path}") from exc
    except tomllib.TOMLDecodeError as exc:
        raise ConfigurationError(f"{path} is not TOML: {exc}") from exc


def _url(process: ChildProcess, output: IO[bytes]) -> str:
    """
    Return the URL the server writes once it listens.
    """
    written = []
    for line in output:
        if line.startswith(b"http://"):
            return line.decode().strip()
        written.append(line.decode(errors="replace"))
    process.kill()
    raise ConfigurationError(f"moto's server did not come up; it says:\n{''.join(written)[-2000:]}")
