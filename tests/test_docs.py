"""
Every code block of the README, the docs and the examples runs.
"""

from __future__ import annotations

import inspect
import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pymysql
import pytest
from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

from lambda_kit import _runtime
from lambda_kit.testing import LambdaEvents, PostgresServer, plugin
from tests.databases.servers import MariaServer, ValkeyServer, need

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sybil import Example

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").glob("*/README.md"))]


def run_console(example: Example) -> None:
    """
    Check a console block: make targets exist, extras exist, the kit's own commands run with the files of the docs.
    """
    for line in str(example.parsed).splitlines():
        words = shlex.split(line)
        if words[0] == "make":
            assert f"\n{words[1]}:" in (ROOT / "Makefile").read_text(encoding="utf-8"), line
        elif words[:2] == ["pip", "install"]:
            assert set(words[2].removeprefix("aws-lambda-kit[").rstrip("]").split(",")) <= extras(), line
        else:
            folder = Path(example.namespace["folder"])
            if words[0] == "pytest":
                (folder / words[1]).write_text(unit_tests(Path(example.path)), encoding="utf-8")
            module = {"lambda-kit": "lambda_kit", "pytest": "pytest"}[words[0]]
            command = [sys.executable, "-m", module, *words[1:], *(example.namespace["plugins"] if words[0] == "pytest" else [])]
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"


def write_file(example: Example) -> None:
    """
    Write a data block to the file that the text before it names.
    """
    name = re.findall(r"`([\w-]+\.(?:json|toml))`", example.document.text[: example.start])[-1]
    (Path(example.namespace["folder"]) / name).write_text(str(example.parsed), encoding="utf-8")


def extras() -> set[str]:
    """
    Return the extras that pyproject.toml declares.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return set(project["optional-dependencies"])


def application(document: Path) -> str:
    """
    Return the code a reader has in app.py when a document comes to run it: its blocks up to the first with an assertion.
    """
    blocks = [str(example.parsed) for example in Sybil([CodeBlockParser("python")]).parse(document).examples()]
    kept = []
    for block in blocks:
        if "assert " in block:
            break
        kept.append(block)
    return "\n\n".join(kept)


def unit_tests(document: Path) -> str:
    """
    Return the code a reader has in the test file: the blocks that define tests.
    """
    blocks = [str(example.parsed) for example in Sybil([CodeBlockParser("python")]).parse(document).examples()]
    return "\n\n".join(block for block in blocks if "def test_" in block)


@pytest.fixture
def namespace(request: pytest.FixtureRequest, document: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """
    What a document's blocks find: the parameters and secrets it talks of, a database, a folder with the files it names.
    """
    request.getfixturevalue("aws_environ")
    boto3.client("ssm").put_parameter(Name="/orders/price", Value="19.90", Type="String")
    for name, login in logins(request, document.read_text(encoding="utf-8")).items():
        boto3.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(login))
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "docs")
    (tmp_path / "app.py").write_text(application(document))
    monkeypatch.chdir(tmp_path)
    for turn in (_runtime._life.snapshot, _runtime._life.restore, _runtime._life.shutdown):
        # Hooks that a document registers are the document's.
        monkeypatch.setattr(turn, "user", list(turn.user))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "app", raising=False)
    (tmp_path / "aws.toml").write_text('[parameters]\n"/orders/price" = "19.90"\n')
    event = LambdaEvents().api_v2("POST", "/quotes", json={"sku": "teapot", "quantity": 2})
    (tmp_path / "event.json").write_text(json.dumps(event))
    # A checkout that is not installed does not announce its plugin, so whoever runs this had to name it.
    named = request.config.pluginmanager.has_plugin(plugin.__name__)
    return {"folder": str(tmp_path), "plugins": ["-p", plugin.__name__] if named else [], "__name__": "app"}


def logins(request: pytest.FixtureRequest, text: str) -> dict[str, dict[str, Any]]:
    """
    Return the secrets that a document reads: logins to servers that are started for those who declare a database of the kind.
    """
    login: dict[str, Any] = {"username": "orders", "password": "s3cret"}
    secrets = {"orders/db": login}
    if "databases.postgres(" in text:
        postgres = request.getfixturevalue("orders_database")
        postgres.execute("TRUNCATE orders", dbname="orders")
        login |= postgres.secret(dbname="orders", user="orders", password="s3cret")
    if "databases.mysql(" in text:
        maria = request.getfixturevalue("orders_maria")
        maria.execute("TRUNCATE orders.orders")
        login |= {"host": maria.host, "port": maria.port, "dbname": "orders"}
    if "databases.redis(" in text:
        cache = request.getfixturevalue("orders_cache")
        cache.execute("FLUSHALL")
        secrets["orders/cache"] = {**login, "host": cache.host, "port": cache.port}
    return secrets


@pytest.fixture(scope="module")
def orders_database() -> Iterator[PostgresServer]:
    """
    The database that the documents talk of, with the orders table of the example.
    """
    with PostgresServer.start() as postgres:
        postgres.create_role("orders", "s3cret")
        postgres.execute("CREATE DATABASE orders OWNER orders")
        schema = (ROOT / "examples" / "orders" / "schema.sql").read_text(encoding="utf-8")
        postgres.execute(f"SET ROLE orders; {schema}", dbname="orders")
        yield postgres


@pytest.fixture(scope="module")
def orders_maria() -> Iterator[MariaServer]:
    """
    The same in MariaDB, where the system has it.
    """
    need("mariadbd")
    with MariaServer() as maria:
        maria.execute("CREATE DATABASE orders")
        maria.execute("CREATE USER orders IDENTIFIED BY 's3cret'")
        maria.execute("GRANT ALL ON orders.* TO orders")
        with pymysql.connect(host=maria.host, port=maria.port, user="orders", password="s3cret", database="orders") as connection:
            connection.cursor().execute("CREATE TABLE orders (id int AUTO_INCREMENT PRIMARY KEY, sku varchar(64) NOT NULL)")
        yield maria


@pytest.fixture(scope="module")
def orders_cache() -> Iterator[ValkeyServer]:
    """
    A Valkey with a user.
    """
    with ValkeyServer() as valkey:
        valkey.execute("ACL", "SETUSER", "orders", "on", ">s3cret", "~*", "&*", "+@all")
        yield valkey


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_code_block_runs(request: pytest.FixtureRequest, document: Path, namespace: dict[str, Any]) -> None:
    """
    Python blocks run one after the other, the tests among them with their fixtures; console blocks are what they say.
    """
    files = [CodeBlockParser(kind, write_file) for kind in ("json", "toml")]
    parsed = Sybil([PythonCodeBlockParser(), CodeBlockParser("console", run_console), *files]).parse(document)
    parsed.namespace.update(namespace)

    for example in parsed.examples():
        example.evaluate()
        for name in [name for name in parsed.namespace if name.startswith("test_")]:
            test = parsed.namespace.pop(name)
            parameters = inspect.signature(test).parameters
            # What asks for fixtures of the document's own is for the pytest that the document runs in the end.
            if not set(parameters) & set(parsed.namespace):
                test(**{parameter: request.getfixturevalue(parameter) for parameter in parameters})


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    """
    Relative links name files that are there.
    """
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8"))

    assert [] == [target for target in targets if not (document.parent / target).exists()]
