"""Takes what forms send: only from the page itself, and only where something may be written."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cascade_core.review.pages import bench_of

MOST_BYTES = 2_000_000
"""Of a form: a corrected answer may be long."""

Form: TypeAlias = Mapping[str, str]


def posted(
    handler: Callable[[Request, Form], Response],
) -> Callable[[Request], Awaitable[Response]]:
    """Make an endpoint of what handles a form; it runs in a thread.

    The form's field `csrf`, or the header `X-CSRF-Token`, must be the page's, unless the request
    shows the token itself, in its address or as a bearer: no other page knows that.
    """

    async def endpoint(request: Request) -> Response:
        bench = bench_of(request)
        if bench.read_only:
            raise HTTPException(403, "this review is read only (--read-only): nothing is written")
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                raise HTTPException(413, f"a form may have {MOST_BYTES:,} bytes at the most")
        sent = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
        form = {name: values[-1] for name, values in sent.items()}
        if not request.scope.get("cascade_token"):
            shown = form.pop("csrf", "") or request.headers.get("X-CSRF-Token", "")
            if not secrets.compare_digest(shown.encode(), bench.csrf.encode()):
                raise HTTPException(
                    403,
                    "this form is not of this page, or of one before its "
                    "restart: load the page again",
                )
        return await run_in_threadpool(handler, request, form)

    vars(endpoint)["takes_forms"] = True  # by which a test finds all that write
    return endpoint
