"""A cascade of response synthesizers: one retrieval, and whole answers judged."""

from __future__ import annotations

import asyncio
import gc
from contextvars import Context
from typing import Any

import pytest
from llama_index.core import PromptTemplate, get_response_synthesizer
from llama_index.core.base.response.schema import (
    AsyncStreamingResponse,
    PydanticResponse,
    Response,
    StreamingResponse,
)
from llama_index.core.callbacks import (
    CallbackManager,
    CBEventType,
    LlamaDebugHandler,
    TokenCountingHandler,
)
from llama_index.core.indices.prompt_helper import PromptHelper
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import BaseSynthesizer, ResponseMode
from llama_index.core.schema import QueryBundle
from llama_index.llms.openai import OpenAI
from pydantic import BaseModel

from cascade_core import collect_decisions
from cascade_core.errors import CascadeExhausted, ConfigurationError
from cascade_core.signals import Agreement, Judge, SelfConsistency, Verbalized
from llamaindex_cascade import CascadeLLM, CascadeSynthesizer
from tests.llamaindex.fakes import (
    PRICES,
    SURE,
    UNSURE,
    FakeLLM,
    ProviderError,
    Say,
    cheap,
    strong,
)
from tests.llamaindex.retrieval import (
    FACTS,
    QUESTION,
    events,
    facts,
    nodes,
    text_of,
    unsure_of_the_hard_one,
)
from tests.llamaindex.watched import ACCEPTED, ESCALATED, outcomes

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

ways = pytest.mark.parametrize("how", ["sync", "async"])
streamed_or_not = pytest.mark.parametrize("streaming", [False, True])
DOWN = Say(error=ProviderError("no service"))


async def ask(how: str, synthesizer: BaseSynthesizer, given: Any = None, **kwargs: Any) -> Any:
    given = nodes() if given is None else given
    if how == "sync":
        return synthesizer.synthesize(QUESTION, given, **kwargs)
    return await synthesizer.asynthesize(QUESTION, given, **kwargs)


class TestAnAnswer:
    @ways
    @streamed_or_not
    @pytest.mark.parametrize(
        ("script", "text", "trail"),
        [(SURE, "sure answer", ACCEPTED), (UNSURE, "strong answer", ESCALATED)],
    )
    async def test_is_the_accepted_tiers_with_its_record(
        self, how: str, streaming: bool, script: Say, text: str, trail: Any
    ) -> None:
        llms = [cheap(script), strong()]
        cascade = CascadeSynthesizer(tiers=llms, streaming=streaming, prices=PRICES)
        with collect_decisions() as seen:
            response = await ask(how, cascade)
            assert await text_of(response) == text
        record = response.metadata["cascade"]
        assert seen == [record]
        assert outcomes(record) == trail
        assert record["reason"] == ("confident" if script is SURE else "low_confidence")
        assert record["signals"]["sequence_logprob"] == pytest.approx(script.p)
        assert record["model"] == record["calls"][-1]["model"] == f"m{len(trail) - 1}"
        assert record["cost_usd"] == pytest.approx(
            sum(call["cost_usd"] for call in record["calls"])
        )
        assert (llms[0].journal.count, llms[1].journal.count) == (1, len(trail) - 1)

    @ways
    @streamed_or_not
    async def test_keeps_the_sources_and_what_llamaindex_puts_beside_them(
        self, how: str, streaming: bool
    ) -> None:
        cascade = CascadeSynthesizer(tiers=[cheap(UNSURE), strong()], streaming=streaming)
        given = nodes()
        extra = nodes(["more"])
        response = await ask(how, cascade, given, additional_source_nodes=extra)
        await text_of(response)
        assert response.source_nodes == [*given, *extra]
        assert set(response.metadata) == {*FACTS, "more", "cascade"}
        assert response.metadata["fact 0"] == {"from": "fact 0"}

    @ways
    async def test_is_of_the_type_that_upstream_returns(self, how: str) -> None:
        whole = await ask(how, CascadeSynthesizer(tiers=[cheap(), strong()]))
        stream = await ask(how, CascadeSynthesizer(tiers=[cheap(), strong()], streaming=True))
        assert type(whole) is Response
        assert type(stream) is (StreamingResponse if how == "sync" else AsyncStreamingResponse)

    def test_can_be_had_from_texts_alone(self) -> None:
        cascade = CascadeSynthesizer(tiers=[cheap(UNSURE), strong()])
        with collect_decisions() as seen:
            assert cascade.get_response(QUESTION, FACTS) == "strong answer"
        assert outcomes(seen[0]) == ESCALATED

    async def test_can_be_streamed_from_texts_alone(self) -> None:
        cascade = CascadeSynthesizer(tiers=[cheap(UNSURE), strong()], streaming=True)
        stream: Any = await cascade.aget_response(QUESTION, FACTS)
        assert "".join([text async for text in stream]) == "strong answer"

    def test_leaves_a_tiers_own_response_alone(self) -> None:
        kept = Response("kept", metadata={"a": 1})

        class Keeper(Fixed):
            def _prepare_response_output(self, *_: Any) -> Any:
                return kept

        response = CascadeSynthesizer(tiers=[Keeper("x")]).synthesize(QUESTION, nodes())
        assert set(response.metadata) == {"a", "cascade"}
        assert kept.metadata == {"a": 1}

    @ways
    async def test_of_no_nodes_costs_nothing_and_is_upstreams(self, how: str) -> None:
        llms = [cheap(), strong()]
        response = await ask(how, CascadeSynthesizer(tiers=llms, prices=PRICES), [])
        assert str(response) == "Empty Response"
        assert response.metadata["cascade"]["reason"] == "gate_empty"
        assert response.metadata["cascade"]["cost_usd"] == 0
        assert [llm.journal.count for llm in llms] == [0, 0]

    @ways
    async def test_without_nodes_is_generated_where_that_is_the_mode(self, how: str) -> None:
        cascade = CascadeSynthesizer(tiers=[cheap(), strong()], response_mode="generation")
        response = await ask(how, cascade, [])
        assert str(response) == "sure answer"
        assert outcomes(response.metadata["cascade"]) == ACCEPTED


