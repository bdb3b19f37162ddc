"""Closes the network to a notebook's kernel and to every process it starts, and fixes its chance.

Python imports this by itself at its start, where this folder is on PYTHONPATH.
"""

from __future__ import annotations

import random
import socket
from functools import wraps

OPEN = {"localhost", "127.0.0.1", "::1", "", None}


def _only_loopback(name, host_of):
    original = getattr(socket, name, None) or getattr(socket.socket, name)

    @wraps(original)
    def checked(*args, **kwargs):
        host = host_of(args)
        host = host.decode() if isinstance(host, bytes) else host
        if host not in OPEN:
            raise OSError(f"a cookbook must run without a network, and asks for {host}")
        return original(*args, **kwargs)

    return checked


def _peer(args):
    connecting, address = args[0], args[1]
    return address[0] if connecting.family != getattr(socket, "AF_UNIX", None) else None


for _name in ("connect", "connect_ex"):
    setattr(socket.socket, _name, _only_loopback(_name, _peer))
for _name in ("getaddrinfo", "gethostbyname"):
    setattr(socket, _name, _only_loopback(_name, lambda args: args[0]))


class _SameEveryRun(random.Random):
    """What is left to the system's chance, such as what is audited, is alike in every run."""

    def __init__(self, _seed=None):
        super().__init__(7)


random.SystemRandom = _SameEveryRun
