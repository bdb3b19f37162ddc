"""What a tier is known to lack, found out at the price that the question is worth."""

import pytest

from cascade_core.abilities import Abilities, Load
from cascade_core.loop import able
from cascade_core.request import Request, ToolSpec
from cascade_core.tier import Tier

TEXT_ONLY = frozenset({"image", "audio", "video", "file"})


def tier(limit=None, *, lacks=(), **settings):
    shared = settings.pop("shared", False)
    return Tier(0, abilities=Abilities(limit, shared=shared, lacks=frozenset(lacks)), **settings)


@pytest.fixture
def counted(monkeypatch):
    pieces = []

    def count(text, model):
        pieces.append(text)
        return len(text) // 4, "estimate"

    monkeypatch.setattr(able, "count_tokens", count)
    return pieces


def test_what_is_not_known_is_able():
    request = Request.of("hi" * 100_000)
    request.needs = ("tools", "structured_output", "n")
    assert able.missing(tier(), request) == ()


@pytest.mark.parametrize("need", ["tools", "structured_output", "n"])
def test_what_a_request_needs_and_a_tier_lacks_is_named(need):
    request = Request(needs=[need])
    assert able.missing(tier(lacks=[need]), request) == (need,)
    assert able.missing(tier(lacks={"tools", "n", "structured_output"} - {need}), request) == ()


@pytest.mark.parametrize("part", sorted(TEXT_ONLY))
def test_parts_that_a_tier_does_not_read_are_named(part):
    request = Request(load=Load(10, 1, frozenset({part})))
    assert able.missing(tier(lacks=TEXT_ONLY), request) == (part,)
    assert able.missing(tier(lacks=TEXT_ONLY - {part}), request) == ()


def test_a_request_that_is_surely_short_enough_is_not_counted(counted):
    assert able.missing(tier(1000), Request.of("é" * 200)) == ()
    assert counted == []


@pytest.mark.parametrize(("characters", "missing"), [(3900, ()), (4100, ("max_input_tokens",))])
def test_one_that_may_be_too_long_is_counted(counted, characters, missing):
    assert able.missing(tier(1000), Request.of("x" * characters)) == missing
    assert counted


def test_counting_ends_at_the_limit(counted):
    assert able.missing(tier(1000), Request.of("x" * 1_000_000)) == ("max_input_tokens",)
    assert sum(map(len, counted)) < 50_000


def test_a_window_has_to_hold_the_answer_too(counted):
    request = Request.of("x" * 3600)  # some 900 tokens
    assert able.missing(tier(1000, shared=True), request) == ()
    assert able.missing(tier(1000, shared=True, max_tokens=200), request) == ("max_input_tokens",)
    assert able.missing(tier(1000, shared=False, max_tokens=200), request) == ()
    request.max_tokens = 50  # this request's own limit goes first
    assert able.missing(tier(1000, shared=True, max_tokens=200), request) == ()


def test_an_answer_that_may_fill_the_window_takes_no_room(counted):
    assert able.missing(tier(1000, shared=True, max_tokens=1000), Request.of("x" * 3600)) == ()


def test_the_schemas_of_tools_count(counted):
    big = ToolSpec("find", {"description": "x" * 8000})
    assert able.missing(tier(1000), Request.of("hi")) == ()
    request = Request(Request.of("hi").turns, tools=[big])
    assert able.missing(tier(1000), request) == ("max_input_tokens",)


def test_nothing_is_looked_at_where_nothing_is_known():
    def never():
        raise AssertionError

    assert able.missing(tier(), Request(never, load=never, needs=["tools"])) == ()
