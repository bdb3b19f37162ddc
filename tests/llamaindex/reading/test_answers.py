from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
from llama_index.core.base.llms.types import LogProb, ToolCallBlock
from llama_index.core.llms import ChatMessage, ChatResponse, CompletionResponse
from llama_index.llms.openai.utils import from_openai_message, from_openai_token_logprobs
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from cascade_core.logprobs import read_logprobs
from cascade_core.request import ToolCall
from cascade_core.usage import Usage
from llamaindex_cascade.reading.answers import said_in, to_draft
from llamaindex_cascade.reading.tool_calls import read_tool_calls

NO_PROMPT: list[str] = []


def entry(token: str, logprob: float, *others: tuple[str, float]) -> dict[str, Any]:
    top = [{"token": t, "logprob": p, "bytes": list(t.encode())} for t, p in others]
    return {
        "token": token,
        "logprob": logprob,
        "bytes": list(token.encode()),
        "top_logprobs": top,
    }


# The second token was sampled: it is not the likeliest, as it is not at any temperature.
SAMPLED = [
    entry("It", -0.1, ("It", -0.1), ("We", -3.0)),
    entry(" rains", -2.0, (" shines", -0.2), (" rains", -2.0)),
]


def openai_answer(text: str | None = "It rains", **changes: Any) -> ChatCompletion:
    message = {"role": "assistant", "content": text, **changes.pop("message", {})}
    choice = {
        "index": 0,
        "finish_reason": changes.pop("finish", "stop"),
        "message": message,
        "logprobs": changes.pop("logprobs", None),
    }
    return ChatCompletion.model_validate(
        {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [choice],
            "usage": {
                "prompt_tokens": 11,
                "completion_tokens": 2,
                "total_tokens": 13,
                "prompt_tokens_details": {"cached_tokens": 8},
                "completion_tokens_details": {"reasoning_tokens": 1},
            },
            **changes,
        }
    )


def openai_response(raw: ChatCompletion, **fields: Any) -> ChatResponse:
    """As `OpenAI.chat` builds it."""
    message = from_openai_message(raw.choices[0].message, modalities=["text"])
    return ChatResponse(message=message, raw=raw, **fields)


def openai_chunk(delta: str, **fields: Any) -> ChatCompletionChunk:
    entries = fields.pop("entries", None)
    choices = [
        {
            "index": 0,
            "delta": {"content": delta},
            "finish_reason": None,
            "logprobs": entries and {"content": entries},
        }
    ]
    return ChatCompletionChunk.model_validate(
        {
            "id": "1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "gpt-4o-mini",
            "choices": choices,
            **fields,
        }
    )


def answered(text: str = "It rains", **fields: Any) -> ChatResponse:
    return ChatResponse(message=ChatMessage(role="assistant", content=text), **fields)


def alternatives(*positions: list[tuple[str, float]]) -> list[list[LogProb]]:
    return [[LogProb(token=t, logprob=p) for t, p in position] for position in positions]


def values_of(response: Any) -> list[float] | None:
    found = to_draft(response).logprobs
    return None if found is None else list(found.values)


def counted(response: Any, prompt_texts: Any = lambda: NO_PROMPT) -> Usage:
    usage = to_draft(response, prompt_texts=prompt_texts).usage
    assert usage is not None
    return usage


