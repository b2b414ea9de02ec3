"""
Amazon's roots first: a client that talks to AWS alone need not load every authority of the world.
"""

from __future__ import annotations

from lambda_kit import _roots
from lambda_kit._require import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_made: dict[type, type] = {}


def narrow(client: Any) -> None:
    """
    Let *client* try Amazon's roots first, where it would use the installed bundle for a host of partition ``aws``.

    It stays as botocore made it with a ``verify=``, ``AWS_CA_BUNDLE``, ``REQUESTS_CA_BUNDLE`` or proxy of the user's, with an
    HTTP session of somebody else's, and where botocore is made otherwise than expected.
    """
    url = client.meta.endpoint_url
    if client.meta.partition != "aws" or not url.startswith("https:") or not _roots.go_first(_host(url)):
        return
    library = require("botocore.httpsession", extra="aws")
    session: Any = getattr(getattr(client, "_endpoint", None), "http_session", None)
    made = vars(session) if type(session) is library.URLLib3Session else {}
    proxies = getattr(made.get("_proxy_config"), "_proxies", None)
    context = getattr(made.get("_manager"), "connection_pool_kw", {}).get("ssl_context")
    if made.get("_verify") is not True or proxies != {} or context is None:
        return
    bundle = library.get_cert_path(True)
    pems = _roots.amazon_pems(bundle)
    if pems:
        context.load_verify_locations(cadata=pems)
        session.lambda_kit_trust = _Trust(context, bundle)
        session.__class__ = _class(library)


class _Trust:
    """
    The context that all connections of one HTTP session share, and the bundle to widen it with.
    """

    __slots__ = ("bundle", "context", "full")

    def __init__(self, context: Any, bundle: str) -> None:
        self.context = context
        self.bundle = bundle
        self.full = False

    def widen(self) -> None:
        """
        Trust the full bundle from now on. OpenSSL locks the store; loading twice adds nothing.
        """
        if not self.full:
            self.context.load_verify_locations(cafile=self.bundle)
            self.full = True


def _class(library: Any) -> type:
    """
    Return the HTTP session's class; it is made on first use, because botocore is not imported before.
    """
    if library.URLLib3Session not in _made:
        _made[library.URLLib3Session] = type("AmazonRootsSession", (_AmazonRoots, library.URLLib3Session), {})
    return _made[library.URLLib3Session]


class _AmazonRoots:
    """
    What is done otherwise than by botocore's own session: connections take the context's roots, an unknown issuer widens them.
    """

    lambda_kit_trust: _Trust

    def send(self, request: Any) -> Any:
        """
        Send *request*; where its host's issuer is unknown, which is found out before anything is sent, once more.
        """
        plain: Any = super()
        trust = self.lambda_kit_trust
        host = _host(request.url)
        first = _roots.go_first(host)
        if not first and request.url.startswith("https:"):
            trust.widen()
        try:
            return plain.send(request)
        except require("botocore.exceptions", extra="aws").SSLError as exc:
            if not first or not _roots.is_unknown_issuer(exc.kwargs.get("error")):
                raise
        _roots.need_full(host)
        trust.widen()
        return plain.send(request)

    def _setup_ssl_cert(self, conn: Any, url: str, verify: Any) -> None:
        """
        Leave the roots to the context: urllib3 would load the bundle's for every new connection.
        """
        plain: Any = super()
        plain._setup_ssl_cert(conn, url, verify)  # noqa: SLF001 - the method that this one overrides
        conn.ca_certs = None


def _host(url: str) -> str:
    from urllib.parse import urlsplit

    return (urlsplit(url).hostname or "").lower()
