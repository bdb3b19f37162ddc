"""What providers answer, and what is to be read of it: one list for both frameworks.

LlamaIndex hands a provider's answer over as it is. Of most providers LangChain
makes metadata of its own, which stand beside it here; of the others its
metadata are the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from cascade_core.draft import Finish
from cascade_core.usage import Usage

ENTRIES = [
    {"token": "It", "logprob": -0.1, "top_logprobs": [{"token": "We", "logprob": -3.0}]},
    {"token": " rains", "logprob": -2.0, "top_logprobs": []},
]
VALUES = [-0.1, -2.0]


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        sent: What the provider sent.
        metadata: What LangChain makes of it, where it is something else.
        usage_metadata: LangChain's own report of the tokens.
        parts: The content, where it is in parts.
        finish, refusal, model, usage, logprobs: What is to be read.
    """

    sent: Any
    metadata: dict[str, Any] | None = None
    usage_metadata: dict[str, Any] | None = None
    parts: list[Any] | None = None
    finish: Finish | None = None
    refusal: bool = False
    model: str | None = None
    usage: Usage | None = None
    logprobs: list[float] | None = field(default=None)


def tokens(given: int, written: int, **details: dict[str, int]) -> dict[str, Any]:
    """A report as all of LangChain's integrations make it."""
    return {
        "input_tokens": given,
        "output_tokens": written,
        "total_tokens": given + written,
        **details,
    }


def choice(finish: str | None = "stop", **fields: Any) -> list[dict[str, Any]]:
    return [{"index": 0, "finish_reason": finish, **fields}]