class TestLogprobs:
    def test_are_those_of_the_sampled_token_and_not_the_likeliest(self) -> None:
        raw = openai_answer(logprobs={"content": SAMPLED})
        listed = from_openai_token_logprobs(raw.choices[0].logprobs.content)
        assert listed[1][0].logprob == -0.2  # what LlamaIndex puts first
        assert values_of(openai_response(raw, logprobs=listed)) == [-0.1, -2.0]

    def test_are_found_among_alternatives_where_there_is_no_raw_answer(self) -> None:
        raw = openai_answer(logprobs={"content": SAMPLED})
        listed = from_openai_token_logprobs(raw.choices[0].logprobs.content)
        assert values_of(answered(logprobs=listed)) == [-0.1, -2.0]

    def test_keep_the_alternatives(self) -> None:
        raw = openai_answer(logprobs={"content": SAMPLED})
        found = to_draft(openai_response(raw)).logprobs
        assert found is not None
        assert found.alternatives(1) == [(" shines", -0.2), (" rains", -2.0)]

    def test_are_read_where_openai_leaves_the_list_of_the_framework_empty(self) -> None:
        raw = openai_answer(logprobs={"content": [entry("It", -0.1), entry(" rains", -2.0)]})
        assert values_of(openai_response(raw, logprobs=[])) == [-0.1, -2.0]

    def test_are_read_of_dicts(self) -> None:
        raw = {"choices": [{"logprobs": {"content": SAMPLED}}]}
        assert values_of(answered(raw=raw)) == [-0.1, -2.0]

    def test_are_read_of_the_legacy_completions(self) -> None:
        raw = Completion.model_validate(
            {
                "id": "1",
                "object": "text_completion",
                "created": 1,
                "model": "davinci-002",
                "choices": [
                    {
                        "index": 0,
                        "text": "It rains",
                        "finish_reason": "length",
                        "logprobs": {
                            "tokens": ["It", " rains"],
                            "token_logprobs": [-0.1, -2.0],
                            "top_logprobs": [{"It": -0.1}, {" shines": -0.2}],
                            "text_offset": [0, 2],
                        },
                    }
                ],
            }
        )
        response = CompletionResponse(text="It rains", raw=raw)
        found = to_draft(response).logprobs
        assert found is not None
        assert list(found.values) == [-0.1, -2.0]
        assert found.alternatives(1) == [(" shines", -0.2)]
        assert said_in(response).finish == "length"

    def test_are_read_of_a_list_on_the_answer_itself(self) -> None:
        assert values_of(answered(raw={"message": {}, "logprobs": SAMPLED})) == [-0.1, -2.0]

    def test_are_read_of_the_responses_api(self) -> None:
        part = {"type": "output_text", "text": "It rains", "logprobs": SAMPLED}
        raw = SimpleNamespace(output=[{"type": "reasoning"}, {"content": [part]}])
        assert values_of(answered(raw=raw)) == [-0.1, -2.0]

    def test_are_read_of_the_additional_arguments(self) -> None:
        response = answered(additional_kwargs={"logprobs": {"content": SAMPLED}})
        assert values_of(response) == [-0.1, -2.0]

    @pytest.mark.parametrize(
        "raw",
        [None, "text", 3, {}, {"choices": []}, {"choices": [{}]}, {"choices": None}, object()],
    )
    def test_are_none_where_there_are_none(self, raw: Any) -> None:
        assert to_draft(answered(raw=raw)).logprobs is None
        assert read_logprobs(said_in(answered(raw=raw)).logprobs) is None

    def test_that_are_no_numbers_read_as_the_worst(self) -> None:
        raw = SimpleNamespace(
            choices=[SimpleNamespace(logprobs=SimpleNamespace(content=[SimpleNamespace()]))]
        )
        (value,) = values_of(answered(raw=raw)) or []
        assert math.isnan(value)

    def test_of_one_choice_that_spells_the_answer_are_its_tokens(self) -> None:
        listed = alternatives([("It", -0.1), (" rains", -2.0)])  # mistral-rs: [choice][token]
        assert values_of(answered(logprobs=listed)) == [-0.1, -2.0]

    def test_of_one_token_are_told_from_one_choice(self) -> None:
        listed = alternatives([("Yes", -0.2), ("No", -2.0)])
        assert values_of(answered("No", logprobs=listed)) == [-2.0]

    def test_of_single_alternatives_are_taken_as_they_are(self) -> None:
        listed = alternatives([("It", -0.1)], [("\u0120rains", -2.0)])
        assert values_of(answered(logprobs=listed)) == [-0.1, -2.0]

    def test_of_a_flat_list_are_its_tokens(self) -> None:
        response = answered()
        response.logprobs = [  # type: ignore[list-item]
            LogProb(token="It", logprob=-0.1),
            LogProb(token=" rains", logprob=-2.0),
        ]
        assert values_of(response) == [-0.1, -2.0]

    def test_of_a_token_among_none_of_the_likeliest_are_not_a_number(self) -> None:
        listed = alternatives(
            [("It", -0.1), ("We", -3.0)],
            [(" shines", -0.2), (" snows", -1.0)],
            [(" here", -0.3), (" there", -0.4)],
        )
        values = values_of(answered("It rains there", logprobs=listed))
        assert values is not None
        assert values[0] == -0.1
        assert math.isnan(values[1])
        assert values[2] == -0.4

    def test_of_the_longest_alternative_that_fits(self) -> None:
        listed = alternatives([("The", -0.9), ("Th", -0.5)], [("re", -0.1), ("y", -0.2)])
        assert values_of(answered("There", logprobs=listed)) == [-0.9, -0.1]

    def test_of_a_text_that_was_stripped(self) -> None:
        listed = alternatives([(" No", -0.1), (" It", -1.0)], [(" rains", -2.0), ("s", -3.0)])
        assert values_of(answered(logprobs=listed)) == [-1.0, -2.0]

    def test_of_half_a_character_are_told_by_its_bytes(self) -> None:
        sun = "☀".encode()
        listed = [
            [
                LogProb(token="\ufffd", logprob=-0.5, bytes=list(sun[:2])),
                LogProb(token="x", logprob=-9, bytes=[120]),
            ],
            [
                LogProb(token="\ufffd", logprob=-0.7, bytes=list(sun[2:])),
                LogProb(token="x", logprob=-9, bytes=[120]),
            ],
        ]
        assert values_of(answered("☀", logprobs=listed)) == [-0.5, -0.7]

    def test_leave_out_the_marks_behind_the_answer(self) -> None:
        listed = alternatives([("Hi", -0.1), ("Ho", -1.0)], [("<end>", -0.01), ("!", -5.0)])
        assert values_of(answered("Hi", logprobs=listed)) == [-0.1]

    def test_of_a_long_answer_are_all_read(self) -> None:
        tops = [(f" t{i}", -float(i) / 10) for i in range(1, 6)]
        entries = [entry(" t1", -0.1, *tops) for _ in range(500)]
        raw = openai_answer(" t1" * 500, logprobs={"content": entries})
        found = to_draft(openai_response(raw)).logprobs
        assert found is not None
        assert len(found) == 500
        assert len(found.alternatives(499)) == 5


