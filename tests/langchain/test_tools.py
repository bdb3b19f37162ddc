"""The caller's tools: each tier binds them itself, and what a draft calls is checked."""

from __future__ import annotations

import gc
import warnings
import weakref
from typing import Any

import pytest
from langchain_core.runnables import RunnableBinding
from pydantic import BaseModel

from cascade_core.errors import CascadeWarning
from langchain_cascade import ChatCascade
from langchain_cascade.tiers import make_tiers
from langchain_cascade.tools import BoundTools, choice_for
from langchain_cascade.wrapping import Variant
from tests.langchain.fakes import (
    SURE,
    FakeChat,
    Say,
    ToollessChat,
    answer_prompt,
    ask,
    pair,
    record_of,
)

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")
WAYS = ["invoke", "ainvoke", "stream", "astream"]
ways = pytest.mark.parametrize("how", WAYS)


def look_up(city: str) -> str:
    """Look a city up."""
    return city


def book(seats: int) -> str:
    """Book seats."""
    return str(seats)


CALL = {"name": "look_up", "args": {"city": "Oslo"}}
CALLS = Say("", p=None, tool_calls=[CALL])


def test_bind_tools_returns_a_binding() -> None:
    assert isinstance(pair().cascade.bind_tools([look_up]), RunnableBinding)


@ways
async def test_a_tool_call_that_passes_every_gate_is_accepted_with_one_warning(how: str) -> None:
    two = pair(CALLS)
    bound = two.cascade.bind_tools([look_up])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        message = await ask(how, bound)
        await ask(how, bound)
    assert message.tool_calls[0]["args"] == {"city": "Oslo"}
    assert record_of(message)["reason"] == "tool_call"
    assert record_of(message)["accepted"] is True
    assert not two.strong.calls
    assert len([w for w in caught if w.category is CascadeWarning]) == 1


@ways
async def test_tool_calls_escalate_when_asked_to(how: str) -> None:
    two = pair(CALLS, CALLS, on_tool_call="escalate")
    message = await ask(how, two.cascade.bind_tools([look_up]))
    assert record_of(message)["tier"] == 1


BAD = {
    "an unknown tool": Say("", p=0.99, tool_calls=[{"name": "delete_all", "args": {}}]),
    "a missing argument": Say("", p=0.99, tool_calls=[{"name": "look_up", "args": {}}]),
    "a wrong type": Say("", p=0.99, tool_calls=[{"name": "look_up", "args": {"city": 7}}]),
    "arguments that do not parse": Say(
        "", p=0.99, broken_calls=[{"name": "look_up", "args": '{"city": '}]
    ),
}


@pytest.mark.parametrize("bad", list(BAD))
async def test_a_bad_tool_call_escalates(bad: str) -> None:
    two = pair(BAD[bad], CALLS)
    message = two.cascade.bind_tools([look_up]).invoke("hi")
    record = record_of(message)
    assert record["tier"] == 1
    assert record["reason"] == "gate_tool_call"
    assert record["calls"][0]["note"] == "gate_tool_call"


@ways
async def test_the_strong_tier_has_the_tools_too(how: str) -> None:
    two = pair(Say("not sure at all", p=0.1), answer_prompt)
    message = await ask(
        how, two.cascade.bind_tools([book], tool_choice="any"), given="book 4 seats"
    )
    assert message.tool_calls[0]["args"] == {"seats": 4}
    for model in (two.cheap, two.strong):
        (tool,) = model.calls[0].kwargs["tools"]
        assert tool["function"]["name"] == "book"
        assert model.calls[0].kwargs["tool_choice"] == "required"


@pytest.mark.parametrize("choice", ["any", "required", True, "look_up", {"type": "any"}])
def test_a_required_tool_that_is_not_called_escalates(choice: Any) -> None:
    two = pair(SURE, CALLS)
    message = two.cascade.bind_tools([look_up, book], tool_choice=choice).invoke("hi")
    assert record_of(message)["reason"] == "gate_tool_call"
    assert record_of(message)["tier"] == 1


