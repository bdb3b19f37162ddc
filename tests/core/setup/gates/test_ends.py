"""Answers that are not whole."""

import pytest

from cascade_core.draft import Draft
from cascade_core.request import Request
from cascade_core.setup.gates import not_truncated

ANY = Request.of("?")


@pytest.mark.parametrize("finish", [None, "stop", "tool_calls", "content_filter", "length"])
def test_only_an_answer_cut_off_by_the_token_limit_is_truncated(finish):
    assert not_truncated(ANY, Draft("x", finish=finish)) == (finish != "length")
