"""LlamaIndex's own counters and a cascade's trail tell of the same tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.llm import LLMChatEndEvent, LLMCompletionEndEvent
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from pydantic import BaseModel, PrivateAttr

from cascade_core import collect_decisions
from cascade_core.log import Record
from cascade_core.signals import Judge, SelfConsistency, SequenceLogprob
from llamaindex_cascade import CascadeLLM
from tests.llamaindex.fakes import PRICES, SURE, UNSURE, FakeLLM, Say
from tests.llamaindex.library import all_ways
from tests.llamaindex.watched import reported

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

USAGES = [(10, 1), (1000, 100), (100000, 10000)]
"""What every call of a tier uses, so that one lost or counted twice shows in any sum."""


class Totals(BaseEventHandler):
    """Adds up what models say they used when their calls end."""

    _given: int = PrivateAttr(0)
    _written: int = PrivateAttr(0)

    @classmethod
    def class_name(cls) -> str:
        return "Totals"

    @property
    def used(self) -> tuple[int, int]:
        return self._given, self._written

    def handle(self, event: BaseEvent, **_: Any) -> None:
        if isinstance(event, LLMChatEndEvent | LLMCompletionEndEvent) and event.response:
            usage = event.response.raw["usage"]
            self._given += usage["prompt_tokens"]
            self._written += usage["completion_tokens"]


@pytest.fixture
def totals() -> Iterator[Totals]:
    handler, root = Totals(), get_dispatcher()
    root.add_event_handler(handler)
    yield handler
    root.event_handlers.remove(handler)


class Tiers:
    """A cascade of tiers that say these things, and a token counter."""

    def __init__(
        self,
        *scripts: Say | Sequence[Say],
        kinds: Sequence[dict[str, Any]] | None = None,
        **settings: Any,
    ) -> None:
        kinds = kinds or [{}] * len(scripts)
        self.llms = [
            FakeLLM(reported(script, USAGES[place]), f"m{place}", **kinds[place])
            for place, script in enumerate(scripts)
        ]
        self.counter = TokenCountingHandler(tokenizer=str.split)
        self.cascade = CascadeLLM(
            tiers=self.llms,
            prices=PRICES,
            callback_manager=CallbackManager([self.counter]),
            **settings,
        )

    @property
    def asked(self) -> list[int]:
        return [llm.journal.count for llm in self.llms]

    @property
    def counted(self) -> tuple[int, int]:
        return self.counter.prompt_llm_token_count, self.counter.completion_llm_token_count


def used(records: Sequence[Record]) -> tuple[int, int]:
    """The tokens of all calls of these decisions' trails."""
    calls = [call for record in records for call in record["calls"]]
    return (
        sum(call["usage"]["input_tokens"] for call in calls),
        sum(call["usage"]["output_tokens"] for call in calls),
    )


def usage_of(*asked: int) -> tuple[int, int]:
    """The tokens of as many calls of each tier."""
    given = sum(times * usage[0] for times, usage in zip(asked, USAGES, strict=False))
    written = sum(times * usage[1] for times, usage in zip(asked, USAGES, strict=False))
    return given, written


# --- ways to ask --------------------------------------------------------------------------------


class Invoice(BaseModel):
    total: int


def pay(total: int) -> str:
    """Pay an invoice."""
    return f"paid {total}"


PAY = FunctionTool.from_defaults(pay)
PROMPT = PromptTemplate("What is due on {day}?")
MESSAGES = [ChatMessage(content="What is due?")]


ASKS: dict[str, tuple[Sequence[Any], dict[str, Any]]] = {
    "chat": ([MESSAGES], {}),
    "complete": (["What is due?"], {}),
    "predict": ([PROMPT], {"day": "Friday"}),
    "structured_predict": ([Invoice, PROMPT, None], {"day": "Friday"}),
    "chat_with_tools": ([[PAY]], {"user_msg": "Pay 3."}),
    "predict_and_call": ([[PAY]], {"user_msg": "Pay 3."}),
}


