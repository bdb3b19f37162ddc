"""What an answer says, apart from what its model thinks aloud before it.

Some models think in the text of their answer, between marks of their own, and
servers that do not know the marks hand over both. Gates and signals are about
what is said. Which marks there are is data here; nothing here knows a provider.

A thought stands at the start. Marks further on, in quotation marks or in a
fenced block are what the answer is about, and so is part of it. Only where the
opening mark belongs to the prompt's template is a thought told by its closing
mark alone, which must then stand like one: at the end of a line or sentence.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect, bisect_left
from functools import cache, cached_property
from typing import NamedTuple

_NAMES = r"think(?:ing)?|thoughts?|reasoning|\w{1,16}[:_]think(?:ing)?|antThinking"
_LOOSE_NAMES = (
    r"analysis|reflection|scratchpad|rationale|cot|chain[-_]?of[-_]?thoughts?"
    r"|(?:thought|thinking|reasoning)[-_]?process|(?:in(?:ner|ternal)[-_]?)?monologue"
    r"|in(?:ner|ternal)[-_]?(?:thoughts?|thinking|reasoning)"
)
_SPECIAL = r"think(?:ing)?|thought|reasoning"

_OPENINGS = {
    # <think>: DeepSeek, Qwen and most others; <seed:think>: Seed-OSS; <thought>: EXAONE
    "tag": rf"<(?P<name>{_NAMES})(?:\s[^<>]{{0,80}})?>",
    "loose": rf"<(?P<loose_name>{_LOOSE_NAMES})>",
    "bracket": r"\[THINK\]",  # Magistral
    "triangle": r"◁think▷",  # Kimi
    # <|START_THINKING|>: Command; <|begin_of_thought|>: Sky-T1; <|think|>: Solar
    "special": rf"<\|(?:start_|begin_of_)?(?:{_SPECIAL})(?:_start)?\|>",
    "unused": r"<unused94>",  # MedGemma
    "channel": r"<\|channel>thought\b",  # Gemma
    "granite": r"Here(?:'s| is) my thought process:",
    "apriel": r"Here are my reasoning steps:",
}
_CLOSINGS = {
    "tag": rf"</(?:{_NAMES})\s{{0,4}}>",
    "bracket": r"\[/THINK\]",
    "triangle": r"◁/think▷",
    "special": rf"<\|(?:/|end_|end_of_)(?:{_SPECIAL})\|>|<\|(?:{_SPECIAL})_end\|>",
    "unused": r"<unused95>",
    "channel": r"<channel\|>",
}
_CLOSINGS_AFTER = {
    **_CLOSINGS,
    "special": rf"{_CLOSINGS['special']}|<\|end\|>(?:<\|begin\|>assistant(?:<\|content\|>)?)?",
    "granite": r"Here(?:'s| is) my response:",
    "apriel": r"\[BEGIN FINAL RESPONSE\]",
}
_NEEDS_MORE = frozenset({"loose", "granite", "apriel"})
"""Ordinary words, too: a thought only where it is closed and something follows."""

_WRAPPED = (
    ("<answer>", "</answer>"),
    ("<output>", "</output>"),
    ("<response>", "</response>"),
    ("<|start_response|>", "<|end_response|>"),
    ("<|begin_of_solution|>", "<|end_of_solution|>"),
    ("", "[end final response]"),
)
"""What may stand around an answer behind a thought."""

_HEAD = r"(?:\s|[\ufeff\u200b]|<s>|<\|im_start\|>\s*assistant|<[|\uff5c]Assistant[|\uff5c]>)*"
_LINE = 80
"""How far around a mark its line is looked at."""
_QUOTES = frozenset("`'\"«»([\u2018\u2019\u201c\u201d\u201e")
_UNQUOTES = frozenset("`'\"«»)]\u2018\u2019\u201c\u201d")
_STOPS = frozenset(".!?:)…。\uff01\uff1f")
_ABOUT = re.compile(r" ?(?:[,/]|(?:and|or|is|are|was|tags?|marks?|blocks?|means)\b)")
"""What follows a mark that an answer starts with because it is about it."""


def spoken(text: str) -> str:
    """Return what an answer says; empty where it only thinks.

    Args:
        text: The answer as the model wrote it.
    """
    if "<" not in text and "◁" not in text and "THINK]" not in text and not text.startswith(_WORDS):
        return text  # nearly all
    if "<|channel|>" in text or text.startswith("analysis"):
        return _of_channels(text)
    fences = _Fences(text)
    place = _after_thoughts(text, fences)
    if place is None:
        return ""
    end = _lone_end(text, place, fences, whole_line=place > 0)
    if end is None and not place:
        return text
    return _rest(text, end or place)


def is_blank(text: str) -> bool:
    """Tell whether nothing of a text can be seen: spaces, controls, marks without a shape."""
    return not any(map(_shows, text))


def may_begin_thought(text: str) -> bool:
    """Tell whether what has come of a text begins with a thought, or may turn out to.

    Args:
        text: The text so far.
    """
    start = text.lstrip("\ufeff\u200b \t\r\n")[:_LINE]
    if not start:
        return True
    if start[0] not in "<[◁aH":
        return False
    if any(phrase.startswith(start) or start.startswith(phrase) for phrase in _PHRASES):
        return True
    if _openings().match(text):
        return True
    return start[0] in "<[◁" and re.search(r"[\s>\]▷]", start) is None


_WORDS = ("analysis", "Here")
_PHRASES = (
    "<|channel|>",
    "<|channel>thought",
    "<|start|>assistant",
    "<|im_start|>assistant",
    "analysis",
    "Here is my thought process:",
    "Here's my thought process:",
    "Here are my reasoning steps:",
)
_SEEN_CLASSES = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
_SHAPELESS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | {
    chr(code) for code in (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10))
}


def _shows(character: str) -> bool:
    return character not in _SHAPELESS and unicodedata.category(character) not in _SEEN_CLASSES


@cache
def _openings() -> re.Pattern[str]:
    marks = "|".join(f"(?P<{form}>{mark})" for form, mark in _OPENINGS.items())
    return re.compile(rf"{_HEAD}(?:{marks})", re.IGNORECASE)


@cache
def _inner_openings() -> re.Pattern[str]:
    """Openings at the start of a line: what follows belongs to them."""
    marks = "|".join(_OPENINGS[form].replace("?P<name>", "?:") for form in _CLOSINGS)
    return re.compile(rf"^[ \t]*(?:{marks})", re.IGNORECASE | re.MULTILINE)


@cache
def _lone_closings() -> re.Pattern[str]:
    return re.compile("|".join(_CLOSINGS.values()), re.IGNORECASE)


@cache
def _closing_of(form: str, name: str | None) -> re.Pattern[str]:
    if name is None:
        return re.compile(_CLOSINGS_AFTER[form], re.IGNORECASE)
    name = "think(?:ing)?" if name.lower() in {"think", "thinking"} else re.escape(name)
    return re.compile(rf"(?P<again><{name}>)|</{name}\s{{0,4}}>", re.IGNORECASE)


class _Fences:
    """Where a text's fenced blocks are, looked up when it is first asked."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _places(self) -> list[int]:
        marks = re.finditer(r"^[ \t]*(?:```|~~~)", self._text, re.MULTILINE)
        return [mark.start() for mark in marks]

    def hold(self, place: int, start: int = 0) -> bool:
        """Tell whether a place is inside one that begins after `start`."""
        places = self._places
        return bool(places) and (bisect(places, place) - bisect_left(places, start)) % 2 == 1


