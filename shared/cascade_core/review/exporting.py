"""Writes a review as files that open from disk: the pages as they are served, and what they need.

Every page is asked of the application itself, in this process; links between pages are followed.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
import shutil
from collections import deque
from collections.abc import MutableMapping
from html import unescape
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from starlette.applications import Starlette

from cascade_core.errors import ConfigurationError
from cascade_core.review.app import STATIC, make_review
from cascade_core.review.periods import Period
from cascade_core.review.static_pages import to_static
from cascade_core.review.workbench import Workbench

EXPORT_MARK = "cascade-review.txt"
"""The file by which a folder is known to be an earlier export, which the next may replace."""

_SAID = "An export of `cascade review`; open index.html. The next export may replace this folder.\n"
_HOST = "127.0.0.1"
_PLAIN = re.compile(r"(?!id-)(?!(?:con|prn|aux|nul|com[0-9]|lpt[0-9])$)[a-z0-9_-]{1,80}")
"""Ids that name a file everywhere: not Windows' devices, nor what a digest is called by."""

_OF_VERSIONS = ("/policy/version/", "/policy/diff")
_PAGES = {"/": "index", "/thresholds": "thresholds", "/classes": "classes", "/policy": "policy"}
_KEPT = {"/": {"by"}, "/classes": {"by"}, "/policy/diff": {"a", "b", "from", "to"}}
"""Parts of an address beside the period that make another page."""


def export_review(bench: Workbench, folder: Path, period: Period, decisions: int = 1000) -> int:
    """Write the pages into a folder.

    Args:
        bench: What is reviewed.
        folder: Made, or replaced where it holds an earlier export; all of it at once, at the end.
        period: Of all pages.
        decisions: How many of the latest decisions have a page of their own and stand in the table.

    Returns:
        How many pages were written.

    Raises:
        ConfigurationError: The folder holds something else or cannot be written, or a page cannot
            be made.
    """
    _check(folder)
    bench.static = bench.read_only = True
    new = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}")
    try:
        new.mkdir()
        shutil.copytree(STATIC, new / "static")
        written = asyncio.run(_Export(bench, new, period, decisions).run())
        (new / EXPORT_MARK).write_text(_SAID, encoding="utf-8")
        _put(new, folder)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno else type(error).__name__
        msg = f"--export {folder} cannot be written ({why}); nothing is left of it"
        raise ConfigurationError(msg) from None
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return written


def _check(folder: Path) -> None:
    if not folder.name:
        raise ConfigurationError(f"--export {folder}: give the name of a folder that is to be made")
    if not folder.parent.is_dir():
        msg = f"--export {folder}: the folder {folder.parent} does not exist; make it first"
        raise ConfigurationError(msg)
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise ConfigurationError(f"--export {folder} is no folder: give the name of a new one")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / EXPORT_MARK).is_file():
        msg = f"--export {folder} holds other files: give a new folder, or one of an earlier export"
        raise ConfigurationError(msg)


def _put(new: Path, folder: Path) -> None:
    """Let the new files take the place of the old ones, which stay if that cannot be."""
    old = None
    if folder.exists():
        old = new.with_name(f"{new.name}.old")
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if old is not None:
            old.rename(folder)
        raise
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


