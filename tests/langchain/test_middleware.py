"""A cascade behind LangChain's own agents: as middleware, and as the agent's model."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import add
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import (
    AgentMiddleware,
    HumanInTheLoopMiddleware,
    ModelRetryMiddleware,
)
from langchain.agents.structured_output import ProviderStrategy, ToolStrategy
from langchain_anthropic import ChatAnthropic
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tools import tool
from langchain_groq import ChatGroq
from langchain_openai import ChatOpenAI
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, interrupt
from pydantic import BaseModel

from cascade_core import collect_decisions, flush_log
from cascade_core.errors import CascadeExhausted, CascadeWarning, ConfigurationError
from cascade_core.signals import Agreement, Judge, SelfConsistency
from langchain_cascade import CascadeMiddleware, ChatCascade
from langchain_cascade.providers import without_foreign_cache_keys
from tests.langchain.fakes import (
    FakeChat,
    ProviderError,
    Runs,
    Say,
    ToollessChat,
    answer_prompt,
    record_of,
    tokens_by_model,
    tokens_seen,
)

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")


# --- agents over two scripted tiers ---------------------------------------------------------------


@dataclass
class Desk:
    """An agent over two tiers, and every tool call it executed."""

    agent: Any
    cheap: FakeChat
    strong: FakeChat
    executed: list[str] = field(default_factory=list)


def model(says: Any, name: str) -> Any:
    return says if isinstance(says, FakeChat) else FakeChat(says, model_name=name)


def desk(
    how: str,
    cheap: Any,
    strong: Any,
    *,
    middleware: tuple[Any, ...] = (),
    bind: dict[str, Any] | None = None,
    tools: bool = True,
    agent: dict[str, Any] | None = None,
    **settings: Any,
) -> Desk:
    """Make an agent whose model's steps are decided each for itself, by middleware or its model."""
    settings = {"hold": None, **settings}
    executed: list[str] = []

    def weather(city: str) -> str:
        """Tell the weather."""
        executed.append(city)
        return f"sunny in {city}"

    tiers = [model(cheap, "cheap"), model(strong, "strong")]
    given = [tier.bind(**bind) for tier in tiers] if bind else tiers
    offered = [weather] if tools else []
    more = agent or {}
    if how == "middleware":
        unused = FakeChat(Say(error=AssertionError("the agent's own model was asked")))
        layers = [CascadeMiddleware(given, **settings), *middleware]
        made = create_agent(unused, offered, middleware=layers, **more)
    else:
        cascade = ChatCascade(tiers=given, **settings)
        made = create_agent(cascade, offered, middleware=middleware, **more)
    return Desk(made, *tiers, executed)


def asked(text: str = "weather in 'Oslo'?") -> Any:
    return {"messages": [("user", text)]}


async def run(agent: Any, way: str, text: str = "weather in 'Oslo'?", config: Any = None) -> Any:
    if way == "sync":
        return agent.invoke(asked(text), config)
    return await agent.ainvoke(asked(text), config)


async def streamed(agent: Any, way: str, mode: Any, config: Any = None) -> list[Any]:
    if way == "sync":
        return list(agent.stream(asked(), config, stream_mode=mode))
    return [item async for item in agent.astream(asked(), config, stream_mode=mode)]


def calling(name: str = "weather", **args: Any) -> Say:
    return Say("", p=None, tool_calls=[{"name": name, "args": args}])


def kinds(state: Any) -> list[str]:
    return [message.type for message in state["messages"]]


@pytest.fixture(params=["middleware", "model"])
def how(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=["sync", "async"])
def way(request: pytest.FixtureRequest) -> str:
    return request.param


# --- tool calls -----------------------------------------------------------------------------------


async def test_cheap_tool_calls_that_pass_the_gates_are_executed(how: str, way: str) -> None:
    at = desk(how, answer_prompt, answer_prompt)
    with collect_decisions() as seen:
        state = await run(at.agent, way)
    assert kinds(state) == ["human", "ai", "tool", "ai"]
    assert at.executed == ["Oslo"]
    assert [(r["reason"], r["tier"], r["accepted"]) for r in seen] == [
        ("tool_call", 0, True),
        ("confident", 0, True),
    ]
    assert not at.strong.calls


def test_accepting_tool_calls_without_a_reading_is_warned_about_once(how: str) -> None:
    at = desk(how, answer_prompt, answer_prompt)
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        for _ in range(3):
            at.agent.invoke(asked())
    told = [w for w in given if issubclass(w.category, CascadeWarning)]
    assert len(told) == 1
    assert 'on_tool_call="escalate"' in str(told[0].message)


async def test_tool_calls_without_a_reading_escalate_on_request(how: str, way: str) -> None:
    at = desk(how, answer_prompt, answer_prompt, on_tool_call="escalate")
    with collect_decisions() as seen:
        await run(at.agent, way)
    assert [(r["reason"], r["tier"]) for r in seen] == [("no_reading", 1), ("confident", 0)]
    assert at.executed == ["Oslo"]


