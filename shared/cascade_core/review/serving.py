"""Serves the review page on loopback until it is interrupted."""

from __future__ import annotations

import socket

import uvicorn

from cascade_core.errors import ConfigurationError
from cascade_core.review.app import make_review
from cascade_core.review.workbench import Workbench

LOOPBACK = "127.0.0.1"


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
        msg = f"--port {port} cannot be taken ({type(error).__name__}); leave it out for a free one"
        raise ConfigurationError(msg) from None
    return taken


def address_of(bench: Workbench, taken: socket.socket) -> str:
    """Return the address to open, with the token."""
    return f"http://{LOOPBACK}:{taken.getsockname()[1]}/?token={bench.token}"


def serve_review(bench: Workbench, taken: socket.socket) -> None:
    """Serve until interrupted."""
    port = taken.getsockname()[1]
    names = [f"{LOOPBACK}:{port}", f"localhost:{port}"]
    app = make_review(bench, names, cookie=f"cascade_review_{port}")
    config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off")
    uvicorn.Server(config).run(sockets=[taken])
