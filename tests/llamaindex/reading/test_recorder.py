from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
import weakref
from decimal import Decimal

import httpx
import pytest
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.llms import ChatMessage, CompletionResponse, MockLLM
from llama_index.core.llms.callbacks import llm_chat_callback
from llama_index.core.prompts import PromptTemplate
from llama_index.core.response_synthesizers import get_response_synthesizer
from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.llms.openai import OpenAI
from pydantic import BaseModel

from cascade_core.call import Call
from cascade_core.usage import Usage
from llamaindex_cascade.reading import listening as recorded
from llamaindex_cascade.reading import recorder
from llamaindex_cascade.reading.answers import to_draft
from llamaindex_cascade.reading.recorder import current, recording, unrecorded, within
from tests.llamaindex.recording import Completer, Echo, Talker

HI = [ChatMessage(content="how are you today")]


def nodes(count: int) -> list[NodeWithScore]:
    return [NodeWithScore(node=TextNode(text=f"fact {i}"), score=1.0) for i in range(count)]


def inner_call(outcome: str = "returned") -> Call:
    return Call(1, "inside", "draft", Usage(1, 1), Decimal(1), 0.1, outcome)  # type: ignore[arg-type]


class TestOneCall:
    def test_has_its_model_tokens_and_time(self) -> None:
        with recording() as seen:
            Talker().chat(HI)
        (call,) = seen.calls()
        assert (call.tier, call.model, call.purpose) == (0, "talker", "draft")
        assert call.usage == Usage(7, 3)
        assert call.cost is None
        assert call.outcome == "returned"
        assert call.seconds > 0
        assert seen.ended == 1
        assert not seen.failed

    def test_reports_estimated_tokens_where_the_provider_told_none(self) -> None:
        with recording() as seen:
            Talker(usage=None, logprob=None).chat(HI)
        (call,) = seen.calls()
        assert call.usage == Usage(5, 2, source="estimate")

    def test_of_a_custom_llm_is_one_and_not_the_chat_around_it(self) -> None:
        with recording() as seen:
            Completer().chat(HI)
        (call,) = seen.calls()
        assert call.model == "completer"
        assert [type(draft.native) for draft in seen.drafts] == [CompletionResponse]

    def test_is_not_hidden_by_a_like_one_that_is_made_before_its_stream_is_read(self) -> None:
        with recording() as seen:
            model = Talker()
            waiting = model.stream_chat(HI)
            model.chat(HI)
            list(waiting)
        assert len(seen.calls()) == 2

    async def test_of_a_custom_llm_is_one_through_three_methods(self) -> None:
        with recording() as seen:
            await MockLLM(max_tokens=3).achat(HI)
        (call,) = seen.calls()
        assert call.model is None
        assert call.usage is not None

    def test_of_a_method_that_calls_the_one_it_overrides_is_one(self) -> None:
        with recording() as seen:
            Echo().chat(HI)
        assert len(seen.calls()) == 1

    def test_is_nobodys_without_a_recorder(self) -> None:
        with recording() as seen:
            pass
        Talker().chat(HI)
        assert seen.calls() == []

    def test_is_read_once_however_often_it_is_asked_for(self) -> None:
        with recording() as seen:
            Talker().chat(HI)
        (draft,) = seen.drafts
        assert seen.calls()[0].usage is draft.usage
        assert seen.logprobs_for("a b c") is draft.logprobs
        assert seen.drafts == [draft]
        assert seen.drafts[0] is draft

    def test_gives_new_calls_each_time_because_the_trail_settles_them(self) -> None:
        with recording() as seen:
            Talker().chat(HI)
        seen.calls()[0].outcome = "rejected"
        assert seen.calls()[0].outcome == "returned"


