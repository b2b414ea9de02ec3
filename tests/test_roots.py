"""
Amazon's roots are found by label, tried where they belong, and given up where the issuer is another.
"""

from __future__ import annotations

import socket
import ssl
import sys
import threading
from types import ModuleType
from typing import TYPE_CHECKING

import certifi
import pytest

from lambda_kit import _roots, _runtime
from tests import fresh_process
from tests.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "ssm.eu-west-1.amazonaws.com"


@pytest.fixture(autouse=True)
def nothing_learnt(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """
    Begin and leave without knowledge of bundles and hosts.
    """
    monkeypatch.delenv("LAMBDA_KIT_FULL_CA", raising=False)
    _runtime.reset()
    yield
    _runtime.reset()


def names(context: ssl.SSLContext) -> list[str]:
    """
    Return the common names of the roots that *context* trusts.
    """
    subjects = [dict(pair for part in found["subject"] for pair in part) for found in context.get_ca_certs()]  # type: ignore[misc]
    return sorted(subject.get("commonName", "") for subject in subjects)


def refused(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> ssl.SSLError:
    """
    Shake hands in memory-like fashion, over a pair of sockets, and return why the client refused.
    """
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with theirs, pytest.raises(ssl.SSLError):
            server.wrap_socket(theirs, server_side=True)

    thread = threading.Thread(target=serve)
    thread.start()
    with ours, pytest.raises(ssl.SSLError) as raised:
        client.wrap_socket(ours, server_hostname=host)
    thread.join()
    return raised.value


def test_amazons_roots_are_found_in_the_installed_bundle() -> None:
    """
    The installed bundle labels the five roots that AWS asks its customers to trust.
    """
    path = _roots.bundle_path()

    assert certifi.where() == path
    assert [
        "Amazon Root CA 1",
        "Amazon Root CA 2",
        "Amazon Root CA 3",
        "Amazon Root CA 4",
        "Starfield Services Root Certificate Authority - G2",
    ] == names(_roots.context(full=False))
    assert len(_roots.context(full=True).get_ca_certs()) > 50


def test_nothing_but_the_standard_library_is_imported() -> None:
    """
    Neither certifi nor botocore is loaded for it, and ssl not at import.
    """
    code = """
        import json, sys
        from lambda_kit import _roots
        before = "ssl" in sys.modules
        found = len(_roots.amazon_pems(_roots.bundle_path()))
        print(json.dumps([before, found > 0, [name for name in ("certifi", "botocore", "ssl") if name in sys.modules]]))
    """

    assert [False, True, []] == fresh_process.result(code)


def test_a_bundle_is_read_once(tmp_path: Path) -> None:
    """
    What a bundle holds is remembered for the process, until a test reset.
    """
    bundle = tmp_path / "cacert.pem"
    bundle.write_text(Authority.make("Amazon Root CA 1").labelled("Amazon Root CA 1"))
    first = _roots.amazon_pems(str(bundle))
    bundle.unlink()

    assert first == _roots.amazon_pems(str(bundle))
    _runtime.reset()
    assert "" == _roots.amazon_pems(str(bundle))


def test_other_roots_are_left_out(tmp_path: Path) -> None:
    """
    Only what carries one of the labels is taken, whoever stands before and after it.
    """
    amazon, starfield, other = (Authority.make(name) for name in ("Amazon Root CA 9", "Starfield Services", "Other"))
    bundle = tmp_path / "cacert.pem"
    bundle.write_text(
        other.labelled("Amazonas CA")
        + amazon.labelled("Amazon Root CA 9")
        + other.labelled("Other")
        + starfield.labelled("Starfield Services Root Certificate Authority - G2")
        + other.labelled("Other")
    )

    assert amazon.pem + starfield.pem == _roots.amazon_pems(str(bundle))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----\n",
        '\n# Label: "Amazon Root CA 1"\n',
        '\n# Label: "Amazon Root CA 1"\n-----BEGIN CERTIFICATE-----\n...',
        '\n# Label: "Amazon Root CA 1"\n# Label: "Other"\n-----BEGIN CERTIFICATE-----\n...\n-----END CERTIFICATE-----\n',
    ],
    ids=["empty", "no labels", "nothing below the label", "half a certificate", "another label in between"],
)
def test_a_bundle_laid_out_otherwise_gives_nothing(tmp_path: Path, text: str) -> None:
    """
    Where labels do not stand right above their certificates the full bundle has to do.
    """
    bundle = tmp_path / "cacert.pem"
    bundle.write_text(text)

    assert "" == _roots.amazon_pems(str(bundle))


