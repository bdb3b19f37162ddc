"""A cascade inside LlamaIndex's routers, rerankers, evaluators and ingestion pipelines."""

from __future__ import annotations

import json
from typing import Any

import pytest
from llama_index.core import Settings
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.callbacks import CallbackManager
from llama_index.core.evaluation import (
    CorrectnessEvaluator,
    FaithfulnessEvaluator,
    RelevancyEvaluator,
)
from llama_index.core.extractors import KeywordExtractor, SummaryExtractor, TitleExtractor
from llama_index.core.ingestion import IngestionCache, IngestionPipeline
from llama_index.core.ingestion.pipeline import get_transformation_hash
from llama_index.core.postprocessor import LLMRerank
from llama_index.core.query_engine import RouterQueryEngine, SubQuestionQueryEngine
from llama_index.core.question_gen import LLMQuestionGenerator
from llama_index.core.response_synthesizers import get_response_synthesizer
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.selectors import LLMSingleSelector, PydanticSingleSelector
from llama_index.core.tools import QueryEngineTool

from cascade_core import collect_decisions
from cascade_core.signals import SelfConsistency, SequenceLogprob
from llamaindex_cascade import CascadeLLM
from tests.llamaindex.fakes import Say, Seen
from tests.llamaindex.recording import Talker
from tests.llamaindex.watched import ACCEPTED, ESCALATED, Pair, outcomes, trail

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

both = pytest.mark.parametrize("how", ["sync", "async"])


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever takes the manager of `Settings` for its model finds a test's own."""
    monkeypatch.setattr(Settings, "_callback_manager", CallbackManager([]))
    monkeypatch.setattr(Settings, "_llm", None)


def settle(two: Pair) -> Pair:
    """Have `Settings` hold the manager too: many parts of LlamaIndex overwrite the model's."""
    Settings._callback_manager = two.manager
    return two


class Engine(BaseQueryEngine):
    """Answers every question in one way, without a model."""

    def __init__(self, says: str) -> None:
        super().__init__(callback_manager=Settings.callback_manager)
        self.says = says
        self.asked: list[str] = []

    def _get_prompt_modules(self) -> dict[str, Any]:
        return {}

    def _query(self, query_bundle: QueryBundle) -> Response:
        self.asked.append(query_bundle.query_str)
        return Response(self.says)

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return self._query(query_bundle)


def tools() -> tuple[Engine, Engine, list[QueryEngineTool]]:
    prices, weather = Engine("ten euros"), Engine("sunny")
    made = [
        QueryEngineTool.from_defaults(prices, name="prices", description="Knows prices."),
        QueryEngineTool.from_defaults(weather, name="weather", description="Knows the weather."),
    ]
    return prices, weather, made


async def asked(how: str, engine: Any, question: str) -> str:
    return str(engine.query(question) if how == "sync" else await engine.aquery(question))


# --- routers ------------------------------------------------------------------------------------

SECOND = {"index": 2, "reason": "it asks for the weather"}
WRITTEN = Say(json.dumps([{"choice": 2, "reason": "it asks for the weather"}]))
CALLED = Say(tool_calls=[("SingleSelection", SECOND)])


