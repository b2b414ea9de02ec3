"""
Connections are kept, replaced when they died, trusted under the right roots, and left alone over forks and snapshots.
"""

from __future__ import annotations

import socket
import ssl
import sys
import threading
import time
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from typing import TYPE_CHECKING

import certifi
import pytest

from lambda_kit import _roots, _runtime
from lambda_kit._transport import _connections, _endpoints
from lambda_kit.errors import ConfigurationError
from tests import threads
from tests._transport.scripted_server import ScriptedServer, reply
from tests.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests._transport.scripted_server import Seen

HOST = "ssm.eu-west-1.amazonaws.com"


def limits(read_s: float = 10.0, total_s: float = 20.0) -> _connections.Limits:
    """
    Return limits that no test comes near to.
    """
    return _connections.Limits(10.0, read_s, _runtime.monotonic_s() + total_s)


def ask(most: _connections.Limits | None = None) -> int:
    """
    Ask the service once and return the status.
    """
    endpoint = _endpoints.endpoint("ssm")
    request = _connections.Request("POST", {"Host": endpoint.authority}, b"{}")
    return _connections.exchange(endpoint, request, most or limits()).status


@pytest.fixture
def authority() -> Authority:
    """
    A root of the test's own.
    """
    return Authority.make("Amazon Root CA 1")


@pytest.fixture
def tls_server(authority: Authority, tmp_path: Path, lead_hosts_to: Callable[[int], None]) -> Iterator[ScriptedServer]:
    """
    A server for the real host's name, under the test's root, that every name leads to.
    """
    server = ScriptedServer(authority.server_context(tmp_path, HOST))
    lead_hosts_to(server.port)
    yield server
    _runtime.reset()
    server.stop()


@pytest.fixture
def install_bundle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """
    Install a certifi with another bundle.
    """

    def install(text: str) -> None:
        package = tmp_path / "certifi"
        package.mkdir(exist_ok=True)
        (package / "__init__.py").write_text("")
        (package / "cacert.pem").write_text(text)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "certifi", raising=False)

    return install


def test_a_connection_is_kept(server: ScriptedServer) -> None:
    """
    The second request goes over the first one's connection, with what it says intact.
    """
    server.answer = lambda seen: reply(b"text", 418, Date="Sat, 21 Nov 2026 20:00:00 GMT")
    endpoint = _endpoints.endpoint("ssm")
    answers = [
        _connections.exchange(endpoint, _connections.Request("POST", {"Host": endpoint.authority, "X-A": "1"}, body), limits())
        for body in (b"first", b"")
    ]

    assert 1 == server.connections
    assert [b"first", b""] == [seen.body for seen in server.seen]
    assert [("POST", "/", "1", endpoint.authority)] * 2 == [
        (seen.method, seen.target, seen.headers["x-a"], seen.headers["host"]) for seen in server.seen
    ]
    assert (418, b"text", "Sat, 21 Nov 2026 20:00:00 GMT") == (answers[0].status, answers[0].body, answers[0].date)


def test_a_connection_that_is_to_be_closed_is_not_kept(server: ScriptedServer) -> None:
    """
    The server says so in its answer.
    """
    server.answer = lambda seen: reply(Connection="close")

    assert [200, 200] == [ask(), ask()]
    assert 2 == server.connections


def test_threads_have_connections_of_their_own_and_few_are_kept(server: ScriptedServer) -> None:
    """
    Requests never wait for each other; what is idle afterwards is bounded.
    """
    both = threading.Barrier(6)

    def together(seen: Seen) -> bytes:
        both.wait(10.0)
        return reply()

    server.answer = together
    threads.at_once(6, ask)

    assert 6 == server.connections
    assert _connections.MOST_IDLE_PER_HOST == sum(map(len, _connections._pool.idle.values()))


def test_a_connection_closed_while_idle_is_noticed(server: ScriptedServer) -> None:
    """
    As after a freeze in which the server has hung up: a new one is made before anything is sent.
    """
    ask()
    server.hang_up()

    assert 200 == ask()
    assert 2 == server.connections == len(server.seen)


def test_a_connection_that_dies_under_a_request_is_replaced_once(server: ScriptedServer) -> None:
    """
    The request goes once more over a new connection, and other idle ones are closed.
    """
    ask()
    server.answer = lambda seen: None if seen.connection == 1 else reply()

    assert 200 == ask()
    assert [1, 1, 2] == [seen.connection for seen in server.seen]


