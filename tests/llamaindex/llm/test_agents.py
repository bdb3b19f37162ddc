"""A cascade as the model of LlamaIndex's own agents."""

from __future__ import annotations

import json
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from llama_index.core.agent.react import ReActChatFormatter, ReActOutputParser
from llama_index.core.agent.workflow import (
    AgentOutput,
    AgentStream,
    AgentWorkflow,
    CodeActAgent,
    FunctionAgent,
    ReActAgent,
    ToolCallResult,
)
from llama_index.core.base.llms.types import ToolCallBlock
from llama_index.core.llms import ChatMessage, ChatResponse, MessageRole, TextBlock
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAI
from llama_index.llms.openai.utils import to_openai_message_dicts

from cascade_core import collect_decisions
from llamaindex_cascade import CascadeLLM
from tests.llamaindex import watched
from tests.llamaindex.fakes import PRICES, FakeLLM, Say, Seen, cheap, strong
from tests.llamaindex.watched import ACCEPTED, ESCALATED, outcomes, trail

pytestmark = [
    pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning"),
    # LlamaIndex's workflows look through all attributes of a pydantic model.
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince20"),
    pytest.mark.filterwarnings("ignore::pydantic.PydanticDeprecatedSince211"),
]


Pair = partial(watched.Pair, hold=None)
"""Agents whose steps are decided each for itself; those that hold are in tests/parity."""


def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


WEATHER = FunctionTool.from_defaults(weather)
ADD = FunctionTool.from_defaults(add)

OSLO = Say(tool_calls=[("weather", {"city": "Oslo"})])
BAD = Say(tool_calls=[("weather", {"town": "Oslo"})])
DONE = Say("It is sunny")
STRONG_DONE = Say("It is sunny, and I am strong")


def by_turn(*said: Say) -> Any:
    """A model that says the n-th thing once n tools have answered."""

    def say(seen: Seen) -> Say:
        done = sum(message.role == MessageRole.TOOL for message in seen.messages)
        return said[min(done, len(said) - 1)]

    return say


streamed_or_not = pytest.mark.parametrize("streaming", [True, False])