ANTHROPIC, BEDROCK = (
    type(name, (FakeChat,), {"__module__": __name__})()
    for name in ("ChatAnthropicBedrock", "ChatBedrockConverse")
)


@pytest.mark.parametrize("choice", ["none", {"type": "none"}])
def test_no_call_is_said_in_each_integrations_way(choice: Any) -> None:
    said = [choice_for(model, choice) for model in (FakeChat(), ANTHROPIC, BEDROCK)]
    assert said == ["none", {"type": "none"}, None]


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (None, None),
        ("auto", "auto"),
        ("required", "any"),
        (True, "any"),
        ("look_up", "look_up"),
        ({"type": "any"}, "any"),
        ({"any": {}}, "any"),
        ({"tool": {"name": "look_up"}}, "look_up"),
        ({"type": "tool", "name": "look_up"}, "look_up"),
        ({"type": "function", "function": {"name": "look_up"}}, "look_up"),
        ({"function_calling_config": {"mode": "ANY"}}, "any"),
    ],
)
def test_a_choice_reaches_every_integration_in_words_that_it_takes(choice: Any, said: Any) -> None:
    assert choice_for(ANTHROPIC, choice) == said


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "auto", "disable_parallel_tool_use": True},
        {"type": "web_search"},
        {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["a", "b"]}},
    ],
)
def test_a_choice_that_says_more_stays_as_it_is(choice: Any) -> None:
    assert choice_for(ANTHROPIC, choice) is choice


BESIDE: dict[str, Any] = {
    "bash": {"type": "bash_20250124", "name": "bash"},
    "str_replace_based_edit_tool": {
        "type": "text_editor_20250728",
        "name": "str_replace_based_edit_tool",
    },
    "patch": {"type": "custom", "name": "patch", "format": {"type": "text"}},
    "found": {"type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex"},
    "order": {"type": "object", "title": "order", "description": "Order.", "properties": {}},
}


@pytest.mark.parametrize("name", BESIDE)
def test_a_call_of_a_providers_own_tool_is_a_call_like_any_other(name: str) -> None:
    call = {"name": name, "args": {"__arg1": "x"}}
    two = pair(Say("", p=None, tool_calls=[call]), CALLS)
    message = two.cascade.bind_tools([look_up, BESIDE[name]]).invoke("hi")
    assert (record_of(message)["tier"], record_of(message)["reason"]) == (0, "tool_call")


def test_beside_a_providers_own_tool_an_invented_one_is_still_wrong() -> None:
    two = pair(Say("", p=None, tool_calls=[{"name": "bush", "args": {}}]), CALLS)
    message = two.cascade.bind_tools([look_up, BESIDE["bash"]]).invoke("hi")
    assert record_of(message)["reason"] == "gate_tool_call"


def test_a_call_where_none_is_allowed_escalates() -> None:
    two = pair(CALLS, SURE)
    message = two.cascade.bind_tools([look_up], tool_choice="none").invoke("hi")
    assert record_of(message)["reason"] == "gate_tool_call"


@pytest.mark.parametrize("choice", [None, "auto", "none"])
def test_text_is_fine_where_no_tool_is_required(choice: Any) -> None:
    two = pair(SURE, CALLS)
    message = two.cascade.bind_tools([look_up, book], tool_choice=choice).invoke("hi")
    assert record_of(message)["reason"] == "confident"


def test_the_wrong_one_of_two_tools_escalates() -> None:
    two = pair(Say("", p=0.99, tool_calls=[{"name": "book", "args": {"seats": 1}}]), CALLS)
    message = two.cascade.bind_tools([look_up, book], tool_choice="look_up").invoke("hi")
    assert record_of(message)["reason"] == "gate_tool_call"


@ways
async def test_a_tier_that_cannot_call_tools_is_left_out(how: str) -> None:
    two = pair(ToollessChat(SURE, model_name="cheap"), CALLS)
    message = await ask(how, two.cascade.bind_tools([look_up]))
    record = record_of(message)
    assert record["reason"] == "unable"
    assert record["tier"] == 1
    assert not two.cheap.calls
    assert record_of(two.cascade.invoke("hi"))["tier"] == 0  # without tools it serves