class Fixed(BaseSynthesizer):
    """Says one thing and asks nobody."""

    def __init__(self, text: str) -> None:
        super().__init__(llm=strong())
        self._text = text

    def _get_prompts(self) -> Any:
        return {}

    def _update_prompts(self, prompts: Any) -> None: ...

    def get_response(self, query_str: str, text_chunks: Any, **_: Any) -> str:
        return self._text

    async def aget_response(self, query_str: str, text_chunks: Any, **_: Any) -> str:
        return self._text


class TestTheTiers:
    @ways
    async def test_all_get_the_same_nodes(self, how: str) -> None:
        llms = [cheap(UNSURE), strong()]
        await ask(how, CascadeSynthesizer(tiers=llms))
        assert llms[0].seen[0].prompt == llms[1].seen[0].prompt
        assert all(fact in llms[1].seen[0].prompt for fact in FACTS)

    @ways
    @pytest.mark.parametrize(("mode", "asked"), [("compact", (1, 1)), ("refine", (6, 0))])
    async def test_are_judged_by_the_whole_synthesis(
        self, how: str, mode: str, asked: tuple[int, int]
    ) -> None:
        llms = [cheap(unsure_of_the_hard_one), strong()]
        cascade = CascadeSynthesizer(tiers=llms, response_mode=mode, prices=PRICES)
        response = await ask(how, cascade)
        assert (llms[0].journal.count, llms[1].journal.count) == asked
        assert len(response.metadata["cascade"]["calls"]) == sum(asked)

    @pytest.mark.parametrize("mode", ["compact", "refine"])
    def test_are_judged_step_by_step_in_a_cascade_llm_instead(self, mode: str) -> None:
        llms = [cheap(unsure_of_the_hard_one), strong()]
        plain = get_response_synthesizer(llm=CascadeLLM(tiers=llms), response_mode=mode)
        plain.synthesize(QUESTION, nodes())
        # After the hard fact the strong tier goes on with what it has begun.
        asked = (1, 1) if mode == "compact" else (4, 3)
        assert (llms[0].journal.count, llms[1].journal.count) == asked

    @ways
    @pytest.mark.parametrize(
        ("mode", "streaming"),
        [
            ("tree_summarize", False),
            ("tree_summarize", True),
            ("simple_summarize", False),
            ("simple_summarize", True),
            ("generation", False),
            ("generation", True),
            ("accumulate", False),  # which upstream does not stream
            ("compact_accumulate", False),
        ],
    )
    async def test_may_be_of_any_mode(self, how: str, mode: str, streaming: bool) -> None:
        cascade = CascadeSynthesizer(
            tiers=[cheap(UNSURE), strong()], response_mode=mode, streaming=streaming, prices=PRICES
        )
        response = await ask(how, cascade)
        assert "strong answer" in await text_of(response)
        record = response.metadata["cascade"]
        assert record["confidence"] == pytest.approx(0.3)
        assert {call["model"] for call in record["calls"]} == {"m0", "m1"}
        assert record["cost_usd"] is not None

    @ways
    @streamed_or_not
    async def test_may_be_synthesizers_of_their_own_making(self, how: str, streaming: bool) -> None:
        tiers = [
            get_response_synthesizer(llm=cheap(UNSURE), response_mode=ResponseMode.REFINE),
            get_response_synthesizer(llm=strong(), streaming=True),
        ]
        response = await ask(how, CascadeSynthesizer(tiers=tiers, streaming=streaming))
        assert await text_of(response) == "strong answer"
        assert response.metadata["cascade"]["tier"] == 1

    @ways
    async def test_may_be_cascades_that_report_their_own_calls_once(self, how: str) -> None:
        llms = [cheap(UNSURE), strong(UNSURE), cheap()]
        inner = CascadeLLM(tiers=llms[:2], prices=PRICES)
        response = await ask(how, CascadeSynthesizer(tiers=[inner, llms[2]], prices=PRICES))
        record = response.metadata["cascade"]
        assert [call["model"] for call in record["calls"]] == ["m0", "m1", "m0"]
        assert [call["tier"] for call in record["calls"]] == [0, 0, 1]

    @ways
    async def test_may_be_cascades_of_synthesizers(self, how: str) -> None:
        inner = CascadeSynthesizer(tiers=[cheap(UNSURE), strong()], prices=PRICES)
        response = await ask(how, CascadeSynthesizer(tiers=[inner, strong()], prices=PRICES))
        record = response.metadata["cascade"]
        assert record["tier"] == 0
        assert outcomes(record) == [(0, "rejected"), (0, "accepted")]

    @ways
    async def test_of_which_an_inner_cascade_is_exhausted_are_paid_in_full(self, how: str) -> None:
        # The first step is answered, the second one by nobody.
        script = [Say("step one"), DOWN]
        inner = CascadeLLM(tiers=[cheap(script), strong(DOWN)], prices=PRICES)
        cascade = CascadeSynthesizer(tiers=[inner, strong()], response_mode="refine", prices=PRICES)
        response = await ask(how, cascade, nodes(["a", "b"]))
        calls = response.metadata["cascade"]["calls"]
        assert [call["tier"] for call in calls] == [0, 0, 0, 1, 1]
        assert {call["outcome"] for call in calls[:3]} == {"failed"}
        assert calls[0]["cost_usd"] is not None

    @ways
    async def test_with_a_synthesis_of_their_own_are_called_as_they_are(self, how: str) -> None:
        class Own(Fixed):
            def synthesize(self, query: Any, nodes: Any, *_: Any, **__: Any) -> Any:
                return Response("own", nodes)

            async def asynthesize(self, query: Any, nodes: Any, *_: Any, **__: Any) -> Any:
                return Response("own", nodes)

        response = await ask(how, CascadeSynthesizer(tiers=[Own("x")]))
        assert str(response) == "own"
        assert len(response.source_nodes) == 6

    @ways
    async def test_that_answer_with_no_response_are_named(self, how: str) -> None:
        class Odd(Fixed):
            def synthesize(self, *_: Any, **__: Any) -> Any:
                return 7

            async def asynthesize(self, *_: Any, **__: Any) -> Any:
                return 7

        with pytest.raises(ConfigurationError, match=r"tiers\[0\] answered with int"):
            await ask(how, CascadeSynthesizer(tiers=[Odd("x"), strong()]))

    @ways
    async def test_give_objects(self, how: str) -> None:
        class City(BaseModel):
            name: str

        def said(name: Any) -> Say:
            return Say(tool_calls=[("City", {"name": name})])

        tiers = [cheap(said(7)), strong(said("Oslo"))]
        response = await ask(how, CascadeSynthesizer(tiers=tiers, output_cls=City))
        assert isinstance(response, PydanticResponse)
        assert response.response == City(name="Oslo")
        assert response.metadata["cascade"]["tier"] == 1
        accepted = await ask(how, CascadeSynthesizer(tiers=tiers[::-1], output_cls=City))
        assert accepted.response == City(name="Oslo")
        assert accepted.metadata["cascade"]["reason"] == "tool_call"

    @ways
    @pytest.mark.parametrize(("name", "tier"), [("Oslo", 0), (7, 1)])
    async def test_that_are_cascades_give_objects(self, how: str, name: Any, tier: int) -> None:
        class City(BaseModel):
            name: str

        def said(name: Any) -> Say:
            return Say(tool_calls=[("City", {"name": name})])

        inner = CascadeLLM(tiers=[cheap(said(name)), strong(said(name))])
        cascade = CascadeSynthesizer(tiers=[inner, strong(said("Oslo"))], output_cls=City)
        response = await ask(how, cascade)
        assert response.response == City(name="Oslo")
        assert response.metadata["cascade"]["tier"] == tier
        assert len(response.metadata["cascade"]["calls"]) == (3 if tier else 1)

    @pytest.mark.parametrize("running", [False, True])
    def test_that_ask_all_at_once_have_every_call_in_the_record(self, running: bool) -> None:
        small = PromptHelper(context_window=200, num_output=20)
        cascade = CascadeSynthesizer(
            tiers=[cheap(UNSURE), strong()],
            response_mode="tree_summarize",
            use_async=True,
            prompt_helper=small,
        )
        given = nodes([f"{fact} " * 60 for fact in FACTS])

        async def inside_a_loop() -> Any:
            return cascade.synthesize(QUESTION, given)

        response = asyncio.run(inside_a_loop()) if running else cascade.synthesize(QUESTION, given)
        calls = response.metadata["cascade"]["calls"]
        made = [tier._llm.journal.count for tier in cascade.tiers]
        assert made[0] > 2
        assert [sum(call["tier"] == tier for call in calls) for tier in (0, 1)] == made

    def test_of_which_the_last_is_a_cascade_need_no_settings(self) -> None:
        inner = CascadeSynthesizer(tiers=[cheap(UNSURE), strong()])
        outer = CascadeSynthesizer(tiers=[cheap(UNSURE), inner])
        assert str(outer.synthesize(QUESTION, nodes())) == "strong answer"

    @pytest.mark.parametrize("how", ["sync", "async"])
    def test_may_be_cascades_in_the_first_call_of_a_process(self, how: str) -> None:
        """LlamaIndex keeps its open events in the context; a new one holds none."""
        inner = CascadeSynthesizer(tiers=[cheap(UNSURE), strong()])
        outer = CascadeSynthesizer(tiers=[inner, CascadeSynthesizer(tiers=[strong(), strong()])])
        for _ in range(2):
            answer = Context().run(asyncio.run, ask(how, outer))
            assert str(answer) == "strong answer"

    def test_of_openais_are_asked_for_logprobs_but_the_last(self) -> None:
        models = [OpenAI(model="gpt-4o-mini", api_key="k"), OpenAI(model="gpt-4o", api_key="k")]
        plan = CascadeSynthesizer(tiers=models)._engine.plan
        first, last = (tier.native for tier in plan.tiers)
        assert first.asked_for(logprobs=True)._llm.logprobs is True
        assert first.asked_for(logprobs=False)._llm is models[0]
        assert last.asked_for(logprobs=False)._llm is models[1]
        assert models[0].logprobs is None