class TestAFunctionAgent:
    @streamed_or_not
    async def test_calls_tools_and_answers_with_the_cheap_tier(self, streaming: bool) -> None:
        two = Pair(by_turn(OSLO, DONE))
        agent = FunctionAgent(tools=[weather], llm=two.cascade, streaming=streaming)
        with collect_decisions() as seen:
            answer = await agent.run("weather in Oslo?")
        assert str(answer) == "It is sunny"
        assert [result.tool_output.content for result in answer.tool_calls] == ["sunny in Oslo"]
        assert trail(seen) == [(0, "tool_call"), (0, "confident")]
        assert [outcomes(record) for record in seen] == [ACCEPTED, ACCEPTED]
        assert two.asked == (2, 0)
        assert two.adds_up(seen)

    @streamed_or_not
    async def test_runs_no_tool_on_arguments_that_do_not_fit(self, streaming: bool) -> None:
        two = Pair(by_turn(BAD, DONE), by_turn(OSLO))
        agent = FunctionAgent(tools=[weather], llm=two.cascade, streaming=streaming)
        with collect_decisions() as seen:
            answer = await agent.run("weather in Oslo?")
        assert str(answer) == "It is sunny"
        assert [result.tool_kwargs for result in answer.tool_calls] == [{"city": "Oslo"}]
        assert trail(seen) == [(1, "gate_tool_call"), (0, "confident")]
        assert [outcomes(record) for record in seen] == [ESCALATED, ACCEPTED]
        assert two.asked == (2, 1)
        assert two.adds_up(seen)

    @pytest.mark.parametrize(
        "wrong",
        [
            Say(tool_calls=[("wheather", {"city": "Oslo"})]),
            Say(tool_calls=[("weather", '{"city": "Os')]),
            Say(tool_calls=[("weather", {"city": "Oslo"}), ("weather", {})]),
        ],
        ids=["unknown tool", "broken JSON", "one of two"],
    )
    async def test_escalates_any_call_that_cannot_be_run(self, wrong: Say) -> None:
        two = Pair(by_turn(wrong, DONE), by_turn(OSLO))
        agent = FunctionAgent(tools=[weather], llm=two.cascade)
        with collect_decisions() as seen:
            answer = await agent.run("weather in Oslo?")
        assert trail(seen) == [(1, "gate_tool_call"), (0, "confident")]
        assert [result.tool_kwargs for result in answer.tool_calls] == [{"city": "Oslo"}]
        assert two.adds_up(seen)

    async def test_shows_the_steps_of_the_tier_that_answered_only(self) -> None:
        two = Pair(by_turn(BAD, Say("a draft nobody trusts", p=0.3)), by_turn(OSLO, STRONG_DONE))
        agent = FunctionAgent(tools=[weather], llm=two.cascade)
        handler = agent.run("weather in Oslo?")
        shown = [event async for event in handler.stream_events()]
        await handler
        deltas = "".join(event.delta for event in shown if isinstance(event, AgentStream))
        assert deltas == "It is sunny, and I am strong"
        called = [
            call.tool_kwargs
            for event in shown
            if isinstance(event, AgentStream)
            for call in event.tool_calls
        ]
        assert called
        assert {json.dumps(given) for given in called} <= {
            "{}",
            '{"city": null}',
            '{"city": "Oslo"}',
        }
        results = [event for event in shown if isinstance(event, ToolCallResult)]
        assert [event.tool_output.content for event in results] == ["sunny in Oslo"]

    async def test_takes_several_steps_with_a_history_of_both_tiers(self) -> None:
        sums = Say(tool_calls=[("add", {"a": 1, "b": 2})])
        two = Pair(by_turn(BAD, sums, Say("3", p=0.3)), by_turn(OSLO, OSLO, STRONG_DONE))
        agent = FunctionAgent(
            tools=[WEATHER, ADD], llm=two.cascade, system_prompt="Be brief.", streaming=False
        )
        with collect_decisions() as seen:
            answer = await agent.run("weather in Oslo, and one and two?")
        assert str(answer) == STRONG_DONE.text
        assert trail(seen) == [(1, "gate_tool_call"), (0, "tool_call"), (1, "low_confidence")]
        assert [outcomes(record) for record in seen] == [ESCALATED, ACCEPTED, ESCALATED]
        assert two.adds_up(seen)
        for asked in (two.cheap.seen[-1], two.strong.seen[-1]):
            roles = [message.role.value for message in asked.messages]
            assert roles == ["system", "user", "assistant", "tool", "assistant", "tool"]
            assert calls_in(asked.messages) == [
                ("weather", {"city": "Oslo"}),
                ("add", {"a": 1, "b": 2}),
            ]
            assert [m.content for m in asked.messages if m.role == "tool"] == ["sunny in Oslo", "3"]

    async def test_keeps_the_conversation_and_its_drafts_apart(self) -> None:
        two = Pair(by_turn(Say("a draft nobody trusts", p=0.3)), Say("Good day"))
        agent = FunctionAgent(tools=[weather], llm=two.cascade, streaming=False)
        memory = ChatMemoryBuffer.from_defaults(token_limit=4000)
        await agent.run("hello", memory=memory)
        await agent.run("again", memory=memory)
        texts = [message.content for message in two.strong.seen[-1].messages]
        assert texts == ["hello", "Good day", "again"]

    async def test_goes_on_where_the_cheap_tier_is_down(self) -> None:
        two = Pair(Say(error=RuntimeError("down")), by_turn(OSLO, STRONG_DONE))
        agent = FunctionAgent(tools=[weather], llm=two.cascade)
        with collect_decisions() as seen:
            answer = await agent.run("weather in Oslo?")
        assert str(answer) == STRONG_DONE.text
        assert trail(seen) == [(1, "failed"), (1, "failed")]
        assert outcomes(seen[0]) == [(0, "failed"), (1, "returned")]

    @streamed_or_not
    async def test_passes_over_a_tier_that_calls_no_tools(self, streaming: bool) -> None:
        two = Pair(DONE, by_turn(OSLO, STRONG_DONE), cheap_is={"tools": False})
        agent = FunctionAgent(tools=[weather], llm=two.cascade, streaming=streaming)
        with collect_decisions() as seen:
            answer = await agent.run("weather in Oslo?")
        assert str(answer) == STRONG_DONE.text
        assert trail(seen) == [(1, "unable"), (1, "unable")]
        assert two.asked == (0, 2)
        assert two.adds_up(seen)

    async def test_of_completion_models_is_refused_as_it_is_for_one_model(self) -> None:
        no_tools = {"tools": False, "chat_model": False}
        two = Pair(DONE, cheap_is=no_tools, strong_is=no_tools)
        assert not two.cascade.metadata.is_function_calling_model
        with pytest.raises(ValueError, match="must be a FunctionCallingLLM"):
            await FunctionAgent(tools=[weather], llm=two.cascade).run("weather?")

    async def test_is_chosen_by_a_workflow_of_plain_functions(self) -> None:
        two = Pair(by_turn(OSLO, DONE))
        agent = AgentWorkflow.from_tools_or_functions([weather], llm=two.cascade)
        assert isinstance(next(iter(agent.agents.values())), FunctionAgent)
        assert str(await agent.run("weather in Oslo?")) == "It is sunny"

    async def test_first_calls_the_tool_it_is_told_to(self) -> None:
        two = Pair(by_turn(DONE), by_turn(OSLO))
        agent = FunctionAgent(tools=[weather], llm=two.cascade, initial_tool_choice="weather")
        with collect_decisions() as seen:
            await agent.run("weather in Oslo?")
        assert trail(seen) == [(1, "gate_tool_call"), (0, "confident")]
        assert [seen.kwargs.get("tool_choice") for seen in two.cheap.seen] == ["weather", None]