ANSWERS: dict[str, Answer] = {
    "OpenAI": Answer(
        sent={
            "model": "gpt-4o-mini-2024-07-18",
            "choices": choice(message={"content": "It rains"}, logprobs={"content": ENTRIES}),
            "usage": {
                "prompt_tokens": 11,
                "completion_tokens": 2,
                "prompt_tokens_details": {"cached_tokens": 8},
                "completion_tokens_details": {"reasoning_tokens": 1},
            },
        },
        metadata={
            "token_usage": {"prompt_tokens": 11, "completion_tokens": 2},
            "model_name": "gpt-4o-mini-2024-07-18",
            "finish_reason": "stop",
            "logprobs": {"content": ENTRIES, "refusal": None},
        },
        usage_metadata=tokens(
            11, 2, input_token_details={"cache_read": 8}, output_token_details={"reasoning": 1}
        ),
        finish="stop",
        model="gpt-4o-mini-2024-07-18",
        usage=Usage(11, 2, cached_tokens=8, reasoning_tokens=1),
        logprobs=VALUES,
    ),
    "OpenAI, as objects": Answer(
        sent=SimpleNamespace(
            model="gpt-4o",
            choices=[
                SimpleNamespace(
                    finish_reason="tool_calls",
                    logprobs=SimpleNamespace(content=[SimpleNamespace(**e) for e in ENTRIES]),
                )
            ],
            usage=SimpleNamespace(prompt_tokens=3, completion_tokens=4),
        ),
        metadata={
            "model_name": "gpt-4o",
            "finish_reason": "tool_calls",
            "logprobs": {"content": ENTRIES},
        },
        usage_metadata=tokens(3, 4),
        finish="tool_calls",
        model="gpt-4o",
        usage=Usage(3, 4),
        logprobs=VALUES,
    ),
    "OpenAI, filtered": Answer(
        sent={"choices": choice("content_filter")},
        metadata={"finish_reason": "content_filter"},
        finish="content_filter",
        refusal=True,
    ),
    "OpenAI, refused with its tokens": Answer(
        sent={"choices": choice(logprobs={"content": None, "refusal": ENTRIES})},
        metadata={"finish_reason": "stop", "logprobs": {"content": None, "refusal": ENTRIES}},
        finish="stop",
        refusal=True,
    ),
    "OpenAI, an answer after the start of a refusal": Answer(
        sent={"choices": choice(logprobs={"content": ENTRIES, "refusal": ENTRIES})},
        metadata={"finish_reason": "stop", "logprobs": {"content": ENTRIES, "refusal": ENTRIES}},
        finish="stop",
        logprobs=VALUES,
    ),
    "a cache written by OpenAI": Answer(
        sent={
            "choices": choice(),
            "usage": {
                "prompt_tokens": 30,
                "completion_tokens": 1,
                "prompt_tokens_details": {"cache_write_tokens": 20},
            },
        },
        metadata={"finish_reason": "stop"},
        usage_metadata=tokens(30, 1, input_token_details={"cache_creation": 20}),
        finish="stop",
        usage=Usage(30, 1, cache_write_tokens=20),
    ),
    "a proxy that has the cached tokens in both": Answer(
        sent={
            "choices": choice(),
            "usage": {
                "prompt_tokens": 25,
                "completion_tokens": 4,
                "cache_read_input_tokens": 20,
                "prompt_tokens_details": {"cached_tokens": 20},
            },
        },
        metadata={"finish_reason": "stop"},
        usage_metadata=tokens(25, 4, input_token_details={"cache_read": 20}),
        finish="stop",
        usage=Usage(25, 4, cached_tokens=20),
    ),
    "DeepSeek": Answer(
        sent={
            "model": "deepseek-chat",
            "choices": choice("length"),
            "usage": {"prompt_tokens": 9, "completion_tokens": 2, "prompt_cache_hit_tokens": 8},
        },
        metadata={"model_name": "deepseek-chat", "finish_reason": "length"},
        usage_metadata=tokens(9, 2, input_token_details={"cache_read": 8}),
        finish="length",
        model="deepseek-chat",
        usage=Usage(9, 2, cached_tokens=8),
    ),
    "xAI, with reasoning beside the answer": Answer(
        sent={
            "choices": choice(),
            "usage": {
                "prompt_tokens": 32,
                "completion_tokens": 9,
                "total_tokens": 135,
                "completion_tokens_details": {"reasoning_tokens": 94},
            },
        },
        metadata={"finish_reason": "stop"},
        usage_metadata={**tokens(32, 9), "total_tokens": 135}
        | {"output_token_details": {"reasoning": 94}},
        finish="stop",
        usage=Usage(32, 103, reasoning_tokens=94),
    ),
    "more reasoning than answer, and no total": Answer(
        sent={
            "choices": choice(),
            "usage": {
                "prompt_tokens": 32,
                "completion_tokens": 9,
                "completion_tokens_details": {"reasoning_tokens": 94},
            },
        },
        metadata={
            "finish_reason": "stop",
            "token_usage": {
                "prompt_tokens": 32,
                "completion_tokens": 9,
                "completion_tokens_details": {"reasoning_tokens": 94},
            },
        },
        finish="stop",
        usage=Usage(32, 103, reasoning_tokens=94),
    ),
    "tokens that nobody names but the total": Answer(
        sent={
            "choices": choice(),
            "usage": {"prompt_tokens": 32, "completion_tokens": 9, "total_tokens": 60},
        },
        metadata={"finish_reason": "stop"},
        usage_metadata={**tokens(32, 9), "total_tokens": 60},
        finish="stop",
        usage=Usage(32, 28),
    ),
    "a proxy that has Anthropic's cache beside OpenAI's prompt": Answer(
        sent={
            "choices": choice(),
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 19,
                "cache_read_input_tokens": 3,
                "cache_creation_input_tokens": 1,
            },
        },
        metadata={"finish_reason": "stop"},
        usage_metadata={**tokens(10, 5), "total_tokens": 19}
        | {"input_token_details": {"cache_read": 3, "cache_creation": 1}},
        finish="stop",
        usage=Usage(14, 5, cached_tokens=3, cache_write_tokens=1),
    ),
    "more in the cache than in the prompt": Answer(
        sent={
            "choices": choice(),
            "usage": {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "prompt_tokens_details": {"cached_tokens": 300},
            },
        },
        metadata={"finish_reason": "stop"},
        usage_metadata=tokens(10, 5, input_token_details={"cache_read": 300}),
        finish="stop",
        usage=Usage(310, 5, cached_tokens=300),
    ),
    "OpenAI, of a service tier": Answer(
        sent={
            "choices": choice(),
            "service_tier": "flex",
            "usage": {
                "prompt_tokens": 30,
                "completion_tokens": 6,
                "total_tokens": 36,
                "prompt_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 2},
                "completion_tokens_details": {"reasoning_tokens": 4},
            },
        },
        metadata={"finish_reason": "stop"},
        usage_metadata=tokens(
            30,
            6,
            input_token_details={"flex_cache_read": 20, "flex_cache_creation": 2, "flex": 10},
            output_token_details={"flex_reasoning": 4, "flex": 2},
        ),
        finish="stop",
        usage=Usage(30, 6, cached_tokens=20, cache_write_tokens=2, reasoning_tokens=4),
    ),
    "OpenAI's Responses API": Answer(
        sent={
            "status": "completed",
            "model": "gpt-5",
            "output": [
                {"type": "reasoning"},
                {"content": [{"type": "output_text", "text": "It rains", "logprobs": ENTRIES}]},
            ],
            "usage": {
                "input_tokens": 9,
                "output_tokens": 8,
                "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
                "output_tokens_details": {"reasoning_tokens": 5},
            },
        },
        finish="stop",
        model="gpt-5",
        usage=Usage(9, 8, cached_tokens=3, cache_write_tokens=2, reasoning_tokens=5),
        logprobs=VALUES,
    ),
    "OpenAI's Responses API, cut off": Answer(
        sent={"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}},
        finish="length",
    ),
    "OpenAI's Responses API, filtered": Answer(
        sent={"status": "incomplete", "incomplete_details": {"reason": "content_filter"}},
        finish="content_filter",
        refusal=True,
    ),
    "a word of its own beside a status": Answer(
        sent={
            "finish_reason": "length",
            "status": "completed",
            "logprobs": ENTRIES,
            "output": [{"content": [{"type": "output_text", "text": "It rains"}]}],
        },
        finish="length",
        logprobs=VALUES,
    ),
    "OpenAI's Responses API, failed": Answer(sent={"status": "failed"}, finish="broken"),
    "OpenAI's Responses API, cancelled": Answer(sent={"status": "cancelled"}, finish="broken"),
    "OpenAI's Responses API, incomplete without a word": Answer(
        sent={"status": "incomplete"}, finish="broken"
    ),
    "OpenAI's Responses API, on its way": Answer(sent={"status": "in_progress"}),
    "an error beside a choice": Answer(
        sent={"choices": choice("stop", error={"message": "lost"}), "error": None},
        metadata={"error": {"message": "lost"}},
        finish="broken",
    ),
    "a model named on two chunks": Answer(
        sent={"model": "gpt-4ogpt-4o", "finish_reason": "stopstop"}, finish="stop", model="gpt-4o"
    ),
    "SGLang": Answer(sent={"finish_reason": {"type": "length", "length": 8}}, finish="length"),
    "Google, over the wire": Answer(
        sent={"candidates": [{"finishReason": "MAX_TOKENS"}]},
        metadata={"finishReason": "MAX_TOKENS"},
        finish="length",
    ),
    "OpenAI's Responses API, refused": Answer(
        sent={
            "status": "completed",
            "output": [{"content": [{"type": "refusal", "refusal": "No."}]}],
        },
        metadata={"status": "completed"},
        parts=[{"type": "refusal", "refusal": "No."}],
        finish="stop",
        refusal=True,
    ),
    "Anthropic": Answer(
        sent={
            "model": "claude-haiku-4-5",
            "stop_reason": "end_turn",
            "usage": {
                "input_tokens": 5,
                "cache_read_input_tokens": 20,
                "cache_creation_input_tokens": 30,
                "cache_creation": {
                    "ephemeral_5m_input_tokens": 10,
                    "ephemeral_1h_input_tokens": 20,
                },
                "output_tokens": 4,
                "output_tokens_details": {"thinking_tokens": 3},
            },
        },
        metadata={"model": "claude-haiku-4-5", "stop_reason": "end_turn"},
        usage_metadata=tokens(
            55,
            4,
            input_token_details={
                "cache_read": 20,
                "cache_creation": 0,
                "ephemeral_5m_input_tokens": 10,
                "ephemeral_1h_input_tokens": 20,
            },
            output_token_details={"reasoning": 3},
        ),
        finish="stop",
        model="claude-haiku-4-5",
        usage=Usage(
            55,
            4,
            cached_tokens=20,
            cache_write_tokens=30,
            reasoning_tokens=3,
            cache_write_1h_tokens=20,
        ),
    ),
    "Anthropic, refused": Answer(
        sent={"stop_reason": "refusal"}, finish="content_filter", refusal=True
    ),
    "Bedrock Converse": Answer(
        sent={
            "stopReason": "max_tokens",
            "usage": {
                "inputTokens": 3,
                "outputTokens": 2,
                "cacheReadInputTokens": 4,
                "cacheWriteInputTokens": 5,
                "totalTokens": 14,
            },
        },
        metadata={"stopReason": "max_tokens", "metrics": {"latencyMs": [1]}},
        usage_metadata=tokens(
            12,
            2,
            input_token_details={
                "cache_read": 4,
                "cache_creation": 5,
                "ephemeral_5m_input_tokens": 0,
            },
        ),
        finish="length",
        usage=Usage(12, 2, cached_tokens=4, cache_write_tokens=5),
    ),
    "Bedrock, as its Nova models say it, under two names": Answer(
        sent={
            "stopReason": "end_turn",
            "usage": {
                "inputTokens": 3,
                "outputTokens": 2,
                "cacheReadInputTokens": 4,
                "cacheReadInputTokenCount": 4,
                "cacheWriteInputTokenCount": 5,
                "totalTokens": 14,
            },
        },
        metadata={"stopReason": "end_turn"},
        usage_metadata=tokens(12, 2, input_token_details={"cache_read": 4, "cache_creation": 5}),
        finish="stop",
        usage=Usage(12, 2, cached_tokens=4, cache_write_tokens=5),
    ),
    "Bedrock, of one maker's own shape": Answer(
        sent={
            "modelId": "us.anthropic.claude",
            "stop_reason": "max_tokens",
            "usage": {"prompt_tokens": 6, "completion_tokens": 7},
        },
        metadata={
            "model_id": "us.anthropic.claude",
            "stop_reason": "max_tokens",
            "usage": {"prompt_tokens": 6, "completion_tokens": 7},
        },
        finish="length",
        model="us.anthropic.claude",
        usage=Usage(6, 7),
    ),
    "Google": Answer(
        sent=SimpleNamespace(
            model_version="gemini-2.5-flash",
            candidates=[SimpleNamespace(finish_reason=SimpleNamespace(name="MAX_TOKENS"))],
            usage_metadata=SimpleNamespace(
                prompt_token_count=7,
                candidates_token_count=3,
                thoughts_token_count=10,
                cached_content_token_count=2,
                tool_use_prompt_token_count=1,
                total_token_count=21,
            ),
        ),
        metadata={"model_name": "gemini-2.5-flash", "finish_reason": "MAX_TOKENS"},
        usage_metadata=tokens(
            8, 13, input_token_details={"cache_read": 2}, output_token_details={"reasoning": 10}
        ),
        finish="length",
        model="gemini-2.5-flash",
        usage=Usage(8, 13, cached_tokens=2, reasoning_tokens=10),
    ),
    "Google, with nothing but thoughts": Answer(
        sent={"usage_metadata": {"prompt_token_count": 7, "thoughts_token_count": 4}},
        metadata={},
        usage_metadata=tokens(7, 4, output_token_details={"reasoning": 4}),
        usage=Usage(7, 4, reasoning_tokens=4),
    ),
    "Google, tokens over the wire": Answer(
        sent={
            "usageMetadata": {
                "promptTokenCount": 7,
                "candidatesTokenCount": 3,
                "cachedContentTokenCount": 2,
                "thoughtsTokenCount": 1,
                "toolUsePromptTokenCount": 1,
                "totalTokenCount": 12,
            }
        },
        usage=Usage(8, 4, cached_tokens=2, reasoning_tokens=1),
    ),
    "Google, with log-probabilities": Answer(
        sent={
            "candidates": [
                {
                    "finish_reason": "STOP",
                    "logprobs_result": {
                        "chosen_candidates": [
                            {"token": "It", "log_probability": -0.1},
                            {"token": " rains", "log_probability": -2.0},
                        ],
                        "top_candidates": [
                            {"candidates": [{"token": "We", "log_probability": -3.0}]}
                        ],
                    },
                }
            ]
        },
        metadata={"finish_reason": "STOP", "logprobs_result": ENTRIES},
        finish="stop",
        logprobs=VALUES,
    ),
    "Cohere": Answer(
        sent={
            "finish_reason": "COMPLETE",
            "usage": {
                "billed_units": {"input_tokens": 30.0, "output_tokens": 5.0},
                "tokens": {"input_tokens": 40, "output_tokens": 5},
            },
        },
        finish="stop",
        usage=Usage(40, 5),
    ),
    "Cohere, earlier": Answer(
        sent={
            "finish_reason": "ERROR_TOXIC",
            "meta": {"billed_units": {"input_tokens": 10.0, "output_tokens": 5.0}},
        },
        finish="content_filter",
        refusal=True,
        usage=Usage(10, 5),
    ),
    "Cohere, with both": Answer(
        sent={
            "meta": {
                "billed_units": {"input_tokens": 10.0, "output_tokens": 5.0},
                "tokens": {"input_tokens": 12, "output_tokens": 5},
            }
        },
        usage=Usage(12, 5),
    ),
    "Cohere, in LangChain's streams": Answer(
        sent={
            "finish_reason": "MAX_TOKENS",
            "token_count": {"total_tokens": 17, "input_tokens": 12, "output_tokens": 5},
        },
        finish="length",
        usage=Usage(12, 5),
    ),
    "Cohere, earlier, at the end of a stream": Answer(
        sent={
            "event_type": "stream-end",
            "response": {
                "finish_reason": "COMPLETE",
                "meta": {"tokens": {"input_tokens": 12, "output_tokens": 5}},
            },
        },
        finish="stop",
        usage=Usage(12, 5),
    ),
    "LiteLLM, of a word that it does not know": Answer(
        sent={
            "choices": choice(provider_specific_fields={"native_finish_reason": "network_error"})
        },
        metadata={"finish_reason": "network_error"},
        finish="broken",
    ),
    "Mistral": Answer(
        sent={
            "model": "mistral-small",
            "choices": choice("model_length"),
            "usage": {"prompt_tokens": 4, "completion_tokens": 0},
        },
        metadata={
            "model_name": "mistral-small",
            "finish_reason": "model_length",
            "token_usage": {"prompt_tokens": 4, "completion_tokens": 0},
        },
        finish="length",
        model="mistral-small",
        usage=Usage(4, 0),
    ),
    "Ollama": Answer(
        sent={
            "model": "llama3.2",
            "done_reason": "stop",
            "prompt_eval_count": 12,
            "eval_count": 6,
            "logprobs": ENTRIES,
        },
        finish="stop",
        model="llama3.2",
        usage=Usage(12, 6),
        logprobs=VALUES,
    ),
    "legacy completions": Answer(
        sent={
            "choices": choice(
                "length",
                logprobs={"tokens": ["It", " rains"], "token_logprobs": VALUES},
            )
        },
        metadata={
            "finish_reason": "length",
            "logprobs": {"tokens": ["It", " rains"], "token_logprobs": VALUES},
        },
        finish="length",
        logprobs=VALUES,
    ),
    "zeros, which are no report": Answer(
        sent={"usage": {"prompt_tokens": 0, "completion_tokens": 0}},
        metadata={},
        usage_metadata=tokens(0, 0),
    ),
    "less than nothing": Answer(sent={"usage": {"prompt_tokens": -1, "completion_tokens": 2}}),
    "half a report": Answer(sent={"usage": {"input_tokens": 30}}),
    "no numbers": Answer(
        sent={"usage": {"prompt_tokens": True, "completion_tokens": "many"}, "model": 5}
    ),
    "an empty list of choices": Answer(
        sent={"choices": [], "usage": None, "model": "m"}, model="m"
    ),
    "choices that are none": Answer(sent={"choices": "many"}),
    "a word that nobody knows": Answer(sent={"finish_reason": "novel"}, finish="broken"),
    "nothing": Answer(sent={}),
}

