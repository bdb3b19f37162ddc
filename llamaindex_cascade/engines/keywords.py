"""What a `CascadeSynthesizer` takes by keyword beside every cascade's settings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llama_index.core.indices.prompt_helper import ChatPromptHelper, PromptHelper
from llama_index.core.prompts import BasePromptTemplate
from llama_index.core.response_synthesizers import ResponseMode
from llama_index.core.types import BasePydanticProgram
from pydantic import BaseModel

from cascade_core.setup.settings import CascadeKeywords


class SynthesizerKeywords(CascadeKeywords, total=False):
    """What `get_response_synthesizer` takes besides, for tiers given as LLMs.

    Its `llm`, `streaming` and `callback_manager` are not among them.
    """

    response_mode: ResponseMode | str
    """How a tier makes one answer of many texts: `"compact"`, `"refine"`, `"tree_summarize"`, …"""
    prompt_helper: PromptHelper | None
    """Cuts texts to what fits into a prompt."""
    chat_prompt_helper: ChatPromptHelper | None
    """The same for chat messages."""
    text_qa_template: BasePromptTemplate | None
    """Asks for an answer from texts."""
    refine_template: BasePromptTemplate | None
    """Asks for an answer to be refined with further texts."""
    summary_template: BasePromptTemplate | None
    """Asks for a summary, with `"tree_summarize"`."""
    simple_template: BasePromptTemplate | None
    """Asks without texts, with `"generation"`."""
    chat_content_qa_template: BasePromptTemplate | None
    """Asks for an answer from texts and pictures."""
    chat_content_refine_template: BasePromptTemplate | None
    """Asks for it to be refined with further ones."""
    chat_summary_template: BasePromptTemplate | None
    """Asks for a summary of texts and pictures."""
    use_async: bool
    """Whether one synthesis may ask a model several things at once."""
    structured_answer_filtering: bool
    """Whether refining leaves out texts that do not answer the question."""
    output_cls: type[BaseModel] | None
    """The class of the object to answer with."""
    program_factory: Callable[[BasePromptTemplate], BasePydanticProgram[Any]] | None
    """Makes the programs that write structured answers."""
    verbose: bool
    """Whether synthesizers print what they do."""
    multimodal: bool
    """Whether nodes are given with their pictures."""
