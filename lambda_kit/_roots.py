"""
Amazon's root certificates, read by their labels from the bundle that is installed with botocore or certifi.

Loading all authorities of a bundle costs 24 ms of CPU, Amazon's five 1.4 ms, and AWS's own hosts need no others. Who talks to
AWS tries Amazon's roots first; a host whose issuer they do not know is tried once more with the full bundle, and remembered.
"""

from __future__ import annotations

import os
import threading

from lambda_kit import _runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssl import SSLContext

# The roots that AWS asks its customers to trust. Source: https://www.amazontrust.com/repository/
_LABELS = (b'\n# Label: "Amazon Root CA ', b'\n# Label: "Starfield Services Root Certificate Authority')
_BEGIN = b"-----BEGIN CERTIFICATE-----"
_END = b"-----END CERTIFICATE-----\n"
# Hosts of partition aws; those of the other partitions may be under other roots.
_HOSTS = ".amazonaws.com"
# What OpenSSL calls an issuer it does not know (2, 20, 21), or a root that nobody told it to trust (18, 19); neither an
# expired certificate (10) nor a wrong host name (62). Source: openssl/x509_vfy.h
_UNKNOWN_ISSUER = frozenset({2, 18, 19, 20, 21})


class _Known:
    """
    What this process has learnt: the roots of each bundle read, and the hosts that need a full one.
    """

    __slots__ = ("full_hosts", "lock", "pems")

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.pems: dict[str, str] = {}
        self.full_hosts: frozenset[str] = frozenset()


_known = _Known()


def bundle_path() -> str | None:
    """
    Return the bundle that botocore uses by default, certifi's or else botocore's own, or ``None`` when neither is installed.

    Imports neither.
    """
    from importlib.util import find_spec

    for package in ("certifi", "botocore"):
        try:
            spec = find_spec(package)
        except ValueError:  # somebody put a module without a spec into sys.modules
            continue
        if spec is not None and spec.origin is not None:
            path = os.path.join(os.path.dirname(spec.origin), "cacert.pem")
            if os.path.isfile(path):
                return path
    return None


def amazon_pems(path: str | None) -> str:
    """
    Return Amazon's root certificates from the bundle at *path*, or nothing where it does not label them. Reads a bundle once.
    """
    if path is None:
        return ""
    with _known.lock:
        if path not in _known.pems:
            _known.pems[path] = _labelled(path)
        return _known.pems[path]


def go_first(host: str) -> bool:
    """
    Tell whether Amazon's roots are to be tried for *host*; whether it is of partition ``aws`` is for the caller to know.
    """
    return host.endswith(_HOSTS) and host not in _known.full_hosts and not _turned_off()


def need_full(host: str) -> None:
    """
    Remember for the life of the process that *host* is not under Amazon's roots.
    """
    with _known.lock:
        _known.full_hosts |= {host}


def is_unknown_issuer(exc: BaseException | None) -> bool:
    """
    Tell whether *exc*, or what it was made of, is a certificate refused because its issuer is not among the trusted roots.
    """
    from ssl import SSLCertVerificationError

    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        if isinstance(exc, SSLCertVerificationError):
            return exc.verify_code in _UNKNOWN_ISSUER
        inner = [each for each in (*exc.args, getattr(exc, "reason", None)) if isinstance(each, BaseException)]
        exc = inner[0] if inner else exc.__cause__ or exc.__context__
    return False


def context(*, full: bool) -> SSLContext:
    """
    Return a new client context: it trusts the *full* bundle, or only Amazon's roots where they can be had.

    Without a bundle it trusts what the system does.
    """
    import ssl

    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    path = bundle_path()
    pems = "" if full else amazon_pems(path)
    if pems:
        made.load_verify_locations(cadata=pems)
    elif path is not None:
        made.load_verify_locations(cafile=path)
    else:
        made.load_default_certs()
    return made


def _turned_off() -> bool:
    return (_runtime.setting("LAMBDA_KIT_FULL_CA") or "0").lower() not in ("0", "false", "no", "off", "")


def _labelled(path: str) -> str:
    try:
        with open(path, "rb") as file:
            bundle = file.read()
    except OSError:  # who needs it all will say so better
        return ""
    found = []
    for label in _LABELS:
        at = bundle.find(label)
        while at >= 0:
            begin = bundle.find(_BEGIN, at)
            end = bundle.find(_END, begin)
            if begin < 0 or end < 0 or bundle.find(b"\n# Label:", at + 1, begin) >= 0:
                return ""  # not laid out as it was: better no roots than wrong ones
            found.append(bundle[begin : end + len(_END)])
            at = bundle.find(label, end)
    return b"".join(found).decode("ascii")


def _forget() -> None:
    """
    Forget, with a new lock: another thread may have held the old one when this process was forked.
    """
    global _known  # its lock goes with it
    _known = _Known()


_runtime.register(fork=_forget, reset=_forget)
