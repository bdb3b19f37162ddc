"""Cascades of whole chains: judged by their output, paid by the model calls inside."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.globals import set_llm_cache
from langchain_core.language_models import BaseLLM
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.output_parsers import JsonOutputParser, StrOutputParser
from langchain_core.outputs import Generation, LLMResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda
from pydantic import BaseModel

from cascade_core import collect_decisions
from cascade_core.draft import Draft
from cascade_core.errors import CascadeExhausted
from cascade_core.signals import Agreement, Judge, SelfConsistency
from langchain_cascade import RunnableCascade
from tests.langchain import fakes
from tests.langchain.fakes import (
    FakeChat,
    Runs,
    Say,
    record_of,
    tokens_by_model,
    tokens_seen,
)

PROMPT = ChatPromptTemplate.from_template("answer {question}")
ASKED = {"question": "one two"}
WAYS = ["invoke", "ainvoke", "stream", "astream", "batch", "abatch"]
ways = pytest.mark.parametrize("how", WAYS)
SURE = Say("cheap words", p=0.95)
UNSURE = Say("cheap words", p=0.3)


def model(says: Any, name: str) -> FakeChat:
    return FakeChat(says, model_name=name, logprobs=True)


def chains(cheap: Any, strong: Any = "strong words here", parser: Any = None) -> list[Any]:
    parser = parser or StrOutputParser()
    return [PROMPT | model(cheap, "cheap") | parser, PROMPT | model(strong, "strong") | parser]


ask = partial(fakes.ask, given=ASKED)


@ways
@pytest.mark.parametrize(("says", "text"), [(SURE, "cheap words"), (UNSURE, "strong words here")])
async def test_logprobs_are_read_through_a_parser(how: str, says: Say, text: str) -> None:
    cascade = RunnableCascade(tiers=chains(says))
    handler = UsageMetadataCallbackHandler()
    with collect_decisions() as seen:
        answer = await ask(how, cascade, config={"callbacks": [handler]})
    assert answer == text
    (record,) = seen
    assert record["signals"]["sequence_logprob"] == pytest.approx(says.p)
    assert record["tier"] == (0 if says is SURE else 1)
    assert tokens_seen(handler) == tokens_by_model(record)
    assert record["model"] == ("cheap" if says is SURE else "strong")


ENDS = [("length", "gate_truncated"), ("error", "gate_truncated"), ("SAFETY", "gate_refusal")]


@pytest.mark.parametrize(("finish", "reason"), ENDS)
@pytest.mark.parametrize("parser", [StrOutputParser(), JsonOutputParser()])
def test_a_parser_does_not_make_a_whole_answer_of_one_that_was_cut_off(
    parser: Any, finish: str, reason: str
) -> None:
    cut = Say('{"city": "Oslo", "rain', p=0.99, finish=finish)
    tiers = chains(cut, '{"city": "Rome"}', parser)
    with collect_decisions() as seen:
        RunnableCascade(tiers=tiers, signals=[lambda request, draft: 0.99]).invoke(ASKED)
    assert (seen[0]["tier"], seen[0]["reason"]) == (1, reason)


class Completes(BaseLLM):
    """A completion model, which says what it has to say beside its text."""

    finish: str

    @property
    def _llm_type(self) -> str:
        return "completes"

    def _generate(self, prompts: list[str], *_: Any, **__: Any) -> LLMResult:
        told = {"finish_reason": self.finish, "logprobs": None}
        usage = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
        return LLMResult(
            generations=[[Generation(text="cheap words", generation_info=told)] for _ in prompts],
            llm_output={"token_usage": usage, "model_name": "davinci"},
        )


@pytest.mark.parametrize(("finish", "tier"), [("stop", 0), ("length", 1)])
def test_what_a_completion_model_says_of_its_answer_is_read(finish: str, tier: int) -> None:
    tiers = [PROMPT | Completes(finish=finish), chains(SURE)[1]]
    with collect_decisions() as seen:
        RunnableCascade(tiers=tiers, signals=[lambda request, draft: 0.99]).invoke(ASKED)
    assert seen[0]["tier"] == tier
    call = seen[0]["calls"][0]
    assert (call["model"], call["tokens_source"]) == ("davinci", "provider")
    assert (call["usage"]["input_tokens"], call["usage"]["output_tokens"]) == (12, 5)


def test_the_end_of_a_model_that_only_helped_is_not_the_answers() -> None:
    kind = model(Say("billing", finish="length"), "kind")
    chain = RunnableLambda(lambda given: kind.invoke("?") and given) | chains(SURE)[0]
    with collect_decisions() as seen:
        RunnableCascade(tiers=[chain, chains(SURE)[1]]).invoke(ASKED)
    assert seen[0]["tier"] == 0


def test_the_last_chain_is_streamed_live_and_an_accepted_one_at_once() -> None:
    assert list(RunnableCascade(tiers=chains(SURE)).stream(ASKED)) == ["cheap words"]
    live = RunnableCascade(tiers=chains(UNSURE)).stream(ASKED)
    assert [piece for piece in live if piece] == ["strong ", "words ", "here"]


@ways
async def test_every_model_call_inside_a_chain_is_in_the_record(how: str) -> None:
    first, second = model(Say("rewritten question", p=0.9), "rewriter"), model(UNSURE, "writer")

    async def atwice(given: dict[str, str]) -> str:
        message = await first.ainvoke(given["question"])
        return (await second.ainvoke(message.content)).content

    def twice(given: dict[str, str]) -> str:
        return second.invoke(first.invoke(given["question"]).content).content

    cascade = RunnableCascade(tiers=[RunnableLambda(twice, atwice), chains("")[1]])
    handler = UsageMetadataCallbackHandler()
    with collect_decisions() as seen:
        await ask(how, cascade, config={"callbacks": [handler]})
    (record,) = seen
    assert [call["model"] for call in record["calls"]] == ["rewriter", "writer", "strong"]
    assert [call["tier"] for call in record["calls"]] == [0, 0, 1]
    assert tokens_seen(handler) == tokens_by_model(record)


class Reply(BaseModel):
    answer: str


OUTPUTS: list[tuple[Any, str]] = [
    ("text", "text"),
    (AIMessage("text"), "text"),
    ([HumanMessage("q"), AIMessage("text")], "text"),
    ({"answer": "text", "context": ["a"]}, "text"),
    ({"output": AIMessage("text")}, "text"),
    ({"messages": [HumanMessage("q"), AIMessage("text")]}, "text"),
    ({"other": 1}, '{"other": 1}'),
    (Reply(answer="x"), '{"answer":"x"}'),
    (Draft(text="text"), "text"),
    (7, "7"),
    (["a", "b"], '["a", "b"]'),
]


@pytest.mark.parametrize(("output", "text"), OUTPUTS, ids=range(len(OUTPUTS)))
@pytest.mark.parametrize("how", ["invoke", "ainvoke", "stream"])
async def test_outputs_of_every_usual_shape_are_judged_and_returned_as_they_are(
    output: Any, text: str, how: str
) -> None:
    read: list[str] = []

    def reads(request: Any, draft: Any) -> float:
        read.append(draft.text)
        return 1.0

    cascade = RunnableCascade(tiers=[lambda _: output, lambda _: "strong"], signals=[reads])
    answer = await ask(how, cascade)
    assert read == [text]
    if isinstance(output, AIMessage):
        assert answer.content == "text"
        assert record_of(answer)["reason"] == "confident"
    else:
        assert answer == output


def test_an_output_of_another_shape_is_read_by_the_callers_function() -> None:
    class Odd:
        words = "odd words"

    odd = Odd()

    def reads(request: Any, draft: Any) -> float:
        return float(draft.text == "odd words")

    for to_draft in (
        lambda o: o.words,
        lambda o: AIMessage(o.words),
        lambda o: Draft(text=o.words),
    ):
        cascade = RunnableCascade(
            tiers=[lambda _: odd, lambda _: "strong"], signals=[reads], to_draft=to_draft
        )
        assert cascade.invoke("q") is odd
    refused = RunnableCascade(tiers=[lambda _: odd, lambda _: odd], signals=[reads])
    with pytest.raises(Exception, match="to_draft="):
        refused.invoke("q")


QUESTIONS: list[Any] = [
    "why?",
    {"question": "why?"},
    {"input": "why?", "chat_history": []},
    {"messages": [HumanMessage("why?")]},
    [HumanMessage("why?")],
    HumanMessage("why?"),
    PROMPT.invoke({"question": "why?"}),
]


@pytest.mark.parametrize("given", QUESTIONS, ids=range(len(QUESTIONS)))
def test_the_question_is_found_in_inputs_of_every_usual_shape(given: Any) -> None:
    asked: list[str] = []

    def reads(request: Any, draft: Any) -> float:
        asked.append(request.question)
        return 1.0

    RunnableCascade(tiers=[lambda _: "a", lambda _: "b"], signals=[reads]).invoke(given)
    assert asked[0].endswith("why?")


@ways
async def test_a_parser_that_cannot_read_the_draft_escalates(how: str) -> None:
    cascade = RunnableCascade(
        tiers=chains(Say("no JSON", p=0.99), Say('{"a": 1}'), JsonOutputParser())
    )
    if how in {"stream", "astream"}:
        pieces = (
            list(cascade.stream(ASKED))
            if how == "stream"
            else [piece async for piece in cascade.astream(ASKED)]
        )
        assert pieces[-1] == {"a": 1}
        return
    with collect_decisions() as seen:
        assert await ask(how, cascade) == {"a": 1}
    assert seen[0]["reason"] == "gate_parser"
    assert [call["outcome"] for call in seen[0]["calls"]] == ["rejected", "returned"]


@ways
async def test_a_chain_that_fails_goes_on_and_its_calls_stay_paid_for(how: str) -> None:
    cheap = model(UNSURE, "cheap")

    def breaks(message: Any) -> str:
        raise ZeroDivisionError

    cascade = RunnableCascade(tiers=[PROMPT | cheap | breaks, chains("")[1]])
    with collect_decisions() as seen:
        answer = await ask(how, cascade)
    assert answer == "strong words here"
    (record,) = seen
    assert record["reason"] == "failed"
    assert tokens_by_model(record)["cheap"][1] == 2


@ways
async def test_what_a_failed_last_chain_used_is_in_the_errors_trail(how: str) -> None:
    cascade = RunnableCascade(tiers=chains(Say("no JSON", p=0.99), "no JSON", JsonOutputParser()))
    with pytest.raises(CascadeExhausted) as raised:
        await ask(how, cascade)
    assert [call.usage.output_tokens for call in raised.value.trail] == [2, 2]


@ways
async def test_when_every_chain_fails_the_error_names_the_causes(how: str) -> None:
    def breaks(given: Any) -> str:
        raise ZeroDivisionError("secret")

    runs = Runs()
    with pytest.raises(CascadeExhausted, match="tier 0: ZeroDivisionError; tier 1") as raised:
        await ask(how, RunnableCascade(tiers=[breaks, breaks]), config={"callbacks": [runs]})
    assert "secret" not in str(raised.value)
    assert not runs.open


@ways
async def test_a_model_call_served_from_a_cache_inside_a_chain_costs_nothing(how: str) -> None:
    set_llm_cache(InMemoryCache())
    cheap = model(SURE, "cheap").model_copy(update={"disable_streaming": True})
    tiers = [PROMPT | cheap | StrOutputParser(), chains("")[1]]
    cascade = RunnableCascade(tiers=tiers, prices={"cheap": {"input": 1, "output": 1}})
    with collect_decisions() as seen:
        await ask(how, cascade)
        await ask(how, cascade)
    assert len(cheap.calls) == 1
    assert seen[0]["cost_usd"] > 0
    assert seen[1]["cost_usd"] == 0


@ways
async def test_a_judge_and_samples_work_on_chains(how: str) -> None:
    judge = FakeChat("A", model_name="judge")
    tiers = chains(Say("cheap words", p=None))
    cascade = RunnableCascade(
        tiers=tiers, signals=[Judge(judge), SelfConsistency(2, temperature=None)]
    )
    with collect_decisions() as seen:
        assert await ask(how, cascade) == "cheap words"
    (record,) = seen
    assert [call["purpose"] for call in record["calls"]] == ["draft", "judge", "sample", "sample"]
    assert "one two" in judge.calls[0].prompt


@ways
@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize(("words", "agrees"), [("cheap words.", 1.0), ("other words", 0.0)])
async def test_another_chain_is_given_the_same_input(
    how: str, eager: bool, words: str, agrees: float
) -> None:
    other = FakeChat(Say(words, p=None), model_name="other")
    chain = PROMPT | other | StrOutputParser()
    tiers = chains(Say("cheap words", p=None))
    prices = {"other": {"input": 1, "output": 1}}
    cascade = RunnableCascade(tiers=tiers, signals=[Agreement(chain, eager=eager)], prices=prices)
    with collect_decisions() as seen:
        await ask(how, cascade)
    (record,) = seen
    assert record["judged"][0]["signals"] == {"agreement": agrees}
    (call,) = [call for call in record["calls"] if call["purpose"] == "agree"]
    assert (call["model"], call["tier"], call["outcome"]) == ("other", 0, "used")
    assert call["cost_usd"] > 0
    assert "one two" in other.calls[0].prompt


@ways
async def test_the_tree_of_runs_is_one_chain_with_the_tiers_below(how: str) -> None:
    runs = Runs()
    await ask(
        how, RunnableCascade(tiers=chains(UNSURE)), config={"callbacks": [runs], "run_name": "rag"}
    )
    roots = [run for run in runs.by_id.values() if run.parent is None]
    assert [run.name for run in roots] == ["rag"]
    assert all(run.parent is None or run.parent in runs.by_id for run in runs.by_id.values())
    assert not runs.open
    draft, answer = runs.of("llm")
    assert "nostream" in draft.tags
    assert "nostream" not in answer.tags


async def test_chains_hide_their_drafts_from_event_streams() -> None:
    cascade = RunnableCascade(tiers=chains(UNSURE))
    events = [e async for e in cascade.astream_events(ASKED, version="v2")]
    (name,) = {e["name"] for e in events if e["event"] == "on_chain_start" and not e["parent_ids"]}
    shown = [
        e["data"]["chunk"] for e in events if e["event"] == "on_chain_stream" and e["name"] == name
    ]
    assert "".join(shown) == "strong words here"


async def test_many_requests_at_once_mix_nothing_up() -> None:
    def reads(messages: Any, kwargs: Any) -> Say:
        number = int(messages[-1].content.split()[1])
        return Say(f"cheap {number}", p=0.95 if number % 2 else 0.2, delay=0.001)

    def strong(messages: Any, kwargs: Any) -> Say:
        return Say("strong " + messages[-1].content.split()[1])

    cascade = RunnableCascade(tiers=chains(reads, strong))

    async def one(number: int) -> None:
        with collect_decisions() as seen:
            answer = await cascade.ainvoke({"question": str(number)})
        assert answer == f"{'cheap' if number % 2 else 'strong'} {number}"
        assert len(seen) == 1
        assert len(seen[0]["calls"]) == (1 if number % 2 else 2)

    await asyncio.gather(*(one(number) for number in range(200)))


def test_the_answer_of_a_chain_that_ends_in_a_model_carries_the_record() -> None:
    tiers = [PROMPT | model(UNSURE, "cheap"), PROMPT | model("strong words", "strong")]
    cascade = RunnableCascade(tiers=tiers)
    message = cascade.invoke(ASKED)
    assert record_of(message)["tier"] == 1
    chunks = list(cascade.stream(ASKED))
    assert record_of(chunks[-1])["tier"] == 1
    assert ["cascade" in c.response_metadata for c in chunks].count(True) == 1


def test_none_is_an_input_like_any_other() -> None:
    cascade = RunnableCascade(tiers=[repr] * 2, signals=[lambda _r, _d: 1.0])
    assert cascade.invoke(None) == "None"


def test_arguments_reach_every_chain() -> None:
    seen: list[Any] = []

    def takes(given: Any, **kwargs: Any) -> str:
        seen.append(kwargs)
        return "x"

    cascade = RunnableCascade(tiers=[takes, takes], signals=[lambda _r, _d: 0.0])
    cascade.bind(top=1).invoke("q")
    assert seen == [{"top": 1}, {"top": 1}]
