"""What the stand-in says: the demo's two models answer, by what is asked for in other ways too.

Answers are the same every time. A request that comes again word for word is answered greedily the
first time and by a draw afterwards, as samples have to differ.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import log
from typing import Any
from zlib import crc32

from cascade_demo.desk import final_answer
from cascade_demo.generate import Sampling, Token, generate
from cascade_demo.model import load_embedded

CHEAP = re.compile(
    r"mini|nano|haiku|small|flash|lite|[^\d]8b|[^\d]7b|[^\d]3b|[^\d]1b|^llama3\.2|^phi"
)
"""Names of models that answer as the cheap one; all others are the strong one."""

_LETTERS = "Reply with exactly one letter, A or B."
_HOW_SURE = "Reply with one whole number from 0 (certainly wrong) to 100"
_ASKED = re.compile(r"^(?:Question|Query|Ticket):\s*(.+)", re.MULTILINE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True)
class Message:
    """One message, in nobody's format."""

    role: str
    text: str


@dataclass(frozen=True)
class Tool:
    """A tool as it was offered."""

    name: str
    description: str
    schema: dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request, in nobody's format.

    Attributes:
        forced: The tool that has to be called; "any" for one of them.
        schema: The JSON schema the answer has to follow.
    """

    model: str
    messages: Sequence[Message]
    tools: Sequence[Tool] = ()
    forced: str | None = None
    schema: dict[str, Any] | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    time: int = 0

    @property
    def said(self) -> str:
        """The last thing the user said."""
        return next((m.text for m in reversed(self.messages) if m.role == "user"), "")

    @property
    def cheap(self) -> bool:
        return bool(CHEAP.search(self.model.lower()))


@dataclass(frozen=True)
class Answer:
    """What is said: text in tokens, or calls of tools."""

    tokens: Sequence[Token] = ()
    calls: Sequence[tuple[str, dict[str, Any]]] = ()
    cut: bool = False
    read: int = field(default=0)

    @property
    def text(self) -> str:
        return "".join(token.text for token in self.tokens)

    @property
    def written(self) -> int:
        return len(self.tokens) or sum(len(json.dumps(args)) // 4 + 5 for _, args in self.calls)


def answer(asked: Asked) -> Answer:
    """Answer a request."""
    read = sum(len(message.text) for message in asked.messages) // 4 + 1
    if call := _call(asked):
        return Answer(calls=[call], read=read)
    tokens = list(_tokens(asked))
    limit = asked.max_tokens or len(tokens)
    return Answer(tokens[:limit], cut=len(tokens) > limit, read=read)


def _tokens(asked: Asked) -> Iterator[Token]:
    last = asked.messages[-1]
    if _LETTERS in last.text:
        yield _verdict(last.text)
    elif _HOW_SURE in last.text:
        yield from _worded(str(70 + crc32(asked.messages[-2].text.encode()) % 30))
    elif last.role == "tool":
        yield from _worded(last.text)
    elif asked.schema is not None:
        yield from _worded(json.dumps(filled(asked.schema, asked.said)))
    elif (found := _from_context(asked)) is not None:
        yield from _worded(found)
    else:
        yield from _desk(asked)


def _desk(asked: Asked) -> list[Token]:
    """Let the demo's model answer; it reads the last message alone."""
    question = _ASKED.findall(asked.said)
    ticket = question[-1] if question else asked.said
    greedy = asked.temperature == 0 or asked.time == 0
    sampling = Sampling(
        temperature=0 if greedy else asked.temperature or 0.7,
        seed=(crc32(ticket.encode()), asked.time),
        top_logprobs=5,
    )
    return _without_working(
        _written("desk-small" if asked.cheap else "desk-large", ticket, sampling)
    )


@lru_cache(maxsize=1000)
def _written(name: str, ticket: str, sampling: Sampling) -> tuple[Token, ...]:
    model = load_embedded(name)
    ticket = " ".join(ticket.lower().split())
    prompt = [*model.tokenizer.encode(ticket)[:150], model.tokenizer.separator]
    pieces = (piece for step in generate(model, prompt, sampling) for piece in step)
    return tuple(piece for piece in pieces if isinstance(piece, Token))


def _without_working(tokens: Sequence[Token]) -> list[Token]:
    """The answer alone: hosted models do not show what stands in brackets."""
    shown, depth = [], 0
    for token in tokens:
        depth += token.text.count("[")
        if not depth:
            text = token.text if shown else token.text.lstrip()
            if text:
                shown.append(Token(text, token.logprob, token.alternatives))
        depth = max(0, depth - token.text.count("]"))
    return shown


