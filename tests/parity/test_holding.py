"""`hold="turn"`: in a tool loop of ten steps the model never changes, in either framework's agents.

The cheap model's confidence goes up and down from step to step; decided one by one, the steps go
to one model and to the other.
"""

from __future__ import annotations

import asyncio
import json
import math
import operator
import warnings
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelRetryMiddleware, wrap_model_call
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage, ToolMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langgraph.checkpoint.memory import MemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, create_react_agent, tools_condition
from langgraph.types import Send
from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent, ReActAgent
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.llms.types import ChatMessage, MessageRole
from llama_index.core.chat_engine import (
    CondensePlusContextChatEngine,
    ContextChatEngine,
    SimpleChatEngine,
)
from llama_index.core.instrumentation.dispatcher import instrument_tags
from llama_index.core.memory import ChatMemoryBuffer, Memory
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.tools import FunctionTool
from llama_index.core.workflow import Context
from typing_extensions import TypedDict

from cascade_core import collect_decisions
from langchain_cascade import CascadeMiddleware, ChatCascade
from llamaindex_cascade import CascadeLLM
from tests.langchain import fakes as langchain_fakes
from tests.llamaindex import fakes as llamaindex_fakes

STEPS = 10
PS = [0.99, 0.3, 0.2, 0.99, 0.1, 0.95, 0.3, 0.99, 0.4, 0.2]
"""How sure the cheap model is, step by step."""

CALLS_READ = True
"""Whether tool calls come with log-probabilities, as they do of few models."""


def look_up(number: int) -> str:
    """Look up an entry by its number."""
    return f"entry {number}"


def confidence(question: str, step: int) -> float:
    """How sure the cheap model is of a step; a hard question's first step is no sure one."""
    return PS[(step + ("hard" in question)) % len(PS)]


# --- LangChain ------------------------------------------------------------------------------------


def _turn(messages: list[Any]) -> tuple[str, int]:
    """Return the last question, and how many steps there were since."""
    last = max(i for i, m in enumerate(messages) if isinstance(m, HumanMessage))
    return str(messages[last].content), sum(isinstance(m, AIMessage) for m in messages[last:])


def _says(*, cheap: bool, parallel: int = 1) -> Callable[[list[Any], dict[str, Any]], Any]:
    def script(messages: list[Any], kwargs: dict[str, Any]) -> Any:
        del kwargs
        question, step = _turn(messages)
        p = confidence(question, step) if cheap else 0.99
        if step >= STEPS - 1:
            return langchain_fakes.Say("the answer", p=p)
        calls = [
            {"name": "look_up", "args": {"number": step}, "id": f"call_{step}_{k}"}
            for k in range(parallel)
        ]
        if not CALLS_READ:
            return langchain_fakes.Say("", tool_calls=calls)
        payload = {"content": [{"token": "call", "logprob": _log(p), "top_logprobs": []}]}
        return langchain_fakes.Say("looking", tool_calls=calls, payload=payload)

    return script


def _log(p: float) -> float:
    return math.log(p)


def models(parallel: int = 1) -> list[Any]:
    return [
        langchain_fakes.FakeChat(_says(cheap=cheap, parallel=parallel), model_name=name)
        for cheap, name in ((True, "m0"), (False, "m1"))
    ]


def chat(**settings: Any) -> ChatCascade:
    parallel = settings.pop("parallel", 1)
    settings = {"on_tool_call": "escalate", **settings}
    return ChatCascade(models(parallel), thresholds=0.8, **settings)


LOOK_UP = tool(look_up)


def graph(llm: Any, **compiling: Any) -> Any:
    bound = llm.bind_tools([LOOK_UP])

    def ask(state: MessagesState) -> Any:
        return {"messages": [bound.invoke(state["messages"])]}

    async def ask_later(state: MessagesState) -> Any:
        return {"messages": [await bound.ainvoke(state["messages"])]}

    made = StateGraph(MessagesState)
    made.add_node("model", RunnableLambda(ask, ask_later))
    made.add_node("tools", ToolNode([LOOK_UP]))
    made.add_edge(START, "model")
    made.add_conditional_edges("model", tools_condition)
    made.add_edge("tools", "model")
    return made.compile(**compiling)