def test_where_no_tier_can_call_tools_binding_them_fails_at_once() -> None:
    two = pair(ToollessChat(SURE), ToollessChat(SURE))
    with pytest.raises(NotImplementedError, match="no tier"):
        two.cascade.bind_tools([look_up])


@ways
async def test_tools_given_directly_are_bound_by_each_tier_as_well(how: str) -> None:
    from langchain_core.utils.function_calling import convert_to_openai_tool

    tool = convert_to_openai_tool(look_up)
    two = pair(BAD["an unknown tool"], CALLS)
    message = await ask(how, two.cascade, tools=[tool], tool_choice="required")
    assert record_of(message)["reason"] == "gate_tool_call"
    assert two.strong.calls[0].kwargs == {"tools": [tool], "tool_choice": "required"}


def test_bound_logprobs_and_tags_of_a_tier_survive_binding_tools() -> None:
    cheap = FakeChat(Say("text", p=0.99), model_name="cheap")
    tier = cheap.bind(top_k=3).with_config(tags=["mine"])
    cascade = ChatCascade(tiers=[tier, FakeChat()])
    from tests.langchain.fakes import Runs

    runs = Runs()
    message = cascade.bind_tools([look_up]).invoke("hi", {"callbacks": [runs]})
    (seen,) = cheap.calls
    assert seen.kwargs["top_k"] == 3
    assert seen.kwargs["tools"]
    assert seen.logprobs is True
    assert "mine" in runs.of("llm")[0].tags
    assert record_of(message)["reason"] == "confident"


def test_a_retried_tier_binds_tools() -> None:
    cheap = FakeChat(CALLS, model_name="cheap")
    cascade = ChatCascade(tiers=[cheap.with_retry(stop_after_attempt=2), FakeChat()])
    message = cascade.bind_tools([look_up]).invoke("hi")
    assert message.tool_calls
    assert cheap.calls[0].kwargs["tools"]


def test_tools_may_be_bound_again_and_options_reach_every_tier() -> None:
    two = pair(Say("draft", p=0.1), CALLS)
    bound = two.cascade.bind_tools([look_up], strict=True, parallel_tool_calls=False)
    bound.invoke("hi")
    for model in (two.cheap, two.strong):
        assert model.calls[0].kwargs["strict"] is True
        assert model.calls[0].kwargs["parallel_tool_calls"] is False


def test_bound_tools_and_further_bound_arguments_go_together() -> None:
    two = pair(Say("draft", p=0.1), CALLS)
    two.cascade.bind_tools([look_up]).bind(stop=["x"]).with_config(tags=["t"]).invoke("hi")
    assert two.strong.calls[0].stop == ["x"]
    assert two.strong.calls[0].kwargs["tools"]


class Weather(BaseModel):
    """Tell the weather."""

    city: str


@pytest.mark.parametrize(
    "choice",
    [
        None,
        "auto",
        "any",
        "required",
        True,
        "Weather",
        {"type": "function", "function": {"name": "Weather"}},
        {"type": "tool", "name": "Weather"},
    ],
    ids=str,
)
def test_tools_reach_openai_and_anthropic_each_in_its_own_form(choice: Any) -> None:
    from langchain_anthropic import ChatAnthropic
    from langchain_openai import ChatOpenAI

    payloads: dict[str, Any] = {}

    class OpenAI(ChatOpenAI):
        def _generate(
            self, messages: Any, stop: Any = None, run_manager: Any = None, **kw: Any
        ) -> Any:
            payloads["openai"] = self._get_request_payload(messages, stop=stop, **kw)
            raise ConnectionError

    class Anthropic(ChatAnthropic):
        def _generate(
            self, messages: Any, stop: Any = None, run_manager: Any = None, **kw: Any
        ) -> Any:
            payloads["anthropic"] = self._get_request_payload(messages, stop=stop, **kw)
            raise ConnectionError

    cascade = ChatCascade(
        tiers=[
            OpenAI(model="gpt-4o-mini", api_key="fake"),
            Anthropic(model="claude-3-5-haiku-latest", api_key="fake"),
        ],
    )
    with pytest.raises(Exception, match="no tier of the cascade gave an answer"):
        cascade.bind_tools([Weather], tool_choice=choice).invoke("hi", stop=["END"])
    (openai_tool,) = payloads["openai"]["tools"]
    assert openai_tool["type"] == "function"
    assert openai_tool["function"]["name"] == "Weather"
    assert payloads["openai"]["logprobs"] is True
    assert payloads["openai"]["stop"] == ["END"]
    (anthropic_tool,) = payloads["anthropic"]["tools"]
    assert anthropic_tool["name"] == "Weather"
    assert "input_schema" in anthropic_tool
    assert "function" not in anthropic_tool
    assert payloads["anthropic"]["stop_sequences"] == ["END"]
    assert "logprobs" not in payloads["anthropic"]
    if choice in ("any", "required", True):
        assert payloads["openai"]["tool_choice"] == "required"
        assert payloads["anthropic"]["tool_choice"] == {"type": "any"}
    if choice == "Weather" or isinstance(choice, dict):
        assert payloads["openai"]["tool_choice"]["function"]["name"] == "Weather"
        assert payloads["anthropic"]["tool_choice"] == {"type": "tool", "name": "Weather"}