class TestFailures:
    def test_are_calls_whose_tokens_nobody_knows(self) -> None:
        with recording() as seen, pytest.raises(RuntimeError):
            Talker(fails=True).chat(HI)
        (call,) = seen.calls()
        assert (call.outcome, call.usage, call.model) == ("failed", None, "talker")
        assert seen.failed
        assert seen.ended == 1

    def test_inside_a_wrapper_count_once(self) -> None:
        with recording() as seen, pytest.raises(RuntimeError):
            Completer(fails=True).chat(HI)
        assert [call.outcome for call in seen.calls()] == ["failed"]

    async def test_include_calls_cut_off_by_a_timeout(self) -> None:
        with recording() as seen, pytest.raises(TimeoutError):
            await asyncio.wait_for(Talker(delay=10).achat(HI), 0.01)
        assert [call.outcome for call in seen.calls()] == ["failed"]

    def test_of_a_stream_keep_what_had_arrived(self) -> None:
        with recording() as seen, pytest.raises(RuntimeError):
            list(Completer(fails=True).stream_complete("a question"))
        (call,) = seen.calls()
        assert call.outcome == "failed"
        assert call.usage == Usage(3, 1, source="estimate")

    async def test_include_calls_that_have_not_come_back(self) -> None:
        with recording() as seen:
            task = asyncio.create_task(Talker(delay=10).achat(HI))
            await asyncio.sleep(0.01)
            assert [call.outcome for call in seen.calls()] == ["failed"]
            assert seen.ended == 0
            task.cancel()


