"""Tracers of both frameworks are told of each decision what its record says, however it was asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from langchain_core.tracers.context import collect_runs
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.span_handlers import SimpleSpanHandler

from cascade_core.loop.outcomes import outcome_of
from cascade_core.loop.run_metadata import DECISION
from tests.parity import langchain_way
from tests.parity.scenarios import Scenario
from tests.parity.test_parity import FRAMEWORKS, TABLE

pytestmark = pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")

LATER = {f"cascade_{name}" for name in ("outcome", "reason", "cost_usd", "confidence", "threshold")}
"""What shadow mode finds out behind the answer, when LangChain's run has ended."""


def ending(scenario: Scenario) -> tuple[Any, ...]:
    """What tracers can be told of; how it came to that is `test_parity`'s."""
    came = scenario.reason, scenario.tier, scenario.accepted, scenario.raises
    named = scenario.rule is None, scenario.class_name is None
    cut = scenario.streamed_trail is not None
    return scenario.kind, scenario.settings.get("mode"), cut, *came, *named


ENDINGS = list({ending(scenario): scenario for scenario in reversed(TABLE)}.values())
"""The first scenario of each ending."""


@contextmanager
def told(framework: Any) -> Iterator[list[dict[str, Any]]]:
    """What tracers are told of decisions."""
    found: list[dict[str, Any]] = []
    if framework is langchain_way:
        with collect_runs() as seen:
            yield found
        runs = list(seen.traced_runs)
        for run in runs:  # the list grows: a run's children stand behind it
            runs += run.child_runs
        found += [run.metadata for run in runs if "cascade_outcome" in run.metadata]
        return
    root, spans = get_dispatcher(), SimpleSpanHandler()
    root.span_handlers = [*root.span_handlers, spans]
    yield found
    # Its place is not known: the cascade's own may have come behind it.
    root.span_handlers = [each for each in root.span_handlers if each is not spans]
    ended = [*spans.completed_spans, *spans.dropped_spans]
    found += [span.tags for span in ended if "cascade_outcome" in span.tags]


@pytest.mark.parametrize("scenario", ENDINGS, ids=lambda each: each.name.replace(" ", "-"))
async def test_what_tracers_are_told_is_what_the_record_says(scenario: Scenario) -> None:
    names = set(DECISION) - (LATER if scenario.settings.get("mode") == "shadow" else set())
    heard, expected = {}, {}
    for framework, way in FRAMEWORKS:
        with told(framework) as found:
            record = (await framework.run(scenario, way)).record
        heard[way] = [
            {name: value for name, value in each.items() if name in names}
            for each in found
            if each["cascade_decision_id"] == record["id"]
        ]
        says = {name: record.get(name.removeprefix("cascade_")) for name in DECISION}
        says |= {"cascade_decision_id": record["id"], "cascade_outcome": outcome_of(record)}
        expected[way] = [
            {name: says[name] for name in DECISION if name in names and says[name] is not None}
        ]
    assert heard == expected
