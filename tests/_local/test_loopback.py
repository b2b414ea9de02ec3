"""
The HTTP server answers fast, can block, and can stop.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
from typing import TYPE_CHECKING

import pytest

from lambda_kit._local._loopback import LoopbackServer, Reply

if TYPE_CHECKING:
    from email.message import Message


def echo(method: str, path: str, headers: Message[str, str], body: bytes) -> Reply | None:
    """
    Answer with the request, or not at all.
    """
    return None if path == "/drop" else Reply(203, f"{method} {path} {headers['X-One']} ".encode() + body, {"X-Two": "2"})


def test_request_and_reply_are_passed_on() -> None:
    """
    Method, path, headers and body reach the function; status, headers and body come back on a connection that stays.
    """
    server = LoopbackServer(echo, name="test")
    with contextlib.closing(http.client.HTTPConnection(server.address, timeout=10.0)) as connection:
        for _ in range(2):
            connection.request("POST", "/a", body=b"b", headers={"X-One": "1"})
            answer = connection.getresponse()

            assert (203, "2", b"POST /a 1 b") == (answer.status, answer.headers["X-Two"], answer.read())
    server.close()


def test_no_reply_drops_the_connection() -> None:
    """
    A function that answers None ends the connection without a word.
    """
    server = LoopbackServer(echo, name="test")
    with contextlib.closing(http.client.HTTPConnection(server.address, timeout=10.0)) as connection:
        connection.request("GET", "/drop")

        with pytest.raises(http.client.RemoteDisconnected):
            connection.getresponse()
    server.close()


def test_a_client_that_breaks_off_is_no_error(capfd: pytest.CaptureFixture[str]) -> None:
    """
    Half a request and then nothing: the server says nothing and goes on.
    """
    server = LoopbackServer(echo, name="test")
    host, _, port = server.address.rpartition(":")
    with socket.create_connection((host, int(port))) as half:
        half.sendall(b"POST /a HTTP/1.1\r\nContent-Length: bad\r\n\r\n")
        # The server closes the connection when it gives up: reading to the end waits for that.
        assert b"" == half.recv(100)

    with contextlib.closing(http.client.HTTPConnection(server.address, timeout=10.0)) as connection:
        connection.request("GET", "/a")
        assert 203 == connection.getresponse().status
    server.close()
    assert ("", "") == capfd.readouterr()
