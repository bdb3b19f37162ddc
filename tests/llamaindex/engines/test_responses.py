"""A pipeline's response, read as a draft."""

from __future__ import annotations

import pytest
from llama_index.core.base.response.schema import Response

from cascade_core.call import Call
from cascade_core.draft import Draft, Finish
from cascade_core.logprobs import Logprobs
from llamaindex_cascade.engines.responses import read
from llamaindex_cascade.reading.recorder import Recorder
from tests.llamaindex.retrieval import nodes


def seen(*answers: Draft) -> Recorder:
    recorder = Recorder()
    for answer in answers:
        recorder.add([Call(0, "m0", "draft", None, None, 0.1, "returned")], answer)
    return recorder


@pytest.mark.parametrize(
    ("ends", "whole"),
    [
        (("stop", "stop"), "stop"),
        (("length", "stop"), "length"),
        (("length", "content_filter"), "content_filter"),
        ((None, "stop"), "stop"),
    ],
)
def test_one_part_cut_off_makes_the_whole_an_answer_cut_off(
    ends: tuple[Finish | None, ...], whole: Finish
) -> None:
    parts = [Draft(text, finish=end) for text, end in zip(("one", "two"), ends, strict=True)]
    assert read(Response("one\ntwo"), seen(*parts), 0.1).finish == whole


def test_answers_that_are_no_part_of_the_text_say_nothing_of_it() -> None:
    kept = Draft("one", logprobs=Logprobs([-0.1]), finish="stop")
    dropped = Draft("other", logprobs=Logprobs([-9.0]), finish="length", refusal=True)
    draft = read(Response("one"), seen(dropped, kept), 0.1)
    assert draft.logprobs is kept.logprobs
    assert draft.finish == "stop"
    assert not draft.refusal
    assert len(draft.inner) == 2


def test_nothing_found_is_an_empty_answer_that_was_paid_for_where_somebody_was_asked() -> None:
    unasked = read(Response("Empty Response"), seen(), 0.1)
    assert (unasked.text, unasked.cached, unasked.contexts) == ("", True, [])
    asked = read(Response("Empty Response"), seen(Draft("Empty Response")), 0.1)
    assert (asked.text, asked.cached) == ("", False)


def test_contexts_are_those_of_the_source_nodes_where_they_are_wanted() -> None:
    found = read(Response("one", nodes(["fact"])), seen(), 0.1)
    assert found.contexts is not None
    assert "fact" in found.contexts[0]
    assert read(Response("one"), seen(), 0.1, needs_nodes=False).contexts is None
