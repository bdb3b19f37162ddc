"""One tier's answer before it is judged, seen the same way from every framework."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from typing import Any, Literal

from cascade_core.call import Call
from cascade_core.frozen import frozen
from cascade_core.logprobs import Logprobs
from cascade_core.request import ToolCall
from cascade_core.spelling import Unreadable
from cascade_core.spoken import is_blank, may_begin_thought, spoken
from cascade_core.usage import Usage

Finish = Literal["stop", "length", "content_filter", "tool_calls", "broken"]
"""Why a model stopped; "broken" is any end that is none of an answer: an error, a pause, a cut."""


@frozen
class Draft:
    """An answer, with everything gates and signals may read of it.

    Attributes:
        text: What the answer says: its text without what the model thinks aloud
            before it.
        tool_calls: Tools it calls; none of them has been executed.
        broken_tool_calls: How many tool calls the integration could not parse.
        logprobs: Log-probabilities of the tokens written, where they were given.
        finish: Why the model stopped, where it said so.
        refusal: Whether the provider itself marked the answer as a refusal.
        parse_error: What went wrong when the caller's parser or schema read the
            answer; None where it fitted or nothing was to be parsed.
        usage: Tokens of the call, or None where nothing is known.
        model: The model that answered, as its provider names it.
        names: The names to price it by, where those of its tier are not the right ones.
        seconds: Wall time of the call.
        cached: Whether the answer came from a cache and cost nothing.
        contexts: Texts the tier itself retrieved for this answer; None where it
            retrieves nothing.
        inner: The calls made inside the tier, where the tier is a cascade or a
            chain of several calls; they stand for this draft in the trail.
        is_object: Whether it is an object that the tier made itself, in the form asked for.
        other_parts: What it holds besides text, by the types its provider gives
            them: approvals it asks for, actions, images, audio.
        native: The framework's own answer.
        written: The text as the model wrote it, thoughts included; of this the
            draft makes `text`, unless both are given.
        parsed: What the framework has made of the text, or of a tool call, where it did: a
            plain value, which is measured by the request's schema in their place.
        made: The object that the caller gets of it, where one was asked for.
        unread: Why log-probabilities that came are not in `logprobs`.
        began: When its call began, as `perf_counter` has it; drivers say so.
    """

    text: str = field(default="", repr=False)
    tool_calls: Sequence[ToolCall] = ()
    broken_tool_calls: int = 0
    logprobs: Logprobs | None = field(default=None, repr=False)
    finish: Finish | None = None
    refusal: bool = False
    parse_error: BaseException | None = field(default=None, repr=False)
    usage: Usage | None = None
    model: str | None = None
    names: tuple[str | None, ...] = ()
    seconds: float = 0.0
    cached: bool = False
    contexts: Sequence[str] | None = field(default=None, repr=False)
    inner: Sequence[Call] = ()
    is_object: bool = False
    other_parts: Sequence[str] = ()
    native: Any = field(default=None, repr=False)
    written: str | None = field(default=None, repr=False)
    unread: Unreadable | None = None
    began: float | None = field(default=None, compare=False, repr=False)
    parsed: Any = field(default=None, repr=False)
    made: Any = field(default=None, repr=False)

    def __post_init__(self) -> None:
        """Tell what is said from what is thought; see `spoken`."""
        if self.written is None:
            self.written = self.text  # type: ignore[misc]
            if self.text:
                self.text = spoken(self.text)  # type: ignore[misc]

    @property
    def whole(self) -> str:
        """The text as the caller gets it: what is thought, too."""
        return self.text if self.written is None else self.written

    @property
    def unmarked(self) -> bool:
        """Whether it begins with a thought that only its end shows."""
        return self.whole != self.text and not may_begin_thought(self.whole)

    @property
    def speechless(self) -> bool:
        """Whether it is an answer without text: an approval it asks for, an action, an image."""
        return bool(self.other_parts) and is_blank(self.text)

    @property
    def missing(self) -> str:
        """How it is no answer at all: it is withheld, cut off, or empty; "" where it is one."""
        if self.refusal or self.finish == "content_filter":
            return "was withheld"
        if self.finish in ("length", "broken"):
            return "was cut off"
        made = self.is_object or self.parsed is not None or self.made is not None
        holds = made or self.tool_calls or self.broken_tool_calls or self.other_parts
        return "" if holds or not is_blank(self.text) else "was empty"
