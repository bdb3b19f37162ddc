"""Calls of tools that are written out in the text of an answer: the server did not read them.

Every family of models has its own way to write a call, and what a server does
not know it hands over as text. Such a text is no answer. One that tells of a
call in its sentences, or shows one as an example, is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from cascade_core.spoken import is_blank

_MARK = re.compile(
    r"""\s*(?:
        # <tool_call>, <function=look_up>, <invoke name="look_up">, <minimax:tool_call>
        <(?:[\w.-]{1,20}:)?(?:tool_?calls?|tool_use|function_?calls?|function|tools|invoke
            |start_function_call)\b[^<>\n]{0,120}>
        # <|tool_call|>, <|python_tag|>, and DeepSeek's and Kimi's wider ones
      | <[|\uff5c](?:DSML[|\uff5c])?
            (?:tool|function|python_tag|plugin|action_start|START_ACTION)[^<>\n]{0,40}>
      | \[TOOL_CALLS?\]                                                      # Mistral
      | functools(?=\s*\[)                                                   # Phi
      | (?:assistant)?(?:<\|channel\|>)?(?:commentary|analysis)?\s*to=functions\.  # gpt-oss
    )\s*""",
    re.VERBOSE | re.IGNORECASE,
)
_HINTS = ("<tool", "<function", "<invoke", "<|tool", "<\uff5ctool", "tool_call>", "[TOOL_CALL")
_FENCE = re.compile(r"```[\w-]*[ \t]*\n")
_SPECIAL = re.compile(r"(?:[\s;,\]}]|<[|\uff5c/][^<>\n]{1,40}>)+")
"""What stands between written calls, and behind the last; weak models close too often."""

_NAMES = ("name", "tool", "tool_name", "function_name", "function", "action", "recipient_name")
_ARGUMENTS = (
    "arguments",
    "parameters",
    "args",
    "input",
    "tool_input",
    "action_input",
    "kwargs",
    "tool_args",
    "params",
)
_BESIDE = frozenset({*_NAMES, *_ARGUMENTS, "id", "type", "index", "thought", "tool_call_id"})
_LOOSE = re.compile(
    rf"""\s*\[?\s*\{{\s*["']?(?:{"|".join(_NAMES)})["']?\s*:\s*["'](?P<name>[^"'\n]+)["']\s*,
        \s*["']?(?:{"|".join(_ARGUMENTS)})["']?\s*:""",
    re.VERBOSE,
)
"""The beginning of a call that is no JSON: cut off, in single quotes, with a comma too many."""

_IN_BRACKETS = re.compile(r"\{\s*[\"'](?:name|function|tool)[\"']\s*:")
_STEP = re.compile(r"(?:Thought:[^\n]*+\n\s*+)?Action:[ \t]*+[\"'`]?([^\n\"'`]++)[\"'`]?[ \t]*+\n")


def is_written_call(text: str, names: Collection[str], *, of_json: bool = True) -> bool:
    """Tell whether a text is a call of a tool, or several, and nothing else but what leads to it.

    Args:
        text: What the answer says.
        names: The tools that were offered.
        of_json: Whether plain JSON may be one; not where JSON was asked for.
    """
    start = text.lstrip()
    if not start:
        return False
    if start[0] == "`":
        start = (_fenced(start) or _quoted(start) or start).lstrip()
    if start[:1] in ("{", "["):
        if of_json and _is_json(start, names):
            return True
        return _is_marked(start, names) or _is_python(start.lstrip("[ \t\r\n"), names)
    if start[:1] == "<" or start.startswith(_WORDS):
        return any(tell(start, names) for tell in (_is_marked, _is_step, _is_named_tag))
    if start.startswith(_CALLED) or any(map(start.startswith, names)):
        return _is_python(start, names) or _is_named_json(start, names)
    if any(hint in text for hint in _HINTS) and _ends_marked(text, names):
        return True
    return of_json and "{" in text and _ends_in_json(text, names)


def _fenced(text: str) -> str | None:
    """Return what stands in a fenced block, where a text is nothing else."""
    opening, text = _FENCE.match(text), text.rstrip()
    if opening is None or not text.endswith("```") or len(text) < opening.end() + 3:
        return None
    return text[opening.end() : -3].rstrip(" \t").removesuffix("\n")


def _quoted(text: str) -> str | None:
    """Return what stands in the marks of code, where a text is nothing else."""
    inner = text.strip("` \t\r\n")
    return None if "`" in inner else inner


_WORDS = ("functools", "assistant", "commentary", "analysis", "to=", "Action:", "Thought:")
_CALLED = ("functions.", "default_api.", "tools.", "print(")


def _is_marked(text: str, names: Collection[str], place: int = 0) -> bool:
    """Tell whether a mark of a call stands at a place, and a call behind it."""
    mark = _MARK.match(text, place)
    if mark is None:
        return False
    named = _any_of(names).search(text, mark.start())
    if named is not None and named.start() < mark.end():
        return True
    if not text.startswith(("{", "[", "<", "(", '"', "call:", "function"), mark.end()):
        return named is not None and named.start() == mark.end()
    return named is not None or _IN_BRACKETS.search(text, mark.end()) is not None


def _ends_marked(text: str, names: Collection[str]) -> bool:
    """Tell whether a text ends with a marked call that stands on a line of its own."""
    for line in re.finditer(r"^[ \t]*(?=[<\[])", text, re.MULTILINE):
        if not _is_marked(text, names, line.start()):
            continue
        if text.count("```", 0, line.start()) % 2:  # an example
            return False
        close = max(text.rfind(">"), text.rfind("]"), text.rfind("}"))
        return is_blank(text[close + 1 :])
    return False


def _is_json(text: str, names: Collection[str]) -> bool:
    """Tell whether a text is one call as JSON, or several, one after the other or in a list."""
    decode, place, found = json.JSONDecoder().raw_decode, 0, False
    while place < len(text):
        try:
            value, place = decode(text, place)
        except (ValueError, RecursionError):
            loose = _LOOSE.match(text, place)
            return loose is not None and _bare(loose["name"]) in names
        if not _is_call(value, names):
            return False
        found = True
        gap = _SPECIAL.match(text, place)
        place = gap.end() if gap else place
    return found


def _is_call(value: Any, names: Collection[str]) -> bool:
    if isinstance(value, list):
        return bool(value) and all(_is_call(each, names) for each in value)
    if not isinstance(value, Mapping):
        return False
    inner = value.get("tool_calls", value.get("function"))
    if isinstance(inner, list | Mapping):  # in OpenAI's own form
        return _is_call(inner, names)
    if len(value) == 1:
        ((key, only),) = value.items()
        if key in names:  # {"look_up": {"id": 1}}
            return isinstance(only, Mapping)
    named = any(isinstance(n := value.get(key), str) and _bare(n) in names for key in _NAMES)
    return named and (any(key in value for key in _ARGUMENTS) or value.keys() <= _BESIDE)


def _bare(name: str) -> str:
    return name.removeprefix("functions.")


def _ends_in_json(text: str, names: Collection[str]) -> bool:
    """Tell whether a text ends with a call as JSON on lines of its own, name and arguments.

    In a fenced block it is an example, unless the words before say who is calling.
    """
    words, fence, rest = text.partition("```")
    if fence and len(words) <= _LEAD and _ANNOUNCES.search(words):
        text = _fenced(fence + rest) or ""
    line = _OF_JSON.search(text)
    if line is None:
        return False
    loose = _LOOSE.match(text, line.end())
    return (
        loose is not None and _bare(loose["name"]) in names and _is_json(text[line.end() :], names)
    )


_LEAD = 300
"""Characters of the most words that lead to a call."""
_ANNOUNCES = re.compile(
    r"\b(?:I(?:['’](?:ll|m)| will| am| need)|let(?: me|['’]s))\b", re.IGNORECASE
)
_OF_JSON = re.compile(r"^[ \t]*(?=[{\[])", re.MULTILINE)


def _is_named_json(text: str, names: Collection[str]) -> bool:
    """Tell whether a text is a tool's name and an object behind it: `look_up {"id": 1}`."""
    name = re.match(r"(?:functions\.)?([\w.-]+):?\s*(?=\{)", text)
    return name is not None and name[1] in names and _is_object(text[name.end() :])


def _is_named_tag(text: str, names: Collection[str]) -> bool:
    """Tell whether a text is an object in a tag that a tool's name is: `<look_up>{}</look_up>`."""
    tag = re.match(r"<([\w.-]+)>", text)
    if tag is None or tag[1] not in names:
        return False
    end = f"</{tag[1]}>"
    text = text.rstrip()
    return text.endswith(end) and _is_object(text[tag.end() : -len(end)])


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _is_python(text: str, names: Collection[str]) -> bool:
    """Tell whether a text is a call as Python writes it: `look_up(id=1)`."""
    call = _called(names).match(text)
    return call is not None and text.rstrip().rstrip("];").rstrip().endswith(")")


def _is_step(text: str, names: Collection[str]) -> bool:
    """Tell whether a text is an agent's step: an action, and what goes into it."""
    step = _STEP.match(text)
    if step is None or step[1].rstrip() not in names:
        return False
    return text.startswith("Action Input:", step.end())


def _any_of(names: Collection[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, names))})(?![\w-])")


def _called(names: Collection[str]) -> re.Pattern[str]:
    some = "|".join(map(re.escape, names))
    return re.compile(
        rf"""(?:print\()?(?:(?:functions|default_api|tools)\.)?(?:{some})(?:\.call)?
        \((?:\s*\)|\s*\w+\s*=|\s*[{{"'\d\[])""",
        re.VERBOSE,
    )
