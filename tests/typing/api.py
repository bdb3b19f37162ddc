"""The public surface as users write it. Never executed: mypy reads it, strictly.

Where a line ends in `type: ignore`, what it does is wrong and has to be refused: mypy also reports
an ignore that nothing needs.
"""

from __future__ import annotations

import json
from typing import assert_type

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.output_parsers import PydanticOutputParser, StrOutputParser
from langchain_core.runnables import Runnable
from llama_index.core import Settings
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse
from llama_index.core.callbacks import CallbackManager
from llama_index.core.llms import LLM
from llama_index.core.output_parsers import PydanticOutputParser as LlamaParser
from llama_index.core.response_synthesizers import BaseSynthesizer
from pydantic import BaseModel

import langchain_cascade
import llamaindex_cascade
from cascade_core import Audit, Policy, Runs, collect_decisions
from cascade_core.draft import Draft
from cascade_core.request import Request
from cascade_core.signals import Claims, Grounding, Judge, SelfConsistency, SequenceLogprob
from langchain_cascade import CascadeMiddleware, ChatCascade, RunnableCascade
from llamaindex_cascade import CascadeLLM, CascadeQueryEngine, CascadeSynthesizer


class Invoice(BaseModel):
    total: int


def long_enough(request: Request, draft: Draft) -> float:
    return 1.0


async def polite(request: Request, draft: Draft) -> float | None:
    return None


def short(request: Request, draft: Draft) -> bool:
    return len(draft.text) < 1000


async def of_code(code: str, request: Request) -> bool:
    return "import" in code


def of_text(text: str) -> float:
    return 1.0


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


def every_setting(cheap: BaseChatModel, strong: BaseChatModel) -> None:
    llm = ChatCascade(
        [cheap, "openai:gpt-4o-mini", strong.with_retry(), strong.bind(logprobs=True)],
        signals=["sequence_logprob", Judge(strong), Claims(strong, reading="weakest")],
        combine={"sequence_logprob": 1.0, "judge": 2.0},
        thresholds=0.8,
        gates=[short, Runs(of_code), Runs(language="sql"), langchain_cascade.parser_gate(Invoice)],
        policy=Policy(thresholds=(0.5,)),
        prices={"cheap": {"input": 0.15, "output": 0.6}},
        log="decisions.jsonl",
        log_content=True,
        audit=Audit(rate=0.05, compare=Judge(strong), max_usd_per_day=5),
        mode="shadow",
        on_no_score="accept",
        on_tool_call="escalate",
        on_exhausted="best_draft",
        streaming_policy="buffer",
        temperature=0,
        api_key="…",
        tags=["billing"],
        cache=True,
    )
    llm.thresholds = [0.8, 0.7, 0.6]
    llm.thresholds = "0.8"  # type: ignore[assignment]


def wrong_chats(cheap: BaseChatModel, strong: BaseChatModel) -> None:
    ChatCascade()  # type: ignore[call-arg]
    ChatCascade(cheap, strong)  # type: ignore[call-arg, arg-type]
    ChatCascade([cheap, 7])  # type: ignore[list-item]
    ChatCascade([cheap, strong | StrOutputParser()])  # type: ignore[list-item]
    ChatCascade([cheap, strong], thresholdz=[0.8])  # type: ignore[call-arg]
    ChatCascade([cheap, strong], thresholds=["0.8"])  # type: ignore[list-item]
    ChatCascade([cheap, strong], signals=[of_text])  # type: ignore[list-item]
    ChatCascade([cheap, strong], signals="sequence_logprob")  # a text is a sequence of texts
    ChatCascade([cheap, strong], gates=[of_text])  # type: ignore[list-item]
    ChatCascade([cheap, strong], combine="max")  # type: ignore[arg-type]
    ChatCascade([cheap, strong], mode="dry")  # type: ignore[arg-type]
    ChatCascade([cheap, strong], policy=7)  # type: ignore[arg-type]
    ChatCascade([cheap, strong], temperature="hot")  # type: ignore[arg-type]
    ChatCascade.from_models("a:b", "c:d", needs_nodes=True)  # type: ignore[call-arg]
    ChatCascade.from_models(cheap, strong)  # type: ignore[arg-type]