class TestStreams:
    def test_have_the_tokens_of_the_chunk_that_reported_them(self) -> None:
        with recording() as seen:
            list(Talker().stream_chat(HI))
        (call,) = seen.calls()
        assert call.usage == Usage(7, 3)

    def test_keep_tokens_that_were_not_reported_last(self) -> None:
        with recording() as seen:
            list(Talker(marks_end=True).stream_chat(HI))
        assert [call.usage for call in seen.calls()] == [Usage(7, 3)]

    def test_keep_why_they_ended_where_it_was_not_said_last(self) -> None:
        with recording() as seen:
            list(Talker(finish="length").stream_chat(HI))
        assert [draft.finish for draft in seen.drafts] == ["length"]

    def test_have_the_logprobs_of_all_chunks(self) -> None:
        with recording() as seen:
            list(Talker().stream_chat(HI))
        found = seen.logprobs_for("abc")
        assert found is not None
        assert found.values == [-0.1, -0.1, -0.1]

    def test_of_a_custom_llm_are_one_call(self) -> None:
        with recording() as seen:
            list(Completer().stream_chat(HI))
        assert len(seen.calls()) == 1

    async def test_that_start_their_call_when_read_are_one_call(self) -> None:
        model = Completer()
        with recording() as seen:
            for stream in [model.astream_chat(HI), model.astream_complete("hi")]:
                async for _ in await stream:
                    pass
        assert len(seen.calls()) == 2

    async def test_that_start_their_call_when_read_by_another_model_are_one_call(self) -> None:
        inner = Completer(name="inner")

        class Around(Talker):
            @llm_chat_callback()
            async def achat(self, messages, **kwargs):
                chunks = [each async for each in await inner.astream_chat(messages)]
                return chunks[-1]

        with recording() as seen:
            await Around().achat(HI)
        assert [call.model for call in seen.calls()] == ["inner"]

    async def test_that_start_when_read_are_one_call_each_when_read_at_once(self) -> None:
        model = Completer()

        async def read() -> None:
            async for _ in await model.astream_chat(HI):
                await asyncio.sleep(0)

        with recording() as seen:
            await asyncio.gather(*(read() for _ in range(10)))
        assert len(seen.calls()) == 10

    async def test_that_start_inside_another_models_call_are_one_call(self) -> None:
        class Reader(Talker):
            @llm_chat_callback()
            async def achat(self, messages, **kwargs):
                return [response async for response in waiting][-1]

        with recording() as seen:
            waiting = await Completer().astream_chat(HI)
            await Reader().achat(HI)
        assert [call.model for call in seen.calls()] == ["completer"]

    def test_that_wait_are_not_taken_for_what_another_model_is_asked(self) -> None:
        with recording() as seen:
            waiting = Talker().stream_chat(HI)
            Talker(model="other").chat(HI)
            list(waiting)
        assert [call.model for call in seen.calls()] == ["talker", "other"]

    def test_abandoned_count_what_arrived(self) -> None:
        with recording() as seen:
            stream = Talker().stream_chat(HI)
            next(stream)
            next(stream)
            stream.close()
        (call,) = seen.calls()
        assert call.outcome == "returned"
        assert call.usage == Usage(5, 2, source="estimate")

    def test_still_open_count_what_arrived(self) -> None:
        with recording() as seen:
            stream = Completer().stream_chat(HI)
            next(stream)
        assert [call.outcome for call in seen.calls()] == ["returned"]
        assert seen.ended == 0

    def test_nobody_read_were_not_asked_for(self) -> None:
        with recording() as seen:
            Talker().stream_chat(HI)
        assert seen.calls() == []

    def test_belong_to_who_saw_them_start_wherever_they_are_read(self) -> None:
        with recording() as first:
            stream = Talker().stream_chat(HI)
        with recording() as second:
            next(stream)
        list(stream)
        assert [call.usage for call in first.calls()] == [Usage(7, 3)]
        assert second.calls() == []

    def test_belong_to_who_saw_them_start_in_another_thread(self) -> None:
        with recording() as seen:
            stream = Talker().stream_chat(HI)
        thread = threading.Thread(target=lambda: list(stream))
        thread.start()
        thread.join()
        assert [call.usage for call in seen.calls()] == [Usage(7, 3)]

    def test_opened_before_are_not_of_the_recorder(self) -> None:
        stream = Talker().stream_chat(HI)
        with recording() as seen:
            list(stream)
        assert seen.calls() == []

    def test_closed_by_the_garbage_collector_do_not_lock_up(self) -> None:
        with recording() as seen:
            stream = Talker().stream_chat(HI)
            next(stream)
            with seen._lock:
                del stream
                gc.collect()
        assert seen.ended == 1

    def test_are_recorded_step_by_step_without_their_readers_calls(self) -> None:
        with recording() as seen:
            pass

        def steps():
            with within(seen):
                stream = Talker().stream_chat(HI)
            while True:
                with within(seen):
                    chunk = next(stream, None)
                if chunk is None:
                    return
                yield chunk

        for _ in steps():
            assert current() is None
            Talker(model="readers").chat(HI)
        assert [call.model for call in seen.calls()] == ["talker"]


