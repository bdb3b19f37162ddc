"""Gates made of what will read an answer later: an output parser, a pydantic model, a function."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Protocol, TypeAlias, cast

from pydantic import BaseModel

from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.request import Request
from cascade_core.setup.gates import Gate


class TextParser(Protocol):
    """An output parser, as LangChain and LlamaIndex have them."""

    def parse(self, text: str, /) -> object:
        """Read an answer, or raise."""
        ...


Parser: TypeAlias = TextParser | type[BaseModel] | Callable[[str], object]
"""An output parser, a pydantic model whose JSON the answer is, or a function of the text."""


def parser_gate(parser: Parser) -> Gate:
    """Return a gate that fails drafts which a parser cannot read.

    Args:
        parser: What will read the answer later. Whatever it raises fails the draft; what it
            returns does not matter.

    Raises:
        ConfigurationError: It is no parser, or has to be awaited.

    Examples:
        >>> CascadeLLM([cheap, strong], gates=[parser_gate(PydanticOutputParser(Invoice))])
    """
    read = _reader(parser)
    if not hasattr(parser, "parse"):
        return reading_gate(lambda draft: read(draft.text))

    def read_both(draft: Draft) -> None:
        # Its framework will give it the text as it is; but what was thought is no answer.
        read(draft.text)
        if draft.whole != draft.text:
            read(draft.whole)

    return reading_gate(read_both)


def reading_gate(read: Callable[[Draft], object]) -> Gate:
    """Return a gate that fails the drafts on which a function raises anything."""

    def reads(request: Request, draft: Draft) -> bool:
        del request
        try:
            read(draft)
        except Exception:  # noqa: BLE001 - a parser may raise anything: that is its verdict
            return False
        return True

    return Gate("gate_parser", reads)


def _reader(parser: object) -> Callable[[str], object]:
    if hasattr(parser, "parse"):
        if isinstance(parser, type):
            msg = f"parser_gate() got the class {parser.__name__}; make one: {parser.__name__}(…)"
            raise ConfigurationError(msg)
        return cast("TextParser", parser).parse
    if isinstance(parser, type) and issubclass(parser, BaseModel):
        return parser.model_validate_json
    if callable(parser) and not inspect.iscoroutinefunction(parser):
        return parser
    kind = "an async function" if callable(parser) else type(parser).__name__
    msg = f"parser_gate() takes an output parser, a pydantic model or a function, not {kind}"
    raise ConfigurationError(msg)
