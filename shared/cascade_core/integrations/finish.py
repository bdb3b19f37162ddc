"""Words for why a model stopped.

The rule: an answer is whole where its provider says so in a word that is known,
or says nothing at all. Any other word tells of an answer that is not: a new one is
"broken", or "content_filter" where it names a filter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any

from cascade_core.draft import Finish

FIELDS = ("finish_reason", "stop_reason", "stopReason", "done_reason", "finishReason")
"""Where the word is: OpenAI and most others, Anthropic, Bedrock, Ollama, Google over the wire."""

_STOP = """
    stop end_turn stop_sequence complete completed eos eos_token
    end_of_text endoftext end_of_turn end_of_sequence eot eot_id end end_id
    stop_token stop_string stop_str stop_word stop_words stop_criteria_met stop_sequence_reached
    eos_found stop_string_found user_stop user_stopped
    finish finished done normal success succeeded alternative_status_final
"""
_LENGTH = """
    length max_tokens max_output_tokens max_completion_tokens max_new_tokens maximum_tokens
    max_length max_len max_context max_output context model_length token_limit error_limit
    model_context_window_exceeded context_window_exceeded context_length_exceeded
    context_length_reached max_predicted_tokens_reached alternative_status_truncated_final
"""
_FILTERED = """
    content_filter content_filtered guardrail_intervened refusal error_toxic safety recitation
    blocklist prohibited_content spii image_safety image_recitation image_prohibited_content
    model_armor sensitive blacklist moderation data_inspection_failed
    alternative_status_content_filter
"""
_TOOLS = "tool_calls tool_call tool_use function_call function_calls requires_action"

WORDS: dict[str, Finish] = {
    **dict.fromkeys(_STOP.split(), "stop"),
    **dict.fromkeys(_LENGTH.split(), "length"),
    **dict.fromkeys(_FILTERED.split(), "content_filter"),
    **dict.fromkeys(_TOOLS.split(), "tool_calls"),
}
"""What each known word means, as it is written without the name of its enum.

At its own end, or at one the caller set: OpenAI, Google, Mistral, Ollama (stop), Anthropic and
Bedrock (end_turn, stop_sequence), Cohere (complete), the Responses API (completed), Together
(eos), Hugging Face (eos_token), AI21 and Aleph Alpha (endoftext), LM Studio (eos_found),
Titan (finish), Qianfan (normal), Replicate (succeeded), Yandex (alternative_status_…).
"""

UNSAID = frozenset({"", "null", "none", "unspecified", "invalid"})
"""Words that say nothing: on the chunks before the last, and where an enum was left unset."""

_NUMBERS: dict[int, Finish | None] = {
    0: None,
    1: "stop",
    2: "length",
    **dict.fromkeys((3, 4, 7, 8, 9, 11), "content_filter"),
}
"""Google's enum, where only its numbers arrive."""

_FILTERS = re.compile("filter|safety|guard|moderat|refus|sensitive|policy|prohibit|block|toxic")
_LONGEST = 200
_PREFIX = re.compile(r"(finish_|stop_)?reason_")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

_RANK: tuple[Finish | None, ...] = (
    "content_filter",
    "broken",
    "length",
    "tool_calls",
    "stop",
    None,
)


def finish_of(reason: Any) -> Finish | None:
    """Return what a provider's word means, or None where it says nothing.

    Args:
        reason: The word in any case, or an enum's member; some are strings
            themselves (Mistral), some are numbers (Google), and some servers
            put the word into an object (SGLang, AI21).
    """
    if isinstance(reason, str):
        return WORDS.get(reason) or (_read(str.__str__(reason)) if reason else None)
    if reason is None:
        return None
    if isinstance(name := getattr(reason, "name", None), str):
        return WORDS.get(name) or _read(name)
    if type(reason) is int:
        return _NUMBERS.get(reason, "broken")
    if isinstance(reason, Mapping):
        return finish_of(reason.get("reason") or reason.get("type"))
    return None


def worst(ends: Iterable[Finish | None]) -> Finish | None:
    """Return the one of several ends that counts: a bad end is not made good by a good one."""
    return min(ends, key=_RANK.index, default=None)


def once(name: str, known: str | None = None) -> str:
    """Return a model's name that was added to itself, as it stood on several chunks, once.

    Args:
        name: The name as an answer has it. Names have a digit or a mark in them, which tells
            `gpt-4ogpt-4o` from a word like `tartar`.
        known: The name that the model is called by; it may be such a word.
    """
    place = (name + name).find(name, 1)
    first = name[:place]
    if place == len(name) or (first.isalpha() and first != known):
        return name
    return first


def spelled(reason: str) -> str:
    """Return a word as the table has it: in small letters, without the name of its enum."""
    word = _HUMP.sub("_", reason.strip()).lower().replace("-", "_").replace(" ", "_")
    return _PREFIX.sub("", word.rpartition(".")[2])


@lru_cache(maxsize=128)
def _read(reason: str) -> Finish | None:
    if len(reason) > _LONGEST:
        return "broken"
    word = spelled(reason)
    if word in UNSAID:
        return None
    if known := WORDS.get(word):
        return known
    told = _words().findall(word)
    if told and "".join(told) == word:  # on several chunks, and added up by a framework
        return worst(WORDS[each] for each in told)
    return "content_filter" if _FILTERS.search(word) else "broken"


@cache
def _words() -> re.Pattern[str]:
    return re.compile("|".join(sorted(WORDS, key=len, reverse=True)))
