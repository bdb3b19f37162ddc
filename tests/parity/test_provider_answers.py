"""Every provider's answer reads the same in both frameworks, and every row of the table is read."""

from __future__ import annotations

import math
from collections.abc import Callable
from enum import Enum, IntEnum
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from llama_index.core.llms import ChatMessage, ChatResponse

import langchain_cascade.convert
import llamaindex_cascade.reading.answers
from cascade_core.draft import Draft, Finish
from cascade_core.integrations import finish, usage
from cascade_core.integrations.answers import MODEL_FIELDS
from cascade_core.integrations.finish import once
from tests.parity.provider_answers import ANSWERS, ENTRIES, WORDS, Answer, tokens


def in_langchain(answer: Answer) -> Draft:
    message = AIMessage(
        answer.parts or "It rains",
        response_metadata=answer.sent if answer.metadata is None else answer.metadata,
        usage_metadata=answer.usage_metadata,
    )
    return langchain_cascade.convert.to_draft(message)


def in_llamaindex(answer: Answer) -> Draft:
    message = ChatMessage(role="assistant", content="It rains")
    return llamaindex_cascade.reading.answers.to_draft(
        ChatResponse(message=message, raw=answer.sent)
    )


Read = Callable[[Answer], Draft]
both = pytest.mark.parametrize("read", [in_langchain, in_llamaindex])


@both
@pytest.mark.parametrize("name", ANSWERS)
def test_of_every_provider_the_same_is_read(name: str, read: Read) -> None:
    answer = ANSWERS[name]
    draft = read(answer)
    found = None if draft.logprobs is None else list(draft.logprobs.values)
    assert (draft.finish, draft.refusal, draft.model) == (
        answer.finish,
        answer.refusal,
        answer.model,
    )
    assert draft.usage == answer.usage
    assert found == answer.logprobs


@both
def test_alternatives_are_read_of_every_shape(read: Read) -> None:
    shapes = ("OpenAI", "OpenAI, as objects", "Ollama", "Google, with log-probabilities")
    for name in shapes:
        logprobs = read(ANSWERS[name]).logprobs
        assert logprobs is not None
        assert [entry["token"] for entry in logprobs.entries] == ["It", " rains"]
        assert logprobs.alternatives(0) == [("We", -3.0)]
        assert logprobs.alternatives(1) == []


SPELLED = [(word, meaning) for meaning, words in WORDS.items() for word in words.split()]


@both
@pytest.mark.parametrize(("word", "meaning"), SPELLED)
def test_every_word_means_the_same(word: str, meaning: Finish | None, read: Read) -> None:
    for said in (word, Enum("Reason", {word: 7})[word], IntEnum("Number", {word: 7})[word]):
        assert read(Answer(sent={"finish_reason": said})).finish == meaning


def test_every_word_of_the_table_is_tried() -> None:
    tried = {finish.spelled(word) for word, _ in SPELLED}
    assert finish.WORDS.keys() <= tried


@both
@pytest.mark.parametrize(
    ("number", "meaning"),
    [(0, None), (1, "stop"), (2, "length"), (3, "content_filter"), (10, "broken"), (99, "broken")],
)
def test_a_number_is_googles(number: int, meaning: Finish | None, read: Read) -> None:
    assert read(Answer(sent={"candidates": [{"finish_reason": number}]})).finish == meaning


@both
@pytest.mark.parametrize("said", [None, "", True, [], {}, 1.5, object()])
def test_what_is_no_word_says_nothing(said: Any, read: Read) -> None:
    assert read(Answer(sent={"finish_reason": said})).finish is None


@both
@pytest.mark.parametrize("name", ["cheap", "gpt-4o", "llama3"])
def test_a_name_on_several_chunks_is_one_name(name: str, read: Read) -> None:
    said = Answer(sent={"model": name * 3})
    assert read(said).model == (name if name != "cheap" else name * 3)
    assert once(name * 3, name) == name


class Text(str, Enum):  # noqa: UP042 - whose text is another than a StrEnum's
    """Enums of strings, as Mistral's and Azure's clients have them."""

    LENGTH = "length"


@both
def test_an_enum_of_strings_is_its_string(read: Read) -> None:
    assert read(Answer(sent={"finish_reason": Text.LENGTH})).finish == "length"


@both
@pytest.mark.parametrize("name", finish.FIELDS)
def test_the_word_is_found_under_every_name(name: str, read: Read) -> None:
    assert read(Answer(sent={name: "length"})).finish == "length"
    assert read(Answer(sent={"choices": [{name: "length"}]})).finish == "length"
    assert read(Answer(sent={"choices": [{}], name: "length"})).finish == "length"
    assert read(Answer(sent={"candidates": [{name: "length"}]})).finish == "length"