class TestAWorkflowOfAgents:
    async def test_hands_over_between_two_cascades(self) -> None:
        handoff = Say(tool_calls=[("handoff", {"to_agent": "forecaster", "reason": "weather"})])
        nobody = Say(tool_calls=[("handoff", {"agent": "forecaster"})])
        desk = Pair(nobody, handoff)
        office = Pair(lambda seen: DONE if "sunny" in seen.prompt else BAD, OSLO)
        workflow = AgentWorkflow(
            agents=[
                FunctionAgent(
                    name="desk",
                    description="Greets.",
                    tools=[ADD],
                    llm=desk.cascade,
                    can_handoff_to=["forecaster"],
                ),
                FunctionAgent(
                    name="forecaster", description="Forecasts.", tools=[WEATHER], llm=office.cascade
                ),
            ],
            root_agent="desk",
        )
        with collect_decisions() as seen:
            handler = workflow.run("weather in Oslo?")
            spoke = [
                event.current_agent_name
                async for event in handler.stream_events()
                if isinstance(event, AgentOutput)
            ]
            answer = await handler
        assert str(answer) == "It is sunny"
        assert spoke == ["desk", "forecaster", "forecaster"]
        assert trail(seen) == [(1, "gate_tool_call"), (1, "gate_tool_call"), (0, "confident")]
        assert (desk.asked, office.asked) == ((1, 1), (2, 1))
        assert desk.adds_up(seen[:1])
        assert office.adds_up(seen[1:])


STEP = Say('Thought: I need a tool.\nAction: weather\nAction Input: {"city": "Oslo"}')
ANSWER = Say("Thought: I can answer.\nAnswer: It is sunny")
STRONG_ANSWER = Say("Thought: I can answer.\nAnswer: Strongly sunny")
BROKEN = {
    "no step at all": "It is probably raining, as it always is in Oslo.",
    "no input": "Thought: I need a tool.\nAction: weather",
    "an unknown tool": 'Thought: I need a tool.\nAction: barometer\nAction Input: {"city": "Oslo"}',
    "a thought only": "Thought: I wonder what the weather is",
}