@both
class TestARouter:
    @pytest.mark.parametrize(
        ("first", "expected", "calls"),
        [
            (WRITTEN, (0, "confident"), ACCEPTED),
            (Say("the second one"), (1, "gate_parser"), ESCALATED),
            (Say('[{"choice": "two"'), (1, "gate_parser"), ESCALATED),
            (Say(WRITTEN.text, p=0.3), (1, "low_confidence"), ESCALATED),
        ],
        ids=["good", "prose", "bad JSON", "unsure"],
    )
    async def test_that_reads_a_choice(
        self, how: str, first: Say, expected: tuple[int, str], calls: list[Any]
    ) -> None:
        two = settle(Pair(first, WRITTEN))
        prices, weather, made = tools()
        selector = LLMSingleSelector.from_defaults(llm=two.cascade)
        router = RouterQueryEngine(selector, made, llm=two.cascade)
        with collect_decisions() as seen:
            assert await asked(how, router, "will it rain?") == "sunny"
        assert (prices.asked, weather.asked) == ([], ["will it rain?"])
        assert trail(seen) == [expected]
        assert outcomes(seen[0]) == calls
        assert two.adds_up(seen)

    @pytest.mark.parametrize(
        ("first", "expected", "calls"),
        [
            (CALLED, (0, "tool_call"), ACCEPTED),
            (Say("the second one"), (1, "gate_tool_call"), ESCALATED),
            (
                Say(tool_calls=[("SingleSelection", {"index": "two"})]),
                (1, "gate_tool_call"),
                ESCALATED,
            ),
        ],
        ids=["good", "prose", "bad arguments"],
    )
    async def test_that_is_given_a_choice(
        self, how: str, first: Say, expected: tuple[int, str], calls: list[Any]
    ) -> None:
        two = settle(Pair(first, CALLED))
        prices, weather, made = tools()
        selector = PydanticSingleSelector.from_defaults(llm=two.cascade)  # type: ignore[arg-type]
        router = RouterQueryEngine(selector, made, llm=two.cascade)
        with collect_decisions() as seen:
            assert await asked(how, router, "will it rain?") == "sunny"
        assert (prices.asked, weather.asked) == ([], ["will it rain?"])
        assert trail(seen) == [expected]
        assert outcomes(seen[0]) == calls
        assert two.adds_up(seen)


# --- sub-questions ------------------------------------------------------------------------------

QUESTIONS = Say(
    "```json\n"
    + json.dumps(
        {
            "items": [
                {"sub_question": "what does it cost?", "tool_name": "prices"},
                {"sub_question": "will it rain?", "tool_name": "weather"},
            ]
        }
    )
    + "\n```"
)


def questions_then(answer: Say, *, questions: Say = QUESTIONS) -> Any:
    return lambda seen: questions if "sub-questions" in seen.prompt else answer


@both
@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (questions_then(Say("ten euros, and sunny")), [(0, "confident"), (0, "confident")]),
        (
            questions_then(Say("ten euros, and sunny"), questions=Say("What does it cost?")),
            [(1, "gate_parser"), (0, "confident")],
        ),
        (questions_then(Say("perhaps", p=0.3)), [(0, "confident"), (1, "low_confidence")]),
    ],
    ids=["good", "bad questions", "unsure answer"],
)
async def test_sub_questions(how: str, first: Any, expected: list[Any]) -> None:
    two = settle(Pair(first, questions_then(Say("ten euros, and sunny"))))
    prices, weather, made = tools()
    engine = SubQuestionQueryEngine.from_defaults(
        made,
        llm=two.cascade,
        question_gen=LLMQuestionGenerator.from_defaults(llm=two.cascade),
        response_synthesizer=get_response_synthesizer(llm=two.cascade),
        verbose=False,
        use_async=how == "async",
    )
    with collect_decisions() as seen:
        assert await asked(how, engine, "price and weather?") == "ten euros, and sunny"
    assert (prices.asked, weather.asked) == (["what does it cost?"], ["will it rain?"])
    assert trail(seen) == expected
    assert [outcomes(r) for r in seen] == [ESCALATED if tier else ACCEPTED for tier, _ in expected]
    assert two.adds_up(seen)


# --- rerankers ----------------------------------------------------------------------------------

RANKED = Say("Doc: 2, Relevance: 9\nDoc: 1, Relevance: 3")