BAD_CALLS = {
    "wrong arguments": calling(town="Bergen"),
    "an argument of another type": calling(city=["Bergen"]),
    "an unknown tool": calling("earthquake", city="Bergen"),
    "a known and an unknown tool": Say(
        "",
        p=None,
        tool_calls=[
            {"name": "weather", "args": {"city": "Bergen"}},
            {"name": "earthquake", "args": {}},
        ],
    ),
    "broken JSON": Say("", p=None, broken_calls=[{"name": "weather", "args": '{"city": "Ber'}]),
    "a good call and broken JSON": Say(
        "",
        p=None,
        tool_calls=[{"name": "weather", "args": {"city": "Bergen"}}],
        broken_calls=[{"name": "weather", "args": "{"}],
    ),
}


@pytest.mark.parametrize("bad", list(BAD_CALLS))
async def test_a_rejected_tier_executes_no_tool(how: str, way: str, bad: str) -> None:
    at = desk(how, BAD_CALLS[bad], answer_prompt)
    with collect_decisions() as seen:
        state = await run(at.agent, way)
    assert at.executed == ["Oslo"]  # what the strong tier asked for, and nothing else
    assert seen[0]["reason"] == "gate_tool_call"
    assert [c["outcome"] for c in seen[0]["calls"]] == ["rejected", "returned"]
    assert "Bergen" not in str(state["messages"])
    assert "earthquake" not in str(state["messages"])


async def test_an_agent_escalates_turn_by_turn(how: str, way: str) -> None:
    at = desk(how, [calling(city="Oslo"), Say("perhaps rain", p=0.2)], "sunny, surely")
    with collect_decisions() as seen:
        state = await run(at.agent, way)
    assert [(r["tier"], r["model"]) for r in seen] == [(0, "cheap"), (1, "strong")]
    assert state["messages"][-1].content == "sunny, surely"
    assert record_of(state["messages"][1])["tier"] == 0
    assert record_of(state["messages"][3])["tier"] == 1
    assert len(at.strong.calls) == 1


async def test_final_answers_are_judged_by_their_logprobs(how: str, way: str) -> None:
    at = desk(how, Say("sunny", p=0.95), "never asked", tools=False)
    state = await run(at.agent, way)
    record = record_of(state["messages"][-1])
    assert record["reason"] == "confident"
    assert record["confidence"] == pytest.approx(0.95)
    assert at.cheap.calls[0].logprobs
    assert "logprobs" not in state["messages"][-1].response_metadata  # nobody asked for them


@pytest.mark.parametrize("choice", ["any", "required", "weather"])
async def test_a_required_tool_that_is_not_called_escalates(way: str, choice: str) -> None:
    class Require(AgentMiddleware):
        """Asks for a tool in the first turn."""

        def _with(self, request: Any) -> Any:
            first = len(request.messages) == 1
            return request.override(tool_choice=choice) if first else request

        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            return handler(self._with(request))

        async def awrap_model_call(self, request: Any, handler: Any) -> Any:
            return await handler(self._with(request))

    executed: list[str] = []

    def weather(city: str) -> str:
        """Tell the weather."""
        executed.append(city)
        return "sunny"

    tiers = [FakeChat(Say("no need for tools", p=1.0)), FakeChat(answer_prompt)]
    layers = [Require(), CascadeMiddleware(tiers)]
    agent = create_agent(FakeChat(), [weather], middleware=layers)
    with collect_decisions() as seen:
        await run(agent, way)
    assert seen[0]["reason"] == "gate_tool_call"
    assert executed == ["Oslo"]
    assert seen[1]["reason"] == "held"


async def test_a_tier_that_cannot_call_tools_is_passed_over(how: str, way: str) -> None:
    at = desk(how, ToollessChat("no tools here", model_name="cheap"), answer_prompt)
    with collect_decisions() as seen:
        await run(at.agent, way)
    assert [r["reason"] for r in seen] == ["unable", "unable"]
    assert not at.cheap.calls


# --- structured responses -------------------------------------------------------------------------


class Forecast(BaseModel):
    """A forecast."""

    city: str
    degrees: int


GOOD = {"city": "Oslo", "degrees": 7}
PLAIN = {
    "title": "Forecast",
    **{k: v for k, v in Forecast.model_json_schema().items() if k != "title"},
}
UNNAMED = {k: v for k, v in PLAIN.items() if k != "title"}


def forecast(args: Any, *, by_tool: bool) -> Any:
    if by_tool:
        return lambda _, kwargs: calling(kwargs["tools"][-1]["function"]["name"], **args)
    return Say(json.dumps(args), p=0.99)


FORMATS: dict[str, tuple[Any, bool]] = {
    "tool": (lambda: ToolStrategy(Forecast), True),
    "tool, errors raised": (lambda: ToolStrategy(Forecast, handle_errors=False), True),
    "provider": (lambda: ProviderStrategy(Forecast), False),
    "LangChain's choice": (lambda: Forecast, True),
    "tool, plain schema": (lambda: ToolStrategy(PLAIN), True),
    "provider, plain schema": (lambda: ProviderStrategy(PLAIN), False),
    "LangChain's choice, plain schema": (lambda: PLAIN, True),
    "LangChain's choice, schema without a name": (lambda: UNNAMED, True),
}


