"""LlamaIndex's own traps for an LLM that wraps LLMs, each of which has bitten somebody."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from llama_index.core import Settings
from llama_index.core.agent import ReActAgent
from llama_index.core.callbacks import CallbackManager, TokenCountingHandler
from llama_index.core.extractors import TitleExtractor
from llama_index.core.ingestion.pipeline import get_transformation_hash
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events.llm import LLMChatInProgressEvent
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler
from llama_index.core.llms import ChatMessage
from llama_index.core.output_parsers import PydanticOutputParser
from llama_index.core.program import FunctionCallingProgram, LLMTextCompletionProgram
from llama_index.core.prompts import PromptTemplate
from llama_index.core.response_synthesizers import get_response_synthesizer
from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.llms.openai import OpenAI
from pydantic import BaseModel, PrivateAttr

from cascade_core import collect_decisions
from cascade_core.errors import ConfigurationError
from llamaindex_cascade import CascadeDecisionEvent, CascadeLLM
from tests.llamaindex.fakes import PRICES, SURE, UNSURE, FakeLLM, Say, Seen, cheap, strong

HELLO = [ChatMessage(content="one two")]
TEMPLATE = PromptTemplate("say {x}")


class Answer(BaseModel):
    answer: str


class Events(BaseEventHandler):
    _seen: list[Any] = PrivateAttr(default_factory=list)

    def handle(self, event: Any, **_: Any) -> None:
        self._seen.append(event)


@pytest.fixture
def observed() -> Iterator[tuple[SimpleSpanHandler, list[Any]]]:
    dispatcher = get_dispatcher()
    events, spans = Events(), SimpleSpanHandler()
    dispatcher.add_event_handler(events)
    dispatcher.add_span_handler(spans)
    yield spans, events._seen
    dispatcher.event_handlers.remove(events)
    dispatcher.span_handlers.remove(spans)


def escalating(**settings: Any) -> CascadeLLM:
    return CascadeLLM(tiers=[cheap(UNSURE), strong()], **settings)


# 1
def test_the_winner_is_counted_once() -> None:
    counter = TokenCountingHandler(tokenizer=str.split)
    escalating(callback_manager=CallbackManager([counter])).chat(HELLO)
    assert len(counter.llm_token_counts) == 2  # one a tier, and none of the cascade's own
    assert counter.total_llm_token_count == (2 + 3) + (2 + 2)


# 2
def test_a_callback_manager_that_others_set_on_the_cascade_reaches_the_tiers() -> None:
    counter = TokenCountingHandler(tokenizer=str.split)
    cascade = escalating()
    before = Settings._callback_manager
    Settings.callback_manager = CallbackManager([counter])
    try:
        synthesizer = get_response_synthesizer(llm=cascade)
        synthesizer.synthesize("why?", [NodeWithScore(node=TextNode(text="because"))])
    finally:
        Settings._callback_manager = before
    assert len(counter.llm_token_counts) == 2
    assert all(count.total_token_count for count in counter.llm_token_counts)


# 3
def test_an_abandoned_stream_is_paid_for_in_the_record() -> None:
    long = Say("never mind this very long and unsure draft", p=0.05)
    first = cheap(long, max_tokens=8)
    cascade = CascadeLLM(tiers=[first, strong()], prices=PRICES)
    *_, last = cascade.stream_chat(HELLO)
    draft, answer = last.additional_kwargs["cascade"]["calls"]
    assert first.journal.closed == 1
    assert draft["outcome"] == "aborted"
    assert draft["usage"]["input_tokens"] > 0
    assert draft["usage"]["output_tokens"] > 0
    assert draft["tokens_source"] != "provider"
    assert draft["cost_usd"] > 0
    assert answer["tokens_source"] == "provider"


# 4
def test_the_stamp_is_on_the_response_and_not_on_the_message() -> None:
    cascade = escalating()
    response = cascade.chat(HELLO)
    assert response.additional_kwargs["cascade"]["tier"] == 1
    assert "cascade" not in response.message.additional_kwargs
    assert response.raw["model"] == "m1"
    assert "cascade" not in cascade.messages_to_prompt([response.message])
    assert cascade.complete("hi").additional_kwargs["cascade"]["tier"] == 1


# 5
@pytest.mark.parametrize("way", ["predict", "stream"])
def test_the_record_of_what_returns_only_a_text_is_not_lost(
    way: str, observed: tuple[SimpleSpanHandler, list[Any]]
) -> None:
    with collect_decisions() as seen:
        assert "".join(getattr(escalating(), way)(TEMPLATE, x=1)) == "strong answer"
    (event,) = [each for each in observed[1] if isinstance(each, CascadeDecisionEvent)]
    assert [event.record] == seen
    assert seen[0]["tier"] == 1


# 6
def test_a_template_is_not_changed_by_the_programs_of_the_tiers() -> None:
    prompt = PromptTemplate("make {x}")
    text = Say('{"answer": "yes"}')
    cascade = CascadeLLM(
        tiers=[cheap(Say("no json at all"), tools=False), strong(text, tools=False)]
    )
    made = cascade.structured_predict(Answer, prompt, x=1)
    assert made == Answer(answer="yes")
    assert prompt.output_parser is None


# 7
_place: ContextVar[str] = ContextVar("place", default="nowhere")


@pytest.mark.parametrize("last", [SURE, UNSURE])
def test_a_stream_is_decided_where_it_was_asked_for(
    last: Say, observed: tuple[SimpleSpanHandler, list[Any]]
) -> None:
    places: list[str] = []

    def script(seen: Seen) -> Say:
        places.append(_place.get())
        return last

    cascade = CascadeLLM(tiers=[cheap(script), strong(script)])
    token = _place.set("the caller's")
    stream = cascade.stream_chat(HELLO)
    _place.reset(token)
    text = "".join(chunk.delta or "" for chunk in stream)
    assert text == last.text
    assert set(places) == {"the caller's"}
    assert len(places) == (1 if last is SURE else 2)
    spans = {span.id_: span for span in observed[0].completed_spans}
    (outer,) = [span for name, span in spans.items() if "Cascade" in name]
    inner = [span for name, span in spans.items() if name.startswith("FakeLLM")]
    assert {span.parent_id for span in inner} == {outer.id_}


def test_a_rejected_tier_still_emits_its_progress(
    observed: tuple[SimpleSpanHandler, list[Any]],
) -> None:
    cascade = escalating(streaming_policy="buffer")
    shown = "".join(chunk.delta or "" for chunk in cascade.stream_chat(HELLO))
    assert shown == "strong answer"
    progress = [e for e in observed[1] if isinstance(e, LLMChatInProgressEvent)]
    assert any("unsure" in (event.response.message.content or "") for event in progress)


# 8
@pytest.mark.parametrize("way", ["predict", "complete"])
def test_one_call_makes_one_span_of_the_cascade(
    way: str, observed: tuple[SimpleSpanHandler, list[Any]]
) -> None:
    cascade = escalating()
    if way == "predict":
        cascade.predict(TEMPLATE, x=1)
    else:
        cascade.complete("hi")
    own = [span.id_ for span in observed[0].completed_spans if "Cascade" in span.id_]
    assert [name.split("-")[0] for name in own] == [f"CascadeLLM.{way}"]


# 9
@pytest.mark.parametrize(
    "bad",
    [
        Say("no tool at all"),
        Say(tool_calls=[("Other", {"answer": "no"})]),
        Say(tool_calls=[("Answer", {"answr": "no"})]),
        Say(tool_calls=[("Answer", '{"answer": ')]),
    ],
    ids=["no call", "unknown tool", "misfit", "broken"],
)
def test_a_function_program_that_asks_the_cascade_directly_escalates(bad: Say) -> None:
    good = Say(tool_calls=[("Answer", {"answer": "yes"})])
    cascade = CascadeLLM(tiers=[cheap(bad), strong(good)])
    program = FunctionCallingProgram.from_defaults(Answer, "make {x}", llm=cascade)
    assert program(x=1) == Answer(answer="yes")


def test_a_text_program_that_asks_the_cascade_directly_escalates() -> None:
    cascade = CascadeLLM(tiers=[cheap(Say("no json")), strong(Say('{"answer": "yes"}'))])
    program = LLMTextCompletionProgram.from_defaults(
        PydanticOutputParser(Answer), prompt_template_str="make {x}", llm=cascade
    )
    assert program(x=1) == Answer(answer="yes")


# 10
async def test_malformed_cheap_text_is_not_taken_for_a_react_agents_answer() -> None:
    good = Say("Thought: I can answer without using any more tools.\nAnswer: forty-two")
    first, last = cheap(Say("Action: do something?")), strong(good)
    agent = ReActAgent(tools=[], llm=CascadeLLM(tiers=[first, last]), streaming=False)
    answer = await agent.run("what?")
    assert str(answer) == "forty-two"
    assert (first.journal.count, last.journal.count) == (1, 1)


# 11
def test_a_cascade_is_made_again_from_its_dict_which_holds_no_key() -> None:
    tier = OpenAI(model="gpt-4o-mini", api_key="sk-secret-of-this-tier")
    assert "sk-secret" in str(tier.to_dict())  # LlamaIndex's own holds it
    cascade = CascadeLLM(tiers=[tier, tier], thresholds=[0.3])
    written = cascade.to_dict()
    assert "sk-secret" not in str(written) + repr(cascade) + cascade.to_json()
    made = CascadeLLM.from_dict(written)
    assert isinstance(made.tiers[0], OpenAI)
    assert made._engine.plan.thresholds == (0.3,)


# 12
def test_a_scorer_that_cannot_be_pickled_is_not_replaced_by_the_default() -> None:
    cascade = CascadeLLM(tiers=[cheap(), cheap()], signals=[lambda _request, _draft: 1.0])
    with pytest.raises(pickle.PicklingError, match=r"signals\[0\] \(function\) cannot be pickled"):
        pickle.dumps(cascade)
    with pytest.raises(ConfigurationError, match=r"signal 'lambda'.*give signals="):
        CascadeLLM.from_dict(cascade.to_dict())


# 13
def test_the_ingestion_cache_tells_cascades_of_other_signals_apart() -> None:
    def hashed(**settings: Any) -> str:
        extractor = TitleExtractor(llm=escalating(**settings))
        return get_transformation_hash([TextNode(text="x")], extractor)

    def one(request: Any, draft: Any) -> float:
        return 1.0

    assert hashed() == hashed()
    seen = [hashed(), hashed(signals=["token_margin"]), hashed(signals=[one])]
    assert len({*seen, hashed(signals=[lambda _r, _d: 1.0])}) == 4


# 14
def test_a_completion_tier_formats_what_was_not_formatted() -> None:
    first = cheap(UNSURE, chat_model=False, completion_to_prompt=lambda text: f"<cheap>{text}")
    last = strong(chat_model=False, completion_to_prompt=lambda text: f"<strong>{text}")
    cascade = CascadeLLM(tiers=[first, last])
    cascade.complete("hi")
    cascade.complete("hi", formatted=True)
    list(cascade.stream_complete("hi"))
    assert [seen.prompt for seen in first.seen] == ["<cheap>hi", "hi", "<cheap>hi"]
    assert [seen.prompt for seen in last.seen] == ["<strong>hi", "hi", "<strong>hi"]
    cascade.predict(TEMPLATE, x=1)
    assert "say 1" in first.seen[-1].prompt
    assert first.seen[-1].prompt.count("<cheap>") == 1


# 15
async def test_a_wait_that_runs_out_in_mid_draft_does_not_escalate() -> None:
    class Slow(FakeLLM):
        async def achat(self, messages: Any, **kwargs: Any) -> Any:
            await asyncio.sleep(5)

    last = strong()
    with collect_decisions() as seen, pytest.raises(TimeoutError):
        await asyncio.wait_for(CascadeLLM(tiers=[Slow(), last]).achat(HELLO), 0.01)
    assert last.journal.count == 0
    assert [record["reason"] for record in seen] == ["cancelled"]