@both
@pytest.mark.parametrize(
    ("first", "expected"),
    [(RANKED, (0, "confident")), (Say(RANKED.text, p=0.3), (1, "low_confidence"))],
    ids=["sure", "unsure"],
)
async def test_a_reranker(how: str, first: Say, expected: tuple[int, str]) -> None:
    two = settle(Pair(first, RANKED))
    given = [NodeWithScore(node=TextNode(text=text), score=1.0) for text in ("a", "b", "c")]
    reranker = LLMRerank(llm=two.cascade, top_n=1)
    with collect_decisions() as seen:
        if how == "sync":
            kept = reranker.postprocess_nodes(given, query_str="which?")
        else:
            kept = await reranker.apostprocess_nodes(given, query_str="which?")
    assert [(node.text, node.score) for node in kept] == [("b", 9.0)]
    assert trail(seen) == [expected]
    assert outcomes(seen[0]) == (ESCALATED if expected[0] else ACCEPTED)
    assert two.adds_up(seen)


# --- evaluators ---------------------------------------------------------------------------------

YES = Say("YES")


async def evaluated(how: str, evaluator: Any) -> Any:
    given = {"query": "weather?", "response": "sunny", "contexts": ["It is sunny."]}
    if how == "sync":
        return evaluator.evaluate(**given)
    return await evaluator.aevaluate(**given)


@both
@pytest.mark.parametrize("kind", [FaithfulnessEvaluator, RelevancyEvaluator])
@pytest.mark.parametrize(
    ("first", "expected"),
    [(YES, (0, "confident")), (Say("NO", p=0.3), (1, "low_confidence"))],
    ids=["sure", "unsure"],
)
async def test_an_evaluator(how: str, kind: Any, first: Say, expected: tuple[int, str]) -> None:
    two = settle(Pair(first, YES))
    with collect_decisions() as seen:
        result = await evaluated(how, kind(llm=two.cascade))
    assert result.passing
    assert trail(seen) == [expected]
    assert outcomes(seen[0]) == (ESCALATED if expected[0] else ACCEPTED)
    assert two.adds_up(seen)


def scored(seen: Seen) -> Say:
    return Say("4.5\nIt is correct.")


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (scored, (0, "confident")),
        (Say("It is correct, I think."), (1, "gate_custom")),
        (Say("4.5\nIt is correct.", p=0.3), (1, "low_confidence")),
    ],
    ids=["good", "no score", "unsure"],
)
def test_a_correctness_evaluator(first: Any, expected: tuple[int, str]) -> None:
    def opens_with_a_score(request: Any, draft: Any) -> bool:
        return float(draft.text.splitlines()[0]) >= 0

    two = settle(Pair(first, scored, gates=[opens_with_a_score]))
    with collect_decisions() as seen:
        result = CorrectnessEvaluator(llm=two.cascade).evaluate(
            query="weather?", response="sunny", reference="sunny"
        )
    assert (result.score, result.feedback) == (4.5, "It is correct.")
    assert trail(seen) == [expected]
    assert outcomes(seen[0]) == (ESCALATED if expected[0] else ACCEPTED)
    assert two.adds_up(seen)


# --- ingestion ----------------------------------------------------------------------------------


def extracted(seen: Seen) -> Say:
    for word in ("keywords", "title", "Summarize"):
        if word in seen.prompt:
            return Say(f"cheap {word}")
    return Say("cheap something")


def all_extractors(llm: Any) -> list[Any]:
    return [
        TitleExtractor(llm=llm, nodes=1, num_workers=1, show_progress=False),
        SummaryExtractor(llm=llm, summaries=["self"], num_workers=1, show_progress=False),
        KeywordExtractor(llm=llm, num_workers=1, show_progress=False),
    ]


def texts(count: int = 2) -> list[TextNode]:
    return [TextNode(text=f"text {place}", id_=str(place)) for place in range(count)]


@both
@pytest.mark.parametrize("p", [0.99, 0.3], ids=["sure", "unsure"])
async def test_extractors_in_a_pipeline(how: str, p: float) -> None:
    two = settle(Pair(lambda seen: Say(extracted(seen).text, p=p), Say("strong words")))
    pipeline = IngestionPipeline(transformations=all_extractors(two.cascade), disable_cache=True)
    with collect_decisions() as seen:
        if how == "sync":
            nodes = pipeline.run(nodes=texts())
        else:
            nodes = await pipeline.arun(nodes=texts())
    found = nodes[0].metadata
    if p > 0.5:
        assert found["section_summary"].startswith("cheap")
        assert all(outcomes(record) == ACCEPTED for record in seen)
    else:
        assert set(found.values()) == {"strong words"}
        assert all(outcomes(record) == ESCALATED for record in seen)
    assert {"document_title", "section_summary", "excerpt_keywords"} <= set(found)
    assert two.adds_up(seen)