def _after_thoughts(text: str, fences: _Fences) -> int | None:
    """Return where the thoughts at the start of a text end; None where nothing comes after."""
    place = 0
    while (opening := _openings().match(text, place)) is not None:
        form = opening.lastgroup or ""
        name = opening["name"] or opening["loose_name"]
        if form == "tag" and _ABOUT.match(text, opening.end()):
            return place
        end = _end(text, opening.end(), _closing_of(form, name), fences)
        if form in _NEEDS_MORE and (end is None or is_blank(text[end:])):
            return place
        if end is None:
            return None
        place = end
    return place


def _end(text: str, start: int, closing: re.Pattern[str], fences: _Fences) -> int | None:
    """Return where the thought ends that begins at a place; None where it does not."""
    last, open_ = None, 1
    for mark in closing.finditer(text, start):
        if _is_quoted(text, mark):
            continue
        again = mark.lastgroup == "again"  # a thought in a thought, or only the word
        last = last if again else mark.end()
        if not fences.hold(mark.start(), start):
            open_ += 1 if again else -1
            if not open_:
                return last
    return last  # a fence, or a thought in it, that the thought left open


def _lone_end(text: str, start: int, fences: _Fences, *, whole_line: bool = False) -> int | None:
    """Return where a thought ends that the prompt's template has opened.

    Args:
        text: The text.
        start: Where to begin.
        fences: The text's fenced blocks.
        whole_line: Whether the mark must stand on a line of its own.
    """
    if not any(hint in text for hint in _HINTS):
        return None
    opened: int | None = -1
    for mark in _lone_closings().finditer(text, start):
        if _is_quoted(text, mark) or not _ends_something(text, mark, whole_line=whole_line):
            continue
        if opened == -1:
            opened = _first_inner_opening(text, start, fences)
        if opened is not None and opened < mark.start():
            return None
        if not fences.hold(mark.start()):
            return mark.end()
    return None


