"""Makes pages that open from disk of those that are served.

Links lead to files beside the page, or are taken out; so is every form that needs a server, and
every element with `data-served`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from html import escape, unescape
from html.parser import HTMLParser
from typing import TypeAlias

Attributes: TypeAlias = Sequence[tuple[str, str | None]]

Leads: TypeAlias = Callable[[str], str | None]
"""Where a link leads: the address of a file, relative to the page; None = nowhere."""

_VOID = frozenset({"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
_TAKEN_OUT = frozenset({"data-update", "data-address", "action", "data-answer"})
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
        self._form: _Choice | None = None  # a form that chooses, which becomes links
        self._is_json = False

    def handle_decl(self, decl: str) -> None:
        self.out.append(f"<!{decl}>")

    def handle_starttag(self, tag: str, attrs: Attributes) -> None:
        given = dict(attrs)
        if self._left_out:
            if tag not in _VOID:
                self._left_out += 1
            if self._form is not None:
                self._form.see(tag, given)
            return
        if tag == "form" and given.get("method") != "dialog" and "data-answer" not in given:
            chooses = given.get("method", "get") == "get"
            self._form = _Choice(given.get("action") or "") if chooses else None
            self._left_out = 1
            return
        if "data-served" in given:
            self._form, self._left_out = None, 1
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
            if not self._left_out and self._form is not None:
                self.out.append(self._form.as_links(self._to))
                self._form = None
            return
        self._is_json = False
        self.out.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self._left_out:
            if self._form is not None:
                self._form.text(data)
            return
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


class _Choice:
    """A form that chooses what is shown: with a select in it, a link for each choice."""

    def __init__(self, action: str) -> None:
        self._action = action
        self._name = ""
        self._options: list[tuple[str, str, bool]] = []
        self._selects = self._typed = 0
        self._in_option = False

    def see(self, tag: str, given: dict[str, str | None]) -> None:
        """Look at a tag within it."""
        self._in_option = tag == "option"
        if tag == "select":
            self._selects += 1
            self._name = given.get("name") or ""
        elif tag == "option":
            self._options.append((given.get("value") or "", "", "selected" in given))
        elif tag == "textarea" or (tag == "input" and given.get("type") != "hidden"):
            self._typed += 1

    def text(self, data: str) -> None:
        """Take the words of an option."""
        if self._in_option and self._options:
            value, said, current = self._options[-1]
            self._options[-1] = value, said + data, current

    def as_links(self, leads: Leads) -> str:
        """Return a link for each choice; nothing where what is chosen is not one of a few."""
        if self._selects != 1 or self._typed:
            return ""
        items = []
        for value, said, current in self._options:
            to = leads(f"{self._action}?{self._name}={unescape(value)}")
            if to is not None:
                mark = ' aria-current="true"' if current else ""
                items.append(f'<li><a href="{escape(to)}"{mark}>{said.strip()}</a></li>')
        if not items:
            return ""
        return f'<nav class="subnav" aria-label="Shown by"><ul>{"".join(items)}</ul></nav>'
