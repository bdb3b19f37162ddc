"""Answers that are not whole."""

import pytest

from cascade_core.draft import Draft
from cascade_core.request import Request
from cascade_core.setup.gates import not_truncated

ANY = Request.of("?")


@pytest.mark.parametrize("finish", [None, "stop", "tool_calls", "content_filter"])
def test_an_answer_that_ended_is_whole(finish):
    assert not_truncated(ANY, Draft("x", finish=finish))


@pytest.mark.parametrize("finish", ["length", "broken"])
def test_an_answer_cut_off_or_without_an_end_of_its_own_is_truncated(finish):
    assert not not_truncated(ANY, Draft("x", finish=finish))
