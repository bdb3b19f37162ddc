"""`parser_gate` for LangChain: a chain's own parser says whether a draft can be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from langchain_core.messages import AIMessage
from langchain_core.output_parsers import BaseLLMOutputParser
from langchain_core.outputs import ChatGeneration
from pydantic import BaseModel

from cascade_core.draft import Draft
from cascade_core.setup import parsing
from cascade_core.setup.gates import Gate

TakesParser: TypeAlias = BaseLLMOutputParser[Any] | type[BaseModel] | Callable[[str], object]


def parser_gate(parser: TakesParser) -> Gate:
    """Return a gate that fails drafts which a parser cannot read.

    Args:
        parser: What will read the answer later: the chain's output parser, which sees the whole
            message, tool calls too; a pydantic model whose JSON the answer is; or a function of
            the text. Whatever it raises fails the draft; what it returns does not matter.

    Raises:
        ConfigurationError: It is no parser, or has to be awaited.

    Examples:
        >>> parser = PydanticOutputParser(pydantic_object=Invoice)
        >>> chain = prompt | ChatCascade([cheap, strong], gates=[parser_gate(parser)]) | parser
    """
    if not isinstance(parser, BaseLLMOutputParser):
        return parsing.parser_gate(parser)

    def read(draft: Draft) -> object:
        whole = isinstance(draft.native, AIMessage)
        if draft.whole != draft.text and not draft.tool_calls:  # what was thought is no answer
            parser.parse_result([ChatGeneration(message=AIMessage(draft.text))])
        message = draft.native if whole else AIMessage(draft.whole)
        return parser.parse_result([ChatGeneration(message=message)])

    return parsing.reading_gate(read)
