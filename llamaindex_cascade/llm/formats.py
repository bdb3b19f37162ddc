"""Formats that LlamaIndex asks for in the words of a prompt, and checks on its own later.

A ReAct agent takes a malformed step for its final answer, and a text program
raises on JSON it cannot read: both ask through plain `chat`, where no parser
is in sight. So an agent's request is recognised by its own words. A program is
found where it waits for the answer, and its own parser asked: a schema among
the words of a prompt may be anybody's.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, TypeAlias

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.types import BasePydanticProgram

from cascade_core.errors import CascadeError

FormatCheck: TypeAlias = Callable[[str], Exception | None]

_REACT = ("Action Input:", "Thought:", "Answer:")
_ACTION = re.compile(r"Action:\s*+(?P<tool>[^\n( ]++)")
_INPUT = re.compile(r"\s*+Action Input:\s*+\{")
_TOOLS = re.compile(r"^> ?Tool Name: *(\S+)", re.MULTILINE)


class FormatError(CascadeError, ValueError):
    """An answer is not in the form that the prompt asked for."""


def wanted_format(messages: Sequence[ChatMessage]) -> FormatCheck | None:
    """Return a check of the format that messages ask for, or None where they ask for none."""
    if not messages:
        return None
    first = messages[0].content or ""
    if all(word in first for word in _REACT):
        return ReAct(frozenset(_TOOLS.findall(first)))
    program = _asking_program()
    return None if program is None else _Made(program)


def _asking_program() -> BasePydanticProgram[Any] | None:
    """Return the text program that is asking, if one is, found among the calls that led here."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - nothing else tells who asks
    for _ in range(_FARTHEST):
        if frame is None:
            return None
        if frame.f_code.co_name in _CALLS:
            caller = frame.f_locals.get("self")
            if isinstance(caller, BasePydanticProgram):
                reads = getattr(caller, "_output_parser", None) is not None
                return caller if reads else None
        frame = frame.f_back
    return None


_CALLS = frozenset({"__call__", "acall", "stream_call", "astream_call"})
_FARTHEST = 20
"""How many calls there may be between a program and the model it asks; spans are some of them."""


class ReAct:
    """A thought, then an action with its input as JSON, or an answer."""

    def __init__(self, tools: frozenset[str]) -> None:
        self._tools = tools

    def __call__(self, text: str) -> Exception | None:
        """Return how a step misses the format, or None."""
        action, answer = text.find("Action:"), text.find("Answer:")
        if action >= 0 and (answer < 0 or action < answer):
            step = _step(text, action)
            if step is None:
                return FormatError("a ReAct step without its action input")
            if self._tools and step["tool"].strip() not in self._tools:
                return FormatError("a ReAct step that names an unknown tool")
            return None
        if answer >= 0 and "Thought:" in text[:answer]:
            return None
        return FormatError("neither a ReAct action nor a ReAct answer")


def _step(text: str, place: int) -> re.Match[str] | None:
    """Return the first action, from a place on, that its input as JSON follows on the next line.

    No line is read twice, however many actions it names, so that the time is linear.
    """
    last = text.rfind("}")
    while place >= 0:
        action = _ACTION.match(text, place)
        end = place + 1 if action is None else text.find("\n", action.end())
        if end < 0:
            return None
        given = None if action is None else _INPUT.match(text, end)
        if given is not None and given.end() <= last:
            return action
        place = text.find("Action:", end)
    return None


class _Made:
    """What a text program makes its object of, read as it will read it."""

    def __init__(self, program: BasePydanticProgram[Any]) -> None:
        self._parser = program._output_parser  # type: ignore[attr-defined]  # noqa: SLF001
        self._wanted = program.output_cls

    def __call__(self, text: str) -> Exception | None:
        if isinstance(self._parser.parse(text), self._wanted):
            return None
        return FormatError(f"no {self._wanted.__name__} in the answer")