def by_observation(*said: Say) -> Any:
    """A model that says the n-th thing once n tools have been observed."""

    def say(seen: Seen) -> Say:
        done = sum((m.content or "").startswith("Observation:") for m in seen.messages)
        return said[min(done, len(said) - 1)]

    return say


class TestAReActAgent:
    @streamed_or_not
    async def test_takes_good_steps_of_the_cheap_tier(self, streaming: bool) -> None:
        two = Pair(by_observation(STEP, ANSWER))
        agent = ReActAgent(tools=[weather], llm=two.cascade, streaming=streaming)
        with collect_decisions() as seen:
            answer = await agent.run("weather in Oslo?")
        assert str(answer) == "It is sunny"
        assert [result.tool_output.content for result in answer.tool_calls] == ["sunny in Oslo"]
        assert trail(seen) == [(0, "confident"), (0, "confident")]
        assert two.adds_up(seen)

    @streamed_or_not
    @pytest.mark.parametrize("said", BROKEN.values(), ids=BROKEN.keys())
    async def test_takes_no_malformed_step_for_its_answer(self, said: str, streaming: bool) -> None:
        two = Pair(by_observation(Say(said), ANSWER), by_observation(STEP, STRONG_ANSWER))
        agent = ReActAgent(tools=[weather], llm=two.cascade, streaming=streaming)
        with collect_decisions() as seen:
            answer = await agent.run("weather in Oslo?")
        assert str(answer) == "It is sunny"
        assert trail(seen) == [(1, "gate_parser"), (0, "confident")]
        assert [outcomes(record) for record in seen] == [ESCALATED, ACCEPTED]
        assert [result.tool_output.content for result in answer.tool_calls] == ["sunny in Oslo"]
        assert two.adds_up(seen)

    async def test_escalates_a_well_formed_step_without_confidence(self) -> None:
        unsure = Say(ANSWER.text, p=0.3)
        two = Pair(unsure, STRONG_ANSWER)
        agent = ReActAgent(tools=[weather], llm=two.cascade, streaming=False)
        with collect_decisions() as seen:
            answer = await agent.run("weather in Oslo?")
        assert str(answer) == "Strongly sunny"
        assert trail(seen) == [(1, "low_confidence")]
        assert two.adds_up(seen)

    async def test_works_with_completion_models(self) -> None:
        no_chat = {"tools": False, "chat_model": False}
        two = Pair(by_observation(Say("Rain."), ANSWER), STEP, cheap_is=no_chat, strong_is=no_chat)
        agent = ReActAgent(tools=[weather], llm=two.cascade, streaming=False)
        with collect_decisions() as seen:
            assert str(await agent.run("weather in Oslo?")) == "It is sunny"
        assert trail(seen) == [(1, "gate_parser"), (0, "confident")]


class TestACodeActAgent:
    async def test_runs_the_code_of_the_tier_that_answered(self) -> None:
        ran: list[str] = []

        def execute(code: str) -> str:
            ran.append(code)
            return "3"

        def say(text: str, p: float) -> Any:
            def answer(seen: Seen) -> Say:
                return Say("The sum is 3") if ran else Say(text, p=p)

            return answer

        two = Pair(
            say("<execute>cheap()</execute>", 0.3), say("<execute>print(1 + 2)</execute>", 0.99)
        )
        agent = CodeActAgent(code_execute_fn=execute, llm=two.cascade, streaming=False)
        with collect_decisions() as seen:
            answer = await agent.run("one and two?")
        assert str(answer) == "The sum is 3"
        assert ran == ["print(1 + 2)"]
        assert trail(seen) == [(1, "low_confidence"), (0, "confident")]
        assert two.adds_up(seen)


async def predict_and_call(llm: Any, how: str, *args: Any, **kwargs: Any) -> Any:
    if how == "predict_and_call":
        return llm.predict_and_call(*args, **kwargs)
    return await llm.apredict_and_call(*args, **kwargs)


both = pytest.mark.parametrize("how", ["predict_and_call", "apredict_and_call"])


