"""Loopback ports for the servers of a test."""

import contextlib
import random
import socket
from pathlib import Path

HOST = "127.0.0.1"
_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")


def _below_ephemeral():
    """Not among the ports that the kernel gives to outgoing connections: one of those could take the port while
    its server is down, and a connection to a free one among them can even end up connected to itself."""
    first = int(_EPHEMERAL.read_text().split()[0]) if _EPHEMERAL.exists() else 32768
    return range(10000, max(first, 20000))


def _bound(port):
    """A socket bound to the port, not listening; nothing if the port is taken, or reserved by a HeldPort."""
    bound = socket.socket()
    try:
        bound.bind((HOST, port))
    except OSError:
        bound.close()
        return None
    return bound


def _any_bound():
    for port in random.SystemRandom().sample(_below_ephemeral(), 200):
        bound = _bound(port)
        if bound:
            return bound
    raise RuntimeError("200 ports tried, none free")


def free_port():
    """A port that was free a moment ago. Another process may be quicker: whoever binds it must be ready to ask
    for another."""
    with contextlib.closing(_any_bound()) as bound:
        return bound.getsockname()[1]


def free_ports(count):
    """As many, each another one."""
    with contextlib.ExitStack() as stack:
        bound = [stack.enter_context(contextlib.closing(_any_bound())) for _ in range(count)]
        return [each.getsockname()[1] for each in bound]


class HeldPort:
    """A port that stays this test's own while its server comes and goes.

    The holder is bound and never listens. Servers that set SO_REUSEADDR, as nginx does, may bind the port too;
    free_port() of any other test, which doesn't, passes it over. A connection made while no server listens is
    refused as if nobody held it.
    """

    def __init__(self):
        self._holder = _any_bound()
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.number = self._holder.getsockname()[1]

    def release(self):
        self._holder.close()