class TestStreams:
    def test_give_the_logprobs_of_each_chunk(self) -> None:
        first = answered("It", delta="It", raw=openai_chunk("It", entries=SAMPLED[:1]))
        last = answered(delta=" rains", raw=openai_chunk(" rains", entries=SAMPLED[1:]))
        usage = answered(delta="", raw=openai_chunk("", choices=[]))
        found = [read_logprobs(said_in(c).logprobs) for c in (first, last, usage)]
        assert [tokens and list(tokens.values) for tokens in found] == [[-0.1], [-2.0], None]

    def test_do_not_pass_the_last_chunk_off_as_the_whole_answer(self) -> None:
        last = answered(delta=" rains", raw=openai_chunk(" rains", entries=SAMPLED[1:]))
        assert to_draft(last).logprobs is None

    def test_of_one_chunk_are_the_whole_answer(self) -> None:
        only = answered("It", delta="It", raw=openai_chunk("It", entries=SAMPLED[:1]))
        assert values_of(only) == [-0.1]

    def test_report_their_tokens_on_one_chunk_only(self) -> None:
        usage = {"prompt_tokens": 5, "completion_tokens": 6, "total_tokens": 11}
        zeros = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        middle = answered(raw=openai_chunk("It"), additional_kwargs=zeros)
        assert said_in(middle).usage is None
        assert said_in(answered(raw=openai_chunk("", usage=usage))).usage == Usage(5, 6)

    def test_make_a_draft_of_what_was_gathered(self) -> None:
        last = answered(delta="", raw=openai_chunk(""))
        draft = to_draft(last, usage=Usage(5, 6))
        assert draft.usage == Usage(5, 6)