def test_a_new_connection_that_dies_is_an_error(server: ScriptedServer) -> None:
    """
    Once is enough; whether to try again is for others to say.
    """
    ask()
    server.answer = lambda seen: None

    with pytest.raises(ConnectionError):
        ask()
    assert [1, 1, 2] == [seen.connection for seen in server.seen]


@pytest.mark.parametrize("seconds", [61.0, -1.0], ids=["too long", "clock set back"])
def test_a_connection_idle_for_long_is_not_trusted(server: ScriptedServer, pass_time: Callable[[float], None], seconds: float) -> None:
    """
    What was dropped on the way without a word would cost a timeout.
    """
    ask()
    pass_time(seconds)
    ask()

    assert 2 == server.connections


def test_half_an_answer_is_an_error(server: ScriptedServer) -> None:
    """
    And the connection is not used again.
    """
    server.answer = lambda seen: reply(b"a lot of it", Connection="close")[:-3]
    with pytest.raises(HTTPException):
        ask()
    server.answer = lambda seen: reply()

    assert 200 == ask()


def test_an_answer_that_does_not_come_times_out(server: ScriptedServer) -> None:
    """
    After the time to read, or what is left altogether.
    """
    held = threading.Event()

    def slow(seen: Seen) -> bytes:
        held.wait(10.0)
        return reply()

    server.answer = slow
    with pytest.raises(TimeoutError):
        ask(limits(read_s=0.05))
    with pytest.raises(TimeoutError):
        ask(limits(total_s=0.05))
    with pytest.raises(TimeoutError, match="no time left"):
        ask(limits(total_s=0.0))
    held.set()


def test_many_addresses_of_which_none_answers_take_no_longer_than_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    As those of an endpoint in a network that the function cannot reach.
    """
    ask_for = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **options: ask_for("127.0.0.1", *rest, **options) * (20 if host == "many.example" else 1)
    )
    with ExitStack() as open_sockets:
        full = open_sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = full.getsockname()[1]
        for _ in range(3):
            # What the queue of a listener has no room for is not answered at all.
            waiting = open_sockets.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://many.example:{port}")
        began_s = time.monotonic()
        with pytest.raises(TimeoutError):
            ask(limits(total_s=0.2))

    assert time.monotonic() - began_s < 2.0


def test_the_standard_librarys_debugging_output_does_no_harm(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Many a function turns it on for all connections, to see what some other library sends.
    """
    monkeypatch.setattr(HTTPConnection, "debuglevel", 1)

    assert 200 == ask()


