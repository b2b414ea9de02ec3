"""
Credentials come from the environment or the container's endpoint, are renewed in time, and show nowhere.
"""

from __future__ import annotations

import json
import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from lambda_kit import _runtime
from lambda_kit._transport import _credentials
from lambda_kit.errors import ConfigurationError, ServiceError
from tests import fresh_process, threads
from tests._configuration.exposure import given_away_by
from tests._transport.scripted_server import reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests._transport.scripted_server import ScriptedServer, Seen

# Joined, so that it is not in the source that a traceback shows.
_SECRET = "-".join(["hidden", "key"])
_TOKEN = "-".join(["hidden", "token"])


def soon_s() -> float:
    """
    Return a deadline that no test comes near to.
    """
    return _runtime.monotonic_s() + 10.0


def given(valid_for_s: float = 3600.0, number: int = 1) -> bytes:
    """
    Return an answer of the endpoint.
    """
    end = datetime.now(UTC) + timedelta(seconds=valid_for_s)
    return reply(
        {
            "AccessKeyId": f"ASIA{number}",
            "SecretAccessKey": _SECRET,
            "Token": _TOKEN,
            "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "AccountId": "123456789012",
        }
    )


@pytest.fixture
def endpoint(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> ScriptedServer:
    """
    An environment without keys, and an endpoint that gives some.
    """
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{server.url}/creds?id=1")
    server.answer = lambda seen: given(number=len(server.seen))
    return server


def test_the_environments_credentials_are_taken_as_they_are_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Nothing of them is kept: another value is seen with the next request.
    """
    first = _credentials.credentials(soon_s())
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    monkeypatch.delenv("AWS_SESSION_TOKEN")
    monkeypatch.setenv("AWS_SECURITY_TOKEN", "older")
    second = _credentials.credentials(soon_s())

    assert ("testing", "testing-key", "testing-token", False) == (first.key_id, first.secret, first.token, first.renewable)
    assert ("another", "testing-key", "older") == (second.key_id, second.secret, second.token)
    assert "testing-key" not in repr(first)


@pytest.mark.parametrize("name", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"])
@pytest.mark.parametrize("tail", ["\n", " ", "ü", "\udc80"], ids=["line end", "space", "letter", "surrogate"])
def test_malformed_credentials_are_refused_before_they_can_show(monkeypatch: pytest.MonkeyPatch, name: str, tail: str) -> None:
    """
    http.client would put them into its error.
    """
    monkeypatch.setenv(name, _SECRET + tail)

    with pytest.raises(ConfigurationError, match="AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN") as raised:
        _credentials.credentials(soon_s())
    if name != "AWS_ACCESS_KEY_ID":  # which is no secret
        assert _SECRET not in given_away_by(raised.value)


def test_a_key_without_its_secret_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The error names the variable.
    """
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(ConfigurationError, match="AWS_SECRET_ACCESS_KEY is not"):
        _credentials.credentials(soon_s())


def test_no_credentials_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The error says who brings them on Lambda.
    """
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    assert not _credentials.at_hand()
    with pytest.raises(ConfigurationError, match="the execution role brings them"):
        _credentials.credentials(soon_s())


def test_the_endpoint_is_asked_once(endpoint: ScriptedServer) -> None:
    """
    By any number of threads; what it gave is kept.
    """
    assert _credentials.at_hand()
    found = threads.at_once(16, lambda: _credentials.credentials(soon_s()))

    assert {"ASIA1"} == {each.key_id for each in found}
    assert [("GET", "/creds?id=1")] == [(seen.method, seen.target) for seen in endpoint.seen]
    assert "authorization" not in endpoint.seen[0].headers
    assert (_SECRET, _TOKEN, True) == (found[0].secret, found[0].token, found[0].renewable)


def test_the_environments_keys_come_before_the_endpoint(endpoint: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    As in botocore's chain.
    """
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "own")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own")

    assert "own" == _credentials.credentials(soon_s()).key_id
    assert [] == endpoint.seen