def test_without_a_bundle_the_systems_roots_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Neither certifi nor botocore installed: the context trusts what the system trusts.
    """
    for package in ("certifi", "botocore"):
        monkeypatch.setitem(sys.modules, package, ModuleType(package))

    assert _roots.bundle_path() is None
    assert "" == _roots.amazon_pems(None)
    system = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    system.load_default_certs()
    assert names(system) == names(_roots.context(full=False))


def test_botocores_own_bundle_does_without_certifi() -> None:
    """
    As on Lambda, where certifi may be absent.
    """
    code = """
        import json, sys
        from importlib.machinery import PathFinder
        find = PathFinder.find_spec
        PathFinder.find_spec = classmethod(lambda cls, name, *rest: None if name == "certifi" else find(name, *rest))
        from lambda_kit import _roots
        path = _roots.bundle_path()
        print(json.dumps([path, _roots.amazon_pems(path).count("BEGIN")]))
    """

    path, count = fresh_process.result(code)
    assert path.replace("\\", "/").endswith("botocore/cacert.pem")
    assert 5 == count


def test_a_package_without_a_bundle_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    A certifi that is not the one it seems leads to the next bundle.
    """
    (tmp_path / "certifi.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "certifi")

    assert str(_roots.bundle_path()).replace("\\", "/").endswith("botocore/cacert.pem")


@pytest.mark.parametrize(
    ("host", "first"),
    [
        (HOST, True),
        ("bucket.s3.us-east-1.amazonaws.com", True),
        ("ssm.cn-north-1.amazonaws.com.cn", False),
        ("ssm.eu-west-1.api.aws", False),
        ("localhost", False),
        ("amazonaws.com.example.org", False),
    ],
    ids=lambda value: str(value),
)
def test_they_are_tried_for_amazons_hosts(host: str, first: bool) -> None:
    """
    Other hosts may be under any root.
    """
    assert first == _roots.go_first(host)


def test_a_host_under_another_root_is_remembered() -> None:
    """
    It is not tried again, and other hosts are not concerned.
    """
    _roots.need_full(HOST)

    assert not _roots.go_first(HOST)
    assert _roots.go_first("sqs.eu-west-1.amazonaws.com")


@pytest.mark.parametrize(("value", "first"), [("1", False), ("true", False), ("0", True), ("", True), ("No", True)])
def test_a_variable_turns_them_off(monkeypatch: pytest.MonkeyPatch, value: str, first: bool) -> None:
    """
    LAMBDA_KIT_FULL_CA=1 means the full bundle everywhere.
    """
    monkeypatch.setenv("LAMBDA_KIT_FULL_CA", value)

    assert first == _roots.go_first(HOST)


def test_an_unknown_issuer_is_told_from_other_refusals(tmp_path: Path) -> None:
    """
    Only an issuer that is not trusted is worth a second try; expiry and a wrong name are not.
    """
    ours, theirs = Authority.make("ours"), Authority.make("theirs")
    client = ssl.create_default_context(cadata=ours.pem)
    if sys.version_info >= (3, 13):
        client.verify_flags &= ~ssl.VERIFY_X509_STRICT

    assert _roots.is_unknown_issuer(refused(theirs.server_context(tmp_path, HOST), client, HOST))
    assert not _roots.is_unknown_issuer(refused(ours.server_context(tmp_path, HOST, expired=True), client, HOST))
    assert not _roots.is_unknown_issuer(refused(ours.server_context(tmp_path, "other.org"), client, HOST))


def test_the_refusal_is_found_below_other_errors() -> None:
    """
    HTTP libraries wrap it: as an argument, a reason, a cause.
    """
    refusal = ssl.SSLCertVerificationError("unable to get local issuer certificate")
    refusal.verify_code = 20
    reasoned = OSError("retries exhausted")
    reasoned.reason = refusal  # type: ignore[attr-defined]
    caused = ConnectionError("no")
    caused.__cause__ = OSError(refusal)
    circle = OSError("no")
    circle.__cause__ = ConnectionError("no")
    circle.__cause__.__cause__ = circle

    assert [True, True, True, False, False, False] == [
        _roots.is_unknown_issuer(exc) for exc in (refusal, reasoned, caused, circle, OSError("no"), None)
    ]


def test_a_forked_child_has_its_own_lock() -> None:
    """
    A lock that another thread held at the fork does not stop the child.
    """
    code = """
        import json, os
        from lambda_kit import _roots, _runtime
        _runtime.watch_life()
        _roots._known.lock.acquire()
        child = os.fork()
        if child == 0:
            _roots.need_full("a.amazonaws.com")
            os._exit(42)
        print(json.dumps(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
    """

    assert 42 == fresh_process.result(code)
