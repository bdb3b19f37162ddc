"""A Redis server of a test's own: on a unix socket, on no port, gone with the test."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp

import pytest

from cascade_core.guards.redis_link import _links

PROGRAM = os.environ.get("CASCADE_TEST_REDIS") or shutil.which("redis-server")
"""The server's program; `make test-services` installs it where there is none."""

needs_redis = pytest.mark.skipif(PROGRAM is None, reason="needs redis-server")
at_length = pytest.mark.skipif(
    "CASCADE_TEST_REDIS" not in os.environ, reason="takes its time: make test-services"
)


class RedisServer:
    """A server that can be stopped, paused, and started anew with other data."""

    def __init__(self) -> None:
        self.folder = Path(mkdtemp(prefix="cascade-redis-", dir="/tmp"))  # a socket's path is short
        self.socket = self.folder / "redis.sock"
        self.dump = self.folder / "dump.rdb"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        assert PROGRAM is not None
        self._process = subprocess.Popen(
            [
                PROGRAM,
                "--port",
                "0",
                "--unixsocket",
                self.socket,
                "--dir",
                self.folder,
                "--save",
                "",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while True:
            with suppress(Exception):
                if self.client().ping():
                    return
            assert self._process.poll() is None, "redis-server ended"
            time.sleep(0.01)

    def client(self):
        import redis

        return redis.Redis(unix_socket_path=str(self.socket))

    def url(self, **asked: object) -> str:
        query = "&".join(f"{name}={value}" for name, value in asked.items())
        return f"unix://{self.socket}?{query}"

    def save(self) -> None:
        self.client().save()

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """End the server, and before it what would miss it.

        A link whose server is away opens sockets, and warns, in whatever test comes next.
        """
        for store, link in list(_links.items()):
            if str(self.socket) in link.store.shown:
                link.close()
                _links.pop(store, None)
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