class TestAFailure:
    @ways
    @streamed_or_not
    async def test_of_a_tier_escalates(self, how: str, streaming: bool) -> None:
        cascade = CascadeSynthesizer(tiers=[cheap(DOWN), strong()], streaming=streaming)
        response = await ask(how, cascade)
        assert await text_of(response) == "strong answer"
        assert response.metadata["cascade"]["reason"] == "failed"

    @ways
    @streamed_or_not
    async def test_of_all_tiers_is_told_with_every_cause(self, how: str, streaming: bool) -> None:
        cascade = CascadeSynthesizer(tiers=[cheap(DOWN), strong(DOWN)], streaming=streaming)
        with collect_decisions() as seen, pytest.raises(CascadeExhausted) as raised:
            await ask(how, cascade)
        assert len(raised.value.causes) == 2
        assert seen[0]["reason"] == "exhausted"

    @ways
    @streamed_or_not
    async def test_of_the_last_tier_may_leave_the_best_draft(
        self, how: str, streaming: bool
    ) -> None:
        cascade = CascadeSynthesizer(
            tiers=[cheap(UNSURE), strong(DOWN)], on_exhausted="best_draft", streaming=streaming
        )
        response = await ask(how, cascade)
        assert await text_of(response) == UNSURE.text
        assert response.metadata["cascade"]["reason"] == "best_draft"

    @ways
    async def test_in_mid_synthesis_is_paid_for(self, how: str) -> None:
        llm = cheap([SURE, SURE, DOWN])
        cascade = CascadeSynthesizer(tiers=[llm, strong()], response_mode="refine", prices=PRICES)
        response = await ask(how, cascade, nodes(["a", "b", "c"]))
        calls = response.metadata["cascade"]["calls"]
        assert [call["outcome"] for call in calls[:3]] == ["failed"] * 3
        assert [call["cost_usd"] is None for call in calls[:3]] == [False, False, True]
        assert response.metadata["cascade"]["cost_usd"] is not None

    @ways
    @pytest.mark.parametrize("text", ["I don't know.", ""])
    async def test_to_answer_escalates(self, how: str, text: str) -> None:
        response = await ask(how, CascadeSynthesizer(tiers=[cheap(Say(text)), strong()]))
        expected = "gate_refusal" if text else "gate_empty"
        assert response.metadata["cascade"]["reason"] == expected

    @ways
    async def test_to_finish_escalates(self, how: str) -> None:
        cut = Say("an answer cut", finish="length")
        response = await ask(how, CascadeSynthesizer(tiers=[cheap(cut), strong()]))
        assert response.metadata["cascade"]["reason"] == "gate_truncated"


