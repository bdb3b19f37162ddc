"""A cascade as the model of LlamaIndex's query engines, in every response mode."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core import get_response_synthesizer
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.llms import ChatMessage, MessageRole
from llama_index.core.prompts import ChatPromptTemplate, PromptTemplate, SelectorPromptTemplate
from llama_index.core.prompts.utils import is_chat_model
from llama_index.core.types import BaseOutputParser
from pydantic import BaseModel

from cascade_core import collect_decisions
from llamaindex_cascade import CascadeLLM
from tests.llamaindex.fakes import PRICES, SURE, UNSURE, FakeLLM, Say, Seen, cheap, strong
from tests.llamaindex.library import (
    NOTES,
    QUESTION,
    all_ways,
    index_of,
    query,
    query_engine,
)
from tests.llamaindex.watched import ACCEPTED, ESCALATED, STRONG, Pair, outcomes, trail

pytestmark = [
    pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning"),
    pytest.mark.usefixtures("settings"),
]

STRONG_ONLY = [(1, "returned")]
ASKED = {
    "compact": 1,
    "refine": 3,
    "tree_summarize": 1,
    "simple_summarize": 1,
    "generation": 1,
    "accumulate": 3,
    "compact_accumulate": 1,
    "no_text": 0,
    "context_only": 0,
}
"""How often each response mode asks the model about three notes."""

CANNOT_STREAM = ("accumulate", "compact_accumulate")


def said(mode: str, answer: str) -> str:
    """What an engine makes of a model that always answers the same."""
    if mode == "context_only":
        return "\n\n".join(NOTES)
    if mode == "no_text":
        return str(None)
    if mode in CANNOT_STREAM:
        parts = [f"Response {place + 1}: {answer}" for place in range(ASKED[mode])]
        return "\n---------------------\n".join(parts)
    return answer


def cases() -> Iterator[Any]:
    for mode in ASKED:
        for how in ("sync", "async", "stream", "astream"):
            if not (mode in CANNOT_STREAM and how in ("stream", "astream")):
                yield pytest.param(mode, how, id=f"{mode}-{how}")


class TestEveryResponseMode:
    @pytest.mark.parametrize(("mode", "how"), list(cases()))
    async def test_answers_with_the_cheap_tier_where_that_is_sure(
        self, mode: str, how: str
    ) -> None:
        two = Pair(SURE)
        engine = query_engine(index_of(manager=two.manager), two.cascade, mode, how)
        with collect_decisions() as seen:
            shown, _ = await query(engine, how)
        assert shown.strip() == said(mode, "sure answer")
        assert trail(seen) == [(0, "confident")] * ASKED[mode]
        assert [outcomes(record) for record in seen] == [ACCEPTED] * ASKED[mode]
        assert two.asked == (ASKED[mode], 0)
        assert two.adds_up(seen)

    @pytest.mark.parametrize(("mode", "how"), list(cases()))
    async def test_answers_with_the_strong_tier_where_the_cheap_one_is_unsure(
        self, mode: str, how: str
    ) -> None:
        two = Pair(UNSURE)
        engine = query_engine(index_of(manager=two.manager), two.cascade, mode, how)
        with collect_decisions() as seen:
            shown, response = await query(engine, how)
        assert shown.strip() == said(mode, "strong answer")
        assert "draft" not in repr(response)
        if mode == "refine":  # the later steps refine what the strong tier wrote
            assert trail(seen) == [(1, "low_confidence"), (1, "sticky"), (1, "sticky")]
            assert [outcomes(record) for record in seen] == [ESCALATED, STRONG_ONLY, STRONG_ONLY]
            assert two.asked == (1, 3)
        else:
            assert trail(seen) == [(1, "low_confidence")] * ASKED[mode]
            assert [outcomes(record) for record in seen] == [ESCALATED] * ASKED[mode]
            assert two.asked == (ASKED[mode], ASKED[mode])
        assert two.adds_up(seen)

    @pytest.mark.parametrize("mode", ["compact", "refine", "tree_summarize", "simple_summarize"])
    async def test_tells_signals_what_was_retrieved(self, mode: str) -> None:
        contexts: list[str] = []

        def supported(request: Any, draft: Any) -> float:
            contexts.extend(request.contexts)
            return 1.0

        two = Pair(SURE, signals=[supported])
        engine = query_engine(index_of(manager=two.manager), two.cascade, mode, "sync")
        engine.query(QUESTION)
        assert all(any(note in text for text in contexts) for note in NOTES)

    @pytest.mark.parametrize("mode", ["no_text", "generation"])
    async def test_leaves_the_sources_as_they_are(self, mode: str) -> None:
        two = Pair(UNSURE)
        engine = query_engine(index_of(manager=two.manager), two.cascade, mode, "sync")
        _, response = await query(engine, "sync")
        assert sorted(node.text for node in response.source_nodes) == sorted(NOTES)

    @pytest.mark.parametrize("mode", ["tree_summarize", "simple_summarize", "generation"])
    def test_reports_a_stream_to_who_asked_for_it(self, mode: str) -> None:
        two = Pair(UNSURE)
        engine = query_engine(index_of(manager=two.manager), two.cascade, mode, "stream")
        with collect_decisions() as seen:
            response = engine.query(QUESTION)
        assert not seen
        with collect_decisions() as others:
            assert "".join(response.response_gen) == "strong answer"
        assert trail(seen) == [(1, "low_confidence")]
        assert not others
        assert two.adds_up(seen)

    @all_ways
    async def test_asks_no_tier_where_nothing_was_found(self, how: str) -> None:
        two = Pair(SURE)
        engine = query_engine(index_of(manager=two.manager), two.cascade, "compact", how)
        engine.retriever._node_ids = ["none such"]
        with collect_decisions() as seen:
            shown, _ = await query(engine, how)
        assert shown == "Empty Response"
        assert not seen
        assert two.asked == (0, 0)


class TestATreeOfSummaries:
    LONG = tuple(" ".join(f"{word} {place}" for place in range(900)) for word in ("a", "b", "c"))

    @staticmethod
    def unsure_of_b(seen: Seen) -> Say:
        return UNSURE if "b 899" in seen.prompt else SURE

    @pytest.mark.parametrize("how", ["sync", "async", "use_async", "stream", "astream"])
    async def test_escalates_the_branches_that_need_it_only(self, how: str) -> None:
        two = Pair(self.unsure_of_b)
        index = index_of(*self.LONG, manager=two.manager)
        use_async = how == "use_async"
        how = "sync" if use_async else how
        engine = query_engine(index, two.cascade, "tree_summarize", how, use_async=use_async)
        with collect_decisions() as seen:
            shown, _ = await query(engine, how)
        assert shown.strip() == "sure answer"
        leaves, root = trail(seen)[:-1], trail(seen)[-1]
        assert root == (0, "confident")
        assert sorted(leaves) == [(0, "confident")] * 2 + [(1, "low_confidence")]
        top = two.cheap.seen[-1].prompt
        assert "strong answer" in top
        assert "draft" not in top
        assert two.asked == (4, 1)
        assert two.adds_up(seen)


# --- refining ---------------------------------------------------------------------------------


def unsure_of(*words: str) -> Any:
    """A model that is unsure of notes about these, and refines anything at once."""

    def say(seen: Seen) -> Say:
        if any(word in seen.prompt for word in words):
            return UNSURE
        return Say("sure refinement") if "Original Answer" in seen.prompt else SURE

    return say


STRONG_STEPS = [Say("strong answer"), Say("strong refinement")]


class TestARefineLoop:
    @all_ways
    async def test_has_the_strong_tier_refine_what_it_wrote(self, how: str) -> None:
        two = Pair(unsure_of("Oslo"), STRONG_STEPS)
        engine = query_engine(index_of(manager=two.manager), two.cascade, "refine", how)
        with collect_decisions() as seen:
            shown, _ = await query(engine, how)
        assert shown.strip() == "strong refinement"
        assert trail(seen) == [(1, "low_confidence"), (1, "sticky"), (1, "sticky")]
        assert two.asked == (1, 3)
        assert two.adds_up(seen)

    @all_ways
    async def test_sticks_from_the_step_that_escalated(self, how: str) -> None:
        two = Pair(unsure_of("Bergen"), STRONG_STEPS)
        engine = query_engine(index_of(manager=two.manager), two.cascade, "refine", how)
        with collect_decisions() as seen:
            shown, _ = await query(engine, how)
        assert trail(seen) == [(0, "confident"), (1, "low_confidence"), (1, "sticky")]
        assert shown.strip() == "strong refinement"
        assert two.asked == (2, 2)
        assert two.adds_up(seen)

    @all_ways
    async def test_lets_the_middle_of_three_tiers_refine_its_own_answer(self, how: str) -> None:
        weak = cheap(unsure_of("Oslo"))
        middle = FakeLLM(Say("middle answer"), "m1")
        last = FakeLLM(Say("strong answer"), "m2")
        llm = CascadeLLM(tiers=[weak, middle, last], prices=PRICES)
        engine = query_engine(index_of(), llm, "refine", how)
        with collect_decisions() as seen:
            shown, _ = await query(engine, how)
        assert shown.strip() == "middle answer"
        assert trail(seen) == [(1, "confident")] * 3
        assert [llm.journal.count for llm in (weak, middle, last)] == [1, 3, 0]

    @pytest.mark.parametrize("how", ["async", "astream"])
    async def test_leaves_another_question_with_the_same_answer_alone(self, how: str) -> None:
        def say(seen: Seen) -> Say:
            if "Oslo" in seen.prompt and "hard" in seen.prompt:
                return UNSURE
            return Say("the same answer")

        two = Pair(say, Say("the same answer"))
        index = index_of(manager=two.manager)
        hard = query_engine(index, two.cascade, "refine", how)
        easy = query_engine(index, two.cascade, "refine", how)

        async def ask(engine: Any, question: str) -> list[Any]:
            with collect_decisions() as seen:
                await query(engine, how, question)
            return seen

        easy_ones = (ask(easy, f"easy one {place}") for place in range(10))
        first, *others = await asyncio.gather(ask(hard, "a hard one"), *easy_ones)
        assert trail(first) == [(1, "low_confidence"), (1, "sticky"), (1, "sticky")]
        for seen in others:
            assert trail(seen) == [(0, "confident")] * 3
        assert two.asked == (1 + 3 * len(others), 3)
        assert two.adds_up([record for seen in (first, *others) for record in seen])

    @pytest.mark.parametrize("how", ["sync", "async"])
    async def test_sticks_to_objects_too(self, how: str) -> None:
        class Forecast(BaseModel):
            answer: str

        drafted = Say(tool_calls=[("Forecast", {"wrong": 1})])

        def draft(seen: Seen) -> Say:
            if "Oslo" in seen.prompt:
                return drafted
            return Say(tool_calls=[("Forecast", {"answer": "cheap"})])

        two = Pair(draft, Say(tool_calls=[("Forecast", {"answer": "snow"})]))
        engine = query_engine(
            index_of(manager=two.manager), two.cascade, "refine", how, output_cls=Forecast
        )
        with collect_decisions() as seen:
            _, response = await query(engine, how)
        assert response.response == Forecast(answer="snow")
        assert [record["reason"] for record in seen[1:]] == ["sticky", "sticky"]
        assert [record["tier"] for record in seen] == [1, 1, 1]
        assert two.asked == (1, 3)
        assert two.adds_up(seen)

    @pytest.mark.parametrize("how", ["sync", "async"])
    async def test_sticks_to_what_a_parser_made_of_the_answer(self, how: str) -> None:
        class Shout(BaseOutputParser):
            def parse(self, output: str) -> str:
                return output.upper()

            def format(self, query: str) -> str:
                return query

        two = Pair(unsure_of("Oslo"))
        two.cascade.output_parser = Shout()
        engine = query_engine(index_of(manager=two.manager), two.cascade, "refine", how)
        with collect_decisions() as seen:
            shown, _ = await query(engine, how)
        assert shown == "STRONG ANSWER"
        assert trail(seen) == [(1, "low_confidence"), (1, "sticky"), (1, "sticky")]

    @all_ways
    async def test_starts_afresh_at_the_same_question_asked_again(self, how: str) -> None:
        two = Pair([UNSURE, SURE])
        engine = query_engine(index_of(manager=two.manager), two.cascade, "refine", how)
        with collect_decisions() as seen:
            await query(engine, how)
            shown, _ = await query(engine, how)
        assert shown.strip() == "sure answer"
        assert [record["tier"] for record in seen] == [1, 1, 1, 0, 0, 0]
        assert two.adds_up(seen)


def judged(answer: str, *, satisfied: bool = True) -> Say:
    """A step of a refine loop that filters answers."""
    given = {"query_satisfied": satisfied, "answer": answer}
    return Say(tool_calls=[("StructuredRefineResponse", given)])


BROKEN = Say(tool_calls=[("StructuredRefineResponse", {"satisfied": "draft"})])


class TestARefineLoopThatFiltersAnswers:
    @staticmethod
    def engine(two: Pair, how: str) -> Any:
        index = index_of(manager=two.manager)
        return query_engine(index, two.cascade, "refine", how, structured_answer_filtering=True)

    @all_ways
    async def test_accepts_a_cheap_answer_that_fits(self, how: str) -> None:
        two = Pair(judged("sure answer"))
        with collect_decisions() as seen:
            shown, _ = await query(self.engine(two, how), how)
        assert shown == "sure answer"
        assert trail(seen) == [(0, "tool_call")] * 3
        assert [outcomes(record) for record in seen] == [ACCEPTED] * 3
        assert two.asked == (3, 0)
        assert two.adds_up(seen)

    @all_ways
    async def test_escalates_an_answer_that_does_not_fit(self, how: str) -> None:
        two = Pair(BROKEN, judged("strong answer"))
        with collect_decisions() as seen:
            shown, response = await query(self.engine(two, how), how)
        assert shown == "strong answer"
        assert "draft" not in repr(response)
        assert seen[0]["tier"] == 1
        assert outcomes(seen[0]) == ESCALATED
        assert {record["tier"] for record in seen} == {1}
        assert two.adds_up(seen)

    @pytest.mark.parametrize("how", ["sync", "async"])
    async def test_passes_over_what_does_not_satisfy(self, how: str) -> None:
        def draft(seen: Seen) -> Say:
            return judged("no idea", satisfied="Bergen" in seen.prompt)

        two = Pair(draft)
        with collect_decisions() as seen:
            shown, _ = await query(self.engine(two, how), how)
        assert shown == "no idea"
        assert trail(seen) == [(0, "tool_call")] * 3
        assert two.adds_up(seen)


# --- settings ---------------------------------------------------------------------------------


def used(counter: TokenCountingHandler) -> tuple[int, int]:
    return counter.prompt_llm_token_count, counter.completion_llm_token_count


@pytest.mark.parametrize("first", [SURE, UNSURE], ids=["accept", "escalate"])
class TestTheModelOfTheSettings:
    @pytest.mark.parametrize("when", ["before", "after", "added", "replaced"])
    async def test_reports_its_tiers_calls_to_the_settings_handlers(
        self, settings: Any, first: Say, when: str
    ) -> None:
        two = Pair(first)
        llm = CascadeLLM(tiers=[two.cheap, two.strong], prices=PRICES)
        handlers = [two.counter]
        if when == "before":
            settings.callback_manager = CallbackManager(handlers)
        elif when == "added":
            settings.callback_manager = CallbackManager([])
        elif when == "replaced":
            settings.callback_manager = CallbackManager([TokenCountingHandler(str.split)])
        settings.llm = llm
        index = index_of()
        if when in ("after", "replaced"):
            settings.callback_manager = CallbackManager(handlers)
        elif when == "added":
            settings.callback_manager.add_handler(two.counter)
        with collect_decisions() as seen:
            index.as_query_engine().query(QUESTION)
            await index.as_query_engine().aquery(QUESTION)
        assert [record["tier"] for record in seen] == [int(first is UNSURE)] * 2
        assert two.adds_up(seen)

    def test_reports_what_is_asked_of_it_directly(self, settings: Any, first: Say) -> None:
        two = Pair(first)
        settings.llm = CascadeLLM(tiers=[two.cheap, two.strong], prices=PRICES)
        settings.llm.complete("before anybody listens")
        assert used(two.counter) == (0, 0)
        settings.callback_manager = CallbackManager([two.counter])
        with collect_decisions() as seen:
            settings.llm.complete("hello")
        assert len(seen) == 1
        escalated = int(first is UNSURE)
        assert used(two.counter) == (10 + escalated * STRONG[0], 1 + escalated * STRONG[1])

    def test_serves_engines_that_are_given_no_model(self, settings: Any, first: Say) -> None:
        two = Pair(first)
        settings.callback_manager = two.manager
        settings.llm = two.cascade
        with collect_decisions() as seen:
            synthesizer = get_response_synthesizer()
            text = synthesizer.get_response(QUESTION, list(NOTES))
        assert text == ("strong answer" if first is UNSURE else "sure answer")
        assert two.adds_up(seen)


async def test_tiers_keep_their_own_handlers_until_somebody_sets_the_cascades() -> None:
    counter = TokenCountingHandler(tokenizer=str.split)
    own = CallbackManager([counter])
    llm = CascadeLLM(tiers=[cheap(Say(usage=(10, 1)), callback_manager=own), strong()])
    llm.complete("hello")
    assert used(counter) == (10, 1)
    assert llm.tiers[0].callback_manager is own


# --- templates --------------------------------------------------------------------------------

CHAT = ChatPromptTemplate(
    [
        ChatMessage(role=MessageRole.SYSTEM, content="chat template"),
        ChatMessage(role=MessageRole.USER, content="{query_str} {context_str}"),
    ]
)
PLAIN = PromptTemplate("plain template {query_str} {context_str}")
BY_KIND = SelectorPromptTemplate(default_template=PLAIN, conditionals=[(is_chat_model, CHAT)])
BY_MODEL = SelectorPromptTemplate(
    default_template=PLAIN,
    conditionals=[(lambda llm: getattr(llm, "model", None) == "m1", CHAT)],
)

COMPLETES = {
    "chat_model": False,
    "system_prompt": "completing rules",
    "completion_to_prompt": lambda text: f"<<{text}>>",
}
CHATS = {"system_prompt": "chatting rules"}


def mixed(first: Say, *, completing: int) -> Pair:
    """A cascade of which one tier completes and the other one chats."""
    kinds = [COMPLETES, CHATS] if completing == 0 else [CHATS, COMPLETES]
    return Pair(first, cheap_is=kinds[0], strong_is=kinds[1])


async def predicted(llm: Any, prompt: Any, how: str) -> str:
    given = {"query_str": "Rain?", "context_str": "Bergen"}
    if how == "sync":
        return str(llm.predict(prompt, **given))
    if how == "async":
        return str(await llm.apredict(prompt, **given))
    if how == "stream":
        return "".join(llm.stream(prompt, **given))
    return "".join([token async for token in await llm.astream(prompt, **given)])


def check_completed(asked: Seen) -> None:
    assert asked.method in {"complete", "acomplete", "stream_complete", "astream_complete"}
    assert asked.prompt == "completing rules\n\n<<plain template Rain? Bergen>>"


def check_chatted(asked: Seen) -> None:
    assert asked.method in {"chat", "achat", "stream_chat", "astream_chat"}
    said = [(message.role.value, message.content) for message in asked.messages]
    assert said == [
        ("system", "chatting rules"),
        ("system", "chat template"),
        ("user", "Rain? Bergen"),
    ]


class TestTiersThatCompleteAndTiersThatChat:
    @all_ways
    @pytest.mark.parametrize("completing", [0, 1], ids=["cheap completes", "strong completes"])
    async def test_are_asked_in_their_own_manner(self, completing: int, how: str) -> None:
        two = mixed(UNSURE, completing=completing)
        with collect_decisions() as seen:
            assert (await predicted(two.cascade, BY_KIND, how)).strip() == "strong answer"
        assert trail(seen) == [(1, "low_confidence")]
        for tier, llm in enumerate([two.cheap, two.strong]):
            (asked,) = llm.seen
            (check_completed if tier == completing else check_chatted)(asked)
        assert two.adds_up(seen)

    @all_ways
    @pytest.mark.parametrize("completing", [0, 1], ids=["cheap completes", "strong completes"])
    async def test_are_accepted_alike(self, completing: int, how: str) -> None:
        two = mixed(SURE, completing=completing)
        with collect_decisions() as seen:
            assert (await predicted(two.cascade, BY_KIND, how)).strip() == "sure answer"
        assert trail(seen) == [(0, "confident")]
        (asked,) = two.cheap.seen
        (check_completed if completing == 0 else check_chatted)(asked)
        assert two.adds_up(seen)

    @all_ways
    async def test_are_told_apart_by_any_condition_on_the_model(self, how: str) -> None:
        two = Pair(UNSURE)
        await predicted(two.cascade, BY_MODEL, how)
        assert "plain template" in two.cheap.seen[0].prompt
        assert "chat template" in two.strong.seen[0].prompt

    @all_ways
    @pytest.mark.parametrize("first", [SURE, UNSURE], ids=["accept", "escalate"])
    async def test_serve_query_engines(self, first: Say, how: str) -> None:
        two = mixed(first, completing=0)
        engine = query_engine(index_of(manager=two.manager), two.cascade, "compact", how)
        with collect_decisions() as seen:
            shown, _ = await query(engine, how)
        escalated = int(first is UNSURE)
        assert shown.strip() == ("strong answer" if escalated else "sure answer")
        assert trail(seen) == [(escalated, "low_confidence" if escalated else "confident")]
        assert two.asked == (1, escalated)
        assert two.adds_up(seen)
        alone = cheap(first, **COMPLETES)
        await query(query_engine(index_of(), alone, "compact", how), how)
        assert two.cheap.seen == alone.seen
        assert two.cheap.seen[0].prompt.startswith("completing rules\n\n<<Context information")

    @all_ways
    async def test_get_a_bare_text_once_around_which_each_puts_its_own(self, how: str) -> None:
        two = mixed(UNSURE, completing=0)
        llm = two.cascade
        with collect_decisions() as seen:
            if how == "sync":
                llm.complete("Rain?")
            elif how == "async":
                await llm.acomplete("Rain?")
            elif how == "stream":
                list(llm.stream_complete("Rain?"))
            else:
                [part async for part in await llm.astream_complete("Rain?")]
        assert two.cheap.seen[0].prompt == "<<Rain?>>"
        assert two.strong.seen[0].prompt == "Rain?"
        assert two.adds_up(seen)
