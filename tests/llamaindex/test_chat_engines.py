"""A cascade as the model of LlamaIndex's chat engines."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from llama_index.core.chat_engine import SimpleChatEngine
from llama_index.core.llms import MessageRole
from llama_index.core.memory import ChatMemoryBuffer

from cascade_core import collect_decisions
from tests.llamaindex.fakes import SURE, UNSURE, Say, Seen
from tests.llamaindex.library import (
    NOTES,
    all_ways,
    chat,
    index_of,
)
from tests.llamaindex.watched import ACCEPTED, ESCALATED, STRONG, Pair, outcomes, trail

pytestmark = [
    pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning"),
    pytest.mark.usefixtures("settings"),
]

ASKED = {
    "simple": (1, 1),
    "context": (1, 1),
    "condense_plus_context": (1, 2),
    "condense_question": (1, 2),
}
"""How often each engine asks the model for the first and the second message."""

FIRST, SECOND = "Is there rain?", "And snow?"

all_modes = pytest.mark.parametrize("mode", list(ASKED))


def engine_of(two: Pair, mode: str, **kwargs: Any) -> Any:
    return index_of(manager=two.manager).as_chat_engine(
        chat_mode=mode, llm=two.cascade, similarity_top_k=3, memory=memory(), **kwargs
    )


def memory() -> ChatMemoryBuffer:
    """A memory without a database, whose threads may outlive a test's event loop."""
    return ChatMemoryBuffer.from_defaults(token_limit=4000)


def history(engine: Any) -> list[tuple[str, str]]:
    return [(message.role.value, message.content) for message in engine.chat_history]


class TestAConversation:
    @all_ways
    @all_modes
    async def test_is_held_with_the_cheap_tier_where_that_is_sure(
        self, mode: str, how: str
    ) -> None:
        two = Pair(SURE)
        engine = engine_of(two, mode)
        with collect_decisions() as seen:
            shown = [(await chat(engine, how, message))[0] for message in (FIRST, SECOND)]
        assert [text.strip() for text in shown] == ["sure answer"] * 2
        total = sum(ASKED[mode])
        assert trail(seen) == [(0, "confident")] * total
        assert [outcomes(record) for record in seen] == [ACCEPTED] * total
        assert history(engine) == [
            ("user", FIRST),
            ("assistant", "sure answer"),
            ("user", SECOND),
            ("assistant", "sure answer"),
        ]
        assert two.asked == (total, 0)
        assert two.adds_up(seen)

    @all_ways
    @all_modes
    async def test_is_held_with_the_strong_tier_where_the_cheap_one_is_unsure(
        self, mode: str, how: str
    ) -> None:
        two = Pair(UNSURE)
        engine = engine_of(two, mode)
        with collect_decisions() as seen:
            heard = [await chat(engine, how, message) for message in (FIRST, SECOND)]
        assert [text.strip() for text, _ in heard] == ["strong answer"] * 2
        total = sum(ASKED[mode])
        assert trail(seen) == [(1, "low_confidence")] * total
        assert [outcomes(record) for record in seen] == [ESCALATED] * total
        assert history(engine) == [
            ("user", FIRST),
            ("assistant", "strong answer"),
            ("user", SECOND),
            ("assistant", "strong answer"),
        ]
        assert two.asked == (total, total)
        assert two.adds_up(seen)

    @all_ways
    @all_modes
    async def test_never_shows_a_draft_to_anybody(self, mode: str, how: str) -> None:
        two = Pair(UNSURE)
        engine = engine_of(two, mode)
        for message in (FIRST, SECOND):
            shown, response = await chat(engine, how, message)
            assert "draft" not in shown + str(response) + repr(response.sources)
            assert "draft" not in repr(response.source_nodes)
        assert "draft" not in repr(engine.chat_history)
        for asked in (*two.cheap.seen, *two.strong.seen):
            assert "draft" not in asked.prompt

    @all_ways
    @all_modes
    async def test_goes_on_with_the_other_tier_at_any_message(self, mode: str, how: str) -> None:
        def say(seen: Seen) -> Say:
            return UNSURE if FIRST in seen.messages[-1].content and not snow(seen) else SURE

        def snow(seen: Seen) -> bool:
            return SECOND in seen.prompt

        two = Pair(say)
        engine = engine_of(two, mode)
        with collect_decisions() as seen:
            await chat(engine, how, FIRST)
            # Where the question is condensed, what was condensed is asked next.
            await chat(engine, how, SECOND)
        assert [text for role, text in history(engine) if role == "assistant"] == [
            "strong answer",
            "sure answer",
        ]
        assert [record["tier"] for record in seen] == [1] + [0] * ASKED[mode][1]
        assert two.adds_up(seen)

    @pytest.mark.parametrize("mode", ["context", "condense_plus_context", "condense_question"])
    async def test_tells_signals_what_was_retrieved(self, mode: str) -> None:
        contexts: list[str] = []

        def supported(request: Any, draft: Any) -> float:
            contexts.extend(request.contexts)
            return 1.0

        two = Pair(SURE, signals=[supported])
        engine_of(two, mode).chat(FIRST)
        assert all(any(note in text for text in contexts) for note in NOTES)

    @all_ways
    async def test_keeps_the_system_prompt_for_every_tier(self, how: str) -> None:
        two = Pair(UNSURE)
        engine = engine_of(two, "context", system_prompt="Answer in rhyme.")
        await chat(engine, how, FIRST)
        for asked in (two.cheap.seen[0], two.strong.seen[0]):
            assert asked.messages[0].role == MessageRole.SYSTEM
            assert "Answer in rhyme." in (asked.messages[0].content or "")
            assert asked.messages[-1].content == FIRST


