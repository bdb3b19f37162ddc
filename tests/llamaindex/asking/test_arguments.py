"""What a caller's own arguments bring that only some tiers can read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from llama_index.core.llms import LLM
from llama_index.llms.openai import OpenAIResponses

from cascade_core.errors import ConfigurationError
from cascade_core.signals import Agreement
from llamaindex_cascade import CascadeLLM
from llamaindex_cascade.asking.arguments import arguments_for
from tests.llamaindex.fakes import FakeLLM, Say, cheap, strong

FUNCTION = {"type": "function", "function": {"name": "weather"}}
OPENAI = [{"type": "web_search"}, {"type": "web_search_2025_08_26"}, {"type": "mcp"}]
ANTHROPIC = [{"type": "web_search_20250305", "name": "web_search"}, {"type": "bash_20250124"}]
GOOGLE = [
    {"google_search": {}},
    {"urlContext": {}},
    type("Tool", (SimpleNamespace,), {"__module__": "google.genai.types"})(google_search={}),
]


def named(name: str, script: Say = Say()) -> FakeLLM:  # noqa: B008 - it is frozen
    """A tier whose class has this name, which is all that is known of an integration here."""
    return type(name, (FakeLLM,), {"__module__": __name__})(script, name)  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("name", "own"),
    [("OpenAIResponses", OPENAI), ("Anthropic", ANTHROPIC), ("GoogleGenAI", GOOGLE)],
)
def test_each_tier_is_offered_its_own_providers_tools_only(name: str, own: list[Any]) -> None:
    first, last = named("LiteLLM", Say(p=0.1)), named(name)
    llm = CascadeLLM(tiers=[first, last], on_no_score="accept", gates=[lambda *_: False])
    llm.chat([], tools=[FUNCTION, *OPENAI, *ANTHROPIC, *GOOGLE], seed=1)
    assert first.seen[0].kwargs == {"tools": [FUNCTION], "seed": 1, "logprobs": True}
    assert last.seen[0].kwargs == {"tools": [FUNCTION, *own], "seed": 1}


def test_who_is_left_no_tools_is_not_told_to_choose_one() -> None:
    given = {"tools": OPENAI, "tool_choice": "required", "seed": 1}
    reads = CascadeLLM(tiers=[named("Ollama")])._llm_tiers[0].reader.reads
    assert arguments_for(given, reads) == {"seed": 1}
    assert arguments_for({"tools": [FUNCTION], "tool_choice": "auto"}, reads) == {
        "tools": [FUNCTION],
        "tool_choice": "auto",
    }


TYPED = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"properties": {"days": {"type": "integer", "default": 1}}},
    },
}


def acts(**arguments: Any) -> Say:
    """A call of the tool `weather`, or of one that was not offered."""
    name = arguments.pop("name", "weather")
    return Say("", tool_calls=[(name, arguments)])


@pytest.mark.parametrize("how", ["chat", "stream_chat"])
def test_tools_that_are_passed_on_are_known_to_gates_rules_and_comparisons(how: str) -> None:
    def record(say: Say, choice: str | None = None, **settings: Any) -> Any:
        llm = CascadeLLM(tiers=[cheap(say), strong()], **settings)
        given = getattr(llm, how)([], tools=[TYPED], **({"tool_choice": choice} if choice else {}))
        last = given if how == "chat" else list(given)[-1]
        return last.additional_kwargs["cascade"]

    assert record(acts(name="nowhere"))["reason"] == "gate_tool_call"
    assert record(Say("It is fine."), "required")["reason"] == "gate_tool_call"
    other = Agreement(named("OpenAI", acts()))
    assert record(acts(days=1), signals=[other])["signals"] == {"agreement": 1.0}
    rule = {"name": "far", "match": {"tool": "weather"}, "then": {"bypass": True}}
    assert record(acts(), policy={"thresholds": [0.9], "rules": [rule]})["reason"] == "bypassed"


def test_no_call_is_missed_of_tools_that_the_provider_runs() -> None:
    llm = CascadeLLM(tiers=[cheap(), strong()])
    response = llm.chat([], tools=OPENAI[:1], tool_choice="required")
    assert response.additional_kwargs["cascade"]["reason"] == "confident"


def responses(**settings: Any) -> OpenAIResponses:
    return OpenAIResponses(model="gpt-4o-mini", api_key="x", **settings)


@pytest.mark.parametrize(
    "settings", [{"track_previous_responses": True}, {"previous_response_id": "resp_1"}]
)
def test_a_tier_that_keeps_its_conversation_is_refused(settings: dict[str, Any]) -> None:
    keeps = responses(**settings)
    for tiers in ([keeps, strong()], [cheap(), keeps]):
        name = next(iter(settings))
        with pytest.raises(ConfigurationError, match=rf"tiers\[[01]\] \(OpenAIResponses\).*{name}"):
            CascadeLLM(tiers=tiers)
    CascadeLLM(tiers=[keeps])  # nobody else has to read it


@pytest.mark.parametrize("name", ["previous_response_id", "conversation"])
def test_a_conversation_that_is_kept_elsewhere_needs_tiers_that_reach_it(name: str) -> None:
    first: LLM = named("OpenAIResponses")
    both = CascadeLLM(tiers=[first, named("OpenAIResponses", Say("b"))], on_no_score="accept")
    both.chat([], **{name: "resp_1"})
    with pytest.raises(ConfigurationError, match=rf"{name}= .* tiers\[1\] cannot read it"):
        CascadeLLM(tiers=[first, named("Anthropic")]).chat([], **{name: "resp_1"})
