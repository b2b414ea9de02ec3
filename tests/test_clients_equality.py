"""
What the kit builds, without boto3 and with less of botocore's data, is what boto3 builds: every service, region and variant.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore
import pytest

_ROOT = Path(__file__).parents[1]
_DATA = Path(botocore.__file__).parent / "data"


def compared(region: str, **variables: str) -> dict[str, Any]:
    """
    Build every client by the kit and by boto3 in one fresh process, and return what :mod:`tests.client_facts` says.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environ = {
        **kept,
        "PYTHONPATH": os.pathsep.join([str(_ROOT), *filter(None, [kept.get("PYTHONPATH")])]),
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "key",
        "AWS_SESSION_TOKEN": "token",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        **variables,
    }
    done = subprocess.run([sys.executable, "-m", "tests.client_facts"], env=environ, cwd=_ROOT, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(
    ("region", "suffix"),
    [
        ("us-east-1", ".us-east-1.amazonaws.com/"),
        ("cn-north-1", ".cn-north-1.amazonaws.com.cn/"),
        ("us-gov-west-1", ".us-gov-west-1.amazonaws.com/"),
        ("mars-north-1", ".mars-north-1.amazonaws.com/"),
    ],
)
def test_clients_equal_boto3s(region: str, suffix: str) -> None:
    """
    Methods, waiters, paginators, a real request with its endpoint and signature's scope, retries, agent: of twenty services.
    """
    found = compared(region)

    assert {} == found["differing"]
    assert 20 == found["sent"]
    assert found["urls"]["ssm"].endswith(suffix)
    assert found["lean"]


@pytest.mark.parametrize(
    ("variables", "s3"),
    [
        ({"AWS_USE_FIPS_ENDPOINT": "true"}, "https://s3-fips.us-west-2.amazonaws.com/"),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "https://s3.dualstack.us-west-2.amazonaws.com/"),
        ({"AWS_ENDPOINT_URL_S3": "https://s3.example.org:8443"}, "https://s3.example.org:8443/"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "http://127.0.0.1:9/"),
        ({"AWS_MAX_ATTEMPTS": "7"}, "https://s3.us-west-2.amazonaws.com/"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_variants_equal_boto3s(variables: dict[str, str], s3: str) -> None:
    """
    FIPS, dual-stack, endpoints and attempts set by the environment reach the kit's clients as they reach boto3's.
    """
    found = compared("us-west-2", **variables)

    assert {} == found["differing"]
    assert s3 == found["urls"]["s3"]


def test_a_data_path_of_the_users_wins(tmp_path: Path) -> None:
    """
    A model and an endpoints file in AWS_DATA_PATH are used instead of botocore's, by the kit as by boto3.
    """
    version = max(path.name for path in (_DATA / "ssm").iterdir())
    shutil.copytree(_DATA / "ssm" / version, tmp_path / "ssm" / "2099-01-01")
    text = (_DATA / "endpoints.json").read_text(encoding="utf-8")
    (tmp_path / "endpoints.json").write_text(
        text.replace('"dnsSuffix" : "amazonaws.com"', '"dnsSuffix" : "example.org"', 1), encoding="utf-8"
    )
    found = compared("us-east-1", AWS_DATA_PATH=str(tmp_path))

    assert {} == found["differing"]
    assert 20 == found["sent"]