LIMIT = {"recursion_limit": 60}


def _agent_of(way: str, **settings: Any) -> Any:
    parallel = 3 if way == "parallel calls" else 1
    if way == "middleware":
        made = CascadeMiddleware(models(), thresholds=0.8, on_tool_call="escalate")
        return create_agent(models()[1], [LOOK_UP], middleware=[made])
    if way == "graph":
        return graph(chat(**settings))
    if way == "graph with a checkpointer":
        return graph(chat(), checkpointer=MemorySaver())
    return create_agent(chat(parallel=parallel), [LOOK_UP])


GRAPHS = ["create_agent", "parallel calls", "middleware", "graph", "graph with a checkpointer"]


async def run_langchain(way: str, question: str, manner: str, **settings: Any) -> None:
    agent = _agent_of(way, **settings)
    config = {**LIMIT, "configurable": {"thread_id": "t1"}}
    asked = {"messages": [HumanMessage(question)]}
    if manner == "sync":
        agent.invoke(asked, config)
    elif manner == "async":
        await agent.ainvoke(asked, config)
    elif manner == "stream":
        list(agent.stream(asked, config, stream_mode="messages"))
    else:
        async for _ in agent.astream(asked, config, stream_mode="messages"):
            pass


def plain_loop(question: str, manner: str) -> None:
    """A loop as people write it; what the model said goes on without its metadata."""
    bound = chat().bind_tools([LOOK_UP])
    messages: list[Any] = [HumanMessage(question)]
    while True:
        if manner == "stream":
            said: Any = None
            for chunk in bound.stream(messages):
                said = chunk if said is None else said + chunk
            assert isinstance(said, AIMessageChunk)
        else:
            said = bound.invoke(messages)
        if not said.tool_calls:
            return
        messages.append(AIMessage(said.content, tool_calls=said.tool_calls))
        messages += [
            ToolMessage(look_up(**call["args"]), tool_call_id=call["id"])
            for call in said.tool_calls
        ]


# --- LlamaIndex -----------------------------------------------------------------------------------


def _llama_turn(messages: list[ChatMessage]) -> tuple[str, int]:
    asked = [
        i
        for i, m in enumerate(messages)
        if m.role == MessageRole.USER and not (m.content or "").startswith("Observation:")
    ]
    steps = sum(m.role == MessageRole.ASSISTANT for m in messages[asked[-1] :])
    return messages[asked[-1]].content or "", steps


def _llama_says(*, cheap: bool, react: bool = False) -> Callable[[Any], Any]:
    def script(seen: Any) -> Any:
        question, step = _llama_turn(seen.messages)
        p = confidence(question, step) if cheap else 0.99
        if step >= STEPS - 1:
            text = "Thought: I can answer.\nAnswer: the answer" if react else "the answer"
            return llamaindex_fakes.Say(text, p=p)
        if react:
            given = json.dumps({"number": step})
            text = f"Thought: I need a tool.\nAction: look_up\nAction Input: {given}"
            return llamaindex_fakes.Say(text, p=p)
        return llamaindex_fakes.Say(
            "",
            p=p if CALLS_READ else None,
            said="looking",
            tool_calls=[("look_up", {"number": step})],
        )

    return script


def llm(*, react: bool = False, **settings: Any) -> CascadeLLM:
    tiers = [
        llamaindex_fakes.FakeLLM(_llama_says(cheap=cheap, react=react), model=name)
        for cheap, name in ((True, "m0"), (False, "m1"))
    ]
    return CascadeLLM(tiers, thresholds=0.8, **{"on_tool_call": "escalate", **settings})


TOOL = FunctionTool.from_defaults(look_up)