_HINTS = ("think", "thought", "reason", "THINK", "Think", "Thought", "<unused95>", "<channel|>")


def _first_inner_opening(text: str, start: int, fences: _Fences) -> int | None:
    found = (mark.start() for mark in _inner_openings().finditer(text, start))
    return next((place for place in found if not fences.hold(place)), None)


def _is_quoted(text: str, mark: re.Match[str]) -> bool:
    before, after = text[max(0, mark.start() - 1) : mark.start()], text[mark.end() : mark.end() + 1]
    return before in _QUOTES and after in _UNQUOTES


def _ends_something(text: str, mark: re.Match[str], *, whole_line: bool) -> bool:
    """Tell whether a closing mark stands where a thought ends, not inside a sentence."""
    before = text[max(0, mark.start() - _LINE) : mark.start()]
    after = text[mark.end() : mark.end() + _LINE]
    stem, rest = before.rstrip(" \t"), after.lstrip(" \t")
    begins = not stem or stem[-1] in "\r\n"
    ends = not rest or rest[0] in "\r\n"
    if whole_line or (begins and ends):
        return begins and ends
    if begins or stem[-1] in _STOPS:
        return ends or rest == after or not rest[0].islower()
    return ends and stem == before  # "done</think>", and not "close it with </think>"


def _rest(text: str, place: int) -> str:
    """Return an answer without the thought before it and what may be wrapped around it."""
    rest = text[place:].strip()
    for start, end in _WRAPPED:
        if rest[: len(start)].lower() == start and rest[-len(end) :].lower() == end:
            rest = rest[len(start) : -len(end)].strip()
    return "" if is_blank(rest) else rest


# --- channels (gpt-oss) ---------------------------------------------------------------------------


class _Said(NamedTuple):
    """What is said in one channel."""

    channel: str
    body: str


def _of_channels(text: str) -> str:
    """Return what is said in the final channel; without one, what is no analysis."""
    if "<|channel|>" not in text:
        return _of_bare_channels(text)
    head, *pieces = text.split("<|channel|>")
    if not is_blank(re.sub(r"<\|start\|>\s*assistant", "", head)):
        return text  # the marks are what it is about
    said = [_channel(piece) for piece in pieces]
    if not all(each.channel for each in said):
        return text
    final = [each.body for each in said if each.channel == "final"]
    if not final:
        final = [each.body for each in said if each.channel == "commentary"]
    return "\n".join(final)


def _channel(piece: str) -> _Said:
    name = re.match(r"\s*(analysis|commentary|final)", piece)
    if name is None:
        return _Said("", piece)
    header, mark, body = piece.partition("<|message|>")
    if not mark:
        header, body = piece[: name.end()], piece[name.end() :]
    end = re.search(r"<\|(?:end|return|start)\|>", body)
    body = body[: end.start()] if end else body
    recipient = " to=" in header
    return _Said(name[1], f"<|channel|>{header}{mark}{body}" if recipient else body.strip())


def _of_bare_channels(text: str) -> str:
    """Return the final channel of a text whose marks were dropped: `analysis…assistantfinal…`."""
    if not re.match(r"analysis(?=[A-Z\"'])", text):
        end = _lone_end(text, 0, _Fences(text))
        return text if end is None else _rest(text, end)
    _, mark, final = text.rpartition("assistantfinal")
    return final.strip() if mark else ""
