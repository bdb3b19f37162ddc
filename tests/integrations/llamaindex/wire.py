"""One server for all providers, each under a path of its own; it answers what a test scripts."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self, TypeAlias

Json: TypeAlias = dict[str, Any]
Refuses: TypeAlias = Callable[[Json], list[str]]

DOWN: Json = {"error": {"message": "scripted to fail", "type": "server_error"}}


class Wire:
    """The server, in a thread, for a `with` block.

    Attributes:
        replies: By provider, what it answers; the last is repeated. `DOWN` is a 500.
        sent: By provider, the requests that it was sent.
        refuses: By provider, what is wrong with a request in its API's eyes: answered with a 400.
    """

    def __init__(self) -> None:
        self.replies: dict[str, list[Any]] = {}
        self.sent: dict[str, list[Json]] = defaultdict(list)
        self.refuses: dict[str, Refuses] = {}
        wire = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                status, body = wire.answer(self.path, json.loads(self.rfile.read(length) or "{}"))
                data = json.dumps(body).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def url(self, provider: str) -> str:
        """Return where a provider is reached."""
        return f"http://127.0.0.1:{self._server.server_port}/{provider}"

    def answer(self, path: str, body: Json) -> tuple[int, Any]:
        """Answer a request, and keep it."""
        provider = path.split("/")[1]
        sent = self.sent[provider]
        sent.append(body)
        if problems := self.refuses[provider](body):
            return 400, {"error": {"message": "; ".join(problems)}, "message": "; ".join(problems)}
        replies = self.replies[provider]
        reply = replies[min(len(sent), len(replies)) - 1]
        return (500 if reply is DOWN else 200), reply