class TestUsage:
    @pytest.mark.parametrize(
        ("raw", "expected"),
        [
            (
                openai_answer(),
                Usage(11, 2, cached_tokens=8, reasoning_tokens=1),
            ),
            (
                {
                    "usage": {
                        "input_tokens": 5,
                        "cache_read_input_tokens": 20,
                        "cache_creation_input_tokens": 30,
                        "output_tokens": 4,
                    }
                },
                Usage(55, 4, cached_tokens=20, cache_write_tokens=30),
            ),
            (
                # A proxy's, which has the cached tokens in both.
                {
                    "usage": {
                        "prompt_tokens": 25,
                        "completion_tokens": 4,
                        "cache_read_input_tokens": 20,
                        "prompt_tokens_details": {"cached_tokens": 20},
                    }
                },
                Usage(25, 4, cached_tokens=20),
            ),
            (
                {
                    "usage": {
                        "input_tokens": 9,
                        "output_tokens": 8,
                        "input_tokens_details": {"cached_tokens": 3},
                        "output_tokens_details": {"reasoning_tokens": 5},
                    }
                },
                Usage(9, 8, cached_tokens=3, reasoning_tokens=5),
            ),
            (
                SimpleNamespace(
                    usage_metadata=SimpleNamespace(
                        prompt_token_count=7,
                        candidates_token_count=3,
                        thoughts_token_count=10,
                        cached_content_token_count=2,
                    )
                ),
                Usage(7, 13, cached_tokens=2, reasoning_tokens=10),
            ),
            (
                {"usage_metadata": {"prompt_token_count": 7, "candidates_token_count": 3}},
                Usage(7, 3),
            ),
            ({"prompt_eval_count": 12, "eval_count": 6, "done": True}, Usage(12, 6)),
            ({"usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}}, Usage(3, 2)),
            (
                {"meta": {"tokens": {"input_tokens": 40, "output_tokens": 5}}},
                Usage(40, 5),
            ),
            (
                {"meta": {"billed_units": {"input_tokens": 10.0, "output_tokens": 5.0}}},
                Usage(10, 5),
            ),
            ({"usage": {"prompt_tokens": 4, "completion_tokens": 0}}, Usage(4, 0)),
        ],
    )
    def test_is_what_the_provider_reported(self, raw: Any, expected: Usage) -> None:
        assert said_in(answered(raw=raw)).usage == expected

    def test_is_read_of_the_additional_arguments(self) -> None:
        response = answered(additional_kwargs={"prompt_tokens": 3, "completion_tokens": 4})
        assert counted(response) == Usage(3, 4)

    @pytest.mark.parametrize(
        "raw",
        [
            None,
            "text",
            {"usage": None},
            {"usage": {"prompt_tokens": 0, "completion_tokens": 0}},
            {"usage": {"prompt_tokens": True, "completion_tokens": "many"}},
            {"usage": {"input_tokens": 30}},
        ],
    )
    def test_is_counted_where_it_was_not_reported(self, raw: Any) -> None:
        response = answered("12345678", raw=raw)
        assert counted(response, lambda: ["1234"]) == Usage(1, 2, source="estimate")

    def test_is_counted_of_tool_calls_too(self) -> None:
        block = ToolCallBlock(tool_name="look_up", tool_kwargs={"city": "Oslo"})
        response = ChatResponse(message=ChatMessage(role="assistant", blocks=[block]))
        assert counted(response).output_tokens > 4

    def test_uses_what_is_reported_of_the_answer_alone(self) -> None:
        response = answered("1234", raw={"eval_count": 9})  # Ollama, with the prompt in its cache
        assert counted(response, lambda: ["1234"]) == Usage(1, 9, source="estimate")

    def test_does_not_ask_for_the_prompt_unless_it_must_be_counted(self) -> None:
        def prompt() -> list[str]:
            raise AssertionError

        assert counted(answered(raw=openai_answer()), prompt).input_tokens == 11


class TestFinish:
    @pytest.mark.parametrize(
        ("raw", "expected"),
        [
            (openai_answer(finish="length"), "length"),
            (openai_answer(finish="tool_calls"), "tool_calls"),
            ({"stop_reason": "max_tokens"}, "length"),
            ({"stop_reason": "end_turn"}, "stop"),
            ({"stopReason": "guardrail_intervened"}, "content_filter"),
            ({"done_reason": "stop"}, "stop"),
            ({"finish_reason": "MAX_TOKENS"}, "length"),
            ({"candidates": [{"finish_reason": SimpleNamespace(name="SAFETY")}]}, "content_filter"),
            (
                SimpleNamespace(
                    status="incomplete",
                    incomplete_details=SimpleNamespace(reason="max_output_tokens"),
                ),
                "length",
            ),
            ({"status": "completed"}, "stop"),
            ({"finish_reason": "novel"}, "broken"),
            ({"finish_reason": None, "error": {"message": "overloaded"}}, "broken"),
            (None, None),
        ],
    )
    def test_is_read(self, raw: Any, expected: str | None) -> None:
        assert said_in(answered(raw=raw)).finish == expected

    def test_is_read_of_the_messages_arguments(self) -> None:
        message = ChatMessage(role="assistant", additional_kwargs={"finish_reason": "length"})
        assert said_in(ChatResponse(message=message)).finish == "length"


class TestRefusals:
    @pytest.mark.parametrize(
        "raw",
        [
            openai_answer(None, message={"refusal": "No."}),
            openai_answer(finish="content_filter"),
            {"choices": [{"logprobs": {"content": None, "refusal": SAMPLED}}]},
            {"output": [{"content": [{"type": "refusal", "refusal": "No."}]}]},
            {"stop_reason": "refusal"},
        ],
    )
    def test_are_marked_by_the_provider(self, raw: Any) -> None:
        assert to_draft(answered(raw=raw)).refusal

    @pytest.mark.parametrize("raw", [openai_answer(), None, {"output": {"message": {}}}])
    def test_are_not_seen_where_there_are_none(self, raw: Any) -> None:
        assert not to_draft(answered(raw=raw)).refusal


class TestModel:
    def test_is_who_answered(self) -> None:
        assert to_draft(answered(raw=openai_answer())).model == "gpt-4o-mini-2024-07-18"
        assert to_draft(answered(raw={"model": "llama3"})).model == "llama3"
        assert to_draft(answered(raw={"model_version": "gemini-2.0"})).model == "gemini-2.0"
        assert to_draft(answered(additional_kwargs={"model": "m"})).model == "m"

    def test_is_none_where_nobody_says(self) -> None:
        assert to_draft(answered(raw={"model": None})).model is None


class TestToolCalls:
    def openai_message(self, arguments: str) -> ChatMessage:
        call = {
            "id": "c1",
            "type": "function",
            "function": {"name": "look_up", "arguments": arguments},
        }
        raw = openai_answer(None, message={"tool_calls": [call]})
        return from_openai_message(raw.choices[0].message, modalities=["text"])

    def test_that_stand_in_two_places_count_once(self) -> None:
        message = self.openai_message('{"city": "Oslo"}')
        assert message.additional_kwargs["tool_calls"]
        assert read_tool_calls(message) == ([ToolCall("look_up", {"city": "Oslo"}, "c1")], 0)

    @pytest.mark.parametrize("arguments", ['{"city": "Os', "not json", "[1]", '"text"', "null"])
    def test_are_not_repaired(self, arguments: str) -> None:
        calls, broken = read_tool_calls(self.openai_message(arguments))
        assert calls == [ToolCall("look_up", None, "c1")]
        assert broken == 0

    @pytest.mark.parametrize(
        "listed",
        [
            {"id": "1", "function": {"name": "f", "arguments": '{"a": 1}'}},
            SimpleNamespace(id="1", function=SimpleNamespace(name="f", arguments='{"a": 1}')),
            {"id": "1", "name": "f", "input": {"a": 1}},
            {"id": "1", "function": {"name": "f", "arguments": {"a": 1}}},
            {"toolUseId": "1", "name": "f", "input": {"a": 1}},
            SimpleNamespace(tool_id="1", tool_name="f", tool_kwargs={"a": 1}),
        ],
    )
    def test_are_read_in_every_integrations_form(self, listed: Any) -> None:
        message = ChatMessage(role="assistant", additional_kwargs={"tool_calls": [listed]})
        assert read_tool_calls(message) == ([ToolCall("f", {"a": 1}, "1")], 0)

    def test_without_arguments_have_none_to_parse(self) -> None:
        message = ChatMessage(
            role="assistant",
            blocks=[
                ToolCallBlock(tool_name="now"),
                ToolCallBlock(tool_name="now", tool_kwargs=""),
            ],
        )
        assert read_tool_calls(message) == ([ToolCall("now", {})] * 2, 0)

    def test_that_name_no_tool_are_broken(self) -> None:
        listed = [{"function": {"arguments": "{}"}}, "text", None]
        message = ChatMessage(role="assistant", additional_kwargs={"tool_calls": listed})
        assert read_tool_calls(message) == ([], 3)


class TestDraft:
    def test_of_an_openai_answer_has_everything(self) -> None:
        response = openai_response(openai_answer(logprobs={"content": SAMPLED}))
        draft = to_draft(response, seconds=0.5, name="gpt-4o-mini", prompt_texts=lambda: NO_PROMPT)
        assert draft.text == "It rains"
        assert draft.logprobs is not None
        assert draft.finish == "stop"
        assert draft.usage == Usage(11, 2, cached_tokens=8, reasoning_tokens=1)
        assert draft.model == "gpt-4o-mini-2024-07-18"
        assert draft.seconds == 0.5
        assert draft.native is response
        assert not draft.refusal

    def test_of_a_completion_is_named_and_counted_by_the_caller(self) -> None:
        draft = to_draft(
            CompletionResponse(text="12345678"), name="local", prompt_texts=lambda: ["1234"]
        )
        assert (draft.text, draft.model) == ("12345678", "local")
        assert draft.usage == Usage(1, 2, source="estimate")

    def test_counts_a_token_for_each_logprob(self) -> None:
        response = answered(raw={"choices": [{"logprobs": {"content": SAMPLED}}]})
        draft = to_draft(response, prompt_texts=lambda: ["1234"])
        assert draft.usage == Usage(1, 2, source="estimate")

    def test_has_no_usage_where_nothing_can_be_counted(self) -> None:
        assert to_draft(answered()).usage is None

    def test_of_a_cascade_has_the_calls_inside(self) -> None:
        call = {
            "tier": 0,
            "model": "small",
            "purpose": "draft",
            "usage": {"input_tokens": 1, "output_tokens": 2},
            "tokens_source": "estimate",
            "cost_usd": None,
            "latency_ms": 20,
            "outcome": "rejected",
        }
        draft = to_draft(
            answered(additional_kwargs={"cascade": {"calls": [call]}}),
            prompt_texts=lambda: ["must not be counted"],
        )
        (inner,) = draft.inner
        assert inner.outcome == "rejected"
        assert inner.usage == Usage(1, 2, source="estimate")
        assert draft.usage is None
