"""
Without boto3's stubs a client is of no particular type to a checker, and that is no error.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import boto3
import botocore

_ROOT = Path(__file__).parents[1]

_USES = """
from lambda_kit import assuming_role, client, resource

s3 = client("s3")
s3.list_buckets()
resource("dynamodb")
assuming_role("arn:aws:iam::123456789012:role/reader").client("sqs").list_queues()
assuming_role(1)
"""


def test_mypy_is_content_without_stubs(tmp_path: Path) -> None:
    """
    What boto3 would say is not known; what the kit says still is.
    """
    path = tmp_path / "uses.py"
    path.write_text(_USES, encoding="utf-8")
    command = ["mypy", "--strict", "--no-site-packages", "--follow-imports=silent", f"--cache-dir={tmp_path / 'cache'}", "--config-file="]
    done = subprocess.run(
        [sys.executable, "-m", *command, str(path)], env={"MYPYPATH": str(_ROOT)}, cwd=tmp_path, capture_output=True, text=True, check=False
    )

    errors = [line.partition(": ")[2] for line in done.stdout.splitlines() if ": error: " in line]
    assert ['error: Argument 1 to "assuming_role" has incompatible type "int"; expected "str"  [arg-type]'] == errors, done.stdout


def test_pyright_is_content_without_stubs(tmp_path: Path) -> None:
    """
    Likewise; it reads boto3's own source.
    """
    bare = tmp_path / "bare"
    bare.mkdir()
    for package in (boto3, botocore):
        (bare / package.__name__).symlink_to(Path(str(package.__file__)).parent)
    (tmp_path / "uses.py").write_text(_USES, encoding="utf-8")
    (tmp_path / "pyrightconfig.json").write_text(
        json.dumps({"extraPaths": [str(_ROOT), str(bare)], "include": ["uses.py"]}), encoding="utf-8"
    )
    python = Path(sys.base_prefix) / "bin" / "python3"
    command = ["pyright", "--outputjson", "--pythonpath", str(python), "--project", str(tmp_path)]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, check=False)

    found = [each["rule"] for each in json.loads(done.stdout)["generalDiagnostics"] if each["severity"] == "error"]
    assert ["reportArgumentType"] == found, done.stdout