async def run_llamaindex(way: str, question: str, *, streaming: bool, **settings: Any) -> None:
    react = way == "ReActAgent"
    kind = ReActAgent if react else FunctionAgent
    agent: Any = kind(
        name="clerk",
        description="looks things up",
        tools=[TOOL],
        llm=llm(react=react, **settings),
        streaming=streaming,
    )
    if way == "AgentWorkflow":
        agent = AgentWorkflow([agent], initial_state={"asked": 0})
    await agent.run(user_msg=question, max_iterations=30)


async def llama_loop(question: str, manner: str, **settings: Any) -> None:
    cascade = llm(**settings)
    history = [ChatMessage(role="user", content=question)]
    while True:
        if manner == "sync":
            said = cascade.chat_with_tools([TOOL], chat_history=history)
        elif manner == "async":
            said = await cascade.achat_with_tools([TOOL], chat_history=history)
        elif manner == "stream":
            said = list(cascade.stream_chat_with_tools([TOOL], chat_history=history))[-1]
        else:
            stream = await cascade.astream_chat_with_tools([TOOL], chat_history=history)
            said = [part async for part in stream][-1]
        calls = cascade.get_tool_calls_from_response(said, error_on_no_tool_call=False)
        if not calls:
            return
        history.append(said.message)
        for call in calls:
            kwargs = {"tool_call_id": call.tool_id}
            content = look_up(**call.tool_kwargs)
            history.append(ChatMessage(role="tool", content=content, additional_kwargs=kwargs))


# --- what must come of it -------------------------------------------------------------------------


def check(seen: list[dict[str, Any]], tier: int, reason: str | None = None) -> None:
    """Ten steps by one model; the first was decided, the others hold to it."""
    assert [record["tier"] for record in seen] == [tier] * STEPS
    first, *others = seen
    assert first["reason"] == (reason or ("low_confidence" if tier else "confident"))
    assert "held" not in first
    assert {record["reason"] for record in others} == {"held"}
    assert {record["held"]["since"] for record in others} == {first["id"]}
    assert {record["held"]["by"] for record in others} == {"turn"}


QUESTIONS = pytest.mark.parametrize(
    ("question", "tier"), [("an easy question", 0), ("a hard question", 1)]
)


@QUESTIONS
@pytest.mark.parametrize("manner", ["sync", "async", "stream", "astream"])
@pytest.mark.parametrize("way", GRAPHS)
def test_no_step_of_a_langchain_agent_changes_the_model(way, manner, question, tier):
    with collect_decisions() as seen:
        asyncio.run(run_langchain(way, question, manner))
    check(list(seen), tier)


@QUESTIONS
@pytest.mark.parametrize("manner", ["sync", "stream"])
def test_no_step_of_a_loop_whose_messages_are_made_anew_changes_the_model(manner, question, tier):
    with collect_decisions() as seen:
        plain_loop(question, manner)
    check(list(seen), tier)


@QUESTIONS
@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("way", ["FunctionAgent", "AgentWorkflow", "ReActAgent"])
def test_no_step_of_a_llamaindex_agent_changes_the_model(way, streaming, question, tier):
    with collect_decisions() as seen:
        asyncio.run(run_llamaindex(way, question, streaming=streaming))
    check(list(seen), tier)


@QUESTIONS
@pytest.mark.parametrize("manner", ["sync", "async", "stream", "astream"])
def test_no_step_of_a_llamaindex_loop_changes_the_model(manner, question, tier):
    with collect_decisions() as seen:
        asyncio.run(llama_loop(question, manner))
    check(list(seen), tier)


def ask(way: str, manner: str, **settings: Any) -> list[dict[str, Any]]:
    """Have an agent answer in ten steps, and return what was decided."""
    with collect_decisions() as seen, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that nothing reads tool calls
        if way == "langchain":
            asyncio.run(run_langchain("graph", "a question", manner, **settings))
        else:
            asyncio.run(llama_loop("a question", manner, **settings))
    return list(seen)


def set_sure(monkeypatch: pytest.MonkeyPatch, *ps: float, calls_read: bool = False) -> None:
    monkeypatch.setitem(globals(), "PS", list(ps))
    monkeypatch.setitem(globals(), "CALLS_READ", calls_read)