def cached_by(cache: IngestionCache, two: Pair) -> int:
    """Run a pipeline; return how often the cascade was asked."""
    pipeline = IngestionPipeline(
        transformations=[KeywordExtractor(llm=two.cascade, num_workers=1, show_progress=False)],
        cache=cache,
    )
    before = two.asked[0]
    pipeline.run(nodes=texts(1))
    return two.asked[0] - before


WORDS = Say("some keywords")
SAME: dict[str, Any] = {"thresholds": [0.8]}
OTHERS: dict[str, dict[str, Any]] = {
    "threshold": {"thresholds": [0.7]},
    "signals": {"thresholds": [0.8], "signals": [SequenceLogprob(), SelfConsistency(n=3)]},
    "settings of a signal": {"thresholds": [0.8], "signals": [SelfConsistency(n=4)]},
    "gates": {"thresholds": [0.8], "gates": [lambda request, draft: True]},
    "tool calls": {"thresholds": [0.8], "on_tool_call": "escalate"},
    "system prompt": {"thresholds": [0.8], "system_prompt": "Be brief."},
    "tier": {"thresholds": [0.8], "cheap_is": {"max_tokens": 5}},
}


def test_equal_cascades_share_what_the_cache_holds() -> None:
    cache = IngestionCache()
    assert cached_by(cache, Pair(WORDS, **SAME)) == 1
    assert cached_by(cache, Pair(WORDS, **SAME)) == 0


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS.keys())
def test_cascades_that_decide_otherwise_share_nothing(other: dict[str, Any]) -> None:
    cache = IngestionCache()
    assert cached_by(cache, Pair(WORDS, **SAME)) == 1
    assert cached_by(cache, Pair(WORDS, **other)) >= 1
    assert cached_by(cache, Pair(WORDS, **SAME)) == 0


def test_each_of_several_cascades_has_entries_of_its_own() -> None:
    def key(**settings: Any) -> str:
        llm = Pair(WORDS, **settings).cascade
        return get_transformation_hash(texts(1), SummaryExtractor(llm=llm))

    keys = [key(**SAME), *(key(**other) for other in OTHERS.values())]
    assert len(set(keys)) == len(keys)
    assert key(**SAME) == keys[0]


def test_a_setting_changed_later_is_a_new_entry() -> None:
    cache = IngestionCache()
    two = Pair(WORDS, **SAME)
    assert cached_by(cache, two) == 1
    two.cascade.thresholds = [0.7]
    assert cached_by(cache, two) == 1


def test_a_cache_holds_no_key() -> None:
    secret = {"cheap_is": {"api_key": "sk-secret"}, "strong_is": {"api_key": "sk-secret"}}
    two = Pair(WORDS, **secret)
    other = Pair(WORDS)
    extractor = KeywordExtractor(llm=two.cascade)
    assert "sk-secret" not in str(extractor.to_dict())
    assert get_transformation_hash(texts(1), extractor) == get_transformation_hash(
        texts(1), KeywordExtractor(llm=other.cascade)
    )


@pytest.mark.processes
def test_a_pipeline_of_several_processes_escalates_in_each() -> None:
    llm = CascadeLLM(tiers=[Talker(logprob=-3.0), Talker(model="b", text="strong words")])
    extractor = KeywordExtractor(llm=llm, num_workers=1, show_progress=False)
    pipeline = IngestionPipeline(transformations=[extractor], disable_cache=True)
    nodes = pipeline.run(nodes=texts(), num_workers=2)
    assert [node.metadata["excerpt_keywords"] for node in nodes] == ["strong words"] * 2