WORDS: dict[Finish | None, str] = {
    "stop": """
        stop STOP end_turn stop_sequence STOP_SEQUENCE COMPLETE completed eos eos_token endoftext
        end_of_text end_of_turn end_of_sequence eot eot_id end stop_token stop_string stop_str
        stop_word stop_words end_id stop_criteria_met stop_sequence_reached eosFound stopStringFound userStopped
        user_stop finish FINISHED done normal success succeeded ALTERNATIVE_STATUS_FINAL
        FINISH_REASON_STOP FinishReason.STOP REASON_STOP stopstop STOPSTOPSTOP end_turnend_turn
    """,
    "length": """
        length max_tokens MAX_TOKENS max_output_tokens max_completion_tokens max_new_tokens
        maximum_tokens max_length REASON_MAX_LEN REASON_MAX_CONTEXT model_length token_limit
        ERROR_LIMIT model_context_window_exceeded context_window_exceeded context_length_exceeded
        max_output context contextLengthReached maxPredictedTokensReached ALTERNATIVE_STATUS_TRUNCATED_FINAL
        lengthlength lengthlengthlength stoplength
    """,
    "content_filter": """
        content_filter content_filtered guardrail_intervened refusal ERROR_TOXIC SAFETY RECITATION
        BLOCKLIST PROHIBITED_CONTENT SPII IMAGE_SAFETY IMAGE_RECITATION IMAGE_PROHIBITED_CONTENT
        MODEL_ARMOR sensitive blacklist moderation data_inspection_failed
        ALTERNATIVE_STATUS_CONTENT_FILTER content_filtercontent_filter
        FINISH_REASON_BLOCKLIST content_policy_violation guardrails_blocked
    """,
    "tool_calls": """
        tool_calls TOOL_CALL tool-calls requires_action tool_use function_call toolCalls function_calls tool_callstool_calls
    """,
    "broken": """
        error ERROR network_error abort insufficient_system_resource MALFORMED_FUNCTION_CALL OTHER
        LANGUAGE UNEXPECTED_TOOL_CALL pause_turn malformed_model_output time_limit unknown novel
        TIMEOUT load cancelled errorerror UNKNOWN_17
    """,
    None: "null none FINISH_REASON_UNSPECIFIED REASON_INVALID",
}
"""Words for why a model stopped, by what they mean."""