MANNERS = pytest.mark.parametrize("manner", ["sync", "async", "stream", "astream"])
FRAMEWORKS = pytest.mark.parametrize("way", ["langchain", "llamaindex"])
READ = pytest.mark.parametrize("calls_read", [False, True])


@READ
@MANNERS
@FRAMEWORKS
@pytest.mark.parametrize("hold", ["turn", "conversation"])
def test_a_turn_never_changes_its_model_whoever_read_its_first_step(
    way, manner, calls_read, hold, monkeypatch
):
    set_sure(monkeypatch, 0.99, *[0.1] * (STEPS - 1), calls_read=calls_read)
    seen = ask(way, manner, on_tool_call="gates", hold=hold)
    check(seen, 0, "confident" if calls_read else "tool_call")


@READ
@MANNERS
@FRAMEWORKS
@pytest.mark.parametrize(("p", "last"), [(0.99, (0, "confident")), (0.1, (1, "low_confidence"))])
def test_where_tool_calls_alone_are_held_the_answer_is_judged(
    way, manner, calls_read, p, last, monkeypatch
):
    set_sure(monkeypatch, 0.99, *[0.1] * (STEPS - 2), p, calls_read=calls_read)
    seen = ask(way, manner, on_tool_call="gates", hold="tools")
    *steps, answer = [(record["tier"], record["reason"]) for record in seen]
    assert steps == [(0, seen[0]["reason"])] + [(0, "held")] * (STEPS - 2)
    assert answer == last
    assert seen[-1]["held"] == {"tier": 0, "by": "tools", "since": seen[0]["id"]}


@MANNERS
@FRAMEWORKS
def test_tool_calls_that_the_strong_model_began_stay_there_to_the_answer(way, manner, monkeypatch):
    set_sure(monkeypatch, 0.1, *[0.99] * (STEPS - 1), calls_read=True)
    seen = ask(way, manner, hold="tools")
    assert [record["tier"] for record in seen] == [1] * STEPS
    assert {record["reason"] for record in seen[1:]} == {"held"}


def test_a_turn_whose_tools_are_called_in_texts_is_held_to_its_end(monkeypatch):
    set_sure(monkeypatch, 0.99, *[0.1] * (STEPS - 1))
    with collect_decisions() as seen:
        asyncio.run(run_llamaindex("ReActAgent", "a question", streaming=False, hold="tools"))
    check(list(seen), 0)


def test_without_holding_every_step_is_decided_for_itself():
    agent = create_agent(chat(hold=None), [LOOK_UP])
    with collect_decisions() as seen:
        agent.invoke({"messages": [HumanMessage("an easy question")]}, LIMIT)
    assert [record["tier"] for record in seen] == [int(p < 0.8) for p in PS]
    assert "held" not in {record["reason"] for record in seen}


def test_the_next_turn_is_decided_anew():
    agent = graph(chat(), checkpointer=MemorySaver())
    config = {**LIMIT, "configurable": {"thread_id": "t1"}}
    with collect_decisions() as seen:
        for question in ("a hard question", "an easy question"):
            agent.invoke({"messages": [HumanMessage(question)]}, config)
    check(list(seen[:STEPS]), 1)
    check(list(seen[STEPS:]), 0)


@pytest.mark.parametrize("manner", ["sync", "async"])
def test_turns_of_many_users_side_by_side_mix_nothing_up(manner):
    agent = create_agent(chat(), [LOOK_UP])
    questions = [f"{'a hard' if n % 2 else 'an easy'} question of user {n}" for n in range(8)]
    asked = [{"messages": [HumanMessage(question)]} for question in questions]
    if manner == "sync":
        states = agent.batch(asked, {**LIMIT, "max_concurrency": 8})
    else:
        states = asyncio.run(agent.abatch(asked, LIMIT))
    for number, state in enumerate(states):
        answers = [m for m in state["messages"] if isinstance(m, AIMessage)]
        tiers = [m.response_metadata["cascade"]["tier"] for m in answers]
        assert tiers == [number % 2] * STEPS


