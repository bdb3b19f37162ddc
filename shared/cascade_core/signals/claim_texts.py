"""Cuts an answer into the statements that are checked one by one.

They are stretches of the answer itself, in order and with nothing left out, so a model that is
asked about them by number can neither invent one nor pass one over unseen. What is said of them is
not known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_MARK = re.compile(r"\s*(?:[-*•+>]|\d{1,3}[.)])\s+")  # of a list, at the start of a line
_RULE = re.compile(r"[\s|:*_=-]*")  # a line that only rules: ---, |---|:--|
_END = re.compile(r"[.!?…][\"'”’)\]*_]*\s+(?=[^\sa-z])|[。！？][」』”’）]*")  # noqa: RUF001
_SHORT_FORM = re.compile(
    r"\b(?:e\.g|i\.e|cf|vs|approx|ca|al|St|Mr|Mrs|Ms|Dr|Prof|Jr|Sr|No|Nr|Fig|Eq|Inc|Ltd|Co|z\.B"
    r"|d\.h|bzw|usw|u\.a|[A-Z])\.\s+$"
)
_BEFORE = 12  # characters that a short form and what stands before it take
_FEWEST_WORDS = 2  # of a statement that stands for itself


def split_claims(text: str, most: int) -> list[str]:
    """Cut an answer into its statements.

    A statement is a sentence, an item of a list, a row of a table, or a whole block of code; what
    only leads up to the next one (a heading, a line that ends in a colon, a word or two) is a part
    of it, or of the one before where none follows.

    Args:
        text: The answer.
        most: How many statements there may be. Of a longer answer neighbours are put together.

    Returns:
        The statements, as they are written; none for an empty answer.
    """
    found: list[str] = []
    whole: list[str] = []
    for piece in _pieces(text):
        whole.append(piece)
        if not _leads(piece):
            found.append("\n".join(whole))
            whole = []
    if whole:
        found[-1:] = ["\n".join([*found[-1:], *whole])]
    width = -(-len(found) // most) if found else 1
    return ["\n".join(found[at : at + width]) for at in range(0, len(found), width)]


def _leads(piece: str) -> bool:
    last = piece.rpartition("\n")[2].strip().rstrip("*_")
    heading = last.startswith("#") or last.endswith((":", "："))  # noqa: RUF001
    return heading or ("\n" not in piece and last.isascii() and len(last.split()) < _FEWEST_WORDS)


def _pieces(text: str) -> Iterator[str]:
    """Return blocks of code and sentences, in order."""
    block: list[str] = []
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if fence:
            block.append(line)
            if mark and mark[1].startswith(fence) and not line.strip(" `~"):
                yield "\n".join(block)
                block, fence = [], ""
        elif mark:
            block, fence = [line], mark[1]
        elif not _RULE.fullmatch(line):
            yield from _sentences(line)
    if block:
        yield "\n".join(block)


def _sentences(line: str) -> Iterator[str]:
    mark = _MARK.match(line)
    start = begun = mark.end() if mark else 0
    for end in _END.finditer(line, begun):
        before = line[max(start, end.end() - _BEFORE) : end.end()]
        if _SHORT_FORM.search(before):
            continue
        yield line[start : end.end()].strip()
        start = end.end()
    if line[start:].strip():
        yield line[start:].strip()
