"""Starting and stopping the demo server: blocking, in a thread, or in its own process.

What the server answers is in `app`. A thread suits tests, which may look at its counters;
a process suits measurements, since client and server then do not share an interpreter
lock.

    with spawn() as server:
        ChatOpenAI(base_url=server.base_url, api_key="unused", model="desk-small")
"""

import argparse
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn

from cascade_demo.app import Counters, create_app
from cascade_demo.model import load_embedded
from cascade_demo.prices import price_table
from cascade_demo.protocol import MODELS

HOST = "127.0.0.1"
PORT = 8399
START_SECONDS = 30.0
STOP_SECONDS = 5.0
# Longer than clients keep a connection that nobody uses (OpenAI's 5 s, as long as uvicorn's own):
# a request on one that the server closes at that moment would fail.
KEEP_ALIVE_SECONDS = 75

__all__ = ["Counters", "DemoProcess", "DemoServer", "create_app", "serve_models", "spawn"]


def serve_models(host: str = HOST, port: int = PORT, token_delay_ms: float = 0) -> None:
    """Serve until interrupted.

    Setting ``OPENBLAS_NUM_THREADS=1`` keeps answers quick on a machine that is busy.

    Args:
        host: address to listen on.
        port: port to listen on; 0 for a free one.
        token_delay_ms: pause after every token, to watch an answer grow.
    """
    _load_models()
    app = create_app(token_delay_ms=token_delay_ms)
    uvicorn.run(
        app,
        host=host,
        port=port,
        log_level="info",
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )


class DemoServer:
    """The server in a background thread, on a free loopback port, for a `with` block.

    Attributes:
        counters: what the server has done.
    """

    def __init__(self, token_delay_ms: float = 0) -> None:
        """Prepare a server; `token_delay_ms` is a pause after every token."""
        self.counters = Counters()
        self._socket = _free_port()
        self._server = _quiet_server(create_app(self.counters, token_delay_ms))
        sockets = {"sockets": [self._socket]}
        self._thread = threading.Thread(target=self._server.run, kwargs=sockets, daemon=True)

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as its base URL."""
        return _base_url(self._socket.getsockname()[1])

    def __enter__(self) -> Self:
        """Start, and wait until requests are answered.

        Raises:
            RuntimeError: if the server does not come up.
        """
        _load_models()
        self._thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                self._server.should_exit = True
                raise RuntimeError(f"the demo server did not start on {self.base_url}")
            time.sleep(0.005)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, giving up answers that are still being computed."""
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS)
        self._socket.close()


class DemoProcess:
    """The server in a process of its own, for a `with` block; see `spawn`."""

    def __init__(self, token_delay_ms: float = 0) -> None:
        """Start the process; entering the block waits until it answers."""
        root = str(Path(__file__).parent.parent)
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(  # noqa: S603 - our own module, no shell
            [sys.executable, "-m", "cascade_demo.server", "--token-delay-ms", str(token_delay_ms)],
            # The child ends when this pipe closes: on exit, and also if this process dies.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            process_group=0,  # Ctrl-C in a terminal is for the parent
            # One thread: the matrices are small, and threads waiting for each other on a
            # busy machine made a token twenty times slower.
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(paths),
                "OPENBLAS_NUM_THREADS": "1",
            },
        )
        self._port: int | None = None

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes as its base URL.

        Raises:
            RuntimeError: before the `with` block was entered.
        """
        if self._port is None:
            raise RuntimeError("the demo server is not up yet: use it in a 'with' block")
        return _base_url(self._port)

    @property
    def prices(self) -> dict[str, dict[str, str]]:
        """What the models are said to cost, for a cascade's `prices=`; see `prices`."""
        return price_table()

    def __enter__(self) -> Self:
        """Wait until requests are answered.

        Raises:
            RuntimeError: if the process ended before it was ready.
        """
        out = self._process.stdout
        line = out.readline() if out else b""  # the port, or nothing if the child died
        if not line:
            status = self._process.wait()
            raise RuntimeError(f"the demo server's process ended with status {status} at its start")
        self._port = int(line)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process, by force if it does not end by itself."""
        try:
            self._process.communicate(timeout=STOP_SECONDS)  # closes the child's input
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


def spawn(token_delay_ms: float = 0) -> DemoProcess:
    """Start the server in a process of its own, to be used in a `with` block.

    Args:
        token_delay_ms: pause after every token, to watch an answer grow.
    """
    return DemoProcess(token_delay_ms)


def _load_models() -> None:
    """Load the weights before the first request, which would otherwise wait for them."""
    for name in MODELS:
        load_embedded(name)


def _free_port() -> socket.socket:
    """Bind a free port now, so that no other program can take it before the server runs."""
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it on, every
    # answer would wait 40 ms for the client's delayed acknowledgement.
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.bind((HOST, 0))
    return bound


def _quiet_server(app: object) -> uvicorn.Server:
    return uvicorn.Server(
        uvicorn.Config(
            app,  # type: ignore[arg-type]
            log_level="error",
            access_log=False,
            lifespan="off",
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            # Seconds that open connections may delay the end of a `with` block.
            timeout_graceful_shutdown=1,
        )
    )


def _base_url(port: int) -> str:
    return f"http://{HOST}:{port}/v1"


def _run_child() -> None:
    """Serve as the child of `DemoProcess`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--token-delay-ms", type=float, default=0)
    arguments = parser.parse_args()
    _load_models()
    serve_child(create_app(token_delay_ms=arguments.token_delay_ms))


def serve_child(app: object) -> None:
    """Serve an app as a child process: print the port, and end when standard input does."""
    listening = _free_port()
    listening.listen()  # connections now wait for the loop below instead of being refused
    server = _quiet_server(app)

    def end_with_parent() -> None:
        sys.stdin.buffer.read()
        server.should_exit = True

    threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        os.write(sys.stdout.fileno(), f"{listening.getsockname()[1]}\n".encode())
    except BrokenPipeError:  # the parent ended before this was ready
        return
    server.run(sockets=[listening])


if __name__ == "__main__":
    _run_child()