@pytest.mark.parametrize("of", list(FORMATS))
@pytest.mark.parametrize("tools", [True, False], ids=["tools", "no tools"])
async def test_a_structured_response_is_accepted_from_the_cheap_tier(
    how: str, of: str, tools: bool
) -> None:
    way = "async" if tools else "sync"
    make, by_tool = FORMATS[of]
    cheap = forecast(GOOD, by_tool=by_tool)
    at = desk(how, cheap, "never", tools=tools, agent={"response_format": make()})
    with collect_decisions() as seen:
        state = await run(at.agent, way)
    got = state["structured_response"]
    assert (got if isinstance(got, dict) else got.model_dump()) == GOOD
    (record,) = seen
    assert (record["tier"], record["accepted"]) == (0, True)
    assert not at.strong.calls


@pytest.mark.parametrize("of", [of for of in FORMATS if "without a name" not in of])
async def test_a_structured_response_that_does_not_validate_escalates(way: str, of: str) -> None:
    make, by_tool = FORMATS[of]
    cheap = forecast({"city": "Oslo", "degrees": "warm"}, by_tool=by_tool)
    strong = forecast(GOOD, by_tool=by_tool)
    at = desk("middleware", cheap, strong, agent={"response_format": make()})
    with collect_decisions() as seen:
        state = await run(at.agent, way)
    got = state["structured_response"]
    assert (got if isinstance(got, dict) else got.model_dump()) == GOOD
    (record,) = seen
    assert record["reason"] in {"gate_parser", "gate_tool_call", "gate_schema"}
    assert [(c["model"], c["outcome"]) for c in record["calls"]] == [
        ("cheap", "rejected"),
        ("strong", "returned"),
    ]
    assert all(c["usage"]["input_tokens"] for c in record["calls"])
    assert len([m for m in state["messages"] if m.type == "ai"]) == 1


async def test_text_in_place_of_a_structured_response_escalates(way: str) -> None:
    cheap = Say("it will be warm, I think", p=1.0)
    at = desk(
        "middleware", cheap, forecast(GOOD, by_tool=True), agent={"response_format": Forecast}
    )
    with collect_decisions() as seen:
        state = await run(at.agent, way)
    assert seen[0]["reason"] == "gate_parser"
    assert state["structured_response"] == Forecast(**GOOD)


async def test_the_last_tiers_bad_structured_response_is_retried_as_without_a_cascade(
    way: str,
) -> None:
    bad, good = {"city": "Oslo", "degrees": "warm"}, forecast(GOOD, by_tool=True)
    first = forecast(bad, by_tool=True)
    strong = FakeChat(lambda m, k: (good if len(m) > 1 else first)(m, k), model_name="strong")
    cheap = Say(error=ProviderError())
    at = desk("middleware", cheap, strong, agent={"response_format": ToolStrategy(Forecast)})
    with collect_decisions() as seen:
        state = await run(at.agent, way)
    assert state["structured_response"] == Forecast(**GOOD)
    assert [r["tier"] for r in seen] == [1, 1]


async def test_no_tier_with_a_valid_structured_response_is_an_error_that_names_them(
    way: str,
) -> None:
    bad = forecast({"city": 1}, by_tool=False)
    at = desk("middleware", bad, bad, agent={"response_format": ProviderStrategy(Forecast)})
    with pytest.raises(CascadeExhausted, match="StructuredOutputValidationError") as caught:
        await run(at.agent, way)
    assert [call.outcome for call in caught.value.trail] == ["rejected", "failed"]
    assert all(call.usage is not None for call in caught.value.trail)


# --- failures and interrupts ----------------------------------------------------------------------


async def test_a_failing_tier_escalates(how: str, way: str) -> None:
    at = desk(how, Say(error=ProviderError(status_code=500)), "good", tools=False)
    with collect_decisions() as seen:
        state = await run(at.agent, way)
    assert state["messages"][-1].content == "good"
    (record,) = seen
    assert record["reason"] == "failed"
    assert [c["outcome"] for c in record["calls"]] == ["failed", "returned"]


async def test_when_every_tier_fails_the_error_carries_each_cause(how: str, way: str) -> None:
    cheap, strong = ProviderError("secret", 429), ProviderError("secret", 500)
    at = desk(how, Say(error=cheap), Say(error=strong), tools=False)
    with pytest.raises(CascadeExhausted) as caught:
        await run(at.agent, way)
    assert [error for _, error in caught.value.causes] == [cheap, strong]
    assert "secret" not in str(caught.value)


async def test_an_agent_that_cannot_ask_a_model_says_so_itself(way: str) -> None:
    @tool
    def added_late() -> str:
        """Is not known to the agent's tool node."""
        return ""

    class Adds(AgentMiddleware):
        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            return handler(request.override(tools=[*request.tools, added_late]))

        async def awrap_model_call(self, request: Any, handler: Any) -> Any:
            return await handler(request.override(tools=[*request.tools, added_late]))

    cheap, strong = FakeChat("never asked"), FakeChat("never asked")
    cascade = CascadeMiddleware(tiers=[cheap, strong])
    agent = create_agent(FakeChat("unused"), [], middleware=[Adds(), cascade])
    with pytest.raises(ValueError, match="Unknown tools") as caught:
        await run(agent, way)
    assert not isinstance(caught.value, CascadeExhausted)
    assert not cheap.calls
    assert not strong.calls