@both
class TestPredictAndCall:
    async def test_runs_the_tool_of_an_accepted_call(self, how: str) -> None:
        two = Pair(OSLO)
        with collect_decisions() as seen:
            answer = await predict_and_call(two.cascade, how, [WEATHER], "weather in Oslo?")
        assert answer.response == "sunny in Oslo"
        assert trail(seen) == [(0, "tool_call")]
        assert outcomes(seen[0]) == ACCEPTED
        assert two.adds_up(seen)

    async def test_escalates_a_call_that_does_not_fit(self, how: str) -> None:
        two = Pair(BAD, OSLO)
        with collect_decisions() as seen:
            answer = await predict_and_call(two.cascade, how, [WEATHER], "weather in Oslo?")
        assert answer.response == "sunny in Oslo"
        assert trail(seen) == [(1, "gate_tool_call")]
        assert outcomes(seen[0]) == ESCALATED
        assert two.adds_up(seen)

    async def test_escalates_an_answer_that_calls_nothing(self, how: str) -> None:
        two = Pair(Say("sure of myself"), OSLO)
        with collect_decisions() as seen:
            answer = await predict_and_call(two.cascade, how, [WEATHER], "weather in Oslo?")
        assert answer.response == "sunny in Oslo"
        assert trail(seen) == [(1, "gate_tool_call")]
        assert two.adds_up(seen)

    async def test_raises_where_no_tier_calls_anything(self, how: str) -> None:
        two = Pair(Say("sure of myself"), Say("so am I"))
        with pytest.raises(ValueError, match="Expected at least one tool call"):
            await predict_and_call(two.cascade, how, [WEATHER], "weather in Oslo?")
        assert two.asked == (1, 1)

    async def test_accepts_an_answer_that_calls_nothing_where_none_is_needed(
        self, how: str
    ) -> None:
        two = Pair(Say("sure of myself"), OSLO)
        with collect_decisions() as seen:
            answer = await predict_and_call(
                two.cascade, how, [WEATHER], "hello", error_on_no_tool_call=False
            )
        assert answer.response == "sure of myself"
        assert trail(seen) == [(0, "confident")]
        assert two.asked == (1, 0)

    async def test_runs_parallel_calls(self, how: str) -> None:
        several = Say(tool_calls=[("weather", {"city": "Oslo"}), ("add", {"a": 1, "b": 2})])
        two = Pair(several)
        with collect_decisions() as seen:
            answer = await predict_and_call(
                two.cascade, how, [WEATHER, ADD], "both?", allow_parallel_tool_calls=True
            )
        assert answer.response == "sunny in Oslo\n\n3"
        assert trail(seen) == [(0, "tool_call")]
        assert two.adds_up(seen)

    async def test_escalates_parallel_calls_one_of_which_does_not_fit(self, how: str) -> None:
        half = Say(tool_calls=[("weather", {"city": "Oslo"}), ("add", {"a": 1})])
        whole = Say(tool_calls=[("weather", {"city": "Oslo"}), ("add", {"a": 1, "b": 2})])
        two = Pair(half, whole)
        with collect_decisions() as seen:
            answer = await predict_and_call(
                two.cascade, how, [WEATHER, ADD], "both?", allow_parallel_tool_calls=True
            )
        assert answer.response == "sunny in Oslo\n\n3"
        assert trail(seen) == [(1, "gate_tool_call")]
        assert two.adds_up(seen)

    async def test_of_models_without_tools_takes_a_react_step(self, how: str) -> None:
        none = {"tools": False}
        two = Pair(Say(BROKEN["no input"]), STEP, cheap_is=none, strong_is=none)
        with collect_decisions() as seen:
            answer = await predict_and_call(
                two.cascade,
                how,
                [WEATHER],
                "weather in Oslo?",
                react_chat_formatter=ReActChatFormatter(),
                output_parser=ReActOutputParser(),
            )
        assert answer.response == "sunny in Oslo"
        assert trail(seen) == [(1, "gate_parser")]
        assert outcomes(seen[0]) == ESCALATED
        assert two.adds_up(seen)

    async def test_passes_over_a_completion_model(self, how: str) -> None:
        two = Pair(Say("text"), OSLO, cheap_is={"tools": False, "chat_model": False})
        with collect_decisions() as seen:
            answer = await predict_and_call(two.cascade, how, [WEATHER], "weather in Oslo?")
        assert answer.response == "sunny in Oslo"
        assert trail(seen) == [(1, "unable")]
        assert two.adds_up(seen)