def test_turns_of_two_llamaindex_users_side_by_side_mix_nothing_up():
    cascade = llm()

    async def one(question: str) -> list[Any]:
        agent = FunctionAgent(tools=[TOOL], llm=cascade)
        with collect_decisions() as seen:
            await agent.run(user_msg=question, max_iterations=30)
        return list(seen)

    async def both() -> list[list[Any]]:
        return await asyncio.gather(one("an easy question"), one("a hard question"))

    for tier, seen in enumerate(asyncio.run(both())):
        check(seen, tier)


def test_a_turn_goes_on_in_another_process_by_the_records_on_its_messages():
    first = chat().bind_tools([LOOK_UP]).invoke([HumanMessage("a hard question")])
    (call,) = first.tool_calls
    kept = AIMessage.model_validate_json(first.model_dump_json())  # as a checkpointer keeps it
    result = ToolMessage("entry 0", tool_call_id=call["id"])
    asked = [HumanMessage("a hard question"), kept, result]
    record = chat().bind_tools([LOOK_UP]).invoke(asked).response_metadata["cascade"]
    assert record["held"] == {
        "tier": 1,
        "by": "turn",
        "since": kept.response_metadata["cascade"]["id"],
    }


def test_agents_with_cascades_of_other_models_decide_for_themselves_in_one_conversation():
    first = chat().bind_tools([LOOK_UP]).invoke([HumanMessage("a hard question")])
    (call,) = first.tool_calls
    asked = [HumanMessage("a hard question"), first, ToolMessage("1", tool_call_id=call["id"])]
    says = langchain_fakes.Say("it is so", p=0.99)
    others = [langchain_fakes.FakeChat(says, model_name=name) for name in ("w0", "w1")]
    record = ChatCascade(others, thresholds=0.8).invoke(asked).response_metadata["cascade"]
    assert (record["tier"], record["reason"]) == (0, "confident")
    alike = chat().bind_tools([LOOK_UP]).invoke(asked)  # the same cascade, made anew
    assert alike.response_metadata["cascade"]["reason"] == "held"


def test_a_turn_that_is_interrupted_goes_on_and_back_with_its_model_and_another_question_does_not():
    agent = graph(chat(), checkpointer=MemorySaver(), interrupt_before=["tools"])
    config: Any = {**LIMIT, "configurable": {"thread_id": "t1"}}

    def to_the_end(state: Any, begin: Any) -> list[Any]:
        with collect_decisions() as seen:
            agent.invoke(state, begin)
            while agent.get_state(config).next:
                agent.invoke(None, config)
        return list(seen)

    check(to_the_end({"messages": [HumanMessage("a hard question")]}, config), 1)
    past = {len(state.values["messages"]): state for state in agent.get_state_history(config)}
    again = to_the_end(None, past[5].config)
    assert {(record["tier"], record["reason"]) for record in again} == {(1, "held")}
    asked = HumanMessage("an easy question", id=past[1].values["messages"][0].id)
    check(to_the_end(None, agent.update_state(past[1].config, {"messages": [asked]})), 0)


# --- conversations: the cheap model is sure of the first and the last question, and not in between


def _cheap_says(prompt: str) -> float:
    return 0.3 if "hard" in prompt else 0.99


SAID = ["easy one", "hard one", "easy two", "easy three"]
HELD = [(0, "confident"), (1, "low_confidence"), (1, "held"), (1, "held")]


def langchain_talk(ask: Any) -> None:
    llm = ChatCascade(
        [
            langchain_fakes.FakeChat(
                lambda m, _: langchain_fakes.Say("it is so", p=_cheap_says(str(m[-1].content))),
                model_name="m0",
            ),
            langchain_fakes.FakeChat(langchain_fakes.Say("quite so"), model_name="m1"),
        ],
        thresholds=0.8,
        hold="conversation",
    )
    ask(llm)