class TestAStream:
    @ways
    async def test_of_a_rejected_draft_is_never_shown(self, how: str) -> None:
        cascade = CascadeSynthesizer(tiers=[cheap(UNSURE), strong()], streaming=True)
        response = await ask(how, cascade)
        assert "cascade" not in response.metadata
        metadata = response.metadata
        if how == "sync":
            shown = list(response.response_gen)
        else:
            shown = [text async for text in response.response_gen]
        assert [text for text in shown if text] == ["strong ", "answer"]
        assert metadata is response.metadata
        assert metadata["cascade"]["tier"] == 1

    @ways
    async def test_of_an_accepted_draft_has_its_record_at_once(self, how: str) -> None:
        response = await ask(how, CascadeSynthesizer(tiers=[cheap(), strong()], streaming=True))
        assert response.metadata["cascade"]["accepted"] is True
        assert await text_of(response) == "sure answer"

    @ways
    async def test_that_is_given_up_closes_the_tiers(self, how: str) -> None:
        llms = [cheap(UNSURE), strong(Say("a long strong answer"))]
        response = await ask(how, CascadeSynthesizer(tiers=llms, streaming=True))
        if how == "sync":
            next(response.response_gen)
            response.response_gen.close()
        else:
            await anext(response.response_gen)
            await response.response_gen.aclose()
            for _ in range(9):  # what LlamaIndex nests in it, the event loop closes
                await asyncio.sleep(0)
        assert llms[1].journal.closed == 1

    def test_that_nobody_reads_closes_the_tiers(self) -> None:
        llms = [cheap(UNSURE), strong(Say("a long strong answer"))]
        response = CascadeSynthesizer(tiers=llms, streaming=True).synthesize(QUESTION, nodes())
        del response
        gc.collect()
        assert llms[1].journal.closed == 1

    @ways
    async def test_that_breaks_is_an_error_and_no_other_tiers(self, how: str) -> None:
        broken = Say("one two three", error=ProviderError("cut"), after=1)
        cascade = CascadeSynthesizer(
            tiers=[cheap(UNSURE), strong(broken)], streaming=True, on_exhausted="best_draft"
        )
        response = await ask(how, cascade)
        with pytest.raises(CascadeExhausted):
            await text_of(response)

    async def test_may_be_read_by_upstreams_own_means(self) -> None:
        def new() -> CascadeSynthesizer:
            return CascadeSynthesizer(tiers=[cheap(UNSURE), strong()], streaming=True)

        assert str(new().synthesize(QUESTION, nodes())) == "strong answer"
        response: Any = await new().asynthesize(QUESTION, nodes())
        assert (await response.get_response()).response == "strong answer"


