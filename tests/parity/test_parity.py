"""One table of scenarios through both frameworks, in every way of asking: one decision.

The core decides for both, so a difference here is one in how an adapter reads
its framework's answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

import pytest

from cascade_core.call import Reason
from tests.parity import langchain_way, llamaindex_way
from tests.parity.agreeing import AGREEING
from tests.parity.checking import CHECKING
from tests.parity.scenarios import SCENARIOS, Scenario
from tests.parity.voices import Outcome

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

FRAMEWORKS: list[tuple[Any, str]] = [
    (framework, way) for framework in (langchain_way, llamaindex_way) for way in framework.WAYS
]

TABLE = [*SCENARIOS, *AGREEING, *CHECKING]

every_scenario = pytest.mark.parametrize(
    "scenario", TABLE, ids=[scenario.name.replace(" ", "-") for scenario in TABLE]
)
every_way = pytest.mark.parametrize(
    ("framework", "way"), FRAMEWORKS, ids=[way for _, way in FRAMEWORKS]
)


def streams(way: str) -> bool:
    return "stream" in way


@every_scenario
async def test_every_way_of_asking_gives_the_row_of_the_table_and_all_agree_to_the_cent(
    scenario: Scenario,
) -> None:
    outcomes = {way: await framework.run(scenario, way) for framework, way in FRAMEWORKS}
    assert {way: found(scenario, outcome) for way, outcome in outcomes.items()} == {
        way: expected(scenario, way) for way in outcomes
    }
    if scenario.streamed_trail is None:
        assert_equal(outcomes, list(outcomes), shown_alike=scenario.shown_alike)
        return
    assert_equal(outcomes, [way for way in outcomes if not streams(way)])
    assert_equal(outcomes, [way for way in outcomes if streams(way)])
    # What was cut off was paid for and judged as far as it came; all else is the same.
    whole, cut = outcomes["invoke"], outcomes["stream"]
    assert cut.shown == whole.shown
    assert cut.record["threshold"] == whole.record["threshold"]
    for fewer, all_of_it in zip(cut.lasting["calls"], whole.lasting["calls"], strict=True):
        if fewer["outcome"] == "aborted":
            assert fewer["usage"]["output_tokens"] < all_of_it["usage"]["output_tokens"]
        elif fewer["outcome"] == "failed":
            assert fewer["usage"] is not None
            assert all_of_it["usage"] is None
        else:
            assert fewer == all_of_it


def found(scenario: Scenario, outcome: Outcome) -> dict[str, Any]:
    """What of an outcome the scenario's row of the table speaks of."""
    record = outcome.record
    row = {name: record[name] for name in ("reason", "tier", "accepted")}
    row |= {"rule": record.get("rule"), "trail": outcome.trail}
    if speaks_of_class(scenario):
        row["class"] = record["class"]
    if scenario.raises is not None:
        row["shown"] = outcome.shown
    return row


def expected(scenario: Scenario, way: str) -> dict[str, Any]:
    row = {name: getattr(scenario, name) for name in ("reason", "tier", "accepted", "rule")}
    row["trail"] = list((streams(way) and scenario.streamed_trail) or scenario.trail)
    if speaks_of_class(scenario):
        row["class"] = scenario.class_name
    if scenario.raises is not None:
        row["shown"] = scenario.raises
    return row


def speaks_of_class(scenario: Scenario) -> bool:
    return scenario.rule is not None or scenario.class_name is not None


def assert_equal(
    outcomes: dict[str, Outcome], ways: Sequence[str], *, shown_alike: bool = True
) -> None:
    first = outcomes[ways[0]]
    for way in ways[1:]:
        assert outcomes[way].lasting == first.lasting, f"{way} differs from {ways[0]}"
        if shown_alike:
            assert outcomes[way].shown == first.shown, f"{way} shows something else"


def test_every_reason_that_one_request_can_have_is_in_the_table() -> None:
    # Only one framework has what makes these, or they are of another time.
    elsewhere = {"gate_no_context", "sticky", "cached", "tool_support", "unfinished"}
    elsewhere |= {"open", "deadline", "overtaken", "held", "cancelled", "learning"}
    assert {scenario.reason for scenario in TABLE} == set(get_args(Reason)) - elsewhere


def test_no_two_scenarios_have_one_name() -> None:
    names = [scenario.name for scenario in TABLE]
    assert len(names) == len(set(names))
