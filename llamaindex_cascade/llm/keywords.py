"""What a `CascadeLLM` takes by keyword beside every cascade's settings: the fields of any LLM."""

from __future__ import annotations

from typing import Any

from llama_index.core.callbacks import CallbackManager
from llama_index.core.llms.llm import CompletionToPromptType, MessagesToPromptType
from llama_index.core.prompts import BasePromptTemplate
from llama_index.core.types import BaseOutputParser, PydanticProgramMode

from cascade_core.setup.settings import CascadeKeywords


class LLMKeywords(CascadeKeywords, total=False):
    """What a cascade of LLMs takes besides."""

    callback_manager: CallbackManager
    """What the tiers report to; without it they keep their own."""
    system_prompt: str | None
    """What templates are answered under, before the tiers' own system prompts."""
    query_wrapper_prompt: BasePromptTemplate | None
    """A template around every templated prompt."""
    output_parser: BaseOutputParser | None
    """Reads the answers to templates; an answer that it cannot read escalates."""
    pydantic_program_mode: PydanticProgramMode
    """Not used: each tier makes objects in its own way."""
    messages_to_prompt: MessagesToPromptType | None
    """Not used: set it on the tiers."""
    completion_to_prompt: CompletionToPromptType | None
    """Not used: set it on the tiers."""
    rate_limiter: Any
    """Asked once per request of the cascade; tiers ask their own besides."""