class TestASignal:
    @ways
    async def test_that_judges_asks_its_own_model(self, how: str) -> None:
        judge = strong(Say("Score: 1", p=None))
        llms = [cheap(Say("fine", p=None)), strong()]
        cascade = CascadeSynthesizer(tiers=llms, signals=[Judge(judge)], prices=PRICES)
        response = await ask(how, cascade)
        purposes = [call["purpose"] for call in response.metadata["cascade"]["calls"]]
        assert purposes[:2] == ["draft", "judge"]
        assert judge.journal.count == 1
        assert QUESTION in judge.seen[0].prompt

    @ways
    @pytest.mark.parametrize("eager", [False, True])
    @pytest.mark.parametrize(("words", "agrees"), [("Fine.", 1.0), ("not so", 0.0)])
    async def test_that_compares_has_another_model_write_from_the_same_texts(
        self, how: str, eager: bool, words: str, agrees: float
    ) -> None:
        other = FakeLLM(Say(words, p=None), "m2")
        llms = [cheap(Say("fine", p=None)), strong()]
        signals = [Agreement(other, eager=eager)]
        cascade = CascadeSynthesizer(tiers=llms, signals=signals, prices=PRICES)
        record = (await ask(how, cascade)).metadata["cascade"]
        assert record["judged"][0]["signals"] == {"agreement": agrees}
        calls = [call for call in record["calls"] if call["purpose"] == "agree"]
        assert len(calls) == other.journal.count == llms[0].journal.count
        assert all(call["cost_usd"] > 0 for call in calls)
        assert other.seen[0].prompt == llms[0].seen[0].prompt

    @ways
    async def test_that_samples_runs_the_tier_again(self, how: str) -> None:
        llms = [cheap(Say("42", p=None)), strong()]
        cascade = CascadeSynthesizer(tiers=llms, signals=[SelfConsistency(3)])
        record = (await ask(how, cascade)).metadata["cascade"]
        assert record["accepted"] is True
        assert [call["purpose"] for call in record["calls"]] == ["draft"] + ["sample"] * (
            llms[0].journal.count - 1
        )

    @ways
    async def test_that_asks_the_tier_how_sure_it_is_asks_its_model(self, how: str) -> None:
        llms = [cheap([Say("fine", p=None), Say("95%")]), strong()]
        cascade = CascadeSynthesizer(tiers=llms, signals=[Verbalized()])
        record = (await ask(how, cascade)).metadata["cascade"]
        assert record["confidence"] == pytest.approx(0.95)

    def test_sees_the_question_and_the_texts(self) -> None:
        seen: list[Any] = []

        def look(request: Any, draft: Any) -> float:
            seen.append((request.question, list(request.contexts), list(draft.contexts)))
            return 1.0

        CascadeSynthesizer(tiers=[cheap(), strong()], signals=[look]).synthesize(
            QuestionBundle, nodes(["a"])
        )
        text = "from: a\n\na"
        assert seen == [(QUESTION, [text], [text])]


