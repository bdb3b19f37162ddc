"""A grading function of the caller's own: what it may look like, and where it went wrong."""

from __future__ import annotations

import functools
import json
import operator
import re
from collections.abc import Callable
from typing import Any

import pytest

from cascade_core.collect.case import Case, Grade
from cascade_core.collect.function import ByFunction
from cascade_core.costs.prices import Prices
from cascade_core.draft import Draft
from cascade_core.effects import Note
from cascade_core.errors import ConfigurationError
from cascade_core.loop import drivers
from cascade_core.loop.trail import Trail
from cascade_core.request import Request
from tests.core.making import Models, make_tiers


def graded(function: Callable[..., Any]) -> tuple[Grade, list[str]]:
    """Grade one answer, and return what was warned of."""
    drafts = tuple((tier, Draft(text="not { JSON")) for tier in make_tiers(1))
    case = Case(Request.of("a secret"), "a secret", None, drafts, Trail(Prices()))
    (grade,), effects = drivers.play(ByFunction(function).grade(case), Models())
    return grade, [effect.text for effect in effects if isinstance(effect, Note)]


def parses(request: str, answer: str, reference: str | None) -> float:
    json.loads(answer)
    return 1.0


async def waits(request: str, answer: str, reference: str | None) -> float:
    return parses(request, answer, reference)


class Parses:
    def __call__(self, request: str, answer: str, reference: str | None) -> float:
        return parses(request, answer, reference)


@functools.cache
def line_that_parses() -> int:
    return parses.__code__.co_firstlineno + 1


@pytest.mark.parametrize("function", [parses, waits, Parses(), functools.partial(parses)])
def test_an_error_is_placed_in_the_callers_own_code_and_not_in_a_library(function: Any) -> None:
    grade, (warning,) = graded(function)
    assert grade.problem is not None
    if not isinstance(function, functools.partial):  # which has no code of its own
        place = f"raised JSONDecodeError (test_function.py, line {line_that_parses()})"
        assert grade.problem.endswith(place)
    assert warning.startswith(grade.problem)
    assert "secret" not in warning


@pytest.mark.parametrize("value", [2.0, -0.1, float("nan"), "yes", [1.0], object()])
def test_what_is_no_number_from_0_to_1_is_named_without_its_text(value: Any) -> None:
    grade, _ = graded(lambda _request, _answer, _reference: value)
    assert grade.quality is None
    assert re.search(
        r"returned (2|-0.1|NaN|str|list|object) instead of a number", str(grade.problem)
    )


def test_not_to_know_is_no_problem() -> None:
    assert graded(lambda *_: None) == (Grade(None), [])


@pytest.mark.parametrize(
    "function",
    [
        lambda *texts: 1.0,
        lambda request, answer, reference, strict=False: 1.0,
        Parses(),
        functools.partial(lambda key, a, b, c: 1.0, "k"),
        max,
    ],
)
def test_whatever_takes_three_values_may_grade(function: Any) -> None:
    assert ByFunction(function).name


def needs_more(request: str, answer: str, reference: str, key: str, other: str = "sk-1") -> float:
    return 1.0


@pytest.mark.parametrize(
    ("function", "takes"),
    [
        (lambda request, answer: 1.0, "(request, answer)"),
        (needs_more, "(request, answer, reference, key, other)"),
        (lambda **names: 1.0, "(**names)"),
        (operator.add, "(a, b)"),
    ],
)
def test_what_does_not_take_three_values_is_refused_by_names_alone(
    function: Any, takes: str
) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(f"takes {takes}, and")) as raised:
        ByFunction(function)
    assert "sk-1" not in str(raised.value)
