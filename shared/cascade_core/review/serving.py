"""Serves the review page on loopback until it is interrupted."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from cascade_core.errors import ConfigurationError
from cascade_core.review.app import make_review
from cascade_core.review.workbench import Workbench

LOOPBACK = "127.0.0.1"

SECONDS_TO_ASK = 20.0
"""In which a connection has to ask for something; a browser opens some ahead."""

LET_IN = 0.1
"""Seconds after which a connection that was being let in when the server ended has been."""

GRACE = 3.0
"""Seconds that pages which are being made have, once the server is told to end."""


def open_socket(port: int) -> socket.socket:
    """Take a port on loopback; 0 takes a free one.

    Raises:
        ConfigurationError: Somebody else has it.
    """
    taken = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((LOOPBACK, port))
        taken.listen()  # who opens the address that is told at once is kept waiting, not refused
    except OSError as error:
        taken.close()
        why = os.strerror(error.errno) if error.errno else type(error).__name__
        msg = f"--port {port} cannot be taken ({why}): give another, or leave it out for a free one"
        raise ConfigurationError(msg) from None
    return taken


def address_of(bench: Workbench, taken: socket.socket) -> str:
    """Return the address to open, with the token."""
    return f"http://{LOOPBACK}:{taken.getsockname()[1]}/?token={bench.token}"


class _Impatient(H11Protocol):
    """A connection that is closed where nothing is asked: whoever opens many takes them all."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, and look after a while whether something was asked."""
        super().connection_made(transport)
        self.loop.call_later(SECONDS_TO_ASK, self._close_unasked)

    def _close_unasked(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()


class _UntilTold(uvicorn.Server):
    """A server that ends with status 0 when it is told to; uvicorn's own passes the signal on."""

    def install_signal_handlers(self) -> None:
        """Leave them alone: `serve_review` has its own."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End; whoever was let in while the connections were being closed is closed as well."""
        asyncio.get_running_loop().call_later(LET_IN, self._close_connections)
        await super().shutdown(sockets)

    def _close_connections(self) -> None:
        for connection in list(self.server_state.connections):
            connection.shutdown()


def serve_review(bench: Workbench, taken: socket.socket, begun: Callable[[], None]) -> None:
    """Serve until Ctrl-C or SIGTERM; whatever page is being made then is given up.

    Args:
        bench: What is reviewed.
        taken: The socket to serve on.
        begun: Called once when Ctrl-C ends this with status 0: the moment to tell the address.
    """
    port = taken.getsockname()[1]
    names = [f"{LOOPBACK}:{port}", f"localhost:{port}"]
    app = make_review(bench, names, cookie=f"cascade_review_{port}")
    config = uvicorn.Config(
        app,
        http=_Impatient,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = _UntilTold(config)

    def told(*_: object) -> None:
        if server.should_exit:  # told twice
            os._exit(0)
        server.should_exit = True
        # A thread that still reads a large log would keep the program.
        last = threading.Timer(GRACE, os._exit, (0,))
        last.daemon = True
        last.start()

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, told)
    begun()
    server.run(sockets=[taken])