QuestionBundle = QueryBundle(QUESTION)


class TestObservers:
    @ways
    @pytest.mark.parametrize("script", [SURE, UNSURE])
    async def test_see_one_synthesis(self, how: str, script: Say) -> None:
        debug = LlamaDebugHandler(print_trace_on_end=False)
        cascade = CascadeSynthesizer(
            tiers=[cheap(script), strong()], callback_manager=CallbackManager([debug])
        )
        with events() as names:
            await ask(how, cascade)
        assert names.count("SynthesizeStartEvent") == 1
        assert names.count("SynthesizeEndEvent") == 1
        assert names.count("CascadeDecisionEvent") == 1
        assert len(debug.get_event_pairs(CBEventType.SYNTHESIZE)) == 1
        assert len(debug.get_event_pairs(CBEventType.LLM)) == (1 if script is SURE else 2)

    @ways
    async def test_count_every_token_once(self, how: str) -> None:
        counter = TokenCountingHandler(tokenizer=str.split)
        cascade = CascadeSynthesizer(
            tiers=[cheap(UNSURE), strong()], callback_manager=CallbackManager([counter])
        )
        record = (await ask(how, cascade)).metadata["cascade"]
        used = [call["usage"] for call in record["calls"]]
        assert counter.prompt_llm_token_count == sum(each["input_tokens"] for each in used)
        assert counter.completion_llm_token_count == sum(each["output_tokens"] for each in used)

    def test_that_a_model_has_are_kept(self) -> None:
        own = CallbackManager([TokenCountingHandler(tokenizer=str.split)])
        llm = cheap(callback_manager=own)
        CascadeSynthesizer(tiers=[llm, strong()])
        assert llm.callback_manager is own

    def test_set_later_reach_every_tier(self) -> None:
        llms = [cheap(), strong()]
        cascade = CascadeSynthesizer(tiers=llms)
        cascade.callback_manager = manager = CallbackManager([])
        assert all(llm.callback_manager is manager for llm in llms)
        assert cascade.callback_manager is manager