def by_graph(llm: Any) -> None:
    agent = create_agent(llm, [], checkpointer=MemorySaver())
    for question in SAID:
        config = {"configurable": {"thread_id": "t1"}}
        agent.invoke({"messages": [HumanMessage(question)]}, config)


def by_metadata(llm: Any) -> None:
    for question in SAID:
        llm.invoke(question, {"metadata": {"session_id": "s1"}})


def by_messages(llm: Any) -> None:
    messages: list[Any] = []
    for question in SAID:
        messages.append(HumanMessage(question))
        messages.append(llm.invoke(messages))


def by_plain_texts(llm: Any) -> None:
    messages: list[Any] = []
    for question in SAID:
        messages.append(HumanMessage(question))
        messages.append(AIMessage(llm.invoke(messages).content))


def by_streams(llm: Any) -> None:
    for question in SAID:
        list(llm.stream(question, {"metadata": {"session_id": "s1"}}))


@pytest.mark.parametrize("ask", [by_graph, by_metadata, by_messages, by_plain_texts, by_streams])
def test_a_langchain_conversation_stays_with_the_strong_model(ask):
    with collect_decisions() as seen:
        langchain_talk(ask)
    assert [(record["tier"], record["reason"]) for record in seen] == HELD


def llama_talker() -> CascadeLLM:
    def says(seen: Any) -> Any:
        return llamaindex_fakes.Say("it is so", p=_cheap_says(seen.messages[-1].content))

    tiers = [
        llamaindex_fakes.FakeLLM(says, model="m0"),
        llamaindex_fakes.FakeLLM(llamaindex_fakes.Say("quite so"), model="m1"),
    ]
    return CascadeLLM(tiers, thresholds=0.8, hold="conversation")


@pytest.mark.parametrize("way", ["tags", "messages", "chat engine", "async"])
def test_a_llamaindex_conversation_stays_with_the_strong_model(way):
    cascade = llama_talker()
    history: list[ChatMessage] = []
    engine = SimpleChatEngine.from_defaults(llm=cascade)
    with collect_decisions() as seen:
        for question in SAID:
            message = ChatMessage(role="user", content=question)
            if way == "tags":
                with instrument_tags({"session_id": "s1"}):
                    cascade.chat([message])
            elif way == "chat engine":
                engine.chat(question)
            else:
                history.append(message)
                if way == "async":
                    answer = asyncio.run(cascade.achat(history))
                else:
                    answer = cascade.chat(history)
                history.append(answer.message)
    assert [(record["tier"], record["reason"]) for record in seen] == HELD


class Facts(BaseRetriever):
    """Finds something else each time, so that the system message is never the same."""

    found = 0

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        self.found += 1
        return [NodeWithScore(node=TextNode(text=f"fact {self.found}"), score=1.0)]


def _talk_of_engine(kind: Any, cascade: CascadeLLM, *, limit: int, streamed: bool) -> None:
    memory = ChatMemoryBuffer.from_defaults(token_limit=limit)
    given = {} if kind is SimpleChatEngine else {"retriever": Facts()}
    engine = kind.from_defaults(llm=cascade, memory=memory, **given)
    for question in SAID:
        if streamed:
            list(engine.stream_chat(question).response_gen)
        else:
            engine.chat(question)


ENGINES = pytest.mark.parametrize(
    "kind", [SimpleChatEngine, ContextChatEngine, CondensePlusContextChatEngine]
)


@pytest.mark.parametrize("streamed", [False, True])
@ENGINES
def test_a_chat_engine_holds_by_what_its_memory_has(kind, streamed):
    with collect_decisions() as seen:
        _talk_of_engine(kind, llama_talker(), limit=4000, streamed=streamed)
    answers = [(record["tier"], record["reason"]) for record in seen]
    if kind is CondensePlusContextChatEngine:  # it condenses each question but the first
        answers = [answers[0], *answers[2::2]]
    assert answers[0] == HELD[0]
    assert answers[1][0] == 1
    assert answers[2:] == HELD[2:]