def test_a_last_tier_without_tools_leaves_them_to_the_others() -> None:
    two = Pair(OSLO, Say("text"), strong_is={"tools": False})
    with collect_decisions() as seen:
        answer = two.cascade.predict_and_call([WEATHER], "weather in Oslo?")
    assert answer.response == "sunny in Oslo"
    assert trail(seen) == [(0, "tool_call")]


# --- dialects -----------------------------------------------------------------------------------


class Dialect(FakeLLM):
    """Reads tool calls in a way of its own, and says that it did."""

    def get_tool_calls_from_response(
        self, response: ChatResponse, error_on_no_tool_call: bool = True, **kwargs: Any
    ) -> Any:
        found = super().get_tool_calls_from_response(response, error_on_no_tool_call, **kwargs)
        return [call.model_copy(update={"tool_id": f"{self.model}:read"}) for call in found]


def test_tool_calls_are_read_by_the_tier_that_answered() -> None:
    llm = CascadeLLM(tiers=[Dialect(OSLO, "m0"), Dialect(OSLO, "m1")], prices=PRICES)
    accepted = llm.chat_with_tools([WEATHER], "weather in Oslo?")
    (call,) = llm.get_tool_calls_from_response(accepted)
    assert call.tool_id == "m0:read"
    llm = CascadeLLM(tiers=[Dialect(BAD, "m0"), Dialect(OSLO, "m1")], prices=PRICES)
    escalated = llm.chat_with_tools([WEATHER], "weather in Oslo?")
    (call,) = llm.get_tool_calls_from_response(escalated)
    assert call.tool_id == "m1:read"


def test_tool_calls_of_a_cascade_inside_a_cascade_are_read() -> None:
    inner = CascadeLLM(tiers=[cheap(BAD), strong(OSLO)])
    for tiers in ([inner, strong()], [cheap(BAD), FakeLLM(BAD, "m1"), inner]):
        outer = CascadeLLM(tiers=tiers)
        response = outer.chat_with_tools([WEATHER], "weather in Oslo?")
        (call,) = outer.get_tool_calls_from_response(response)
        assert (call.tool_name, call.tool_kwargs) == ("weather", {"city": "Oslo"})


def test_a_response_without_tool_calls_says_so() -> None:
    two = Pair(DONE)
    response = two.cascade.chat_with_tools([WEATHER], "hello")
    assert two.cascade.get_tool_calls_from_response(response, error_on_no_tool_call=False) == []
    with pytest.raises(ValueError, match="at least one tool call"):
        two.cascade.get_tool_calls_from_response(response)


def test_a_response_of_nobody_is_read_all_the_same() -> None:
    two = Pair(DONE)
    block = ToolCallBlock(tool_call_id="1", tool_name="weather", tool_kwargs='{"city": "Oslo"}')
    response = ChatResponse(message=ChatMessage(role="assistant", blocks=[block]))
    (call,) = two.cascade.get_tool_calls_from_response(response)
    assert (call.tool_id, call.tool_kwargs) == ("1", {"city": "Oslo"})
    with pytest.raises(ValueError, match="at least one tool call"):
        two.cascade.get_tool_calls_from_response(ChatResponse(message=ChatMessage(content="hi")))


OPENAI_OBJECT = SimpleNamespace(
    id="1",
    type="function",
    function=SimpleNamespace(name="weather", arguments='{"city": "Oslo"}'),
)
OPENAI_DICT = {
    "id": "1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
}
ANTHROPIC_DICT = {"id": "1", "type": "tool_use", "name": "weather", "input": {"city": "Oslo"}}


