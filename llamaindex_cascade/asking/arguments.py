"""What a caller's own arguments bring that only some tiers can read: a provider's tools and ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llama_index.core.llms import LLM

from cascade_core.errors import ConfigurationError
from cascade_core.integrations.built_in import maker_of
from cascade_core.integrations.histories import Reads
from llamaindex_cascade.reading.capabilities import GENERATION, INCLUDE

_KEPT = ("previous_response_id", "conversation")
"""Arguments that name a conversation which OpenAI's Responses API keeps."""


def arguments_for(arguments: Mapping[str, Any], reads: Reads) -> Mapping[str, Any]:
    """Return the arguments of a call without the tools that only other providers run.

    Args:
        arguments: As the caller gave them.
        reads: What the tier reads.
    """
    tools = arguments.get("tools")
    if not isinstance(tools, Sequence) or all(maker_of(tool) is None for tool in tools):
        return arguments
    own = [tool for tool in tools if maker_of(tool) in (None, *reads.runs)]
    others = {name: value for name, value in arguments.items() if name != "tools"}
    if own:
        return {**others, "tools": own}
    return {name: value for name, value in others.items() if name != "tool_choice"}


def with_options(arguments: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call with those of the cascade's own.

    Args:
        arguments: As the caller gave them.
        options: The cascade's, such as what asks for log-probabilities. They go first, but for what
            a call may ask for in a list: that is asked for beside what the caller wants there.
    """
    both = {**arguments, **options}
    if INCLUDE in options and (wanted := arguments.get(INCLUDE)):
        both[INCLUDE] = list(dict.fromkeys([*wanted, options[INCLUDE][-1]]))
    if GENERATION in options and (wanted := arguments.get(GENERATION)):
        both[GENERATION] = {**wanted, **options[GENERATION]}
    return both


def check_conversation(arguments: Mapping[str, Any], reads: Sequence[Reads]) -> None:
    """Make sure that every tier can go on with a conversation that a provider keeps.

    Args:
        arguments: As the caller gave them.
        reads: What each tier reads.

    Raises:
        ConfigurationError: One cannot: it would answer without the conversation.
    """
    named = next((name for name in _KEPT if arguments.get(name) is not None), None)
    if named is None:
        return
    for place, each in enumerate(reads):
        if "openai" not in each.runs:
            msg = (
                f"{named}= names a conversation that OpenAI's Responses API keeps; tiers[{place}] "
                f"cannot read it: send the messages instead of {named}="
            )
            raise ConfigurationError(msg)


def check_keeps_nothing(llm: LLM, where: str) -> None:
    """Make sure that a tier among several is sent whole conversations, and keeps none itself.

    Raises:
        ConfigurationError: It keeps one: an escalated request would lose it, and a
            rejected draft would stay in it.
    """
    tracks = getattr(llm, "track_previous_responses", None) is True
    fixed = isinstance(getattr(llm, "_previous_response_id", None), str)
    if tracks or fixed:
        name = "track_previous_responses=True" if tracks else "previous_response_id="
        msg = (
            f"{where} ({type(llm).__name__}) has {name}: its provider keeps a conversation, which "
            "no other tier can read, and rejected drafts in it; leave that out and send messages"
        )
        raise ConfigurationError(msg)
