"""Formats that LlamaIndex asks for in the words of a prompt, and checks on its own later.

A ReAct agent takes a malformed step for its final answer, and a text program
raises on JSON it cannot read: both ask through plain `chat`, where no parser
is in sight. So the request for the format is recognised by its own words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.output_parsers.utils import extract_json_str

from cascade_core.errors import CascadeError

FormatCheck: TypeAlias = Callable[[str], Exception | None]

_REACT = ("Action Input:", "Thought:", "Answer:")
_SCHEMA = re.compile(
    r"Here's a JSON schema to follow:\s*(?P<schema>\{.*\})\s*Output a valid JSON object",
    re.DOTALL,
)
_STEP = re.compile(
    r"Action:\s*(?P<tool>[^\n( ]+)[^\n]*\n+\s*Action Input:\s*(?P<input>\{.*\})", re.DOTALL
)
_TOOLS = re.compile(r"^> ?Tool Name: *(\S+)", re.MULTILINE)


class FormatError(CascadeError, ValueError):
    """An answer is not in the form that the prompt asked for."""


def wanted_format(messages: Sequence[ChatMessage]) -> FormatCheck | None:
    """Return a check of the format that messages ask for, or None where they ask for none."""
    if not messages:
        return None
    first = messages[0].content or ""
    if all(word in first for word in _REACT):
        return _ReAct(frozenset(_TOOLS.findall(first)))
    last = messages[-1].content or "" if len(messages) > 1 else first
    for text in (last, first):
        if "JSON schema to follow" in text and (found := _SCHEMA.search(text)):
            schema = _json(found["schema"])
            if schema is None:  # parsers double the braces, for templates that are filled in later
                schema = _json(found["schema"].replace("{{", "{").replace("}}", "}"))
            if isinstance(schema, dict):
                return _Json(schema)
    return None


class _ReAct:
    """A thought, then an action with its input as JSON, or an answer."""

    def __init__(self, tools: frozenset[str]) -> None:
        self._tools = tools

    def __call__(self, text: str) -> Exception | None:
        action, answer = text.find("Action:"), text.find("Answer:")
        if action >= 0 and (answer < 0 or action < answer):
            step = _STEP.search(text)
            if step is None:
                return FormatError("a ReAct step without its action input")
            if self._tools and step["tool"].strip() not in self._tools:
                return FormatError("a ReAct step that names an unknown tool")
            return None
        if answer >= 0 and "Thought:" in text[:answer]:
            return None
        return FormatError("neither a ReAct action nor a ReAct answer")


class _Json:
    """A JSON object that fits a schema, as text programs pick it out of an answer."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema

    def __call__(self, text: str) -> Exception | None:
        from jsonschema import ValidationError, validate  # noqa: PLC0415 - on use
        from jsonschema.exceptions import SchemaError  # noqa: PLC0415

        try:
            validate(json.loads(extract_json_str(text)), self._schema)
        except (ValueError, RecursionError):
            return FormatError("no JSON object in the answer")
        except ValidationError:
            return FormatError("a JSON object that does not fit the schema")
        except SchemaError:
            return None  # the prompt's schema is not for this code to judge
        return None


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
