"""
A network that loses packets: a namespace of the test's own where root allows it, and what any user can do elsewhere.
"""

from __future__ import annotations

import contextlib
import ctypes
import ipaddress
import os
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from lambda_kit._local._postgres import HOST
from tests.databases.proxy import Proxy

if TYPE_CHECKING:
    from collections.abc import Iterator

CLONE_NEWNET = 0x40000000
# RFC 2544 keeps these for tests of network devices: no real network has them.
_ADDRESSES = ipaddress.ip_network("198.18.0.0/15")
_PER_PAIR = 4


class Namespace:
    """
    A network namespace joined to this process's by two virtual interfaces. What is filtered in it disturbs nobody else.
    """

    def __init__(self) -> None:
        self.name = f"lambda-kit-{os.getpid()}"
        # An interface's name has fifteen letters at most.
        self._near, self._far = f"lk{os.getpid()}n", f"lk{os.getpid()}f"
        first = _ADDRESSES[_PER_PAIR * (os.getpid() % (_ADDRESSES.num_addresses // _PER_PAIR))]
        self.near_host, self.host = str(first + 1), str(first + 2)

    def __enter__(self) -> Self:
        _run("ip", "netns", "add", self.name)
        try:
            _run("ip", "link", "add", self._near, "type", "veth", "peer", "name", self._far, "netns", self.name)
            _run("ip", "address", "add", f"{self.near_host}/30", "dev", self._near)
            _run("ip", "link", "set", self._near, "up")
            self._run_inside("ip", "address", "add", f"{self.host}/30", "dev", self._far)
            self._run_inside("ip", "link", "set", self._far, "up")
            self._run_inside("iptables", "--wait", "--list-rules")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        # The interfaces go with it, unless it never got its own.
        with contextlib.suppress(subprocess.CalledProcessError):
            _run("ip", "link", "delete", self._near)
        _run("ip", "netns", "delete", self.name)

    def listen(self) -> socket.socket:
        """
        Return a socket that listens inside. Only the thread that opens it has to be there.
        """
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(self._listen).result()

    def drop(self, port: int, *matches: str) -> None:
        """
        Lose the TCP packets that come from, or go to, *port* of the near side, or those of all ports (0) that *matches* select.
        """
        for chain, option in (("INPUT", "--sport"), ("OUTPUT", "--dport")):
            which = [option, str(port)] if port else []
            self._run_inside("iptables", "--wait", "--insert", chain, "--protocol", "tcp", *which, *matches, "--jump", "DROP")

    def heal(self) -> None:
        """
        Lose nothing any more.
        """
        self._run_inside("iptables", "--wait", "--flush")

    def _listen(self) -> socket.socket:
        with Path("/run/netns", self.name).open("rb") as handle:
            assert 0 == ctypes.CDLL(None).setns(handle.fileno(), CLONE_NEWNET)
        return socket.create_server((self.host, 0))

    def _run_inside(self, *command: str) -> None:
        _run("ip", "netns", "exec", self.name, *command)


class Wire(Proxy):
    """
    A way to a server of this machine that can go dead without a word: by packets that are lost, or, without a namespace, by a
    peer that acknowledges and never answers.

    Attributes:
        host: Where to connect to, with ``port``.
    """

    def __init__(self, target_port: int, namespace: Namespace | None) -> None:
        super().__init__(target_port, None if namespace is None else namespace.listen())
        self._namespace = namespace
        self._nobody = socket.create_server((HOST, 0))
        self.host = HOST if namespace is None else namespace.host

    def go_dark(self) -> None:
        """
        Let nothing through on the present connections, in either direction. New ones work.
        """
        if self._namespace is None:
            self.mute()
            return
        for client in self._clients:
            # Those that were closed have no peer.
            with contextlib.suppress(OSError):
                self._namespace.drop(client.getpeername()[1])

    def take_no_more(self) -> None:
        """
        Let no new connection come about: the packets that would begin it are lost, or it leads to someone who says nothing.
        """
        if self._namespace is None:
            self.target_port = self._nobody.getsockname()[1]
        else:
            self._namespace.drop(0, "--tcp-flags", "SYN", "SYN")

    def close(self) -> None:
        if self._namespace is not None:
            self._namespace.heal()
        super().close()
        self._nobody.close()


@contextlib.contextmanager
def wire(target_port: int, namespace: Namespace | None) -> Iterator[Wire]:
    """
    Have a wire for a block.
    """
    made = Wire(target_port, namespace)
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def full_backlog(host: str = HOST, port: int = 0) -> Iterator[int]:
    """
    Have a port that drops every SYN, for any user: nobody accepts, and the queue of those who wait is full.
    """
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server((host, port), backlog=0))
        stack.enter_context(socket.create_connection(listener.getsockname()))
        late = stack.enter_context(socket.socket())
        late.settimeout(0.1)
        with pytest.raises(TimeoutError):
            late.connect(listener.getsockname())
        yield listener.getsockname()[1]


@contextlib.contextmanager
def namespace_if_possible() -> Iterator[Namespace | None]:
    """
    Have a namespace for a block; nothing for a user who may not make one, and nothing less for root where everything must run.
    """
    with contextlib.ExitStack() as stack:
        found = None
        if os.geteuid() == 0:
            try:
                found = stack.enter_context(Namespace())
            except (OSError, subprocess.CalledProcessError):
                if os.environ.get("LAMBDA_KIT_REQUIRE_SYSTEM") == "1":
                    raise
        yield found


def _run(*command: str) -> None:
    # Not on every user's path.
    environ = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"}
    subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=True)