def calls_in(messages: list[ChatMessage]) -> list[tuple[str, Any]]:
    return [
        (block.tool_name, json.loads(block.tool_kwargs))
        if isinstance(block.tool_kwargs, str)
        else (block.tool_name, block.tool_kwargs)
        for message in messages
        for block in message.blocks
        if isinstance(block, ToolCallBlock)
    ]


@pytest.mark.parametrize(
    "own_form",
    [OPENAI_OBJECT, OPENAI_DICT, ANTHROPIC_DICT],
    ids=["OpenAI object", "OpenAI dict", "Anthropic dict"],
)
@pytest.mark.parametrize("way", ["chat", "chat_with_tools"])
def test_a_history_in_any_integrations_form_reaches_every_tier(own_form: Any, way: str) -> None:
    two = Pair(Say("unsure draft text", p=0.3), DONE)
    history = [
        ChatMessage(role="user", content="weather in Oslo?"),
        ChatMessage(
            role="assistant",
            content="I look it up.",
            additional_kwargs={"tool_calls": [own_form], "kept": 1},
        ),
        ChatMessage(role="tool", content="sunny", additional_kwargs={"tool_call_id": "1"}),
    ]
    before = [message.model_copy(deep=True) for message in history]
    if way == "chat":
        two.cascade.chat(history)
    else:
        two.cascade.chat_with_tools([WEATHER], chat_history=history)
    assert history == before, "the caller's own messages stay as they are"
    for asked in (two.cheap.seen[0], two.strong.seen[0]):
        assert calls_in(asked.messages) == [("weather", {"city": "Oslo"})]
        called, result = asked.messages[1], asked.messages[2]
        assert [b.text for b in called.blocks if isinstance(b, TextBlock)] == ["I look it up."]
        assert called.additional_kwargs == {"kept": 1}
        assert [b.tool_call_id for b in called.blocks if isinstance(b, ToolCallBlock)] == ["1"]
        assert (result.content, result.additional_kwargs) == ("sunny", {"tool_call_id": "1"})


@pytest.mark.parametrize("own_form", [OPENAI_DICT, ANTHROPIC_DICT], ids=["OpenAI", "Anthropic"])
def test_openai_sends_a_history_in_another_form_as_its_own(own_form: Any) -> None:
    two = Pair(DONE)
    called = ChatMessage(role="assistant", content="", additional_kwargs={"tool_calls": [own_form]})
    two.cascade.chat([ChatMessage(role="user", content="hi"), called])
    (_, sent) = to_openai_message_dicts(two.cheap.seen[0].messages, model="gpt-4o-mini")
    (call,) = sent["tool_calls"]  # type: ignore[typeddict-item]
    assert call["function"]["name"] == "weather"
    assert json.loads(call["function"]["arguments"]) == {"city": "Oslo"}
    assert call["id"] == "1"


def test_what_a_tier_answered_goes_out_as_it_came() -> None:
    two = Pair(OSLO)
    response = two.cascade.chat_with_tools([WEATHER], "weather in Oslo?")
    (sent,) = response.message.additional_kwargs["tool_calls"]
    assert sent["function"] == {"name": "weather", "arguments": '{"city": "Oslo"}'}
    (block,) = response.message.blocks
    assert isinstance(block, ToolCallBlock)
    assert "cascade" not in response.message.additional_kwargs


def test_openai_is_a_tier_like_any_other() -> None:
    llm = CascadeLLM(tiers=[OpenAI(model="gpt-4o-mini", api_key="x"), strong()])
    assert llm.metadata.is_function_calling_model


def test_tools_that_no_tier_can_call_are_one_clear_error() -> None:
    llm = CascadeLLM(tiers=[cheap(tools=False), strong(tools=False)])
    with pytest.raises(NotImplementedError, match=r"no tier of CascadeLLM.* can call tools"):
        llm.chat_with_tools([WEATHER], "Is it raining in Oslo?")