def test_a_name_without_addresses_is_an_error(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Even if the resolver raises none.
    """
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [])

    with pytest.raises(OSError, match=r"127\.0\.0\.1 has no address"):
        ask()


@pytest.mark.parametrize("is_head", [True, False], ids=["head", "body"])
def test_an_answer_that_comes_byte_by_byte_ends_with_the_time_there_is(server: ScriptedServer, is_head: bool) -> None:
    """
    Each byte comes in time to be read, all of them would not.
    """
    gone = threading.Event()

    def drip(seen: Seen) -> Iterator[bytes]:
        whole = reply(b" " * 1000)
        if not is_head:
            yield whole[:-1000]
        for each in whole[0 if is_head else -1000 :]:
            gone.wait(0.01)
            yield bytes([each])

    server.answer = drip
    began_s = time.monotonic()
    with pytest.raises(TimeoutError):
        ask(limits(total_s=0.1))
    gone.set()

    assert time.monotonic() - began_s < 3.0


@pytest.mark.parametrize("length", [b"9" * 30, b"9" * 16], ids=["no number of this machine's", "more than there is memory"])
def test_an_answer_of_no_possible_length_is_no_http(server: ScriptedServer, length: bytes) -> None:
    """
    Whatever Python makes of it.
    """
    server.answer = lambda seen: reply(Connection="close").replace(b"Content-Length: 2", b"Content-Length: " + length)

    with pytest.raises(HTTPException):
        ask()


def test_nobody_listening_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The operating system's own.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")

    with pytest.raises(ConnectionRefusedError):
        ask()


@pytest.mark.parametrize("turn", [_runtime.take_snapshot, _runtime.restored, _runtime.reset, _runtime.forked])
def test_turns_of_life_leave_no_connection(server: ScriptedServer, turn: Callable[[], None]) -> None:
    """
    Neither a snapshot nor a forked child nor a cold test has one from before.
    """
    ask()
    turn()

    assert {} == _connections._pool.idle
    assert 200 == ask()
    assert 2 == server.connections


def test_a_forked_child_has_a_lock_of_its_own_and_the_roots(tls_server: ScriptedServer, authority: Authority, tmp_path: Path) -> None:
    """
    Whoever held the lock in the parent; loading roots again would cost for nothing.
    """
    with pytest.raises(ssl.SSLCertVerificationError):
        ask()
    before = dict(_connections._pool.contexts)
    with _connections._pool.lock:
        _runtime.forked()

    assert before == _connections._pool.contexts != {}


def test_amazons_roots_are_enough_for_aws(tls_server: ScriptedServer, authority: Authority, install_bundle: Callable[[str], None]) -> None:
    """
    The full bundle is not loaded.
    """
    install_bundle(authority.labelled("Amazon Root CA 1"))

    assert 200 == ask()
    assert [(False, None)] == list(_connections._pool.contexts)
    assert HOST == tls_server.seen[0].headers["host"]
    assert _roots.go_first(HOST)


def test_another_issuer_is_found_in_the_full_bundle(
    tls_server: ScriptedServer, authority: Authority, install_bundle: Callable[[str], None]
) -> None:
    """
    As behind a proxy of the company's own; the host is remembered.
    """
    install_bundle(Authority.make("Other").labelled("Amazon Root CA 1") + authority.labelled("Company"))

    assert 200 == ask()
    assert [(False, None), (True, None)] == list(_connections._pool.contexts)
    _connections._close()
    assert 200 == ask()
    assert not _roots.go_first(HOST)
    assert 3 == tls_server.connections


def test_an_unknown_issuer_is_refused(tls_server: ScriptedServer) -> None:
    """
    By Amazon's roots and by all others; nothing is sent.
    """
    assert certifi.where() == _roots.bundle_path()

    with pytest.raises(ssl.SSLCertVerificationError):
        ask()
    assert [] == tls_server.seen


@pytest.mark.parametrize(("host", "expired"), [("another.amazonaws.com", False), (HOST, True)], ids=["another host", "expired"])
def test_a_wrong_certificate_is_refused_at_once(
    authority: Authority,
    tmp_path: Path,
    lead_hosts_to: Callable[[int], None],
    install_bundle: Callable[[str], None],
    host: str,
    expired: bool,
) -> None:
    """
    The full bundle would not make it better.
    """
    install_bundle(authority.labelled("Amazon Root CA 1"))
    server = ScriptedServer(authority.server_context(tmp_path, host, expired=expired))
    lead_hosts_to(server.port)

    with pytest.raises(ssl.SSLCertVerificationError):
        ask()
    assert [(False, None)] == list(_connections._pool.contexts)
    server.stop()
    assert [] == server.seen


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_the_users_own_bundle_counts_alone(
    tls_server: ScriptedServer, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """
    Where the transport is used in spite of one: forced.
    """
    (tmp_path / "own.pem").write_text(authority.pem)
    monkeypatch.setenv(variable, str(tmp_path / "own.pem"))

    assert 200 == ask()
    assert [(True, str(tmp_path / "own.pem"))] == list(_connections._pool.contexts)


def test_the_users_bundle_may_be_a_directory(
    tls_server: ScriptedServer, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    As OpenSSL takes one; without a fitting file in it nobody is trusted.
    """
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path))

    with pytest.raises(ssl.SSLCertVerificationError):
        ask()


@pytest.mark.parametrize("text", [None, "no certificate"], ids=["missing", "malformed"])
def test_a_bundle_that_cannot_be_read_is_named(
    tls_server: ScriptedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    """
    Rather than trusting others instead.
    """
    if text is not None:
        (tmp_path / "own.pem").write_text(text)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "own.pem"))

    with pytest.raises(ConfigurationError, match=r"AWS_CA_BUNDLE or REQUESTS_CA_BUNDLE cannot be read: .*own\.pem"):
        ask()


@pytest.mark.parametrize(
    "settings",
    [{"LAMBDA_KIT_FULL_CA": "1"}, {"AWS_REGION": "us-gov-west-1"}, {"AWS_ENDPOINT_URL": "https://localhost"}],
    ids=["turned off", "another partition", "another host"],
)
def test_amazons_roots_are_tried_for_aws_alone(
    lead_hosts_to: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], authority: Authority, tmp_path: Path
) -> None:
    """
    Others go to the full bundle at once.
    """
    server = ScriptedServer(authority.server_context(tmp_path, "localhost"))
    lead_hosts_to(server.port)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ssl.SSLCertVerificationError):
        ask()
    assert [(True, None)] == list(_connections._pool.contexts)
    server.stop()