class _Export:
    """One export: which pages there are, and the files that they are."""

    def __init__(self, bench: Workbench, folder: Path, period: Period, decisions: int) -> None:
        self._app = make_review(bench, [_HOST])
        self._token = bench.token
        self._folder, self._period, self._most = folder, period, decisions
        self._files: dict[str, str] = {}  # address without the period -> file
        self._waiting: deque[str] = deque()
        self._shown = 0  # decisions of the table so far

    async def run(self) -> int:
        """Write all pages that can be reached from the first one."""
        for path in (*_PAGES, "/decisions"):
            self._file(path)
        written = 0
        while self._waiting:
            address = self._waiting.popleft()
            html = await self._ask(address)
            file = self._folder / self._files[address]
            file.parent.mkdir(exist_ok=True)
            self._allow_next(address, html)
            static = to_static(html, lambda to, at=address: self._leads(at, to))  # type: ignore[misc]
            file.write_text(static, encoding="utf-8")
            written += 1
        return written

    def _allow_next(self, address: str, html: str) -> None:
        """Let the table of decisions go on to its next page while it may have more rows."""
        if address.partition("?")[0] != "/decisions":
            return
        self._shown += len(re.findall(r'<th scope="row"><a href="/decisions/', html))
        found = re.search(r'rel="next" href="([^"]*)"', html)
        if found is not None and self._shown < self._most:
            self._file(self._plain(unescape(found[1])))

    def _leads(self, at: str, to: str) -> str | None:
        """Return where a link leads, from the page that it is on; the page is made if need be."""
        parts = urlsplit(to)
        if parts.scheme or parts.netloc or not parts.path.startswith("/"):
            return None
        if parts.path.startswith("/static/"):
            file: str | None = parts.path[1:]
        else:
            file = self._made(at, parts.path, to)
        if file is None:
            return None
        up = "../" * (len(PurePosixPath(self._files[at]).parts) - 1)
        return f"{up}{file}" + (f"#{parts.fragment}" if parts.fragment else "")

    def _made(self, at: str, path: str, to: str) -> str | None:
        plain = self._plain(to)
        if plain in self._files:
            return self._files[plain]
        asked = parse_qsl(urlsplit(plain).query)
        if path in _PAGES or path == "/policy/diff":
            kept = [(name, value) for name, value in asked if name in _KEPT.get(path, ())]
            same = path + (f"?{urlencode(kept)}" if kept else "")
            return self._file(same) if kept == asked or path == "/thresholds" else None
        if re.fullmatch(r"/policy/version/\d+", path):
            return self._file(path)
        if path.startswith("/decisions/"):
            key = unquote(path.removeprefix("/decisions/")) or dict(asked).get("id", "")
            # Of the table, and what other pages give as examples; not those beside a decision.
            own = f"/decisions/{path.removeprefix('/decisions/')}"
            if not path.removeprefix("/decisions/"):
                own = f"/decisions/?{urlencode({'id': key})}"
            if own in self._files or not at.startswith("/decisions/"):
                return self._file(own, _decision_file(key))
        return None

    def _plain(self, address: str) -> str:
        """Return an address without its period, which is the same for all."""
        parts = urlsplit(address)
        asked = parse_qsl(parts.query, keep_blank_values=True)
        kept = urlencode([each for each in asked if each[0] not in {"since", "until"}])
        return parts.path + (f"?{kept}" if kept else "")

    def _file(self, address: str, named: str | None = None) -> str:
        """Return the file of a page; the page is made if it was not yet."""
        if address not in self._files:
            path, _, query = address.partition("?")
            name = _PAGES.get(path, path.strip("/").replace("/", "-"))
            if query:
                name += f"-{_digest(query)}"
            self._files[address] = named or f"{name}.html"
            self._waiting.append(address)
        return self._files[address]

    async def _ask(self, address: str) -> str:
        """Return a page as it is served; of what is gone or damaged, the page that says so."""
        path, _, query = address.partition("?")
        asked = "&".join(filter(None, (query, self._period.query)))
        status, body = await _get(self._app, path, asked, self._token)
        gone = status == HTTPStatus.NOT_FOUND and path.startswith("/decisions/")
        damaged = status == HTTPStatus.BAD_REQUEST and path.startswith(_OF_VERSIONS)
        if status == HTTPStatus.OK or gone or damaged:
            return body
        said = re.search(r'role="alert">([^<]*)<', body)
        msg = unescape(said[1]) if said else f"the page {path} could not be made (status {status})"
        raise ConfigurationError(msg)


async def _get(app: Starlette, path: str, query: str, token: str) -> tuple[int, str]:
    """Ask an application for a page, without a network."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(b"host", _HOST.encode()), (b"authorization", f"Bearer {token}".encode())],
        "server": (_HOST, 80),
        "client": None,
    }
    status, parts = 500, []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            parts.append(message.get("body", b""))

    await app(scope, receive, send)
    return status, b"".join(parts).decode("utf-8", "replace")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _decision_file(key: str) -> str:
    """Return the file of a decision: its id where that is a name everywhere, else a digest."""
    return f"decisions/{key if _PLAIN.fullmatch(key) else 'id-' + _digest(key)}.html"