class TestAStreamedAnswer:
    """LlamaIndex reads it in a thread, or a task, of its own."""

    @pytest.mark.parametrize("first", [SURE, UNSURE], ids=["accept", "escalate"])
    @all_modes
    def test_is_collected_where_it_was_asked_for(self, mode: str, first: Say) -> None:
        two = Pair(first)
        engine = engine_of(two, mode)
        with collect_decisions() as seen:
            response = engine.stream_chat(FIRST)
        thread = response.write_response_to_history_thread
        if thread is not None:
            thread.join()
        with collect_decisions() as others:
            "".join(response.response_gen)
        assert [record["tier"] for record in seen] == [int(first is UNSURE)]
        assert not others
        assert two.adds_up(seen)

    @pytest.mark.parametrize("first", [SURE, UNSURE], ids=["accept", "escalate"])
    @all_modes
    async def test_is_collected_where_it_was_awaited(self, mode: str, first: Say) -> None:
        two = Pair(first)
        engine = engine_of(two, mode)
        with collect_decisions() as seen:
            response = await engine.astream_chat(FIRST)
        with collect_decisions() as others:
            [token async for token in response.async_response_gen()]
        assert [record["tier"] for record in seen] == [int(first is UNSURE)]
        assert not others
        assert two.adds_up(seen)

    @pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
    @pytest.mark.parametrize("how", ["stream", "astream"])
    @all_modes
    async def test_shows_an_error_of_the_last_tier(self, mode: str, how: str) -> None:
        broken = Say("strong answer", error=RuntimeError("line cut"), after=1)
        two = Pair(UNSURE, broken)
        engine = engine_of(two, mode)
        with collect_decisions() as seen, pytest.raises(Exception, match="m1"):
            await chat(engine, how, FIRST)
        assert seen[0]["reason"] == "exhausted"
        assert outcomes(seen[0]) == [(0, "rejected"), (1, "failed")]
        assert ("assistant", "strong answer") not in history(engine)

    @pytest.mark.parametrize("first", [SURE, UNSURE], ids=["accept", "escalate"])
    async def test_arrives_word_by_word(self, first: Say) -> None:
        two = Pair(first)
        engine = engine_of(two, "simple")
        words = list(engine.stream_chat(FIRST).response_gen)
        assert words == (["strong ", "answer"] if first is UNSURE else ["sure ", "answer"])


class TestManyConversationsAtOnce:
    MANY = 20

    @staticmethod
    def say(seen: Seen) -> Say:
        last = seen.messages[-1].content or ""
        return UNSURE if last.endswith("hard") else Say(f"cheap on {last}")

    @staticmethod
    def answer(seen: Seen) -> Say:
        return Say(f"strong on {seen.messages[-1].content}")

    def expected(self, place: int) -> tuple[str, int]:
        hard = place % 2
        return (f"strong on {place} hard" if hard else f"cheap on {place} easy"), hard

    def message(self, place: int) -> str:
        return f"{place} hard" if place % 2 else f"{place} easy"

    @pytest.mark.parametrize("how", ["async", "astream"])
    async def test_are_not_mixed_up_by_tasks(self, how: str) -> None:
        two = Pair(self.say, self.answer)

        async def converse(place: int) -> tuple[str, list[Any]]:
            engine = SimpleChatEngine.from_defaults(llm=two.cascade, memory=memory())
            with collect_decisions() as seen:
                shown, _ = await chat(engine, how, self.message(place))
            return shown.strip(), seen

        heard = await asyncio.gather(*(converse(place) for place in range(self.MANY)))
        self.check(two, heard)

    def test_are_not_mixed_up_by_threads(self) -> None:
        two = Pair(self.say, self.answer)
        heard: dict[int, tuple[str, list[Any]]] = {}

        def converse(place: int) -> None:
            engine = SimpleChatEngine.from_defaults(llm=two.cascade, memory=memory())
            with collect_decisions() as seen:
                shown = "".join(engine.stream_chat(self.message(place)).response_gen)
            heard[place] = (shown.strip(), seen)

        threads = [threading.Thread(target=converse, args=(n,)) for n in range(self.MANY)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.check(two, [heard[place] for place in range(self.MANY)])

    def check(self, two: Pair, heard: list[tuple[str, list[Any]]]) -> None:
        for place, (shown, seen) in enumerate(heard):
            text, tier = self.expected(place)
            assert shown == text
            assert [record["tier"] for record in seen] == [tier]
        records = [record for _, seen in heard for record in seen]
        assert two.asked == (self.MANY, self.MANY // 2)
        assert two.counter.completion_llm_token_count == self.MANY + STRONG[1] * self.MANY // 2
        assert two.adds_up(records)
