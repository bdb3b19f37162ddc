"""Agents and structured output of both frameworks' own clients against the demo server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel

from cascade_demo.server import DemoServer

QUESTION = "I returned 3 of 7 mugs, $24 each. How much do I get?"
WORKING = "[3 x 24 = 3 x 20 + 3 x 4 = 60 + 12 = 72] "
RESULT = "$72 is on its way."
ANSWER = f"You get $72 back. {RESULT}"
TEXT = WORKING + ANSWER


class Reply(BaseModel):
    """What the desk says."""

    answer: str
    amount: int | None


class Money(BaseModel):
    """A sum."""

    amount: int


class Till:
    """A tool that counts what it pays."""

    def __init__(self) -> None:
        self.paid: list[int] = []

    def refund(self, amount: int) -> str:
        """Pay money back."""
        self.paid.append(amount)
        return f"${amount} is on its way."


# --- LangChain ------------------------------------------------------------------------------------


def chat(server: DemoServer, model: str = "desk-large", **options: Any) -> Any:
    openai = pytest.importorskip("langchain_openai")
    return openai.ChatOpenAI(
        base_url=server.base_url, api_key="unused", model=model, temperature=0, **options
    )


def langchain_tool(till: Till) -> Any:
    from langchain_core.tools import tool

    return tool(till.refund)


def test_chat_openai_reads_the_same_call_whole_and_streamed(server: DemoServer) -> None:
    llm = chat(server).bind_tools([langchain_tool(Till())])
    whole = llm.invoke(QUESTION)
    chunks = list(llm.stream(QUESTION))
    total = sum(chunks[1:], chunks[0])
    for message in (whole, total, asyncio.run(llm.ainvoke(QUESTION))):
        (call,) = message.tool_calls
        assert (call["name"], call["args"]) == ("refund", {"amount": 72})
        assert message.content == ""
        assert message.response_metadata["finish_reason"] == "tool_calls"


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_chat_openai_gives_objects(server: DemoServer, method: str) -> None:
    llm = chat(server).with_structured_output(Reply, method=method)
    expected = Reply(answer="You get $72 back.", amount=72)
    assert llm.invoke(QUESTION) == expected
    assert list(llm.stream(QUESTION))[-1] == expected
    assert asyncio.run(llm.ainvoke(QUESTION)) == expected
    strict = chat(server).with_structured_output(Reply, method=method, strict=True)
    assert strict.invoke(QUESTION) == expected


def test_chat_openai_is_told_what_an_answer_does_not_fill(server: DemoServer) -> None:
    pytest.importorskip("langchain_openai")
    from langchain_openai.chat_models.base import OpenAIRefusalError

    llm = chat(server).with_structured_output(Money)
    with pytest.raises(OpenAIRefusalError, match="no number for 'amount'"):
        llm.invoke("I forgot my password.")


def test_a_langchain_agent_acts_once_and_states_the_result(server: DemoServer) -> None:
    pytest.importorskip("langchain_openai")
    from langchain.agents import create_agent

    till = Till()
    agent = create_agent(chat(server), [langchain_tool(till)])
    asked: Any = {"messages": [("user", QUESTION)]}
    assert agent.invoke(asked)["messages"][-1].content == TEXT
    assert asyncio.run(agent.ainvoke(asked))["messages"][-1].content == TEXT
    shown = [part.content for part, _ in agent.stream(asked, stream_mode="messages")]
    assert "".join(str(text) for text in shown).endswith(
        RESULT + TEXT
    )  # the tool's, and the answer
    assert till.paid == [72, 72, 72]


@pytest.mark.parametrize("strategy", ["ProviderStrategy", "ToolStrategy"])
def test_a_langchain_agent_ends_with_an_object(server: DemoServer, strategy: str) -> None:
    pytest.importorskip("langchain_openai")
    from langchain.agents import create_agent, structured_output

    till = Till()
    form = getattr(structured_output, strategy)(Reply)
    agent = create_agent(chat(server), [langchain_tool(till)], response_format=form)
    said = agent.invoke({"messages": [("user", QUESTION)]})["structured_response"]
    assert said == Reply(answer=ANSWER, amount=72)
    assert till.paid == [72]


# --- LlamaIndex -----------------------------------------------------------------------------------


def like(server: DemoServer, model: str = "desk-large") -> Any:
    module = pytest.importorskip("llama_index.llms.openai_like")
    return module.OpenAILike(
        api_base=server.base_url, api_key="unused", model=model, temperature=0, max_tokens=120,
        is_chat_model=True, is_function_calling_model=True,
    )  # fmt: skip


@pytest.mark.parametrize("streaming", [False, True])
def test_a_llamaindex_agent_acts_once_and_states_the_result(
    server: DemoServer, streaming: bool
) -> None:
    llm = like(server)
    from llama_index.core.agent.workflow import FunctionAgent

    till = Till()

    async def run() -> Any:
        return await FunctionAgent(tools=[till.refund], llm=llm, streaming=streaming).run(QUESTION)

    answer = asyncio.run(run())
    assert str(answer) == TEXT
    assert [call.tool_name for call in answer.tool_calls] == ["refund"]
    assert till.paid == [72]


def test_a_llamaindex_model_reads_the_same_call_whole_and_streamed(server: DemoServer) -> None:
    llm = like(server)
    from llama_index.core.tools import FunctionTool

    tools = [FunctionTool.from_defaults(Till().refund)]
    whole = llm.chat_with_tools(tools, user_msg=QUESTION)
    *_, last = llm.stream_chat_with_tools(tools, user_msg=QUESTION)
    later = asyncio.run(llm.achat_with_tools(tools, user_msg=QUESTION))
    for response in (whole, last, later):
        (call,) = llm.get_tool_calls_from_response(response)
        assert (call.tool_name, call.tool_kwargs) == ("refund", {"amount": 72})


def test_a_llamaindex_model_gives_objects(server: DemoServer) -> None:
    llm = like(server)
    from llama_index.core.prompts import PromptTemplate

    prompt = PromptTemplate("{question}")
    expected = Reply(answer="You get $72 back.", amount=72)
    assert llm.structured_predict(Reply, prompt, question=QUESTION) == expected
    *_, last = llm.stream_structured_predict(Reply, prompt, question=QUESTION)
    assert last == expected
    later = asyncio.run(llm.astructured_predict(Reply, prompt, question=QUESTION))
    assert later == expected


# --- cascades -------------------------------------------------------------------------------------


def test_a_rejected_proposal_never_runs_in_a_langchain_agent(server: DemoServer) -> None:
    pytest.importorskip("langchain_openai")
    from langchain.agents import create_agent

    from langchain_cascade import CascadeMiddleware, ChatCascade

    tiers = [chat(server, "desk-small"), chat(server)]
    for kind in ("model", "middleware"):
        till = Till()
        settings: Any = {"tiers": tiers, "on_tool_call": "escalate"}
        if kind == "model":
            agent = create_agent(ChatCascade(**settings), [langchain_tool(till)])
        else:
            agent = create_agent(
                tiers[1], [langchain_tool(till)], middleware=[CascadeMiddleware(**settings)]
            )
        messages = agent.invoke({"messages": [("user", QUESTION)]})["messages"]
        records = [m.response_metadata["cascade"] for m in messages if m.type == "ai"]
        assert [record["tier"] for record in records] == [1, 1]
        # The turn stays with the strong model: its second step asks no other.
        assert [len(record["calls"]) for record in records] == [2, 1]
        assert till.paid == [72]  # and not the 128 that the cheap model proposed


def test_a_rejected_proposal_never_runs_in_a_llamaindex_agent(server: DemoServer) -> None:
    tiers = [like(server, "desk-small"), like(server)]
    from llama_index.core.agent.workflow import FunctionAgent

    from llamaindex_cascade import CascadeLLM

    till = Till()
    llm = CascadeLLM(tiers=tiers, on_tool_call="escalate")

    async def run() -> Any:
        return await FunctionAgent(tools=[till.refund], llm=llm).run(QUESTION)

    assert str(asyncio.run(run())) == TEXT
    assert till.paid == [72]
    assert [
        call.tool_kwargs
        for call in tiers[0].get_tool_calls_from_response(
            tiers[0].chat_with_tools([_function_tool(till)], user_msg=QUESTION)
        )
    ] == [{"amount": 128}]


def _function_tool(till: Till) -> Any:
    from llama_index.core.tools import FunctionTool

    return FunctionTool.from_defaults(till.refund)