async def test_a_model_that_cannot_stream_is_asked_itself(how: str, way: str) -> None:
    class Counting(GenericFakeChatModel):
        asked: int = 0

        def _generate(self, *args: Any, **kwargs: Any) -> Any:
            self.asked += 1
            return super()._generate(*args, **kwargs)

    class Whole(Counting):
        _stream = BaseChatModel._stream

    model = Whole(messages=iter([AIMessage("good")]))
    tiers, settings = (
        [model, FakeChat("strong")],
        {"signals": [lambda request, draft: 1.0], "thresholds": [0.5]},
    )
    made: Any = {"middleware": CascadeMiddleware, "model": ChatCascade}[how](tiers, **settings)
    agent = (
        create_agent(FakeChat("unused"), middleware=[made])
        if how == "middleware"
        else create_agent(made)
    )
    assert (await run(agent, way))["messages"][-1].content == "good"
    assert model.asked == 1


async def test_the_best_draft_is_served_when_asked_for(way: str) -> None:
    at = desk(
        "middleware", Say("a guess", p=0.4), Say(error=ProviderError()), tools=False,
        on_exhausted="best_draft",
    )  # fmt: skip
    state = await run(at.agent, way)
    assert state["messages"][-1].content == "a guess"
    assert record_of(state["messages"][-1])["reason"] == "best_draft"


async def test_a_refusal_of_logprobs_is_met_by_asking_without(way: str) -> None:
    class Refusing(FakeChat):
        def _say(self, messages: Any, stop: Any, kwargs: Any, *, streamed: bool) -> Say:
            say = super()._say(messages, stop, kwargs, streamed=streamed)
            if self.logprobs:
                raise ProviderError("logprobs are not supported", 400)
            return say

    at = desk("middleware", Refusing(answer_prompt, model_name="cheap"), answer_prompt)
    with collect_decisions() as seen:
        await run(at.agent, way)
    outcomes = [(c["model"], c["outcome"]) for c in seen[0]["calls"]]
    assert outcomes == [("cheap", "failed"), ("cheap", "accepted")]
    assert at.executed == ["Oslo"]


@pytest.mark.parametrize("when", ["before", "after"])
async def test_an_interrupt_in_a_model_turn_is_not_a_failed_tier(way: str, when: str) -> None:
    class Ask(AgentMiddleware):
        """Asks a person before or after the model."""

        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            if when == "before":
                interrupt("may I?")
            response = handler(request)
            if when == "after":
                interrupt("may I?")
            return response

        async def awrap_model_call(self, request: Any, handler: Any) -> Any:
            if when == "before":
                interrupt("may I?")
            response = await handler(request)
            if when == "after":
                interrupt("may I?")
            return response

    at = desk(
        "middleware", "sure", "strong", tools=False, middleware=(Ask(),),
        agent={"checkpointer": InMemorySaver()},
    )  # fmt: skip
    config = {"configurable": {"thread_id": "1"}}
    state = await run(at.agent, way, config=config)
    assert [i.value for i in state["__interrupt__"]] == ["may I?"]
    assert len(at.cheap.calls) == (when == "after")
    resume = Command(resume="yes")
    if way == "sync":
        state = at.agent.invoke(resume, config)
    else:
        state = await at.agent.ainvoke(resume, config)
    assert state["messages"][-1].content == "sure"
    assert not at.strong.calls


async def test_a_person_approves_the_accepted_tool_call_only(how: str, way: str) -> None:
    at = desk(
        how, calling("earthquake"), answer_prompt,
        middleware=(HumanInTheLoopMiddleware(interrupt_on={"weather": True}),),
        agent={"checkpointer": InMemorySaver()},
    )  # fmt: skip
    config = {"configurable": {"thread_id": "1"}}
    state = await run(at.agent, way, config=config)
    (waiting,) = state["__interrupt__"]
    assert [action["name"] for action in waiting.value["action_requests"]] == ["weather"]
    assert at.executed == []
    resume = Command(resume={"decisions": [{"type": "approve"}]})
    if way == "sync":
        at.agent.invoke(resume, config)
    else:
        await at.agent.ainvoke(resume, config)
    assert at.executed == ["Oslo"]


async def test_a_tool_may_interrupt_and_go_on(how: str, way: str) -> None:
    answers: list[str] = []

    @tool
    def confirm(city: str) -> str:
        """Ask a person."""
        answers.append(interrupt(f"really {city}?"))
        return answers[-1]

    tiers = [FakeChat(answer_prompt), FakeChat(answer_prompt)]
    saver = InMemorySaver()
    if how == "middleware":
        agent = create_agent(
            FakeChat(), [confirm], middleware=[CascadeMiddleware(tiers)], checkpointer=saver
        )
    else:
        agent = create_agent(ChatCascade(tiers=tiers), [confirm], checkpointer=saver)
    config: Any = {"configurable": {"thread_id": "1"}}
    state = await run(agent, way, config=config)
    assert state["__interrupt__"][0].value == "really Oslo?"
    resume = Command(resume="go ahead")
    state = agent.invoke(resume, config) if way == "sync" else await agent.ainvoke(resume, config)
    assert answers == ["go ahead"]
    assert state["messages"][-1].content == "you said: go ahead"


# --- what is shown --------------------------------------------------------------------------------

ACCEPTED = Say("sunny in Oslo today", p=0.99)
REJECTED = Say("a draft nobody trusts", p=0.1)
STRONG = Say("sunny in Oslo tomorrow")


def shown_text(items: list[Any]) -> str:
    return "".join(str(m.content) for m, _ in items if m.type in {"ai", "AIMessageChunk"})