def chains(cheap: Runnable[str, str], strong: Runnable[str, str]) -> None:
    rag = RunnableCascade(tiers=[cheap, strong], signals=[long_enough])
    with collect_decisions() as seen:
        rag.invoke("hello")
    for record in seen:
        reason: str = record["reason"]
        reason.upper()
    RunnableCascade([cheap, str.upper], to_draft=str, name="rag")
    RunnableCascade([cheap, 7])  # type: ignore[list-item]
    RunnableCascade([cheap, strong], temperature=0)  # type: ignore[call-arg]
    RunnableCascade([cheap, strong], to_draft="answer")  # type: ignore[arg-type]


def agent(cheap: BaseChatModel, strong: BaseChatModel, policy: Policy) -> None:
    create_agent(strong, [], middleware=[CascadeMiddleware(tiers=[cheap, strong], policy=policy)])
    assert_type(CascadeMiddleware.from_models("a:b", "c:d", thresholds=0.8), CascadeMiddleware)
    CascadeMiddleware([cheap, strong], temperature=0)  # type: ignore[call-arg]
    CascadeMiddleware(cheap)  # type: ignore[arg-type]


class Desk(ChatCascade):
    """A cascade of the caller's own, with a field."""

    desk: str = "billing"


def own(cheap: BaseChatModel, strong: BaseChatModel) -> None:
    Desk(tiers=[cheap, strong], desk="legal", thresholds=0.8)
    Desk(tiers=[cheap, strong], desk=7)  # type: ignore[arg-type]


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
    CascadeLLM([cheap, "openai:gpt-4o"], callback_manager=CallbackManager(), system_prompt="Brief.")
    assert_type(CascadeLLM.from_models("a:b", "c:d", mode="shadow"), CascadeLLM)
    CascadeLLM([cheap, 7])  # type: ignore[list-item]
    CascadeLLM([cheap, strong], temperature=0)  # type: ignore[call-arg]
    CascadeLLM([cheap, strong], callback_manager=[])  # type: ignore[arg-type]
    CascadeLLM.from_models("a:b", "c:d", tresholds=0.8)  # type: ignore[call-arg]


def engines(cheap: BaseQueryEngine, strong: BaseQueryEngine) -> None:
    engine: BaseQueryEngine = CascadeQueryEngine(tiers=[cheap, strong])
    engine.query("hello")
    CascadeQueryEngine([cheap, strong], needs_nodes=False, thresholds=0.6)
    CascadeQueryEngine([cheap, "openai:gpt-4o"])  # type: ignore[list-item]
    CascadeQueryEngine([cheap, strong], response_mode="refine")  # type: ignore[call-arg]


def synthesizers(cheap: LLM, strong: BaseSynthesizer) -> None:
    synthesizer: BaseSynthesizer = CascadeSynthesizer([cheap, strong, "openai:gpt-4o"])
    CascadeSynthesizer([cheap, synthesizer], response_mode="refine", streaming=True, mode="serve")
    CascadeSynthesizer.from_models("a:b", "c:d", output_cls=Invoice)
    CascadeSynthesizer([cheap, strong], output_cls=Invoice(total=1))  # type: ignore[arg-type]
    CascadeSynthesizer([cheap, strong], llm=cheap)  # type: ignore[call-arg]


def parsers() -> None:
    langchain_cascade.parser_gate(PydanticOutputParser(pydantic_object=Invoice))
    langchain_cascade.parser_gate(json.loads)
    llamaindex_cascade.parser_gate(LlamaParser(Invoice))
    llamaindex_cascade.parser_gate(Invoice)
    langchain_cascade.parser_gate(7)  # type: ignore[arg-type]
    llamaindex_cascade.parser_gate("json")  # type: ignore[arg-type]
