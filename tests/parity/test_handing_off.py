"""An answer of the last tier below its threshold is handed off alike in both frameworks."""

from __future__ import annotations

from typing import Any, TypedDict

import pytest
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import StateGraph
from langgraph.types import Command, interrupt
from llama_index.core.llms import ChatMessage

from cascade_core import Audit, CascadeWarning, collect_decisions, flush_log
from cascade_core.errors import ConfigurationError
from cascade_core.log.export import export
from cascade_core.log.reading import read_events, read_records
from langchain_cascade import ChatCascade, RunnableCascade
from llamaindex_cascade import CascadeLLM
from tests.langchain import fakes as chat
from tests.llamaindex import fakes as llm
from tests.parity.answers import answer_of

WAYS = [
    *(("langchain", way) for way in ("invoke", "ainvoke", "stream", "astream")),
    *(("llamaindex", way) for way in ("chat", "achat", "stream_chat", "astream_chat")),
]


async def ask(framework: str, way: str, on_handoff: Any = None) -> tuple[str, dict[str, Any]]:
    """Return what is shown of doubtful answers, and the record."""
    if framework == "langchain":
        models = [chat.FakeChat(chat.UNSURE, model_name=name) for name in "ab"]
        cascade: Any = ChatCascade(models, thresholds=[0.9, 0.8], on_handoff=on_handoff)
        given: Any = "hi"
    else:
        cascade = CascadeLLM(
            [llm.FakeLLM(llm.UNSURE, name) for name in "ab"],
            thresholds=[0.9, 0.8],
            on_handoff=on_handoff,
        )
        given = [ChatMessage(content="hi")]
    with collect_decisions() as seen:
        answer = await answer_of(cascade, way, given)
    if framework == "langchain":
        shown = "".join(p.text for p in answer) if "stream" in way else answer.text
    else:
        last = answer[-1] if "stream" in way else answer
        shown = last.message.content
    return shown, seen[-1]


@pytest.mark.parametrize(("framework", "way"), WAYS)
async def test_without_anybody_to_take_it_the_answer_is_marked(framework: str, way: str) -> None:
    shown, record = await ask(framework, way)
    assert record["handoff"] is True
    assert "handed_to" not in record
    assert (record["tier"], record["reason"], record["accepted"]) == (1, "low_confidence", False)
    assert shown == (chat.UNSURE if framework == "langchain" else llm.UNSURE).text


@pytest.mark.parametrize("kind", ["plain", "async"])
@pytest.mark.parametrize(("framework", "way"), WAYS)
async def test_a_function_answers_in_its_place(framework: str, way: str, kind: str) -> None:
    def queue(request: Any, draft: Any) -> str:
        return f"A person, asked {request.question}"

    async def later(request: Any, draft: Any) -> str:
        return f"A person, asked {request.question}"

    shown, record = await ask(framework, way, queue if kind == "plain" else later)
    assert shown == "A person, asked hi"
    assert record["handed_to"] == ("queue" if kind == "plain" else "later")
    assert [call["outcome"] for call in record["calls"]] == ["rejected", "rejected"]


@pytest.mark.parametrize(("framework", "way"), WAYS)
async def test_a_model_answers_in_its_place(framework: str, way: str) -> None:
    human: Any = (
        chat.FakeChat(chat.SURE, model_name="h")
        if framework == "langchain"
        else llm.FakeLLM(llm.SURE, "h")
    )
    shown, record = await ask(framework, way, human)
    assert shown == (chat.SURE if framework == "langchain" else llm.SURE).text
    assert record["handed_to"] == "h"
    last = record["calls"][-1]
    assert (last["purpose"], last["tier"], last["model"]) == ("handoff", None, "h")


@pytest.mark.parametrize(("framework", "way"), WAYS)
async def test_one_that_raises_costs_no_answer(framework: str, way: str) -> None:
    def queue(request: Any, draft: Any) -> str:
        raise OSError

    with pytest.warns(CascadeWarning, match="on_handoff=queue gave no answer"):
        shown, record = await ask(framework, way, queue)
    assert shown == (chat.UNSURE if framework == "langchain" else llm.UNSURE).text
    assert record["handoff"] is True