@pytest.mark.parametrize("cheap", [ACCEPTED, REJECTED], ids=["accepted", "escalated"])
async def test_message_streams_show_the_answer_once_and_no_draft(
    how: str, way: str, cheap: Say
) -> None:
    at = desk(how, cheap, STRONG, tools=False)
    items = await streamed(at.agent, way, "messages")
    assert shown_text(items) == (ACCEPTED if cheap is ACCEPTED else STRONG).text
    assert len({m.id for m, _ in items if m.type != "human"}) == 1


async def test_message_streams_show_every_turn_of_a_tool_loop_once(how: str, way: str) -> None:
    at = desk(how, [calling("earthquake"), REJECTED], [calling(city="Oslo"), STRONG])
    items = await streamed(at.agent, way, "messages")
    assert shown_text(items) == STRONG.text
    names = [c["name"] for m, _ in items for c in getattr(m, "tool_call_chunks", ()) if c["name"]]
    names += [c["name"] for m, _ in items if m.type == "ai" for c in m.tool_calls]
    assert names == ["weather"]


async def test_the_last_tier_is_streamed_word_by_word(way: str) -> None:
    at = desk("middleware", REJECTED, STRONG, tools=False)
    items = await streamed(at.agent, way, "messages")
    assert [str(m.content) for m, _ in items if m.content] == ["sunny ", "in ", "Oslo ", "tomorrow"]
    assert at.strong.calls[0].streamed
    assert not at.cheap.calls[0].streamed


async def test_updates_carry_the_record_of_each_turn(how: str, way: str) -> None:
    at = desk(how, [calling(city="Oslo"), REJECTED], STRONG)
    updates = await streamed(at.agent, way, "updates")
    assert [list(u) for u in updates] == [["model"], ["tools"], ["model"]]
    records = [record_of(u["model"]["messages"][-1]) for u in updates if "model" in u]
    assert [r["tier"] for r in records] == [0, 1]
    json.dumps(records)


async def test_values_hold_no_draft(how: str, way: str) -> None:
    at = desk(how, REJECTED, STRONG, tools=False)
    values = await streamed(at.agent, way, "values")
    assert values[-1]["messages"][-1].content == STRONG.text
    assert REJECTED.text not in str(values)


async def test_several_modes_at_once_agree(how: str, way: str) -> None:
    at = desk(how, ACCEPTED, STRONG, tools=False)
    items = await streamed(at.agent, way, ["messages", "updates", "values"])
    assert shown_text([item for mode, item in items if mode == "messages"]) == ACCEPTED.text
    assert {mode for mode, _ in items} == {"messages", "updates", "values"}


# --- accounting -----------------------------------------------------------------------------------


