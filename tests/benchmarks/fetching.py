"""Fetches files over HTTP: whole or not at all, and on from where an earlier try was cut off.

A file arrives beside its place and is moved there once it is complete and its digest is right.
What is there already is not fetched again.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

TRIES = 4
TIMEOUT = 30.0  # seconds without a byte
_PIECE = 1 << 16
_AT_ONCE = (socket.gaierror, ConnectionRefusedError)  # no use in asking again
_AGAIN = {408, 429, 500, 502, 503, 504}


class FetchError(Exception):
    """A file could not be fetched; the text says why, in a line.

    Attributes:
        hopeless: Whether no other file could be fetched either.
    """

    def __init__(self, text: str, *, hopeless: bool = False) -> None:
        super().__init__(text)
        self.hopeless = hopeless


def fetch(url: str, place: Path, digest: str | None = None, *, pause: float = 1.0) -> str:
    """Fetch a file unless it is there.

    Args:
        url: Where from.
        place: Where to.
        digest: Its SHA-256 in hex, where that is known.
        pause: Seconds to wait before the second try; doubled for each further one.

    Returns:
        The file's digest.

    Raises:
        FetchError: It cannot be had; nothing is at its place.
    """
    if place.is_file():
        found = digest_of(place)
        if digest in (None, found):
            return found
        msg = f"{place} is not the file it was: its SHA-256 is {found}, not {digest}; delete it"
        raise FetchError(msg)
    part = place.with_name(place.name + ".part")
    try:
        _receive(url, part, pause)
        found = digest_of(part)
        if digest not in (None, found):
            part.unlink()
            _tag_of(part).unlink(missing_ok=True)
            msg = f"{url} has the SHA-256 {found}, and {digest} was expected; it was not kept"
            raise FetchError(msg)
        part.replace(place)
    except OSError as error:  # no space, no permission
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
            _tag_of(part).unlink(missing_ok=True)
        msg = f"{place} cannot be written: {error.strerror or error}"
        raise FetchError(msg, hopeless=True) from error
    _tag_of(part).unlink(missing_ok=True)
    return found


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _receive(url: str, part: Path, pause: float) -> None:
    for more in range(TRIES - 1, -1, -1):
        try:
            if _receive_on(url, part):
                return
            why = "the connection was cut"
        except urllib.error.HTTPError as error:
            error.close()
            why = f"{error.code} {error.reason}"
            if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.unlink(missing_ok=True)  # longer than the file: begin again
            elif error.code not in _AGAIN:
                raise FetchError(f"{url}: {why}") from None
        except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
            reason = getattr(error, "reason", None) or error
            why = f"{reason}" or type(error).__name__
            unreachable = isinstance(error, urllib.error.URLError)
            if unreachable and (not more or isinstance(reason, _AT_ONCE)):
                host = urlsplit(url).hostname
                raise FetchError(f"no way to {host}: {why}", hopeless=True) from None
        except ConnectionError as error:
            why = str(error) or type(error).__name__
        if more:
            time.sleep(pause)
            pause *= 2
    raise FetchError(f"{url}: {why}; what has arrived is kept for the next try")


def _receive_on(url: str, part: Path) -> bool:
    """Go on with a file; tell whether all of it is there."""
    had, tag = (part.stat().st_size if part.is_file() else 0), _tag_of(part)
    headers = {"Accept-Encoding": "identity", "User-Agent": "model-cascade"}
    known = tag.read_text() if had and tag.is_file() else ""
    if had and known:
        headers |= {"Range": f"bytes={had}-", "If-Range": known}
    with _opened(url, headers) as response:
        goes_on = response.status == http.HTTPStatus.PARTIAL_CONTENT
        if goes_on and not _begins_at(response, had):
            part.unlink()
            return False
        length = response.headers.get("Content-Length")
        new_tag = response.headers.get("ETag") or ""
        if not goes_on:
            had = 0
            part.parent.mkdir(parents=True, exist_ok=True)
            # A weak tag names no bytes, and so nothing to go on from.
            tag.write_text("" if new_tag.startswith("W/") else new_tag)
        with part.open("ab" if goes_on else "wb") as file:
            came = 0
            for piece in _pieces(response):
                file.write(piece)
                came += len(piece)
    return length is None or came == int(length)


def _pieces(response: Any) -> Iterator[bytes]:
    while piece := response.read(_PIECE):
        yield piece


def _begins_at(response: Any, place: int) -> bool:
    said = str(response.headers.get("Content-Range") or "")
    return said.startswith(f"bytes {place}-")


def _opened(url: str, headers: dict[str, str]) -> Any:
    if urlsplit(url).scheme not in ("http", "https"):
        raise FetchError(f"{url} is no address of the web")
    request = urllib.request.Request(url, headers=headers)
    return urllib.request.urlopen(request, timeout=TIMEOUT)


def _tag_of(part: Path) -> Path:
    return part.with_name(part.name + ".etag")