class TestPrompts:
    def test_given_go_to_every_tier(self) -> None:
        template = PromptTemplate("About {context_str}: {query_str}")
        llms = [cheap(UNSURE), strong()]
        CascadeSynthesizer(tiers=llms, text_qa_template=template).synthesize(QUESTION, nodes(["a"]))
        for llm in llms:
            assert llm.seen[0].prompt == f"About from: a\n\na: {QUESTION}"

    def test_updated_go_to_every_tier(self) -> None:
        llms = [cheap(UNSURE), strong()]
        cascade = CascadeSynthesizer(tiers=llms)
        assert "text_qa_template" in cascade.get_prompts()
        cascade.update_prompts({"text_qa_template": PromptTemplate("Say {query_str}")})
        cascade.synthesize(QUESTION, nodes())
        assert [llm.seen[0].prompt for llm in llms] == [f"Say {QUESTION}"] * 2


class TestInAnEngine:
    @ways
    @streamed_or_not
    async def test_it_takes_the_place_of_any_synthesizer(self, how: str, streaming: bool) -> None:
        llms = [cheap(UNSURE), strong()]
        cascade = CascadeSynthesizer(tiers=llms, streaming=streaming, prices=PRICES)
        engine = RetrieverQueryEngine(facts().as_retriever(similarity_top_k=6), cascade)
        response: Any = engine.query(QUESTION) if how == "sync" else await engine.aquery(QUESTION)
        assert await text_of(response) == "strong answer"
        assert outcomes(response.metadata["cascade"]) == ESCALATED
        assert len(response.source_nodes) == 6


class TestBadInput:
    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"tiers": []}, "empty"),
            (
                {"tiers": [cheap(), "gpt"]},
                r"tiers\[1\] is neither an LLM nor a synthesizer but str; .*'openai:gpt-4o-mini'",
            ),
            ({"tiers": [CascadeLLM]}, "is the class CascadeLLM; make one"),
            ({"tiers": [[cheap(), strong()]]}, "is a list; give the tiers one by one"),
            ({"tiers": [cheap(), strong()], "treshold": 1}, "did you mean thresholds="),
            ({"tiers": [cheap(), strong()], "text_qa_templates": 1}, "mean text_qa_template="),
            ({"tiers": [cheap(), strong()], "thresholds": 2}, "thresholds"),
            ({"tiers": [Fixed("a")], "response_mode": "refine"}, "response_mode= is for tiers"),
        ],
    )
    def test_is_named(self, settings: Any, words: str) -> None:
        with pytest.raises(ConfigurationError, match=words):
            CascadeSynthesizer(**settings)

    def test_of_engines_says_what_to_use(self) -> None:
        engine = facts().as_query_engine(llm=cheap())
        with pytest.raises(ConfigurationError, match="use CascadeQueryEngine"):
            CascadeSynthesizer(tiers=[cheap(), engine])

    def test_shows_no_key_in_the_repr(self) -> None:
        cascade = CascadeSynthesizer(tiers=[cheap(api_key="sk-1"), strong()])
        assert repr(cascade) == "CascadeSynthesizer(2 tiers, thresholds=[0.9])"
