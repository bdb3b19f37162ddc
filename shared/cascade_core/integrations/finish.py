"""Words for why a model stopped.

A word that is not listed says nothing. So does a pause (`pause_turn` of
Anthropic) or an error: neither ends an answer in a way that `Finish` can say.
"""

from __future__ import annotations

from typing import Any

from cascade_core.draft import Finish

FIELDS = ("finish_reason", "stop_reason", "stopReason", "done_reason")
"""Where the word is: OpenAI and most others, Anthropic, Bedrock, Ollama."""

WORDS: dict[str, Finish] = {
    # At its own end, or at one the caller set.
    "stop": "stop",  # OpenAI, Google, Mistral, Ollama
    "end_turn": "stop",  # Anthropic, Bedrock
    "stop_sequence": "stop",  # Anthropic, Bedrock, Cohere
    "complete": "stop",  # Cohere
    "completed": "stop",  # OpenAI's Responses API
    "eos": "stop",  # Together
    "eos_token": "stop",  # Hugging Face
    # Cut off.
    "length": "length",  # OpenAI, Mistral, Ollama
    "max_tokens": "length",  # Anthropic, Bedrock, Google, Cohere
    "max_output_tokens": "length",  # OpenAI's Responses API
    "model_length": "length",  # Mistral
    "model_context_window_exceeded": "length",  # Anthropic, Bedrock
    # Withheld.
    "content_filter": "content_filter",  # OpenAI, Azure
    "content_filtered": "content_filter",  # Bedrock
    "guardrail_intervened": "content_filter",  # Bedrock
    "refusal": "content_filter",  # Anthropic
    "error_toxic": "content_filter",  # Cohere
    "safety": "content_filter",  # Google, as the following
    "recitation": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
    "spii": "content_filter",
    "image_safety": "content_filter",
    "model_armor": "content_filter",
    # To call tools.
    "tool_calls": "tool_calls",  # OpenAI, Mistral
    "tool_call": "tool_calls",  # Cohere
    "tool_use": "tool_calls",  # Anthropic, Bedrock
    "function_call": "tool_calls",  # OpenAI, before tools
}


def finish_of(reason: Any) -> Finish | None:
    """Return what a provider's word means, or None where it is not known.

    Args:
        reason: The word in any case, or an enum's member; some are strings
            themselves (Mistral), some are numbers (Google).
    """
    if isinstance(reason, str):
        return WORDS.get(reason) or WORDS.get(str.lower(reason))
    return WORDS.get(str(getattr(reason, "name", reason)).lower())