def sums(records: list[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    total: dict[str, tuple[int, int]] = {}
    for record in records:
        for name, (read, written) in tokens_by_model(record).items():
            before = total.get(name, (0, 0))
            total[name] = (before[0] + read, before[1] + written)
    return total


def judge(letter: str = "A") -> FakeChat:
    return FakeChat(letter, model_name="judge")


def other() -> FakeChat:
    return FakeChat(answer_prompt, model_name="other")


COUNTED: dict[str, Callable[[], tuple[Any, Any, dict[str, Any]]]] = {
    "accepted": lambda: (answer_prompt, answer_prompt, {}),
    "escalated": lambda: ([calling("no"), REJECTED], [calling(city="Oslo"), STRONG], {}),
    "judged": lambda: (answer_prompt, STRONG, {"signals": [Judge(judge())]}),
    "judged and rejected": lambda: (REJECTED, STRONG, {"signals": [Judge(judge("B"))]}),
    "sampled": lambda: (REJECTED, STRONG, {"signals": [SelfConsistency(3)]}),
    "agreed": lambda: (answer_prompt, STRONG, {"signals": [Agreement(other())]}),
    "agreed early": lambda: (answer_prompt, STRONG, {"signals": [Agreement(other(), eager=True)]}),
}


@pytest.mark.parametrize("case", list(COUNTED))
@pytest.mark.parametrize("mode", ["run", "messages"])
async def test_usage_handlers_count_what_the_records_count(
    how: str, way: str, case: str, mode: str
) -> None:
    cheap, strong, settings = COUNTED[case]()
    at = desk(how, cheap, strong, **settings)
    handler = UsageMetadataCallbackHandler()
    config = {"callbacks": [handler]}
    with collect_decisions() as seen:
        if mode == "run":
            await run(at.agent, way, config=config)
        else:
            await streamed(at.agent, way, "messages", config)
    assert seen
    assert tokens_seen(handler) == sums(seen)


async def test_every_turn_of_a_judge_is_in_the_trail_and_out_of_the_stream(
    how: str, way: str
) -> None:
    at = desk(how, Say("a good draft", p=None), STRONG, tools=False, signals=[Judge(judge("A"))])
    with collect_decisions() as seen:
        items = await streamed(at.agent, way, "messages")
    assert shown_text(items) == "a good draft"
    (record,) = seen
    assert {"judge"} == {c["model"] for c in record["calls"] if c["purpose"] == "judge"}
    assert record["reason"] == "confident"


async def test_samples_run_through_the_turn_without_executing_tools(how: str, way: str) -> None:
    at = desk(how, calling(city="Oslo"), STRONG, signals=[SelfConsistency(3)], agent={})
    at.cheap.says = lambda m, _: calling(city="Oslo") if m[-1].type == "human" else Say("warm")
    with collect_decisions() as seen:
        await run(at.agent, way)
    purposes = [c["purpose"] for c in seen[0]["calls"]]
    assert purposes[0] == "draft"
    assert set(purposes[1:]) == {"sample"}
    assert at.executed == ["Oslo"]
    assert seen[0]["tier"] == 0


async def test_a_seeded_tier_is_sampled_with_other_seeds(way: str) -> None:
    cheap = FakeChat("same", model_name="cheap", seed=7)
    at = desk("middleware", cheap, STRONG, tools=False, signals=[SelfConsistency(3)])
    await run(at.agent, way)
    seeds = [call.kwargs.get("seed") for call in at.cheap.calls]
    assert seeds[0] is None  # the draft keeps the model's own
    assert sorted(seeds[1:]) == list(range(8, 8 + len(seeds) - 1))


async def test_a_cascade_may_be_a_tier_and_its_calls_are_counted_once(way: str) -> None:
    inner = ChatCascade(
        tiers=[FakeChat(Say("no", p=0.1), model_name="a"), FakeChat("yes", model_name="b")]
    )
    signals = [lambda request, draft: 0.9]
    layer = CascadeMiddleware([inner, FakeChat(STRONG)], signals=signals)
    agent = create_agent(FakeChat(), [], middleware=[layer])
    handler = UsageMetadataCallbackHandler()
    with collect_decisions() as seen:
        await run(agent, way, config={"callbacks": [handler]})
    outer = seen[-1]
    assert [(c["model"], c["outcome"]) for c in outer["calls"]] == [
        ("a", "rejected"),
        ("b", "accepted"),
    ]
    assert tokens_seen(handler) == tokens_by_model(outer)


async def test_retries_inside_the_cascade_are_all_in_the_trail(way: str) -> None:
    says = [Say(error=ProviderError()), Say("second try", p=0.99)]
    retry = ModelRetryMiddleware(max_retries=2, initial_delay=0, jitter=False)
    at = desk("middleware", FakeChat(says, model_name="cheap"), STRONG, tools=False,
              middleware=(retry,))  # fmt: skip
    with collect_decisions() as seen:
        state = await run(at.agent, way)
    assert state["messages"][-1].content == "second try"
    assert [c["outcome"] for c in seen[0]["calls"]] == ["failed", "accepted"]


# --- settings of the agent and of the tiers -------------------------------------------------------


async def test_model_settings_reach_every_tier(way: str) -> None:
    class Settle(AgentMiddleware):
        """Sets a temperature."""

        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            return handler(request.override(model_settings={"temperature": 0.3}))

        async def awrap_model_call(self, request: Any, handler: Any) -> Any:
            return await handler(request.override(model_settings={"temperature": 0.3}))

    tiers = [FakeChat(REJECTED), FakeChat(STRONG)]
    agent = create_agent(FakeChat(), [], middleware=[Settle(), CascadeMiddleware(tiers)])
    await run(agent, way)
    assert [tier.calls[0].kwargs["temperature"] for tier in tiers] == [0.3, 0.3]


async def test_what_is_bound_to_a_tier_is_applied(how: str, way: str) -> None:
    at = desk(how, REJECTED, answer_prompt, bind={"user": "me", "stop": ["trusts"]})
    await run(at.agent, way)
    assert at.cheap.calls[0].kwargs["user"] == "me"
    assert at.cheap.calls[0].stop == ["trusts"]
    assert at.strong.calls[0].kwargs["user"] == "me"
    assert at.strong.calls[0].kwargs["tools"]


async def test_a_tiers_own_callbacks_tags_and_metadata_are_kept(how: str, way: str) -> None:
    runs = Runs()
    cheap = FakeChat(ACCEPTED, tags=["own"])
    given = cheap.with_config(callbacks=[runs], tags=["bound"], metadata={"team": "desk"})
    if how == "middleware":
        agent = create_agent(FakeChat(), [], middleware=[CascadeMiddleware([given, FakeChat()])])
    else:
        agent = create_agent(ChatCascade(tiers=[given, FakeChat()]), [])
    await run(agent, way)
    (seen,) = runs.of("llm")
    assert {"own", "bound", "cascade:tier:0", "cascade:draft", "nostream"} <= set(seen.tags)
    assert seen.metadata["team"] == "desk"
    assert seen.ended == "ok"


def test_the_callers_models_are_left_as_they_were() -> None:
    at = desk("middleware", REJECTED, STRONG, tools=False)
    before = [(t.tags, t.callbacks, t.logprobs, t.disable_streaming) for t in (at.cheap, at.strong)]
    at.agent.invoke(asked())
    after = [(t.tags, t.callbacks, t.logprobs, t.disable_streaming) for t in (at.cheap, at.strong)]
    assert before == after


async def test_the_systems_prompt_reaches_every_tier(how: str, way: str) -> None:
    at = desk(how, REJECTED, STRONG, tools=False, agent={"system_prompt": "be brief"})
    await run(at.agent, way)
    for tier in (at.cheap, at.strong):
        assert tier.calls[0].messages[0].content == "be brief"


async def test_the_class_of_a_request_is_read_from_the_callers_metadata(way: str) -> None:
    at = desk("middleware", ACCEPTED, STRONG, tools=False)
    with collect_decisions() as seen:
        await run(at.agent, way, config={"metadata": {"cascade_class": "weather"}})
    assert seen[0]["class"] == "weather"


async def test_shadow_mode_serves_the_strong_tier(way: str) -> None:
    at = desk("middleware", ACCEPTED, STRONG, tools=False, mode="shadow")
    items = await streamed(at.agent, way, "messages")
    assert shown_text(items) == STRONG.text
    await asyncio.to_thread(flush_log)
    assert at.cheap.calls


def test_middleware_inside_sees_the_tiers_own_model() -> None:
    seen: list[str] = []

    class Look(AgentMiddleware):
        """Notes which model is asked."""

        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            seen.append(request.model.model_name)
            return handler(request)

    desk("middleware", REJECTED, STRONG, tools=False, middleware=(Look(),)).agent.invoke(asked())
    assert seen == ["cheap", "strong"]


def test_state_updates_of_a_rejected_turn_are_dropped() -> None:
    from langchain.agents.middleware import AgentState, ExtendedModelResponse

    class State(AgentState):
        noted: Annotated[list[str], add]

    class Note(AgentMiddleware):
        """Writes down who was asked."""

        state_schema = State

        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            update = {"noted": [request.model.model_name]}
            return ExtendedModelResponse(handler(request), command=Command(update=update))

    at = desk("middleware", REJECTED, STRONG, tools=False, middleware=(Note(),))
    assert at.agent.invoke(asked())["noted"] == ["strong"]


# --- what cannot work -----------------------------------------------------------------------------


def refused(*args: Any, **kwargs: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        CascadeMiddleware(*args, **kwargs)
    return str(caught.value)


def test_a_retried_tier_is_refused_with_what_to_do_instead() -> None:
    told = refused([FakeChat(), FakeChat().with_retry()])
    assert "tiers[1]" in told
    assert "ModelRetryMiddleware" in told


def test_a_tier_with_fallbacks_is_refused() -> None:
    assert "tiers[0]" in refused([FakeChat().with_fallbacks([FakeChat()]), FakeChat()])


def test_a_tier_with_tools_of_its_own_is_refused() -> None:
    def weather(city: str) -> str:
        """Tell the weather."""
        return city

    told = refused([FakeChat(), FakeChat().bind_tools([weather])])
    assert "tiers[1]" in told
    assert "tools" in told


def test_settings_are_checked_without_quoting_them() -> None:
    assert "did you mean thresholds=" in refused([FakeChat(), FakeChat()], treshold=[0.5])
    assert "tiers=" in refused("sk-1")
    told = refused([FakeChat(), FakeChat()], log_content="sk-secret")
    assert "log_content" in told
    assert "sk-secret" not in told


# --- prompt-caching marks -------------------------------------------------------------------------

MARK = {"type": "ephemeral"}


@tool(extras={"cache_control": MARK, "kept": 1})
def marked(city: str) -> str:
    """Tell the weather."""
    return city


def marked_request(**settings: Any) -> Any:
    from langchain.agents.middleware import ModelRequest

    block = {"type": "text", "text": "hi", "cache_control": MARK}
    hidden = {"type": "text", "text": "ho", "extras": {"cache_control": MARK, "kept": 1}}
    dict_tool = {"type": "function", "function": {"name": "f"}, "cache_control": MARK}
    return ModelRequest(
        model=FakeChat(),
        messages=[HumanMessage([block]), HumanMessage("plain"), AIMessage([hidden])],
        system_message=SystemMessage([block]),
        tools=[marked, dict_tool],
        model_settings={"cache_control": MARK, "temperature": 0, **settings},
    )


def anthropic() -> Any:
    return ChatAnthropic(model="claude-sonnet-4-5", api_key="k")


def openai() -> Any:
    return ChatOpenAI(model="gpt-4o", api_key="k")


def test_cache_marks_are_kept_for_anthropic() -> None:
    request = marked_request()
    assert without_foreign_cache_keys(request, anthropic()) is request


@pytest.mark.parametrize(
    "other", [openai, lambda: ChatGroq(model="llama-3.1-8b-instant", api_key="k"), FakeChat]
)
def test_cache_marks_do_not_cross_to_another_provider(other: Callable[[], Any]) -> None:
    request = marked_request()
    clean = without_foreign_cache_keys(request, other())
    assert clean.model_settings == {"temperature": 0}
    everything = [clean.system_message, *clean.messages, clean.tools]
    assert "cache_control" not in repr(everything)
    assert clean.messages[1] is request.messages[1]
    assert clean.messages[2].content[0]["extras"] == {"kept": 1}
    assert clean.tools[0].extras == {"kept": 1}
    assert "cache_control" in repr([request.system_message, request.messages, request.tools])
    assert marked.extras == {"cache_control": MARK, "kept": 1}


def test_a_request_without_marks_is_passed_on_as_it_is() -> None:
    from langchain.agents.middleware import ModelRequest

    request = ModelRequest(
        model=FakeChat(), messages=[HumanMessage([{"type": "text", "text": ""}])]
    )
    assert without_foreign_cache_keys(request, openai()) is request


def test_openais_cache_settings_stay_with_openai() -> None:
    keys = {"prompt_cache_key": "k1", "prompt_cache_retention": "24h"}
    request = marked_request(**keys)
    kept = without_foreign_cache_keys(request, openai()).model_settings
    assert kept == {"temperature": 0, **keys}
    assert not keys.keys() & without_foreign_cache_keys(request, anthropic()).model_settings.keys()


async def test_marks_of_outer_middleware_do_not_reach_another_providers_tier(way: str) -> None:
    class Mark(AgentMiddleware):
        """Marks everything for Anthropic's prompt cache."""

        def _marked(self, request: Any) -> Any:
            given = marked_request()
            return request.override(
                model_settings=given.model_settings,
                messages=given.messages,
                system_message=given.system_message,
            )

        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            return handler(self._marked(request))

        async def awrap_model_call(self, request: Any, handler: Any) -> Any:
            return await handler(self._marked(request))

    class ChatAnthropicBedrock(FakeChat):
        """Known by its class's name."""

    cheap, strong = ChatAnthropicBedrock(REJECTED), FakeChat(STRONG)
    signals = [lambda request, draft: 0.0]
    layers = [Mark(), CascadeMiddleware([cheap, strong], signals=signals)]
    agent = create_agent(FakeChat(), [marked], middleware=layers)
    await run(agent, way)
    ours, theirs = cheap.calls[0], strong.calls[0]
    assert "cache_control" in ours.kwargs
    assert "cache_control" in str(ours.messages)
    assert "cache_control" not in theirs.kwargs
    assert "cache_control" not in str(theirs.messages)


# --- concurrency ----------------------------------------------------------------------------------


def echoing(p_of: Callable[[int], float]) -> Any:
    """Call a tool with the number asked for, then repeat what the tool said."""

    def script(messages: list[Any], kwargs: dict[str, Any]) -> Say:
        del kwargs
        said = str(messages[-1].content)
        if messages[-1].type == "human":
            return calling(city=said)
        number = int(said.rsplit("-", 1)[1])
        return Say(f"answer {said}", p=p_of(number), delay=0.002 * (number % 3))

    return script


@pytest.mark.simulation
async def test_fifty_agents_at_once_mix_nothing_up(how: str) -> None:
    at = desk(how, echoing(lambda n: 0.99 if n % 2 else 0.1), echoing(lambda n: 0.99))

    async def one(number: int) -> None:
        handler = UsageMetadataCallbackHandler()
        with collect_decisions() as seen:
            state = await run(at.agent, "async", f"city-{number}", {"callbacks": [handler]})
        assert state["messages"][-1].content == f"answer sunny in city-{number}"
        assert [r["tier"] for r in seen] == [0, 0 if number % 2 else 1]
        assert record_of(state["messages"][-1]) == seen[1]
        assert tokens_seen(handler) == sums(seen)

    await asyncio.gather(*(one(number) for number in range(50)))
    assert sorted(at.executed) == sorted(f"city-{n}" for n in range(50))


@pytest.mark.simulation
def test_fifty_agents_in_threads_mix_nothing_up(how: str) -> None:
    at = desk(how, echoing(lambda n: 0.99 if n % 2 else 0.1), echoing(lambda n: 0.99))
    states = at.agent.batch([asked(f"city-{n}") for n in range(50)], {"max_concurrency": 16})
    for number, state in enumerate(states):
        assert state["messages"][-1].content == f"answer sunny in city-{number}"
        assert record_of(state["messages"][-1])["tier"] == (0 if number % 2 else 1)


# --- handing off ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["nobody", "function", "model"])
async def test_a_doubtful_answer_of_the_last_tier_is_handed_off(
    how: str, way: str, kind: str
) -> None:
    def queue(request: Any, draft: Any) -> str:
        return f"a person, asked {request.question}"

    human = FakeChat("of the human model", model_name="human")
    handler = {"nobody": None, "function": queue, "model": human}[kind]
    settings = {"thresholds": [0.9, 0.8], "on_handoff": handler}
    at = desk(how, Say("cheap", p=0.3), Say("strong", p=0.4), tools=False, **settings)
    state = await run(at.agent, way, "hi")
    said = {"nobody": "strong", "function": "a person, asked hi", "model": "of the human model"}
    assert state["messages"][-1].text == said[kind]
    record = record_of(state["messages"][-1])
    assert (record["handoff"], record["tier"], record["accepted"]) == (True, 1, False)
    to = {"nobody": None, "function": "queue", "model": "human"}
    assert record.get("handed_to") == to[kind]
    assert kinds(state) == ["human", "ai"]


async def test_a_sure_answer_and_tool_calls_of_the_last_tier_are_not_handed_off(
    how: str, way: str
) -> None:
    def queue(request: Any, draft: Any) -> str:
        raise AssertionError("nobody was to be asked")

    strong = [calling(city="Oslo"), Say("sunny", p=0.95)]
    settings: dict[str, Any] = {
        "thresholds": [0.9, 0.8],
        "on_handoff": queue,
        "on_tool_call": "gates",
    }
    at = desk(how, Say("cheap", p=0.3), strong, **settings)
    with collect_decisions() as seen:
        state = await run(at.agent, way)
    assert at.executed == ["Oslo"]
    assert state["messages"][-1].text == "sunny"
    assert [record["tier"] for record in seen] == [1, 1]
    assert not any("handoff" in record for record in seen)
