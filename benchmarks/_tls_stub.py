"""
AWS's hosts on loopback for measured processes: TLS under a root that the bundle labels as Amazon's.
"""

from __future__ import annotations

import sys
from pathlib import Path

import certifi

# Run as a file, a benchmark sees its own folder only.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.certificates import Authority
from tests.tls_server import TlsServer

# Goes before the measured code: every host is the stub's, and the bundle is the installed one with the stub's root in it.
_PRELUDE = """
import socket
socket.getaddrinfo = lambda *_, **__: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", {port}))]
import certifi
certifi.where = lambda: {bundle!r}
"""


class TlsStub:
    """
    Answers every request with an empty document.
    """

    def __init__(self, folder: Path, region: str) -> None:
        root = Authority.make("Stub Root")
        bundle = folder / "cacert.pem"
        bundle.write_text(Path(certifi.where()).read_text(encoding="utf-8") + root.labelled("Amazon Root CA 0"), encoding="utf-8")
        self.server = TlsServer({"": root.server_context(folder, f"*.{region}.amazonaws.com")})
        self.prelude = _PRELUDE.format(port=self.server.port, bundle=str(bundle))
