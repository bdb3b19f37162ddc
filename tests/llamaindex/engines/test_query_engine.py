"""A cascade of query engines: each tier retrieves for itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from llama_index.core import PromptTemplate
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import (
    AsyncStreamingResponse,
    PydanticResponse,
    Response,
    StreamingResponse,
)
from llama_index.core.callbacks import CallbackManager, CBEventType, LlamaDebugHandler
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import QueryBundle
from llama_index.core.tools import QueryEngineTool
from pydantic import BaseModel

from cascade_core import collect_decisions, flush_log
from cascade_core.errors import CascadeExhausted, ConfigurationError
from cascade_core.signals import Agreement, Grounding, Judge
from llamaindex_cascade import CascadeLLM, CascadeQueryEngine, CascadeSynthesizer
from tests.llamaindex.fakes import PRICES, SURE, UNSURE, ProviderError, Say, cheap, strong
from tests.llamaindex.retrieval import (
    HARD,
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
STRONG = Say("strong answer")
DOWN = Say(error=ProviderError("no service"))


async def ask(how: str, engine: BaseQueryEngine, query: Any = QUESTION) -> Any:
    return engine.query(query) if how == "sync" else await engine.aquery(query)


class Pair:
    """A cheap engine that retrieves two facts, and a strong one that retrieves six."""

    def __init__(
        self,
        first: Any,
        second: Any = STRONG,
        texts: list[str] | None = None,
        engine: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        index, self.llms = facts(texts), [cheap(first), strong(second)]
        self.tiers = [
            index.as_query_engine(llm=llm, similarity_top_k=k, **engine or {})
            for llm, k in zip(self.llms, (2, 6), strict=True)
        ]
        self.cascade = CascadeQueryEngine(tiers=self.tiers, prices=PRICES, **settings)

    @property
    def asked(self) -> tuple[int, int]:
        return self.llms[0].journal.count, self.llms[1].journal.count


class Scripted(BaseQueryEngine):
    """Answers with what it is given."""

    def __init__(self, *answers: Any) -> None:
        super().__init__(None)
        self.answers = list(answers)
        self.seen: list[QueryBundle] = []

    def _get_prompt_modules(self) -> Any:
        return {}

    def _query(self, query_bundle: QueryBundle) -> Any:
        self.seen.append(query_bundle)
        answer = self.answers[min(len(self.seen), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _aquery(self, query_bundle: QueryBundle) -> Any:
        return self._query(query_bundle)


class TestAnAnswer:
    @ways
    @streamed_or_not
    @pytest.mark.parametrize(
        ("script", "text", "trail", "found"),
        [(SURE, "sure answer", ACCEPTED, 2), (UNSURE, "strong answer", ESCALATED, 6)],
    )
    async def test_is_the_accepted_tiers_with_its_sources_and_record(
        self, how: str, streaming: bool, script: Say, text: str, trail: Any, found: int
    ) -> None:
        two = Pair(script, engine={"streaming": streaming})
        with collect_decisions() as seen:
            response = await ask(how, two.cascade)
            assert await text_of(response) == text
        record = response.metadata["cascade"]
        assert seen == [record]
        assert outcomes(record) == trail
        assert len(response.source_nodes) == found
        assert len(response.metadata) == found + 1
        assert record["cost_usd"] == pytest.approx(sum(c["cost_usd"] for c in record["calls"]))
        assert record["signals"]["sequence_logprob"] == pytest.approx(script.p)

    @ways
    @pytest.mark.parametrize(("mode", "asked"), [("compact", (1, 0)), ("refine", (2, 0))])
    async def test_of_a_cheap_pipeline_is_enough_where_its_two_nodes_are(
        self, how: str, mode: str, asked: tuple[int, int]
    ) -> None:
        two = Pair(unsure_of_the_hard_one, engine={"response_mode": mode})
        response = await ask(how, two.cascade)
        assert two.asked == asked
        assert len(response.metadata["cascade"]["calls"]) == sum(asked)

    @ways
    async def test_of_the_rich_pipeline_has_what_the_cheap_one_did_not_find(self, how: str) -> None:
        def knows(seen: Any) -> Say:
            return Say("it is fact 3") if HARD in seen.prompt else Say("I don't know.")

        two = Pair(knows, knows)
        response = await ask(how, two.cascade)
        assert str(response) == "it is fact 3"
        assert response.metadata["cascade"]["reason"] == "gate_refusal"

    def test_leaves_a_tiers_own_response_alone(self) -> None:
        kept = Response("kept", nodes(["a"]), {"a": 1})
        response = CascadeQueryEngine(tiers=[Scripted(kept)]).query(QUESTION)
        assert set(response.metadata) == {"a", "cascade"}
        assert kept.metadata == {"a": 1}

    @ways
    async def test_may_be_an_object(self, how: str) -> None:
        class City(BaseModel):
            name: str

        tiers = [
            Scripted(PydanticResponse(None, nodes(["a"]))),
            Scripted(PydanticResponse(City(name="Oslo"), nodes(["a"]))),
        ]
        response = await ask(how, CascadeQueryEngine(tiers=tiers))
        assert isinstance(response, PydanticResponse)
        assert response.response == City(name="Oslo")
        assert response.metadata["cascade"]["reason"] == "gate_empty"

    @ways
    async def test_of_an_engine_that_makes_objects_is_judged_by_its_tool_call(
        self, how: str
    ) -> None:
        class City(BaseModel):
            name: str

        said = Say(tool_calls=[("City", {"name": "Oslo"})])
        two = Pair(said, said, engine={"output_cls": City})
        response = await ask(how, two.cascade)
        assert response.response == City(name="Oslo")
        assert response.metadata["cascade"]["reason"] == "tool_call"
        assert two.asked == (1, 0)


class TestEvidence:
    @ways
    @streamed_or_not
    async def test_missing_altogether_escalates_and_costs_nothing(
        self, how: str, streaming: bool
    ) -> None:
        rich = facts().as_query_engine(llm=strong(), streaming=streaming)
        poor = facts([]).as_query_engine(llm=cheap(), streaming=streaming)
        cascade = CascadeQueryEngine(tiers=[poor, rich], prices=PRICES)
        response = await ask(how, cascade)
        assert await text_of(response) == "strong answer"
        record = response.metadata["cascade"]
        assert record["reason"] == "gate_empty"
        assert record["calls"][0]["cost_usd"] == 0
        assert record["cost_usd"] == record["calls"][1]["cost_usd"]

    @ways
    @streamed_or_not
    async def test_missing_everywhere_is_said_in_upstreams_words(
        self, how: str, streaming: bool
    ) -> None:
        two = Pair(SURE, texts=[], engine={"streaming": streaming})
        response = await ask(how, two.cascade)
        assert await text_of(response) == "Empty Response"
        assert two.asked == (0, 0)

    @ways
    async def test_missing_under_a_confident_answer_escalates(self, how: str) -> None:
        tiers = [Scripted(Response("I am sure")), Scripted(Response("so am I", nodes(["a"])))]
        cascade = CascadeQueryEngine(tiers=tiers, signals=[lambda _request, _draft: 1.0])
        response = await ask(how, cascade)
        assert response.metadata["cascade"]["reason"] == "gate_no_context"

    @ways
    async def test_is_not_missed_where_engines_retrieve_nothing(self, how: str) -> None:
        tiers = [Scripted(Response("I am sure")), Scripted(Response("so am I"))]
        cascade = CascadeQueryEngine(
            tiers=tiers, needs_nodes=False, signals=[lambda _request, _draft: 1.0]
        )
        response = await ask(how, cascade)
        assert response.metadata["cascade"]["reason"] == "confident"

    @ways
    async def test_of_each_tier_is_what_its_draft_is_judged_by(self, how: str) -> None:
        seen: list[list[str]] = []

        def look(request: Any, draft: Any) -> float:
            seen.append(list(draft.contexts))
            return 0.0

        two = Pair(SURE, signals=[look])
        await ask(how, two.cascade)
        assert len(seen[0]) == 2

    @ways
    async def test_that_does_not_support_the_answer_escalates(self, how: str) -> None:
        def answered(text: str) -> Scripted:
            return Scripted(Response(text, nodes(["Invoices are due after 30 days."])))

        def cascade(text: str) -> CascadeQueryEngine:
            return CascadeQueryEngine(
                tiers=[answered(text), answered("strong")],
                signals=[Grounding()],
                thresholds=0.5,
            )

        good = await ask(how, cascade("Invoices are due after 30 days."))
        bad = await ask(how, cascade("Zebras cross the savannah at dawn."))
        assert good.metadata["cascade"]["tier"] == 0
        assert bad.metadata["cascade"]["tier"] == 1


class TestTheTiers:
    @ways
    async def test_get_the_bundle_as_it_came_and_each_its_own(self, how: str) -> None:
        class Writing(Scripted):
            def _query(self, query_bundle: QueryBundle) -> Any:
                answer = super()._query(query_bundle)
                assert query_bundle.embedding is None
                query_bundle.embedding = [1.0]  # as retrievers do
                return answer

        tiers = [Writing(Response("", nodes(["a"]))), Writing(Response("b", nodes(["a"])))]
        bundle = QueryBundle(QUESTION, custom_embedding_strs=["other words"])
        await ask(how, CascadeQueryEngine(tiers=tiers), bundle)
        for tier in tiers:
            assert tier.seen[0].query_str == QUESTION
            assert tier.seen[0].custom_embedding_strs == ["other words"]
        assert bundle.embedding is None

    @ways
    async def test_may_be_cascades_that_report_their_own_calls_once(self, how: str) -> None:
        inner = CascadeLLM(tiers=[cheap(UNSURE), strong(UNSURE)], prices=PRICES)
        index = facts()
        tiers = [index.as_query_engine(llm=llm) for llm in (inner, cheap())]
        record = (await ask(how, CascadeQueryEngine(tiers=tiers, prices=PRICES))).metadata[
            "cascade"
        ]
        assert [call["model"] for call in record["calls"]] == ["m0", "m1", "m0"]
        assert [call["tier"] for call in record["calls"]] == [0, 0, 1]

    @ways
    @streamed_or_not
    async def test_may_have_cascades_of_synthesizers_inside(
        self, how: str, streaming: bool
    ) -> None:
        llms = [cheap(UNSURE), strong()]
        synthesizer = CascadeSynthesizer(tiers=llms, prices=PRICES, streaming=streaming)
        engine = RetrieverQueryEngine(facts().as_retriever(), synthesizer)
        cascade = CascadeQueryEngine(tiers=[engine, Scripted(Response("last"))], prices=PRICES)
        response = await ask(how, cascade)
        assert await text_of(response) == "strong answer"
        record = response.metadata["cascade"]
        assert record["reason"] == "confident"
        assert outcomes(record) == [(0, "rejected"), (0, "accepted")]

    @ways
    async def test_may_be_cascades_of_engines(self, how: str) -> None:
        inner = Pair(UNSURE)
        outer = CascadeQueryEngine(tiers=[inner.cascade, Scripted(Response("last"))], prices=PRICES)
        record = (await ask(how, outer)).metadata["cascade"]
        assert outcomes(record) == [(0, "rejected"), (0, "accepted")]
        assert inner.asked == (1, 1)

    @ways
    async def test_that_answer_with_no_response_have_failed(self, how: str) -> None:
        cascade = CascadeQueryEngine(tiers=[Scripted(7), Scripted(Response("b"))])
        response = await ask(how, cascade)
        assert response.metadata["cascade"]["reason"] == "failed"

    @ways
    async def test_whose_model_nobody_sees_are_unpriced(self, how: str) -> None:
        tiers = [Scripted(Response("a", nodes(["a"])))]
        record = (await ask(how, CascadeQueryEngine(tiers=tiers, prices=PRICES))).metadata[
            "cascade"
        ]
        assert record["cost_usd"] is None

    async def test_asked_at_once_keep_their_calls_apart(self) -> None:
        two = Pair(lambda seen: UNSURE if "hard" in seen.prompt else SURE)
        queries = ["hard" if number % 2 else "easy" for number in range(40)]
        responses = await asyncio.gather(*(two.cascade.aquery(query) for query in queries))
        for query, response in zip(queries, responses, strict=True):
            record = response.metadata["cascade"]
            assert outcomes(record) == (ESCALATED if query == "hard" else ACCEPTED)


class TestAFailure:
    @ways
    @streamed_or_not
    async def test_of_a_tier_escalates(self, how: str, streaming: bool) -> None:
        two = Pair(DOWN, engine={"streaming": streaming})
        response = await ask(how, two.cascade)
        assert await text_of(response) == "strong answer"
        assert response.metadata["cascade"]["reason"] == "failed"

    @ways
    async def test_of_a_retriever_escalates(self, how: str) -> None:
        class Broken(BaseRetriever):
            def _retrieve(self, query_bundle: QueryBundle) -> Any:
                raise ProviderError("index is down")

        broken = RetrieverQueryEngine.from_args(Broken(), llm=cheap())
        cascade = CascadeQueryEngine(tiers=[broken, facts().as_query_engine(llm=strong())])
        response = await ask(how, cascade)
        assert str(response) == "strong answer"
        assert response.metadata["cascade"]["reason"] == "failed"

    @ways
    @streamed_or_not
    async def test_of_all_tiers_is_told_with_every_cause(self, how: str, streaming: bool) -> None:
        two = Pair(DOWN, DOWN, engine={"streaming": streaming})
        with collect_decisions() as seen, pytest.raises(CascadeExhausted) as raised:
            await ask(how, two.cascade)
        assert len(raised.value.causes) == 2
        assert seen[0]["reason"] == "exhausted"
        assert [call["outcome"] for call in seen[0]["calls"]] == ["failed", "failed"]

    @ways
    @streamed_or_not
    async def test_of_the_last_tier_may_leave_the_best_draft(
        self, how: str, streaming: bool
    ) -> None:
        two = Pair(UNSURE, DOWN, engine={"streaming": streaming}, on_exhausted="best_draft")
        response = await ask(how, two.cascade)
        assert await text_of(response) == UNSURE.text
        assert len(response.source_nodes) == 2
        assert response.metadata["cascade"]["reason"] == "best_draft"

    @ways
    @streamed_or_not
    async def test_of_the_last_tier_in_mid_synthesis_is_paid_for(
        self, how: str, streaming: bool
    ) -> None:
        two = Pair(UNSURE, [SURE, DOWN], engine={"streaming": streaming, "response_mode": "refine"})
        with collect_decisions() as seen, pytest.raises(CascadeExhausted):
            await text_of(await ask(how, two.cascade))
        calls = seen[0]["calls"]
        assert [call["tier"] for call in calls] == [0, 0, 1, 1]
        assert calls[2]["cost_usd"] is not None


class TestACallerWhoLeaves:
    async def test_is_answered_by_nobody_else(self) -> None:
        class Slow(Scripted):
            async def _aquery(self, query_bundle: QueryBundle) -> Any:
                await asyncio.sleep(10)

        last = Scripted(Response("last"))
        cascade = CascadeQueryEngine(tiers=[Slow(), last])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(cascade.aquery(QUESTION), 0.05)
        assert not last.seen


class TestAStream:
    @ways
    async def test_of_a_rejected_draft_is_never_shown_and_the_last_is_live(self, how: str) -> None:
        two = Pair(UNSURE, engine={"streaming": True})
        response = await ask(how, two.cascade)
        metadata = response.metadata
        assert "cascade" not in metadata
        assert len(response.source_nodes) == 6
        if how == "sync":
            assert type(response) is StreamingResponse
            shown = list(response.response_gen)
        else:
            assert type(response) is AsyncStreamingResponse
            shown = [text async for text in response.response_gen]
        assert [text for text in shown if text] == ["strong ", "answer"]
        assert response.metadata is metadata
        assert outcomes(metadata["cascade"]) == ESCALATED

    @ways
    async def test_of_an_accepted_draft_has_its_record_at_once(self, how: str) -> None:
        two = Pair(SURE, engine={"streaming": True})
        response = await ask(how, two.cascade)
        assert response.metadata["cascade"]["accepted"] is True
        assert await text_of(response) == "sure answer"
        assert two.asked == (1, 0)

    @ways
    async def test_that_is_given_up_closes_the_tiers(self, how: str) -> None:
        two = Pair(UNSURE, Say("a long strong answer"), engine={"streaming": True})
        response = await ask(how, two.cascade)
        if how == "sync":
            next(response.response_gen)
            response.response_gen.close()
        else:
            await anext(response.response_gen)
            await response.response_gen.aclose()
            for _ in range(9):  # what LlamaIndex nests in it, the event loop closes
                await asyncio.sleep(0)
        assert two.llms[1].journal.closed == 1

    async def test_of_a_sync_engine_is_read_where_async_is_asked_for(self) -> None:
        def stream() -> StreamingResponse:
            return StreamingResponse((text for text in ("a ", "b")), nodes(["a"]))

        cascade = CascadeQueryEngine(tiers=[Scripted(Response("")), Scripted(stream())])
        response = await ask("async", cascade)
        assert type(response) is AsyncStreamingResponse
        assert await text_of(response) == "a b"

    @ways
    async def test_without_a_word_is_an_empty_answer(self, how: str) -> None:
        empty = StreamingResponse((text for text in ()), nodes(["a"]))
        cascade = CascadeQueryEngine(tiers=[Scripted(Response("")), Scripted(empty)])
        response = await ask(how, cascade)
        assert await text_of(response) == ""
        assert response.metadata["cascade"]["calls"][-1]["note"] == "gate_empty"


class TestShadowMode:
    @ways
    @streamed_or_not
    async def test_serves_the_last_tier_and_records_the_rest(
        self, how: str, streaming: bool
    ) -> None:
        two = Pair(SURE, engine={"streaming": streaming}, mode="shadow")
        with collect_decisions() as seen:
            response = await ask(how, two.cascade)
        assert await text_of(response) == "strong answer"
        record = response.metadata["cascade"]
        assert record["reason"] == "shadow"
        await asyncio.to_thread(flush_log)
        assert [whole["shadow"]["tier"] for whole in seen] == [0]


class TestAJudge:
    @ways
    async def test_is_asked_about_the_question_and_the_answer(self, how: str) -> None:
        judge = strong(Say("Score: 0", p=None))
        two = Pair(Say("a doubtful thing", p=None), signals=[Judge(judge)])
        record = (await ask(how, two.cascade)).metadata["cascade"]
        assert record["reason"] in {"low_confidence", "no_reading"}
        assert [call["purpose"] for call in record["calls"]] == ["draft", "judge", "draft"]
        assert QUESTION in judge.seen[0].prompt
        assert "a doubtful thing" in judge.seen[0].prompt


class TestAnotherEngine:
    @ways
    @pytest.mark.parametrize("eager", [False, True])
    async def test_is_asked_the_same_question(self, how: str, eager: bool) -> None:
        llm = cheap(Say("A doubtful thing.", p=None))
        other = facts(None).as_query_engine(llm=llm, similarity_top_k=4)
        signals = [Agreement(other, eager=eager)]
        two = Pair(Say("a doubtful thing", p=None), signals=signals)
        record = (await ask(how, two.cascade)).metadata["cascade"]
        assert record["judged"][0]["signals"] == {"agreement": 1.0}
        assert [call["purpose"] for call in record["calls"]] == ["draft", "agree"]
        assert record["calls"][1]["cost_usd"] > 0
        assert QUESTION in llm.seen[0].prompt

    def test_has_to_be_an_engine(self) -> None:
        with pytest.raises(ConfigurationError, match="a model of Agreement"):
            Pair(SURE, signals=[Agreement(cheap())])


class TestTheOtherWaysToAsk:
    def test_retrieving_is_the_last_tiers(self) -> None:
        two = Pair(SURE)
        assert len(two.cascade.retrieve(QueryBundle(QUESTION))) == 6

    async def test_retrieving_is_the_last_tiers_when_awaited(self) -> None:
        two = Pair(SURE)
        assert len(await two.cascade.aretrieve(QueryBundle(QUESTION))) == 6

    @ways
    async def test_synthesizing_gives_the_same_nodes_to_every_tier(self, how: str) -> None:
        two = Pair(UNSURE)
        given = nodes(["a", "b"])
        bundle = QueryBundle(QUESTION)
        if how == "sync":
            response = two.cascade.synthesize(bundle, given)
        else:
            response = await two.cascade.asynthesize(bundle, given)
        assert response.source_nodes == given
        assert outcomes(response.metadata["cascade"]) == ESCALATED
        assert two.llms[0].seen[0].prompt == two.llms[1].seen[0].prompt

    async def test_it_is_a_tool_like_any_engine(self) -> None:
        two = Pair(UNSURE)
        tool = QueryEngineTool.from_defaults(two.cascade, name="docs", description="docs")
        output = await tool.acall(input=QUESTION)
        assert output.content == "strong answer"
        assert output.raw_output.metadata["cascade"]["tier"] == 1


class TestObservers:
    @ways
    async def test_see_the_cascades_query_around_those_of_its_tiers(self, how: str) -> None:
        debug = LlamaDebugHandler(print_trace_on_end=False)
        two = Pair(UNSURE, callback_manager=CallbackManager([debug]))
        with events() as names:
            await ask(how, two.cascade)
        assert len(debug.get_event_pairs(CBEventType.QUERY)) == 1
        assert names.count("QueryStartEvent") == names.count("QueryEndEvent") == 3
        assert names.count("CascadeDecisionEvent") == 1


class TestPrompts:
    def test_of_every_tier_can_be_seen(self) -> None:
        assert {
            "tier_0:response_synthesizer:text_qa_template",
            "tier_1:response_synthesizer:text_qa_template",
        } <= set(Pair(SURE).cascade.get_prompts())

    def test_can_be_updated_for_all_tiers_or_one(self) -> None:
        two = Pair(UNSURE)
        name = "response_synthesizer:text_qa_template"
        two.cascade.update_prompts({name: PromptTemplate("all {query_str}")})
        two.cascade.update_prompts({f"tier_1:{name}": PromptTemplate("one {query_str}")})
        two.cascade.query(QUESTION)
        assert two.llms[0].seen[0].prompt == f"all {QUESTION}"
        assert two.llms[1].seen[0].prompt == f"one {QUESTION}"


class TestBadInput:
    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"tiers": []}, "tiers=.. is empty"),
            ({"tiers": "engine"}, "takes a list of query engines"),
            ({"tiers": [Scripted(), cheap()]}, r"tiers\[1\] is not a query engine but FakeLLM"),
            ({"tiers": [facts()]}, r"give its \.as_query_engine"),
            ({"tiers": [facts().as_retriever()]}, r"RetrieverQueryEngine\.from_args"),
            ({"tiers": [CascadeSynthesizer(tiers=[cheap()])]}, "use CascadeSynthesizer"),
            ({"tiers": [Scripted]}, "is the class Scripted; make one"),
            ({"tiers": [[Scripted()]]}, "is a list; give the tiers one by one"),
            ({"tiers": [Scripted(), Scripted()], "threshold": 1}, "did you mean thresholds="),
            ({"tiers": [Scripted(), Scripted()], "mode": "both"}, "mode"),
        ],
    )
    def test_is_named(self, settings: Any, words: str) -> None:
        with pytest.raises(ConfigurationError, match=words):
            CascadeQueryEngine(**settings)

    def test_shows_no_more_than_it_must_in_the_repr(self) -> None:
        assert repr(Pair(SURE).cascade) == "CascadeQueryEngine(2 tiers, thresholds=[0.9])"
