"""Who may see the pages, and what a browser may do with them.

Only whoever has the token: it is in the address that the command prints, and a cookie after that.
Only under the server's own name, so that no other site can be pointed at it. Nothing is loaded from
elsewhere, and no other site may frame it or send it a form.
"""

from __future__ import annotations

import secrets
import sys
import traceback
from collections.abc import Sequence
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ANSWER_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with none at all, browsers hide where a form comes from
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""What goes with every answer."""

_READS = {"GET", "HEAD"}


class Guard:
    """Lets requests in that have the token, and says what a browser may do with the answers.

    Args:
        app: The application.
        token: What a request must show: in its address, in a cookie, or as a bearer.
        hosts: Names, with the port, under which the server may be asked.
        cookie: The cookie's name; cookies of one host are shared by its ports.
    """

    def __init__(self, app: ASGIApp, token: str, hosts: Sequence[str], cookie: str) -> None:
        self.app, self.token, self.hosts, self.cookie = app, token, frozenset(hosts), cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return  # nothing else is served
        answer = self._refused(scope)
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in ANSWER_HEADERS.items():
                    headers[name] = value
            await send(message)

        try:
            await (answer or self.app)(scope, receive, sending)
        except ClientDisconnect:
            pass  # whoever asked has gone: nobody is there to be told
        except Exception as error:  # noqa: BLE001 - its text may quote what people wrote
            sys.stderr.write(f"cascade: {_where(error)}\n")
            if not started:
                said = (
                    f"this page could not be made ({type(error).__name__}); the others still work"
                )
                await PlainTextResponse(said, 500)(scope, receive, sending)

    def _refused(self, scope: Scope) -> Response | None:
        """Return the answer to a request that is not let in, or that is to lose its token."""
        headers = Headers(scope=scope)
        host = headers.get("host", "").lower()
        if host not in self.hosts:
            return PlainTextResponse("this server goes by another name", 421)
        origin = headers.get("origin")
        if scope["method"] not in _READS and (
            (origin is not None and origin != f"http://{host}")
            or headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}
        ):
            return PlainTextResponse("another site may not write here", 403)
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        shown = next((value for name, value in query if name == "token"), None)
        bearer = headers.get("authorization", "").removeprefix("Bearer ")
        if self._right(shown) or self._right(bearer):
            scope["cascade_token"] = True
            if shown is not None and scope["method"] == "GET":
                return self._taken(scope, [(n, v) for n, v in query if n != "token"])
            return None
        if self._right(cookie_parser(headers.get("cookie", "")).get(self.cookie)):
            return None
        return PlainTextResponse(
            "this page is shown to whoever has its token: open the address that the command "
            "printed",
            403,
        )

    def _right(self, shown: str | None) -> bool:
        return shown is not None and secrets.compare_digest(shown.encode(), self.token.encode())

    def _taken(self, scope: Scope, query: list[tuple[str, str]]) -> Response:
        """Keep the token in a cookie and lead to the same page without it in the address."""
        path = path_asked(scope) + (f"?{urlencode(query)}" if query else "")
        # Two strokes would lead to another host.
        response = RedirectResponse("/" + path.lstrip("/"), 303)
        response.set_cookie(self.cookie, self.token, httponly=True, samesite="strict")
        return response


def path_asked(scope: Scope) -> str:
    """Return the path of a request as an address has it: an id in it may hold any character."""
    return quote(scope["path"])


def _where(error: Exception) -> str:
    """Say what went wrong and where, and nothing of what it was about."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "cascade_core" in frame.filename]
    last = (own or frames)[-1]
    place = f"{last.filename.rpartition('cascade_core')[2] or last.filename}:{last.lineno}"
    return f"a page could not be made: {type(error).__name__} at {place.lstrip('/')}"