async def ask(llm: CascadeLLM, what: str, how: str) -> None:
    """Ask an LLM in one of its ways, and read the answer to its end."""
    args, given = ASKS[what]
    if what == "predict" and how in ("stream", "astream"):
        name = how
    else:
        name = {"sync": "", "async": "a", "stream": "stream_", "astream": "astream_"}[how] + what
    method = getattr(llm, name)
    if how == "sync":
        method(*args, **given)
    elif how == "async":
        await method(*args, **given)
    elif how == "stream":
        list(method(*args, **given))
    else:
        async for _ in await method(*args, **given):
            pass


INVOICE = Say(tool_calls=[("Invoice", {"total": 3})])
NO_INVOICE = Say(tool_calls=[("Invoice", {"sum": 3})])
PAID = Say(tool_calls=[("pay", {"total": 3})])
NOT_PAID = Say(tool_calls=[("pay", {"sum": 3})])

GOOD_AND_BAD = {
    "chat": (SURE, UNSURE),
    "complete": (SURE, UNSURE),
    "predict": (SURE, UNSURE),
    "structured_predict": (INVOICE, NO_INVOICE),
    "chat_with_tools": (PAID, NOT_PAID),
    "predict_and_call": (PAID, NOT_PAID),
}

all_asks = pytest.mark.parametrize(
    ("what", "how"),
    [
        (what, how)
        for what in GOOD_AND_BAD
        for how in ("sync", "async", "stream", "astream")
        if what != "predict_and_call" or how in ("sync", "async")  # LlamaIndex does not stream it
    ],
)


class TestEveryWayToAsk:
    """Every call once, whoever counts."""

    @pytest.mark.parametrize("answering", [0, 1, 2])
    @all_asks
    async def test_counts_every_call_of_three_tiers_once(
        self, what: str, how: str, answering: int, totals: Totals
    ) -> None:
        good, bad = GOOD_AND_BAD[what]
        three = Tiers(*[good if tier >= answering else bad for tier in range(3)])
        with collect_decisions() as seen:
            await ask(three.cascade, what, how)
        (record,) = seen
        assert record["tier"] == answering
        outcomes = [call["outcome"] for call in record["calls"]]
        assert outcomes == ["rejected"] * answering + ["returned" if answering == 2 else "accepted"]
        assert [call["tier"] for call in record["calls"]] == list(range(answering + 1))
        asked = [int(tier <= answering) for tier in range(3)]
        assert three.asked == asked
        assert used(seen) == three.counted == totals.used == usage_of(*asked)

    @pytest.mark.parametrize("answering", [0, 1])
    @all_ways
    @pytest.mark.parametrize("what", ["chat", "complete", "predict"])
    @pytest.mark.parametrize("completing", [0, 1], ids=["cheap completes", "strong completes"])
    async def test_counts_tiers_that_only_complete(
        self, what: str, how: str, answering: int, completing: int, totals: Totals
    ) -> None:
        kinds = [{"chat_model": tier != completing} for tier in range(2)]
        two = Tiers(UNSURE if answering else SURE, Say("strong answer"), kinds=kinds)
        with collect_decisions() as seen:
            await ask(two.cascade, what, how)
        assert seen[0]["tier"] == answering
        assert two.asked == [1, answering]
        assert used(seen) == two.counted == totals.used == usage_of(1, answering)

    @all_ways
    async def test_counts_objects_made_from_text(self, how: str, totals: Totals) -> None:
        kinds = [{"tools": False}] * 2
        two = Tiers(Say("no JSON draft"), Say('{"total": 3}'), kinds=kinds)
        with collect_decisions() as seen:
            await ask(two.cascade, "structured_predict", how)
        assert seen[0]["tier"] == 1
        assert two.asked == [1, 1]
        assert used(seen) == two.counted == totals.used == usage_of(1, 1)

    @all_ways
    async def test_counts_samples_and_judges(self, how: str, totals: Totals) -> None:
        judge = FakeLLM(Say("B", usage=USAGES[2]), "m2")
        two = Tiers(
            Say("a draft", p=None),
            Say("strong answer"),
            signals=[SelfConsistency(2), Judge(judge)],
            combine="mean",
        )
        with collect_decisions() as seen:
            await ask(two.cascade, "chat", how)
        purposes = [call["purpose"] for call in seen[0]["calls"]]
        assert purposes.count("judge") == judge.journal.count > 0
        assert purposes.count("sample") == two.asked[0] - 1 > 0
        total = usage_of(*two.asked, judge.journal.count)
        assert used(seen) == two.counted == totals.used == total

    @all_asks
    async def test_counts_a_cascade_inside_a_cascade_once(
        self, what: str, how: str, totals: Totals
    ) -> None:
        good, bad = GOOD_AND_BAD[what]
        counter = TokenCountingHandler(tokenizer=str.split)
        tiers = Tiers(bad, bad, good).llms
        inner = CascadeLLM(tiers=tiers[:2])
        llm = CascadeLLM(
            tiers=[inner, tiers[2]], prices=PRICES, callback_manager=CallbackManager([counter])
        )
        with collect_decisions() as seen:
            await ask(llm, what, how)
        assert [model.journal.count for model in tiers] == [1, 1, 1]
        assert seen[-1]["tier"] == 1
        assert used(seen[-1:]) == totals.used == usage_of(1, 1, 1)
        assert totals.used == (counter.prompt_llm_token_count, counter.completion_llm_token_count)


