"""Which tool a model's answer calls, and with what.

The desk models know nothing of tools. A model writes its answer as ever, and a tool is
called if the answer says what the tool's name says ("Order 4711 is cancelled." calls
``cancel_order``), or what the desk says for it ("You get $72 back." calls ``refund``), and
has what its parameters need; `filling` copies the arguments out of it. A tool whose name
speaks of a reply takes whatever no other tool took. So the words and figures of a call are
the model's, right or wrong; its form and the choice of the tool follow from them by the
rules below.
"""

import re
import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from cascade_demo.filling import JsonSchema, UnfilledError, fill, words_of
from cascade_demo.generate import Token
from cascade_demo.passages import Stretch, Written

ToolChoice = Literal["auto", "none", "required"]

# Parts of a tool's name that say nothing about what it does.
_GENERIC = {
    "a", "an", "by", "create", "customer", "do", "for", "get", "give", "issue", "make", "of",
    "process", "request", "set", "the", "to", "tool", "user", "with",
}  # fmt: skip
_REPLIES = {"answer", "message", "reply", "respond", "response", "say", "tell", "write"}
_SAME_LETTERS = 5
"""Words that begin with the same letters, this many or all of the shorter, are the same."""
_SHORTEST_STEM = 4

# How the desk words what tools are usually called otherwise.
_DESK_SAYS = {
    "cancel": re.compile(r"plan ends", re.IGNORECASE),
    "escalate": re.compile(r"a person will call", re.IGNORECASE),
    "pause": re.compile(r"plan waits", re.IGNORECASE),
    "refund": re.compile(r"\$\d"),
    "resend": re.compile(r"we send .* again", re.IGNORECASE),
    "track": re.compile(r"follow order", re.IGNORECASE),
    "upgrade": re.compile(r"move to .* plan", re.IGNORECASE),
}


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the client offers.

    Attributes:
        name: its name.
        parameters: the JSON schema of its arguments.
    """

    name: str
    parameters: JsonSchema


@dataclass(frozen=True, slots=True)
class Offer:
    """The tools of a request.

    Attributes:
        tools: in the client's order.
        choice: whether one may, must or must not be called.
        named: the only one that may be called, and must.
        parallel: several may be called at once.
    """

    tools: tuple[Tool, ...] = ()
    choice: ToolChoice = "auto"
    named: str | None = None
    parallel: bool = True

    @property
    def free(self) -> bool:
        """Whether an answer need not call a tool."""
        return not self.named and self.choice != "required"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A tool call.

    Attributes:
        name: of the tool.
        tokens: the arguments as JSON text.
        id: what the tool's result will refer to.
    """

    name: str
    tokens: tuple[Token, ...]
    id: str = field(default_factory=lambda: f"call_{uuid.uuid4().hex[:24]}")

    @property
    def arguments(self) -> str:
        """The arguments as JSON text."""
        return "".join(token.text for token in self.tokens)


def choose_calls(offer: Offer, written: Written, called: Collection[str]) -> list[Proposal]:
    """Give the tool calls an answer makes, none if it is for the customer.

    Args:
        offer: the tools, and whether one must be called.
        written: the answer.
        called: tools that have answered since the customer wrote.

    Raises:
        UnfilledError: if a tool must be called and the answer fills none.
    """
    if offer.named:
        (tool,) = (tool for tool in offer.tools if tool.name == offer.named)
        return [_call(tool, written, written.answer)]
    if offer.choice == "none":
        return []
    must = offer.choice == "required"
    if called and offer.parallel and not must:
        return []  # what it had to call, it called at once
    left = [tool for tool in offer.tools if tool.name not in called]
    calls = list(_meant(left, written))
    if not calls and (must or not called):
        left = left or list(offer.tools)
        calls = list(_first(filter(_replies, left), written))
    if not calls and must:
        # Last come the forms for a final answer, which frameworks put behind the tools that
        # act; a tool that takes figures alone is not called by an answer that does not mean it.
        wordy = left if len(left) == 1 else [tool for tool in left[::-1] if _takes_text(tool)]
        calls = list(_first(wordy, written))
        if not calls:
            raise UnfilledError("the answer calls none of the tools, and fills none of them")
    return calls if offer.parallel else calls[:1]


def _call(tool: Tool, written: Written, part: Stretch) -> Proposal:
    return Proposal(tool.name, tuple(fill({"type": "object", **tool.parameters}, written, part)))


def _first(tools: Iterable[Tool], written: Written) -> Iterator[Proposal]:
    """Call the first tool that the whole answer fills."""
    for tool in tools:
        try:
            yield _call(tool, written, written.answer)
        except UnfilledError:
            continue
        return


def _meant(tools: Sequence[Tool], written: Written) -> Iterator[Proposal]:
    """Call a tool for each sentence that speaks of what the tool does."""
    for sentence in written.answer.sentences():
        for tool in tools:
            if not _named_by(tool, sentence.text):
                continue
            try:
                yield _call(tool, written, sentence)
            except UnfilledError:
                continue
            break


def _named_by(tool: Tool, sentence: str) -> bool:
    """Tell whether a sentence says all that the tool's name says, its parameters aside."""
    parameters = {word for name in tool.parameters.get("properties", ()) for word in words_of(name)}
    words = words_of(tool.name) - _GENERIC
    said = re.findall(r"[a-z]+", sentence.lower())
    return bool(words) and all(
        (word in _DESK_SAYS and _DESK_SAYS[word].search(sentence))
        or any(_same(word, other) for other in said)
        for word in (words - parameters) or words
    )


def _same(word: str, other: str) -> bool:
    size = min(len(word), len(other), _SAME_LETTERS)
    return word == other or (size >= _SHORTEST_STEM and word[:size] == other[:size])


def _replies(tool: Tool) -> bool:
    return bool(words_of(tool.name) & _REPLIES) and _takes_text(tool)


def _takes_text(tool: Tool) -> bool:
    return any(
        isinstance(field, dict) and field.get("type") == "string" and "enum" not in field
        for field in tool.parameters.get("properties", {}).values()
    )