@both
@pytest.mark.parametrize("name", ["model_name", "model", "model_version", "model_id", "modelId"])
def test_the_model_is_found_under_every_name(name: str, read: Read) -> None:
    assert name in MODEL_FIELDS
    assert read(Answer(sent={name: "m"})).model == "m"
    assert read(Answer(sent={name: ""})).model is None


def test_every_name_and_shape_of_the_table_is_tried() -> None:
    assert len(finish.FIELDS) == 5
    assert len(MODEL_FIELDS) == 5
    tried = str([answer.sent for answer in ANSWERS.values()])
    for shape in usage.SHAPES:
        names = {shape.given, shape.written, shape.total, *shape.written_apart}
        paths = (*shape.cached, *shape.stored, *shape.reasoning, *shape.given_apart)
        for name in names.union(*paths):
            assert f"'{name}'" in tried or f"{name}=" in tried, name
    places = {name for place in usage.PLACES for name in place}
    said = str([(answer.sent, answer.metadata) for answer in ANSWERS.values()])
    assert all(name in said for name in places)


NO_REPORTS = [(0, 0), (0, 2), (-11, 2), (11, -2), (None, None), (11, None)]
"""Tokens of the prompt and of an answer with a text, that no call can have used."""


@both
@pytest.mark.parametrize("counts", [*NO_REPORTS, (math.nan, 2), (11, math.inf), ("11", "2")])
def test_a_report_that_cannot_be_is_none(counts: tuple[Any, Any], read: Read) -> None:
    given, written = counts
    report = {"prompt_tokens": given, "completion_tokens": written, "total_tokens": given}
    sent = {"choices": [{"finish_reason": "stop"}], "usage": report}
    assert read(Answer(sent=sent, metadata={"token_usage": report})).usage is None


@pytest.mark.parametrize("counts", [c for c in NO_REPORTS if None not in c])
def test_nor_is_one_that_langchain_passes_on(counts: tuple[int, int]) -> None:
    assert in_langchain(Answer(sent={}, usage_metadata=tokens(*counts))).usage is None


def test_a_report_in_langchains_metadata_counts_only_where_its_own_is_missing() -> None:
    meta = {"token_usage": {"prompt_tokens": 1, "completion_tokens": 2}}
    own: Any = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    answers = {None: (1, 2), "own": (3, 4)}
    for given, expected in answers.items():
        message = AIMessage("", response_metadata=meta, usage_metadata=given and own)
        found = langchain_cascade.convert.to_draft(message).usage
        assert found is not None
        assert (found.input_tokens, found.output_tokens) == expected


def test_a_refusal_beside_the_answer_is_seen_in_both() -> None:
    beside = {"refusal": "No."}
    message = AIMessage("", additional_kwargs=beside)
    assert langchain_cascade.convert.to_draft(message).refusal
    to_draft = llamaindex_cascade.reading.answers.to_draft
    told = ChatMessage(role="assistant", additional_kwargs=beside)
    assert to_draft(ChatResponse(message=told)).refusal
    plain = ChatMessage(role="assistant")
    assert to_draft(ChatResponse(message=plain, additional_kwargs=beside)).refusal
    delta = {"choices": [{"delta": {"refusal": "No."}}]}
    assert to_draft(ChatResponse(message=plain, raw=delta)).refusal
    assert not to_draft(ChatResponse(message=plain, raw={"choices": [{"delta": {}}]})).refusal


def test_what_llamaindex_has_beside_the_answer_is_read_too() -> None:
    to_draft = llamaindex_cascade.reading.answers.to_draft
    message = ChatMessage(
        role="assistant",
        content="It rains",
        # Anthropic's stream: its tokens so far are no report of the call's.
        additional_kwargs={
            "stop_reason": "max_tokens",
            "usage": {"input_tokens": 5, "output_tokens": 1},
        },
    )
    report = {"input_tokens": 5, "output_tokens": 2}
    extra = {"usage": report, "logprobs": {"content": ENTRIES}, "model": "m"}
    draft = to_draft(ChatResponse(message=message, additional_kwargs=extra))
    found: Finish | None = draft.finish
    assert (found, draft.model) == ("length", "m")
    assert draft.usage == usage.read_usage(report)
    assert draft.logprobs is not None
    assert to_draft(ChatResponse(message=message)).usage is None
    own = {"usage": {"input_tokens": 8, "output_tokens": 3}}
    counted = to_draft(ChatResponse(message=message, raw=own, additional_kwargs=extra)).usage
    assert counted == usage.read_usage(own["usage"])