class TestADraftThatWasCutOff:
    LONG = Say("a draft " * 20, p=0.2)

    @pytest.mark.parametrize("what", ["chat", "complete", "predict", "chat_with_tools"])
    @pytest.mark.parametrize("how", ["stream", "astream"])
    async def test_is_in_the_trail_where_no_handler_can_see_it(
        self, what: str, how: str, totals: Totals
    ) -> None:
        two = Tiers(
            self.LONG,
            Say("strong answer"),
            kinds=[{"max_tokens": 40}, {}],
            signals=[SequenceLogprob(reduce="min")],
        )
        with collect_decisions() as seen:
            await ask(two.cascade, what, how)
        (record,) = seen
        draft, answer = record["calls"]
        assert (draft["outcome"], answer["outcome"]) == ("aborted", "returned")
        # What arrived was paid for, as far as anybody can tell.
        assert draft["usage"]["output_tokens"] >= 1
        assert draft["usage"]["input_tokens"] >= 1
        assert draft["tokens_source"] != "provider"
        assert draft["cost_usd"] > 0
        assert draft["tokens_saved"] == 40 - draft["usage"]["output_tokens"]
        rest = usage_of(0, 1)
        assert (answer["usage"]["input_tokens"], answer["usage"]["output_tokens"]) == rest
        assert totals.used == two.counted == rest

    @pytest.mark.parametrize("how", ["stream", "astream"])
    async def test_is_counted_by_all_where_it_may_finish(self, how: str, totals: Totals) -> None:
        two = Tiers(
            self.LONG,
            Say("strong answer"),
            kinds=[{"max_tokens": 40}, {}],
            signals=[SequenceLogprob(reduce="min")],
            streaming_policy="buffer",
        )
        with collect_decisions() as seen:
            await ask(two.cascade, "chat", how)
        assert used(seen) == two.counted == totals.used == usage_of(1, 1)


class TestWhatFailed:
    @all_ways
    async def test_counts_nothing_of_a_tier_that_is_down(self, how: str, totals: Totals) -> None:
        two = Tiers(Say(error=RuntimeError("down")), Say("strong answer"))
        with collect_decisions() as seen:
            await ask(two.cascade, "chat", how)
        failed, answer = seen[0]["calls"]
        assert (failed["outcome"], failed["usage"]) == ("failed", None)
        given = answer["usage"]["input_tokens"], answer["usage"]["output_tokens"]
        assert given == totals.used == usage_of(0, 1)

    @all_ways
    async def test_sums_up_over_many_requests(self, how: str, totals: Totals) -> None:
        two = Tiers([UNSURE, SURE, SURE, UNSURE, SURE], Say("strong answer"))
        with collect_decisions() as seen:
            for _ in range(5):
                await ask(two.cascade, "predict", how)
        assert two.asked == [5, 2]
        assert used(seen) == two.counted == totals.used == usage_of(5, 2)
