"""The code in an answer: its fenced blocks, with the language each names."""

from __future__ import annotations

import re
from textwrap import dedent
from typing import NamedTuple

_FENCE = re.compile(r"([ \t]{0,12}(?:[-*+>][ \t]+)?)(`{3,}|~{3,})[ \t]*([^\n`]*)")
_NAME = re.compile(r"\{?\.?([\w+#-]+)")
_ALIASES = {"py": "python", "python3": "python", "py3": "python", "yml": "yaml"}
_ALIASES |= {"js": "javascript", "ts": "typescript", "sh": "bash", "shell": "bash", "zsh": "bash"}
_PROMPT = re.compile(r"(>>>|\.\.\.)(?: |$)")


class CodeBlock(NamedTuple):
    """A fenced block.

    Attributes:
        language: Its language in lower case, aliases resolved; None where it names none.
        code: What stands in it, without the indentation of the block.
    """

    language: str | None
    code: str


def code_blocks(text: str) -> list[CodeBlock]:
    """Return the fenced blocks of an answer; one that is not closed reaches to its end.

    Args:
        text: The answer.
    """
    found: list[CodeBlock] = []
    lines: list[str] | None = None
    fence, language = "", None
    for line in text.splitlines():
        mark = _FENCE.fullmatch(line)
        if lines is None:
            if mark:
                lines, fence, language = [], mark[2], code_language(mark[3])
        elif mark and mark[2].startswith(fence) and not mark[3].strip():
            found.append(CodeBlock(language, _plain(lines, language)))
            lines = None
        else:
            lines.append(line)
    if lines is not None:
        found.append(CodeBlock(language, _plain(lines, language)))
    return found


def code_language(name: str) -> str | None:
    """Return a language by one name: `py`, `Python` and `{.python}` are `python`."""
    found = _NAME.match(name.strip())
    if found is None:
        return None
    known = found[1].lower()
    return _ALIASES.get(known, known)


def _plain(lines: list[str], language: str | None) -> str:
    code = dedent("\n".join(lines))
    first = code.lstrip("\n").split("\n", 1)[0]
    if language not in ("python", "pycon") or not first.startswith(">>>"):
        return code
    # A session: what was typed is the code, and what came back is not.
    typed = (line for line in code.split("\n") if _PROMPT.match(line))
    return "\n".join(line[4:] for line in typed)