def test_the_authorization_comes_from_the_file_first(endpoint: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    The file is read each time, because it is written anew now and then.
    """
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "from variable")
    _credentials.credentials(soon_s())
    file = tmp_path / "token"
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(file))
    for token in ("first", "second"):
        file.write_text(token)
        _credentials.forget()
        _credentials.credentials(soon_s())

    assert ["from variable", "first", "second"] == [seen.headers["authorization"] for seen in endpoint.seen]


@pytest.mark.parametrize("content", [f"{_TOKEN}\n", f"{_TOKEN}\r", f"{_TOKEN}ü"])
def test_a_malformed_authorization_is_refused(
    endpoint: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str
) -> None:
    """
    From the variable and from the file, and without being shown.
    """
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", content)
    with pytest.raises(ConfigurationError, match=r"^AWS_CONTAINER_AUTHORIZATION_TOKEN: ") as raised:
        _credentials.credentials(soon_s())
    assert _TOKEN not in given_away_by(raised.value)

    (tmp_path / "token").write_bytes(content.encode())
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(ConfigurationError, match=r"^AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: ") as raised:
        _credentials.credentials(soon_s())
    assert _TOKEN not in given_away_by(raised.value)


def test_a_missing_authorization_file_is_named(endpoint: ScriptedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    The error says which variable and which file.
    """
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "none"))

    with pytest.raises(ConfigurationError, match=r"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read: .*none"):
        _credentials.credentials(soon_s())


def test_they_are_renewed_before_they_expire(endpoint: ScriptedServer, pass_time: Callable[[float], None]) -> None:
    """
    Ten minutes before, counted on the wall clock, so that a freeze counts.
    """
    _credentials.credentials(soon_s())
    pass_time(2990.0)
    assert "ASIA1" == _credentials.credentials(soon_s()).key_id

    pass_time(20.0)
    assert "ASIA2" == _credentials.credentials(soon_s()).key_id


def test_a_failed_renewal_leaves_what_is_still_good(
    endpoint: ScriptedServer, pass_time: Callable[[float], None], caplog: pytest.LogCaptureFixture
) -> None:
    """
    With a warning, and a pause before the next attempt; once they have expired the failure is the caller's.
    """
    _credentials.credentials(soon_s())
    endpoint.answer = lambda seen: reply(b"", 500)
    pass_time(3100.0)
    for _ in range(3):
        assert "ASIA1" == _credentials.credentials(soon_s()).key_id
    assert 2 == len(endpoint.seen)
    assert 1 == len([record for record in caplog.records if record.levelno == logging.WARNING])
    assert _SECRET not in caplog.text

    pass_time(600.0)
    with pytest.raises(ServiceError, match="HTTP 500"):
        _credentials.credentials(soon_s())


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (reply(_SECRET.encode(), 404), "HTTP 404"),
        (reply(_SECRET.encode()), "not as it should be"),
        (reply({"AccessKeyId": "A", "SecretAccessKey": _SECRET, "Token": _TOKEN}), "not as it should be"),
        (reply({"AccessKeyId": "A", "SecretAccessKey": _SECRET, "Token": 1, "Expiration": "2026-01-01T00:00:00Z"}), "not as it should"),
        (reply({"AccessKeyId": "A", "SecretAccessKey": _SECRET, "Token": _TOKEN, "Expiration": "soon"}), "not as it should be"),
        (reply(f'["{_SECRET}"]'.encode()), "not as it should be"),
        (reply(b"[" * 200_000), "not as it should be"),
        (reply(_SECRET.encode() * 9, Connection="close")[:-5], "IncompleteRead"),
        (f"{_SECRET} what is this\r\n\r\n".encode(), "BadStatusLine"),
        (None, "RemoteDisconnected"),
    ],
    ids=["not found", "no JSON", "no end", "no text", "no date", "no object", "nested deeply", "half an answer", "no HTTP", "hung up"],
)
def test_an_endpoint_that_gives_none(endpoint: ScriptedServer, answer: bytes | None, complaint: str) -> None:
    """
    Is worth another attempt later; nothing of what it did give is in the error.
    """

    endpoint.answer = lambda seen: answer

    with pytest.raises(ServiceError, match=complaint) as raised:
        _credentials.credentials(soon_s())
    assert raised.value.retryable
    assert _SECRET not in given_away_by(raised.value)
    assert raised.value.__cause__ is raised.value.__context__ is None