@ENGINES
def test_a_memory_that_cuts_holds_by_the_session_that_is_named(kind):
    with collect_decisions() as seen, instrument_tags({"session_id": "s1"}):
        _talk_of_engine(kind, llama_talker(), limit=60, streamed=False)
    tiers = [record["tier"] for record in seen]
    assert tiers == [0] + [1] * (len(tiers) - 1)
    assert {record["reason"] for record in seen[2:]} == {"held"}


async def _talk_of_agent(many: bool, named: str | None, **running: Any) -> None:
    agent: Any = FunctionAgent(name="clerk", description="", tools=[TOOL], llm=llama_talker())
    if many:
        agent = AgentWorkflow([agent])
    context = Context(agent)
    for question in SAID:
        with instrument_tags({} if named is None else {"session_id": named}):
            await agent.run(user_msg=question, ctx=context, **running)


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("way", ["memory", "a small memory and a name", "context and a name"])
def test_an_agent_that_is_run_again_holds(way, many):
    running = (
        {}
        if way == "context and a name"
        else {
            "memory": Memory.from_defaults(
                session_id="s1", token_limit=4000 if way == "memory" else 20
            )
        }
    )
    with collect_decisions() as seen:
        asyncio.run(_talk_of_agent(many, None if way == "memory" else "s1", **running))
    assert [(record["tier"], record["reason"]) for record in seen] == HELD


# --- what else LangGraph and LangChain do with a model ---------------------------------------------


@QUESTIONS
@pytest.mark.parametrize("version", ["v1", "v2"])
def test_no_step_of_the_older_agent_changes_the_model(version, question, tier):
    agent = create_react_agent(chat(), [LOOK_UP], checkpointer=MemorySaver(), version=version)
    config: Any = {**LIMIT, "configurable": {"thread_id": "t1"}}
    with collect_decisions() as seen:
        agent.invoke({"messages": [HumanMessage(question)]}, config)
    check(list(seen), tier)


@QUESTIONS
def test_no_step_that_a_middleware_tries_again_changes_the_model(question, tier):
    retry = ModelRetryMiddleware(max_retries=2, initial_delay=0)
    fails = iter([False, True, False, True])

    @wrap_model_call
    def flaky(request: Any, handler: Any) -> Any:
        if next(fails, False):
            raise ConnectionError
        return handler(request)

    agent = create_agent(chat(), [LOOK_UP], middleware=[retry, flaky])
    with collect_decisions() as seen:
        agent.invoke({"messages": [HumanMessage(question)]}, LIMIT)
    check(list(seen), tier)


class Fan(TypedDict):
    questions: list[str]
    answers: Annotated[list[list[int]], operator.add]


@pytest.mark.parametrize("hold", ["turn", "conversation"])
def test_no_branch_of_a_graph_changes_its_model_while_others_run(hold):
    agent = graph(chat(hold=hold))

    def work(state: Any) -> Any:
        said = agent.invoke({"messages": [HumanMessage(state["question"])]}, LIMIT)["messages"]
        answers = [m for m in said if isinstance(m, AIMessage)]
        return {"answers": [[m.response_metadata["cascade"]["tier"] for m in answers]]}

    made = StateGraph(Fan)
    made.add_node("work", work)
    made.add_conditional_edges(
        START, lambda state: [Send("work", {"question": q}) for q in state["questions"]], ["work"]
    )
    questions = [f"{'a hard' if n % 2 else 'an easy'} question {n}" for n in range(6)]
    fan = made.compile(checkpointer=MemorySaver())
    config: Any = {"configurable": {"thread_id": "t1"}}
    answers = fan.invoke({"questions": questions, "answers": []}, config)["answers"]
    assert all(len(tiers) == STEPS and len(set(tiers)) == 1 for tiers in answers)
    if hold == "turn":
        assert [tiers[0] for tiers in answers] == [0, 1] * 3
    else:  # easy ones go where the conversation was when they began
        assert [tiers[0] for tiers in answers[1::2]] == [1] * 3
