"""What a reader of the stream sees: one good model's answer, and nothing of the drafts."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk, HumanMessage

from cascade_core.draft import Draft
from cascade_core.signals import SequenceLogprob
from cascade_core.usage import Usage
from langchain_cascade.streams import GatheredMessages
from tests.langchain.fakes import (
    SURE,
    UNSURE,
    FakeChat,
    Runs,
    Say,
    joined,
    pair,
    record_of,
)

LONG = Say("these draft words go on and on and never stop", p=0.2)
SMALLEST = SequenceLogprob(reduce="min")


async def _stream(cascade: Any, how: str, *args: Any, **kwargs: Any) -> list[Any]:
    if how == "stream":
        return list(cascade.stream("hi", *args, **kwargs))
    return [chunk async for chunk in cascade.astream("hi", *args, **kwargs)]


both = pytest.mark.parametrize("how", ["stream", "astream"])


@both
async def test_an_accepted_draft_is_replayed_chunk_by_chunk(how: str) -> None:
    chunks = await _stream(pair(Say("one two three")).cascade, how)
    assert [c.content for c in chunks if c.content] == ["one ", "two ", "three"]
    assert record_of(chunks[-1])["reason"] == "confident"


@both
@pytest.mark.parametrize("says", [SURE, UNSURE, LONG])
async def test_the_record_is_on_the_last_chunk_only_and_ids_are_stable(how: str, says: Say) -> None:
    chunks = await _stream(pair(says, signals=[SMALLEST]).cascade, how)
    assert [c.chunk_position for c in chunks] == [None] * (len(chunks) - 1) + ["last"]
    assert ["cascade" in c.response_metadata for c in chunks] == [
        *([False] * (len(chunks) - 1)),
        True,
    ]
    assert len({c.id for c in chunks}) == 1
    assert chunks[0].id.startswith("lc_run--")


@both
@pytest.mark.parametrize("says", [UNSURE, LONG, Say(""), Say("I cannot help with that.")])
async def test_a_rejected_draft_is_never_shown(how: str, says: Say) -> None:
    chunks = await _stream(pair(says, signals=[SMALLEST]).cascade, how)
    assert "".join(c.content for c in chunks) == "strong answer of many words"


def test_the_last_tier_is_shown_live() -> None:
    two = pair(UNSURE)
    stream = two.cascade.stream("hi")
    assert next(stream).content == "strong "
    assert two.strong.journal.running == 1  # it has more to say
    stream.close()
    assert two.strong.journal.closed == 1


async def test_the_last_tier_is_shown_live_async() -> None:
    two = pair(UNSURE)
    stream = two.cascade.astream("hi")
    assert (await anext(stream)).content == "strong "
    assert two.strong.journal.running == 1
    await stream.aclose()
    assert two.strong.journal.closed == 1


@both
@pytest.mark.parametrize("says", [SURE, UNSURE])
async def test_a_stream_adds_up_to_what_invoke_returns(how: str, says: Say) -> None:
    whole = joined(await _stream(pair(says).cascade, how))
    message = pair(says).cascade.invoke("hi")
    assert whole.content == message.content
    assert whole.usage_metadata == message.usage_metadata
    strip = {"cascade"}
    assert {k: v for k, v in whole.response_metadata.items() if k not in strip} == {
        k: v for k, v in message.response_metadata.items() if k not in strip
    }
    assert record_of(whole)["reason"] == record_of(message)["reason"]


@both
async def test_a_draft_is_cut_off_as_soon_as_it_cannot_pass(how: str) -> None:
    two = pair(FakeChat(LONG, model_name="cheap", max_tokens=50), signals=[SMALLEST])
    chunks = await _stream(two.cascade, how)
    draft = record_of(chunks[-1])["calls"][0]
    assert draft["outcome"] == "aborted"
    assert draft["tokens_saved"] == 49
    assert two.cheap.journal.closed == 1  # and its connection with it
    assert two.cheap.journal.running == 0


@both
async def test_a_buffered_draft_is_let_finish(how: str) -> None:
    two = pair(LONG, signals=[SMALLEST], streaming_policy="buffer")
    chunks = await _stream(two.cascade, how)
    draft = record_of(chunks[-1])["calls"][0]
    assert draft["outcome"] == "rejected"
    assert draft["usage"]["output_tokens"] == 10
    assert draft["tokens_source"] == "provider"


@settings(max_examples=60)
@given(
    st.lists(st.floats(-3, 0), min_size=1, max_size=12),
    st.sampled_from(["mean", "min", "sum", "quantile", "length_normalised"]),
    st.floats(0.05, 0.99),
)
def test_cutting_a_draft_off_never_changes_the_decision(
    values: list[float], reduce: Any, threshold: float
) -> None:
    content = [{"token": "w ", "logprob": value} for value in values]

    class PerToken(FakeChat):
        def _logprobs(self, say: Say, tokens: list[str]) -> Any:
            if len(tokens) == len(values):
                return {"content": content}
            return {"content": [content.pop(0)]} if content else None

    def cascade() -> Any:
        cheap = PerToken(Say("w " * len(values)), model_name="cheap", max_tokens=len(values))
        return pair(cheap, signals=[SequenceLogprob(reduce)], thresholds=[threshold]).cascade

    invoked = record_of(cascade().invoke("hi"))
    streamed = record_of(list(cascade().stream("hi"))[-1])
    assert streamed["tier"] == invoked["tier"]
    assert streamed["reason"] == invoked["reason"]
    if streamed["calls"][0]["outcome"] == "aborted":
        assert streamed["confidence"] >= invoked["confidence"]


@both
async def test_a_draft_without_logprobs_is_judged_whole(how: str) -> None:
    def long_enough(request: Any, draft: Any) -> float:
        return 1.0 if len(draft.text) > 5 else 0.0

    chunks = await _stream(pair(Say("long enough", p=None), signals=[long_enough]).cascade, how)
    assert "".join(c.content for c in chunks) == "long enough"
    chunks = await _stream(pair(Say("x", p=None), signals=[long_enough]).cascade, how)
    assert "".join(c.content for c in chunks) == "strong answer of many words"


@both
@pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")
async def test_streamed_tool_calls_add_up(how: str) -> None:
    def look_up(city: str) -> str:
        """Look a city up."""
        return city

    call = {"name": "look_up", "args": {"city": "Oslo"}, "id": "a"}
    two = pair(Say("", p=None, tool_calls=[call]))
    chunks = await _stream(two.cascade.bind_tools([look_up]), how)
    whole = joined(chunks)
    assert [(c["name"], c["args"], c["id"]) for c in whole.tool_calls] == [
        ("look_up", {"city": "Oslo"}, "a")
    ]
    assert record_of(whole)["reason"] == "tool_call"


@both
async def test_logprobs_only_the_cascade_asked_for_are_not_shown(how: str) -> None:
    for says in (SURE, UNSURE):
        whole = joined(await _stream(pair(says).cascade, how))
        assert "logprobs" not in whole.response_metadata
    assert "logprobs" not in pair(SURE).cascade.invoke("hi").response_metadata


@both
async def test_logprobs_the_caller_asked_for_are_shown_whole(how: str) -> None:
    cheap = FakeChat(Say("one two three"), model_name="cheap", logprobs=True)
    whole = joined(await _stream(pair(cheap).cascade, how))
    assert len(whole.response_metadata["logprobs"]["content"]) == 3
    message = pair(cheap).cascade.invoke("hi")
    assert len(message.response_metadata["logprobs"]["content"]) == 3


@both
@pytest.mark.parametrize("off", ["kwarg", "field", "streaming"])
async def test_with_streaming_switched_off_the_answer_is_one_chunk(how: str, off: str) -> None:
    more = {"kwarg": {}, "field": {"disable_streaming": True}, "streaming": {"streaming": False}}
    two = pair(UNSURE, **more[off])
    chunks = await _stream(two.cascade, how, **({"stream": False} if off == "kwarg" else {}))
    (chunk,) = chunks
    assert chunk.content == "strong answer of many words"
    assert chunk.chunk_position == "last"
    assert record_of(chunk)["tier"] == 1
    assert not any(call.streamed for call in two.strong.calls)


@both
async def test_a_tier_that_cannot_stream_answers_in_one_chunk(how: str) -> None:
    for says, text in ((SURE, "sure answer"), (UNSURE, "strong answer of many words")):
        cheap = FakeChat(says, model_name="cheap", disable_streaming=True)
        strong = FakeChat("strong answer of many words", disable_streaming=True)
        chunks = await _stream(pair(cheap, strong).cascade, how)
        assert "".join(c.content for c in chunks) == text
        assert record_of(chunks[-1])["tier"] == (0 if says is SURE else 1)
        assert chunks[-1].chunk_position == "last"


@both
async def test_details_that_a_provider_sends_beside_its_chunks_are_read(how: str) -> None:
    class Beside(FakeChat):
        """Puts logprobs and the finish reason into `generation_info`, as ChatOpenAI does."""

        def _chunks(self, *args: Any) -> Any:
            chunks = super()._chunks(*args)
            for chunk in chunks:
                chunk.generation_info = dict(chunk.message.response_metadata)
                chunk.message.response_metadata = {}
            return chunks

    whole = joined(await _stream(pair(Beside(SURE, model_name="cheap")).cascade, how))
    assert record_of(whole)["confidence"] == pytest.approx(0.99)
    assert whole.response_metadata["finish_reason"] == "stop"
    cut = Beside(Say("half of it", finish="length"), model_name="cheap")
    whole = joined(await _stream(pair(cut).cascade, how))
    assert record_of(whole)["reason"] == "gate_truncated"


@both
@pytest.mark.parametrize("says", [SURE, UNSURE])
async def test_what_comes_after_a_chunk_that_was_called_the_last_is_shown(
    how: str, says: Say
) -> None:
    class Early(FakeChat):
        """Says "last" and then sends the usage, as earlier versions of ChatOpenAI do."""

        def _chunks(self, *args: Any) -> Any:
            chunks = super()._chunks(*args)
            chunks[-2].message.chunk_position = "last"
            return chunks

    strong = Early("strong answer of many words", model_name="strong")
    chunks = await _stream(pair(Early(says, model_name="cheap"), strong).cascade, how)
    assert [c.chunk_position for c in chunks] == [None] * (len(chunks) - 1) + ["last"]
    whole = joined(chunks)
    assert whole.content == ("sure answer" if says is SURE else "strong answer of many words")
    assert whole.usage_metadata["output_tokens"] == (2 if says is SURE else 5)
    assert record_of(chunks[-1])["tier"] == (0 if says is SURE else 1)


@both
async def test_every_run_of_a_stream_ends_once_and_well(how: str) -> None:
    for says in (SURE, UNSURE, LONG):
        runs = Runs()
        await _stream(pair(says, signals=[SMALLEST]).cascade, how, {"callbacks": [runs]})
        assert not runs.open
        assert {run.ended for run in runs.by_id.values()} == {"ok"}
        (chain,) = runs.of("chain")
        assert record_of(chain.output)["calls"]


@both
async def test_handlers_see_tokens_of_the_shown_answer_only_and_once(how: str) -> None:
    for says, shown in ((SURE, "sure answer"), (UNSURE, "strong answer of many words")):
        runs = Runs()
        await _stream(pair(says, signals=[SMALLEST]).cascade, how, {"callbacks": [runs]})
        assert "".join(t for run in runs.of("llm") for t in run.tokens) == shown


async def _v2(cascade: Any) -> list[Any]:
    return [event async for event in cascade.astream_events("hi", version="v2")]


@pytest.mark.parametrize("says", [SURE, UNSURE, LONG])
async def test_event_streams_show_no_token_of_a_rejected_draft(says: Say) -> None:
    two = pair(says, signals=[SMALLEST])
    events = await _v2(two.cascade)
    shown = "sure answer" if says is SURE else "strong answer of many words"
    for kind in ("on_chat_model_stream", "on_chain_stream"):
        texts = [e["data"]["chunk"].content for e in events if e["event"] == kind]
        assert "".join(texts) == shown


async def test_runs_of_drafts_are_tagged_so_that_readers_can_leave_them_out() -> None:
    events = await _v2(pair(UNSURE).cascade)
    tags = {
        e["data"]["output"].response_metadata["model_name"]: e["tags"]
        for e in events
        if e["event"] == "on_chat_model_end"
    }
    assert "nostream" in tags["cheap"]
    assert "cascade:tier:0" in tags["cheap"]
    assert "nostream" not in tags["strong"]
    assert "cascade:tier:1" in tags["strong"]


async def test_invoking_inside_an_event_stream_shows_no_draft() -> None:
    from langchain_core.runnables import RunnableLambda

    two = pair(UNSURE)

    async def ask(text: str) -> str:
        return (await two.cascade.ainvoke(text)).content

    events = [e async for e in RunnableLambda(ask).astream_events("hi", version="v2")]
    texts = [e["data"]["chunk"].content for e in events if e["event"] == "on_chat_model_stream"]
    assert "".join(texts) == "strong answer of many words"


@pytest.mark.parametrize("says", [SURE, UNSURE, LONG])
async def test_typed_event_streams_show_the_answer_once(says: Say) -> None:
    shown = "sure answer" if says is SURE else "strong answer of many words"
    stream = pair(says, signals=[SMALLEST]).cascade.stream_events("hi", version="v3")
    assert "".join(stream.text) == shown
    assert stream.output.text == shown
    assert record_of(stream.output)["calls"]
    assert stream.output.usage_metadata["output_tokens"] == len(shown.split())
    astream = await pair(says, signals=[SMALLEST]).cascade.astream_events("hi", version="v3")
    assert "".join([piece async for piece in astream.text]) == shown
    assert record_of(await astream)["calls"]


def test_an_unsure_stream_reports_the_bound_it_was_cut_at() -> None:
    record = record_of(list(pair(LONG, signals=[SMALLEST]).cascade.stream("hi"))[-1])
    assert record["confidence"] == pytest.approx(0.2, abs=1e-6)
    assert record["signals"]["sequence_logprob"] == pytest.approx(0.2, abs=1e-6)
    assert math.isclose(record["threshold"], 0.9)


# --- what the chunks say of the end ---------------------------------------------------------------


def gathered(*metas: dict[str, Any], says_when_done: bool = False) -> Draft:
    made = GatheredMessages([HumanMessage("hi")], "cheap", says_when_done)
    for meta in metas:
        made.take(AIMessageChunk("a", response_metadata=meta))
    return made.whole()


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize(("word", "finish"), [("stop", "stop"), ("length", "length")])
def test_what_several_chunks_say_is_read_of_each(times: int, word: str, finish: str) -> None:
    said = {"finish_reason": word, "model_name": "cheap"}
    draft = gathered({}, *[said] * times, {})
    assert (draft.finish, draft.model) == (finish, "cheap")


def test_a_bad_end_is_not_made_good_by_a_good_one() -> None:
    assert gathered({"finish_reason": "error"}, {"finish_reason": "stop"}).finish == "broken"
    assert gathered({"finish_reason": "stop"}, {"finish_reason": "SAFETY"}).finish == (
        "content_filter"
    )


def test_a_stream_that_would_say_why_it_ends_was_cut_off_where_it_does_not() -> None:
    named = {"model_name": "cheap"}
    assert gathered(named, says_when_done=True).finish == "broken"
    assert gathered(named).finish is None


def test_tokens_that_only_the_metadata_of_a_chunk_report_are_read() -> None:
    report = {"input_tokens": 12.0, "output_tokens": 5.0}
    draft = gathered({}, {"finish_reason": "COMPLETE", "token_count": report})
    assert draft.usage == Usage(12, 5)


def test_log_probabilities_that_are_numbers_are_put_together_and_add_up_for_the_caller() -> None:
    made = GatheredMessages([HumanMessage("hi")], "cheap")
    said: list[tuple[str, float]] = [("Yes", -0.1), (",", -0.5), (" it is", 0), ("", -2.0)]
    chunks = [
        made.take(AIMessageChunk(text, response_metadata={"logprobs": number}))
        for text, number in said
    ]
    assert [value for chunk in chunks for value in chunk.logprobs] == [-0.1, -0.5, 0]
    draft = made.whole()
    assert draft.logprobs is not None
    assert list(draft.logprobs.values) == [-0.1, -0.5, 0]
    shown = chunks[0].native + chunks[1].native + chunks[2].native + chunks[3].native
    assert [e["token"] for e in shown.response_metadata["logprobs"]["content"]] == [
        "Yes", ",", " it is",
    ]  # fmt: skip