def test_malformed_credentials_of_the_endpoint_are_refused(endpoint: ScriptedServer) -> None:
    """
    As those of the environment are.
    """
    wrong = json.loads(given().partition(b"\r\n\r\n")[2]) | {"SecretAccessKey": f"{_SECRET}\n"}
    endpoint.answer = lambda seen: reply(wrong)

    with pytest.raises(ConfigurationError, match=r"the answer of 127\.0\.0\.1") as raised:
        _credentials.credentials(soon_s())
    assert _SECRET not in given_away_by(raised.value)


def test_nobody_waits_longer_than_he_can(endpoint: ScriptedServer) -> None:
    """
    While another thread asks the endpoint, who has no time left gets an error that says so.
    """
    held = threading.Event()

    def slow(seen: Seen) -> bytes:
        held.wait(10.0)
        return given()

    endpoint.answer = slow
    thread = threading.Thread(target=lambda: _credentials.credentials(soon_s()))
    thread.start()
    threads.wait_until_at(thread, "self._sock.recv_into(b)")

    with pytest.raises(ServiceError, match="no credentials in time"):
        _credentials.credentials(_runtime.monotonic_s() - 1.0)
    held.set()
    thread.join()


@pytest.mark.parametrize("turn", ["_runtime.take_snapshot", "_runtime.restored", "_runtime.reset", "_credentials.forget"])
def test_they_are_dropped(endpoint: ScriptedServer, turn: str) -> None:
    """
    A snapshot holds no credentials, and nobody after it has those from before: they are asked for once again, and only once.
    """
    # In a process of its own: what other tests have declared would be built for the snapshot, and ask the endpoint too.
    code = f"""
        import json
        from lambda_kit import _runtime
        from lambda_kit._transport import _credentials

        def key_id():
            return _credentials.credentials(_runtime.monotonic_s() + 10.0).key_id

        before = [key_id(), key_id()]
        {turn}()
        print(json.dumps([*before, key_id(), key_id()]))
    """

    assert ["ASIA1", "ASIA1", "ASIA2", "ASIA2"] == fresh_process.result(code)
    assert 2 == len(endpoint.seen)


def test_a_forked_child_has_them_and_a_lock_of_its_own(endpoint: ScriptedServer) -> None:
    """
    They are as good in the child, whoever held the lock in the parent.
    """
    _credentials.credentials(soon_s())
    with _credentials._known.lock:
        _runtime.forked()

        assert "ASIA1" == _credentials.credentials(soon_s()).key_id
    assert 1 == len(endpoint.seen)


def test_the_relative_uri_is_on_the_containers_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    And comes before the full one.
    """
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/1")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/")
    endpoint = _credentials._endpoint()

    assert ("http", "169.254.170.2", 80, "/v2/credentials/1") == (endpoint.scheme, endpoint.host, endpoint.port, endpoint.target)


@pytest.mark.parametrize(
    ("uri", "allowed"),
    [
        ("http://localhost:9000/", True),
        ("http://127.0.0.9/", True),
        ("http://[::1]/", True),
        ("http://169.254.170.2/", True),
        ("http://169.254.170.23/v1", True),
        ("http://[fd00:ec2::23]/v1", True),
        ("https://example.com/", True),
        ("http://example.com/", False),
        ("http://169.254.169.254/", False),
    ],
)
def test_without_tls_only_near_hosts_are_asked(monkeypatch: pytest.MonkeyPatch, uri: str, allowed: bool) -> None:
    """
    The rule that botocore has, too: a token must not go out in the clear.
    """
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri)

    if allowed:
        assert _credentials._endpoint().scheme in uri
    else:
        with pytest.raises(ConfigurationError, match="without TLS"):
            _credentials._endpoint()