WANTED = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
FORMAT = {"type": "json_schema", "json_schema": {"name": "wanted", "schema": WANTED}}


class Wanted(BaseModel):
    """What is wanted."""

    a: int


@ways
@pytest.mark.parametrize("format_", [FORMAT, WANTED, Wanted], ids=["OpenAI's", "schema", "class"])
@pytest.mark.parametrize("text", ['{"a": "x"}', "It is 1."])
async def test_a_schema_beside_the_tools_is_what_an_answer_must_fit(
    how: str, format_: Any, text: str
) -> None:
    two = pair(Say(text), Say('{"a": 1}'))
    bound = two.cascade.bind_tools([look_up], strict=True, response_format=format_)
    assert record_of(await ask(how, bound))["reason"] == "gate_schema"
    good = pair(Say('{"a": 1}'))
    bound = good.cascade.bind_tools([look_up], strict=True, response_format=format_)
    assert record_of(await ask(how, bound))["reason"] == "confident"
    calls = pair(CALLS)
    bound = calls.cascade.bind_tools([look_up], strict=True, response_format=format_)
    assert record_of(await ask(how, bound))["reason"] == "tool_call"


@ways
@pytest.mark.parametrize(
    "asked",
    [
        {"format": WANTED},
        {"response_schema": Wanted},
        {"text": {"format": {"type": "json_schema", "schema": WANTED}}},
    ],
    ids=["Ollama", "Google", "Responses"],
)
async def test_a_schema_in_a_providers_own_words_is_what_an_answer_must_fit(
    how: str, asked: Any
) -> None:
    two = pair(Say('{"a": "x"}'), Say('{"a": 1}'))
    assert record_of(await ask(how, two.cascade.bind(**asked)))["reason"] == "gate_schema"


def test_a_tier_that_is_set_up_for_json_must_write_it() -> None:
    class Ollama(FakeChat):
        format: Any = ""

    for cheap in (
        FakeChat(Say('{"a": "x"}'), model_name="cheap").bind(response_format=FORMAT),
        Ollama(Say('{"a": "x"}'), model_name="cheap", format=WANTED),
    ):
        cascade = ChatCascade([cheap, pair().strong])
        assert record_of(cascade.invoke("hi"))["reason"] == "gate_schema"
    free = Ollama(Say("It is 1."), model_name="cheap")
    assert record_of(ChatCascade([free, pair().strong]).invoke("hi"))["reason"] == "confident"


def test_tools_nobody_binds_any_more_are_forgotten_with_what_was_made_for_them() -> None:
    (tier,) = make_tiers([FakeChat(SURE)])
    tools = BoundTools([look_up], {})
    assert tier.model(Variant(), tools) is tier.model(Variant(), tools)
    assert len(tier.with_tools) == 1
    alive = weakref.ref(tools)
    del tools
    gc.collect()
    assert alive() is None
    assert not tier.with_tools