@pytest.mark.parametrize("cascade", [ChatCascade, CascadeLLM])
def test_what_cannot_answer_is_refused_at_once(cascade: Any) -> None:
    fake: Any = chat.FakeChat(chat.SURE) if cascade is ChatCascade else llm.FakeLLM(llm.SURE, "a")
    with pytest.raises(ConfigurationError, match=r"on_handoff= takes .* not int"):
        repr(cascade([fake, fake], thresholds=[0.9, 0.8], on_handoff=5))
    with pytest.raises(ConfigurationError, match=r"with two arguments, \(request, draft\)"):
        cascade([fake, fake], thresholds=[0.9, 0.8], on_handoff=lambda request: "")


def test_a_chain_takes_what_a_cascade_of_chains_hands_off() -> None:
    tiers = [chat.FakeChat(chat.UNSURE) for _ in range(2)]
    rag = RunnableCascade(
        tiers, thresholds=[0.9, 0.8], on_handoff=chat.FakeChat(chat.SURE, model_name="h")
    )
    with collect_decisions() as seen:
        assert rag.invoke("hi").text == chat.SURE.text
    assert seen[-1]["handoff"] is True


@pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")
@pytest.mark.parametrize("framework", ["langchain", "llamaindex"])
def test_an_audit_keeps_the_last_tiers_own_answer_beside_that_of_who_took_it(
    framework: str, tmp_path: Any
) -> None:
    log = str(tmp_path / "log.jsonl")
    settings: dict[str, Any] = {
        "thresholds": [0.9, 0.8],
        "on_handoff": lambda request, draft: "of a person",
        "log": log,
        "log_content": True,
        "audit": Audit(1.0),
    }
    if framework == "langchain":
        ChatCascade([chat.FakeChat(chat.UNSURE) for _ in "ab"], **settings).invoke("hi")
        own = chat.UNSURE.text
    else:
        tiers = [llm.FakeLLM(llm.UNSURE, name) for name in "ab"]
        CascadeLLM(tiers, **settings).chat([ChatMessage(content="hi")])
        own = llm.UNSURE.text
    assert flush_log(30)
    (record,) = read_records(log)
    assert record["response"] == "of a person"
    found = export(read_records(log), read_events(log))
    assert [row["t1_response"] for row in found.rows] == [own]


@pytest.mark.parametrize(("framework", "way"), WAYS)
async def test_what_is_no_answer_leaves_the_last_tiers_own(framework: str, way: str) -> None:
    def queue(request: Any, draft: Any) -> Any:
        return 5

    with pytest.warns(CascadeWarning, match="on_handoff=queue gave int, which is no answer here"):
        shown, record = await ask(framework, way, queue)
    assert shown == (chat.UNSURE if framework == "langchain" else llm.UNSURE).text
    assert "handed_to" not in record


@pytest.mark.parametrize("way", ["chat", "achat", "stream_chat", "astream_chat"])
async def test_a_message_of_a_person_is_the_models_answer(way: str) -> None:
    tiers = [llm.FakeLLM(llm.UNSURE, name) for name in "ab"]
    said = ChatMessage(content="of a person")  # whose role is a user's
    cascade = CascadeLLM(tiers, thresholds=[0.9, 0.8], on_handoff=lambda request, draft: said)
    answer = await answer_of(cascade, way, [ChatMessage(content="hi")])
    message = (answer[-1] if "stream" in way else answer).message
    assert (message.role.value, message.content) == ("assistant", "of a person")


class State(TypedDict):
    """Of a graph that asks a cascade."""

    answer: str


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream"])
async def test_a_graph_stops_until_a_person_has_answered(way: str) -> None:
    def person(request: Any, draft: Any) -> str:
        answer: str = interrupt({"asked": request.question, "draft": draft.text})
        return answer

    models = [chat.FakeChat(chat.UNSURE, model_name=name) for name in "ab"]
    cascade = ChatCascade(models, thresholds=[0.9, 0.8], on_handoff=person)

    async def node(state: State) -> State:
        answer = await answer_of(cascade, way, "hi")
        return {"answer": "".join(p.text for p in answer) if "stream" in way else answer.text}

    graph = StateGraph(State)
    graph.add_node("ask", node)
    graph.set_entry_point("ask")
    app = graph.compile(checkpointer=InMemorySaver())
    thread: Any = {"configurable": {"thread_id": "1"}}
    with collect_decisions() as seen:
        stopped = await app.ainvoke({"answer": ""}, thread)
        (asked,) = stopped["__interrupt__"]
        assert asked.value == {"asked": "hi", "draft": chat.UNSURE.text}
        done = await app.ainvoke(Command(resume="of a person"), thread)
    assert done["answer"] == "of a person"
    assert [record["reason"] for record in seen] == ["cancelled", "low_confidence"]
    assert seen[1]["handed_to"] == "person"