class TestTiersOfManyCalls:
    def test_refine_is_a_call_a_node(self) -> None:
        with recording() as seen:
            get_response_synthesizer(MockLLM(max_tokens=4), response_mode="refine").synthesize(
                "why", nodes(3)
            )
        assert len(seen.calls()) == 3
        assert [call.outcome for call in seen.calls()] == ["returned"] * 3

    async def test_refine_is_a_call_a_node_when_async(self) -> None:
        with recording() as seen:
            await get_response_synthesizer(
                MockLLM(max_tokens=4), response_mode="refine"
            ).asynthesize("why", nodes(3))
        assert len(seen.calls()) == 3

    def test_a_streamed_synthesis_asks_its_model_when_it_is_read(self) -> None:
        with recording() as seen:
            response = get_response_synthesizer(Talker(), streaming=True).synthesize(
                "why", nodes(1)
            )
        assert seen.calls() == []
        with within(seen):
            assert "".join(response.response_gen) == "abc"
        assert [call.usage for call in seen.calls()] == [Usage(7, 3)]

    def test_a_structured_prediction_is_one_call(self) -> None:
        class City(BaseModel):
            name: str

        with recording() as seen:
            city = Completer(text='{"name": "Oslo"}').structured_predict(
                City, PromptTemplate("where")
            )
        assert city.name == "Oslo"
        assert len(seen.calls()) == 1

    async def test_calls_at_once_are_all_counted_once(self) -> None:
        model = Talker(delay=0.001)
        with recording() as seen:
            await asyncio.gather(*(model.achat(HI) for _ in range(20)))
        assert [call.usage for call in seen.calls()] == [Usage(7, 3)] * 20
        assert seen.ended == 20

    async def test_recorders_of_concurrent_tasks_see_their_own(self) -> None:
        async def one(name: str) -> list[str | None]:
            with recording() as seen:
                for _ in range(3):
                    await Talker(model=name, delay=0.001).achat(HI)
            return [call.model for call in seen.calls()]

        names = [f"model-{i}" for i in range(20)]
        assert await asyncio.gather(*(one(n) for n in names)) == [[n] * 3 for n in names]

    def test_threads_with_a_copied_context_report(self) -> None:
        with recording() as seen:
            threads = [
                threading.Thread(target=contextvars.copy_context().run, args=(Talker().chat, HI))
                for _ in range(8)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert len(seen.calls()) == 8


class TestOpenAI:
    """The real integration, over a transport that answers by itself."""

    @pytest.fixture
    def llm(self) -> OpenAI:
        def answer(request: httpx.Request) -> httpx.Response:
            body = {
                "id": "1",
                "object": "chat.completion",
                "created": 1,
                "model": "gpt-4o-mini-2024-07-18",
                "choices": [
                    {
                        "index": 0,
                        "finish_reason": "stop",
                        "message": {"role": "assistant", "content": '{"name": "Oslo"}'},
                    }
                ],
                "usage": {"prompt_tokens": 5, "completion_tokens": 6, "total_tokens": 11},
            }
            return httpx.Response(200, json=body)

        transport = httpx.MockTransport(answer)
        return OpenAI(
            model="gpt-4o-mini",
            api_key="none",
            http_client=httpx.Client(transport=transport),
            async_http_client=httpx.AsyncClient(transport=transport),
        )

    async def test_makes_one_call_by_every_method(self, llm: OpenAI) -> None:
        class City(BaseModel):
            name: str

        where = PromptTemplate("where")
        with recording() as seen:
            llm.chat(HI)
            llm.complete("hi")
            llm.predict(where)
            llm.structured_predict(City, where)
            llm.chat_with_tools([], user_msg="hi")
            await llm.achat(HI)
            await llm.acomplete("hi")
            await llm.apredict(where)
        assert [call.usage for call in seen.calls()] == [Usage(5, 6)] * 8
        assert {call.model for call in seen.calls()} == {"gpt-4o-mini-2024-07-18"}


class TestNesting:
    def test_the_innermost_recorder_takes_the_calls(self) -> None:
        with recording() as outer:
            Talker(model="out").chat(HI)
            with recording() as inner:
                Talker(model="in").chat(HI)
        assert [c.model for c in outer.calls()] == ["out"]
        assert [c.model for c in inner.calls()] == ["in"]

    def test_a_cascade_inside_reports_its_trail_once(self) -> None:
        with recording() as seen:
            with unrecorded():
                assert current() is None
                Talker().chat(HI)
            assert current() is seen
            seen.add([inner_call("rejected"), inner_call()])
            Talker().chat(HI)
        assert [c.model for c in seen.calls()] == ["inside", "inside", "talker"]
        assert [c.outcome for c in seen.calls()] == ["rejected", "returned", "returned"]
        assert seen.ended == 3

    def test_a_model_that_asks_a_cascade_is_no_call_of_its_own(self) -> None:
        class Wrapper(Completer):
            @llm_chat_callback()
            def chat(self, messages, **kwargs):
                outer = current()
                with unrecorded():
                    response = Talker().chat(messages)
                outer.add([inner_call()], to_draft(response))
                return response

        with recording() as seen:
            Wrapper().chat(HI)
        assert [c.model for c in seen.calls()] == ["inside"]
        assert seen.logprobs_for("a b c").values == [-0.1] * 3

    def test_what_a_cascade_inside_made_good_is_no_failure(self) -> None:
        with recording() as seen:
            seen.add([inner_call("failed"), inner_call()])
        assert not seen.failed


class TestDrafts:
    def test_have_what_a_stream_gathered(self) -> None:
        with recording() as seen:
            list(Talker(marks_end=True).stream_chat(HI))
        (draft,) = seen.drafts
        assert draft.text == "abc"
        assert draft.usage == Usage(7, 3)
        assert draft.logprobs is not None
        assert draft.logprobs.values == [-0.1] * 3

    def test_are_read_once_when_their_call_has_ended(self) -> None:
        with recording() as seen:
            stream = Talker().stream_chat(HI)
            next(stream)
            assert [draft.text for draft in seen.drafts] == ["a"]
            list(stream)
        assert [draft.text for draft in seen.drafts] == ["abc"]
        assert seen.drafts[0] is seen.drafts[0]

    def test_of_a_cascade_inside_are_what_it_answered(self) -> None:
        with recording() as seen:
            answered = to_draft(Talker().chat(HI))
            seen.add([inner_call()], answered)
        assert [draft.text for draft in seen.drafts] == ["a b c", "a b c"]


class TestLogprobs:
    def test_of_a_text_are_those_of_the_answers_it_is_made_of(self) -> None:
        with recording() as seen:
            Talker(text="one two", logprob=-0.1).chat(HI)
            Talker(text="not used", logprob=-0.9).chat(HI)
            Talker(text="three", logprob=-0.3).chat(HI)
        found = seen.logprobs_for("one two\n---\nthree")
        assert found is not None
        assert found.values == [-0.1, -0.1, -0.3]
        assert [entry["token"] for entry in found.entries] == ["one", "two", "three"]

    def test_are_unknown_where_one_part_came_without(self) -> None:
        with recording() as seen:
            Talker(text="one").chat(HI)
            Talker(text="two", logprob=None).chat(HI)
        assert seen.logprobs_for("one two") is None
        assert seen.logprobs_for("one") is not None

    def test_are_unknown_where_no_answer_is_part_of_the_text(self) -> None:
        with recording() as seen:
            Talker(text="one").chat(HI)
            Talker(text="").chat(HI)
        assert seen.logprobs_for("Empty Response") is None


class TestHousekeeping:
    def test_listens_once_however_often_it_records(self) -> None:
        for _ in range(3):
            with recording():
                pass
        root = get_dispatcher()
        assert sum(h is recorder._EVENTS for h in root.event_handlers) == 1
        assert sum(h is recorder._SPANS for h in root.span_handlers) == 1

    def test_listens_again_after_handlers_were_replaced(self, monkeypatch) -> None:
        monkeypatch.setattr(get_dispatcher(), "event_handlers", [])
        with recording() as seen:
            Talker().chat(HI)
        assert len(seen.calls()) == 1

    def test_keeps_nothing_of_recorders_that_are_gone(self) -> None:
        with recording() as seen:
            Talker().chat(HI)
            Completer().chat(HI)
            stream = Talker().stream_chat(HI)
            next(stream)
            unread = Talker().stream_chat(HI)
        assert not seen._spans
        gone = weakref.ref(seen)
        del seen
        gc.collect()
        assert gone() is None
        assert len(recorded.by_span) == 0
        list(stream)
        list(unread)
        assert not recorder._SPANS.open_spans

    def test_does_not_hold_what_has_ended(self) -> None:
        with recording() as seen:
            for _ in range(5):
                Talker().chat(HI)
                list(Completer().stream_chat(HI))
        assert not seen._open
        assert not seen._spans
        assert len(recorded.by_span) == 0
