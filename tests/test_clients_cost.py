"""
What a client costs up to its first call over TLS, counted beside boto3's own.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from benchmarks import clients
from tests.certificates import Authority
from tests.tls_server import TlsServer

if TYPE_CHECKING:
    from pathlib import Path


def test_a_first_call_stays_within_its_budget(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    At most 0.65 of boto3's instructions with one client, as the benchmark measures it.
    """
    if shutil.which("valgrind") is None and os.environ.get("LAMBDA_KIT_REQUIRE_SYSTEM") != "1":
        pytest.skip("valgrind, which counts instructions, is not installed")
    root = Authority.make("Stub Root")
    bundle = tmp_path / "cacert.pem"
    bundle.write_text(root.labelled("Amazon Root CA 0") + clients.installed_bundle(), encoding="utf-8")
    server = TlsServer({"": root.server_context(tmp_path, f"*.{clients.REGION}.amazonaws.com")})
    prelude = clients.PRELUDE.format(port=server.port, bundle=str(bundle))
    costs = {}
    for title in (clients.BOTO3, clients.KIT):
        source = prelude + clients.code(title, 1)
        clients.run(source, title)  # leaves the bytecode behind
        costs[title] = clients.instructions(source, title)
    server.stop()

    assert clients.BUDGET >= costs[clients.KIT] / costs[clients.BOTO3]
