"""A pattern that would take a machine's memory or time is refused before it is read."""

from __future__ import annotations

import pytest

from cascade_core.policy.patterns import DEEPEST_GROUPS, MOST_OF_A_PATTERN, check_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "(?:" * 30 + "ab" + ")+" * 30,
        "(?:" * 99 + "a" + "){1,9}" * 99,
        "(" * (DEEPEST_GROUPS + 1) + ")" * (DEEPEST_GROUPS + 1),
        "[(]" + r"\(" + "(" * (DEEPEST_GROUPS + 1) + ")" * (DEEPEST_GROUPS + 1),
        "(" * 50_000,
        "a" * (MOST_OF_A_PATTERN + 1),
    ],
    ids=lambda pattern: pattern[:12],
)
def test_too_large_a_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="too large a regular expression"):
        check_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "|".join(f"word{i}" for i in range(1000)),
        "(a)" * 100,
        "[((((((((((((((((]+",
        r"\((?:x[\](]y)\(" * 20,
        "(" * DEEPEST_GROUPS + ")" * DEEPEST_GROUPS,
    ],
    ids=lambda pattern: pattern[:12],
)
def test_other_patterns_are_taken(pattern: str) -> None:
    check_pattern(pattern)


def test_a_set_that_is_not_closed_is_told_at_once() -> None:
    with pytest.raises(ValueError, match="no regular expression"):
        check_pattern("[" * MOST_OF_A_PATTERN)
