"""Leads what a command of the documentation asks of a local model server to the stand-in.

Python imports this by itself at its start, where this folder is on PYTHONPATH.
"""

import os
import socket
from collections.abc import Callable
from typing import Any

STANDS_FOR = {8000, 11434}
"""The ports of vLLM and Ollama."""

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def leading(connect: Callable[..., Any], port: int) -> Callable[..., Any]:
    """Return `connect` of a socket, with the stand-in behind those ports and no other host."""

    def connect_there(self: socket.socket, address: Any) -> Any:
        if self.family == socket.AF_INET6 and address[1] in STANDS_FOR:
            raise ConnectionRefusedError("the stand-in listens on 127.0.0.1")
        if self.family in {socket.AF_INET, socket.AF_INET6}:
            if address[0] not in LOOPBACK:
                raise OSError(f"documentation runs without a network, and asks for {address[0]}")
            if address[1] in STANDS_FOR:
                address = ("127.0.0.1", port)
        return connect(self, address)

    return connect_there


if port := os.environ.get("STANDIN_PORT"):
    for name in ("connect", "connect_ex"):
        setattr(socket.socket, name, leading(getattr(socket.socket, name), int(port)))
