"""The public surface as users write it. Never executed: mypy reads it, strictly."""

from __future__ import annotations

from typing import assert_type

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable
from llama_index.core import Settings
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse
from llama_index.core.llms import LLM

from cascade_core import Policy, collect_decisions
from cascade_core.draft import Draft
from cascade_core.request import Request
from cascade_core.signals import Grounding, SelfConsistency, SequenceLogprob
from langchain_cascade import CascadeMiddleware, ChatCascade, RunnableCascade
from llamaindex_cascade import CascadeLLM, CascadeQueryEngine


def long_enough(request: Request, draft: Draft) -> float:
    return 1.0


async def polite(request: Request, draft: Draft) -> float | None:
    return None


async def chat(cheap: BaseChatModel, strong: BaseChatModel) -> None:
    llm = ChatCascade(tiers=[cheap, strong])
    model: BaseChatModel = llm
    assert_type(llm.invoke("hello"), AIMessage)
    assert_type(await llm.ainvoke("hello"), AIMessage)
    ChatCascade(
        tiers=[cheap, model, strong],
        signals=[SequenceLogprob(), SelfConsistency(), long_enough, polite],
        thresholds=[0.8, 0.7],
        policy="policy.json",
        on_no_score="escalate",
    )
    assert_type(ChatCascade.from_models("openai:gpt-4o-mini", "openai:gpt-4o"), ChatCascade)


def chains(cheap: Runnable[str, str], strong: Runnable[str, str]) -> None:
    rag = RunnableCascade(tiers=[cheap, strong], signals=[long_enough])
    with collect_decisions() as seen:
        rag.invoke("hello")
    for record in seen:
        reason: str = record["reason"]
        reason.upper()


def agent(cheap: BaseChatModel, strong: BaseChatModel, policy: Policy) -> None:
    create_agent(strong, [], middleware=[CascadeMiddleware(tiers=[cheap, strong], policy=policy)])


async def llm(cheap: LLM, strong: LLM) -> None:
    model = CascadeLLM(tiers=[cheap, strong], signals=[SequenceLogprob(), Grounding()])
    Settings.llm = model
    assert_type(model.complete("hello"), CompletionResponse)
    assert_type(await model.achat([ChatMessage(content="hello")]), ChatResponse)
    CascadeLLM(
        tiers=[cheap, model, strong],
        signals=[SelfConsistency(), long_enough, polite],
        thresholds=[0.8, 0.7],
        policy="policy.json",
        on_no_score="escalate",
    )


def engines(cheap: BaseQueryEngine, strong: BaseQueryEngine) -> None:
    engine: BaseQueryEngine = CascadeQueryEngine(tiers=[cheap, strong])
    engine.query("hello")
