"""Makes pages that open from disk of those that are served.

Links lead to files beside the page, or are taken out; so is every form that needs a server, and
every element with `data-served`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape
from html.parser import HTMLParser
from typing import TypeAlias

Attributes: TypeAlias = Sequence[tuple[str, str | None]]

Leads: TypeAlias = Callable[[str], str | None]
"""Where a link leads: the address of a file, relative to the page; None = nowhere."""

_VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
_TAKEN_OUT = frozenset({"data-update", "action", "data-answer"})
_CHANGED = _TAKEN_OUT | {"href", "src"}
_ADDRESS = re.compile(r'"(/decisions/[^"\\]*)"')


def to_static(html: str, leads: Leads) -> str:
    """Return a page as it is opened from disk.

    Args:
        html: The page as it is served.
        leads: Where each of its links leads.
    """
    made = _Static(leads)
    made.feed(html)
    made.close()
    return "".join(made.out)


class _Static(HTMLParser):
    """Writes a page again, tag by tag."""

    def __init__(self, leads: Leads) -> None:
        super().__init__(convert_charrefs=False)
        self.leads = leads
        self.out: list[str] = []
        self._left_out = 0  # how deep in what is left out
        self._is_json = False

    def updatepos(self, i: int, j: int) -> int:  # noqa: ARG002
        """Count no lines: nobody asks where a tag stands."""
        return j

    def handle_decl(self, decl: str) -> None:
        self.out.append(f"<!{decl}>")

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        given = dict(attrs)
        if self._left_out:
            self._left_out += tag not in _VOID
            return
        needs_server = given.get("method") != "dialog" and "data-answer" not in given
        if "data-served" in given or (tag == "form" and needs_server):
            self._left_out = 1
            return
        if tag == "a" and given.get("href") and self._to(given["href"] or "") is None:
            if "download" in given or "button" in (given.get("class") or "").split():
                self._left_out = 1
                return
            self.out.append("<a>")
            return
        self._is_json = tag == "script" and given.get("type") == "application/json"
        self.out.append(self._written(tag, attrs))

    def handle_startendtag(self, tag: str, attrs: Attributes) -> None:  # noqa: ARG002
        if not self._left_out:
            self.out.append(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        if self._left_out:
            self._left_out -= tag not in _VOID
            return
        self._is_json = False
        self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if not self._left_out:
            self.out.append(_ADDRESS.sub(self._in_json, data) if self._is_json else data)

    def handle_entityref(self, name: str) -> None:
        self.handle_data(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self.handle_data(f"&#{name};")

    def _in_json(self, found: re.Match[str]) -> str:
        to = self._to(found[1])
        return "null" if to is None else f'"{to}"'

    def _to(self, address: str) -> str | None:
        return address if address.startswith(("#", "data:")) else self.leads(address)

    def _written(self, tag: str, attrs: Attributes) -> str:
        if not _CHANGED & {name for name, _ in attrs}:
            return self.get_starttag_text() or ""
        written = [tag]
        for name, value in attrs:
            if name in _TAKEN_OUT:
                continue
            told = value
            if name in {"href", "src"} and value is not None:
                told = self._to(value) or "#"
            written.append(name if told is None else f'{name}="{escape(told)}"')
        return f"<{' '.join(written)}>"