def _verdict(text: str) -> Token:
    """Judge an answer: it is right where the strong model would have given it."""
    fence = re.search(r"=== (\w+) BEGIN ===", text)
    parts = re.split(rf"^=== {fence[1]} (.+) ===\n", text, flags=re.MULTILINE) if fence else []
    named = dict(zip(parts[1::2], parts[2::2], strict=False))
    question, given = named.get("user", "").strip(), named.get("answer", "").strip()
    best = "".join(t.text for t in _without_working(_written("desk-large", question, Sampling(0))))
    right = 0.96 if final_answer(given) == final_answer(best) else 0.08
    both = (("A", log(right)), ("B", log(1 - right)))
    letter, logprob = max(both, key=lambda pair: pair[1])
    return Token(letter, logprob, both)


def _worded(text: str) -> Iterator[Token]:
    for word in re.findall(r"\s*\S+", text):
        logprob = log(0.995 - crc32(word.encode()) % 40 / 1000)
        yield Token(word, logprob, ((word, logprob), (" the", log(0.004))))


# --- from what stands in the prompt ------------------------------------------------------------


def _from_context(asked: Asked) -> str | None:
    """The sentence of the texts in the prompt that fits the question best; None without texts."""
    whole = "\n".join(message.text for message in asked.messages)
    if not re.search(r"\bcontext\b|\bpassages?\b|\bdocuments\b|\bsources?:", whole, re.IGNORECASE):
        return None
    question = (_ASKED.findall(whole) or [asked.said])[-1]
    stems = _stems(question)
    sentences = [s.strip(" -") for s in _SENTENCE.split(whole.replace(question, "")) if s.strip()]
    told = [
        s for s in sentences if s.endswith(".") and not s.startswith(("Answer", "Given", "You "))
    ]
    best = max(told, key=lambda s: len(stems & _stems(s)), default="")
    if len(stems & _stems(best)) > (0 if asked.cheap else 1):
        return best
    return None if asked.cheap else "The texts given do not say."


def _stems(text: str) -> set[str]:
    common = {"the", "and", "for", "you", "are", "what", "when", "how", "can", "does", "with"}
    words = re.findall(r"[a-z0-9]{3,}", text.lower())
    return {word[:5] for word in words if word not in common}


# --- tools and schemas -------------------------------------------------------------------------


def _call(asked: Asked) -> tuple[str, dict[str, Any]] | None:
    """The tool that fits what was said; none once a tool has answered."""
    if not asked.tools or (asked.messages[-1].role == "tool" and asked.forced is None):
        return None
    said = _stems(asked.said)
    tools = [t for t in asked.tools if t.name == asked.forced] or list(asked.tools)

    def fits(tool: Tool) -> int:
        return len(said & _stems(f"{tool.name.replace('_', ' ')} {tool.description}"))

    tool = max(tools, key=fits)
    if not asked.forced and not fits(tool):
        return None
    return tool.name, filled(tool.schema, asked.said)


def filled(schema: dict[str, Any], said: str) -> Any:
    """Return a value of a JSON schema, from what was said where it can be found there."""
    return _filled(schema, said, schema.get("$defs", {}), "")


def _filled(schema: dict[str, Any], said: str, defs: dict[str, Any], name: str) -> Any:
    if "$ref" in schema:
        schema = defs[schema["$ref"].rpartition("/")[2]]
    if variants := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        schema = variants[0]
        return _filled(schema, said, defs, name)
    if options := schema.get("enum"):
        stems = _stems(said)
        return max(options, key=lambda option: len(stems & _stems(str(option))))
    numbers = re.findall(r"\d+(?:\.\d+)?", said)
    kind = schema.get("type", "string")
    if kind == "object":
        properties = schema.get("properties", {})
        return {key: _filled(value, said, defs, key) for key, value in properties.items()}
    if kind == "array":
        return [_filled(schema.get("items", {}), said, defs, name)]
    if kind == "boolean":
        return True
    if kind in {"integer", "number"}:
        if {"confidence", "probability", "score"} & set(name.split("_")):
            return 0.9 if kind == "number" else 1
        return (
            (int(float(numbers[0])) if kind == "integer" else float(numbers[0])) if numbers else 1
        )
    if schema.get("const") is not None:
        return schema["const"]
    reference = re.search(r"\b[A-Z]{0,3}-?\d+\b", said)
    wants_one = re.search(r"id$|number|order|invoice|code|reference", name)
    return reference[0] if reference and wants_one else said
