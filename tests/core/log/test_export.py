"""A log's audits as a labelled table: who is a row, with which weight, and what is left out."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascade_core.calibration import tune
from cascade_core.errors import ConfigurationError
from cascade_core.labels import read_table, write_table
from cascade_core.log import audit_event, feedback_event
from cascade_core.log.export import export
from tests.benchmarks import round_trip
from tests.core.calibration.labels import columns
from tests.core.log.traffic import served

Json = dict[str, Any]


def said(found: Any) -> str:
    return "\n".join(found.said())


def test_a_row_has_what_the_table_had() -> None:
    table = columns(40)
    found = export(*served(table, rate=1.0))
    assert found.said() == []
    rows = {row["id"]: row for row in found.rows}
    assert list(rows) == table["id"]
    for row, name in enumerate(table["id"]):
        for column in table:
            assert rows[name][column] == table[column][row]
    assert {row["weight"] for row in found.rows} == {1.0}
    assert not any("t1_signal_a" in row for row in found.rows), "the last tier decides nothing"


def test_a_row_weighs_what_it_stands_for() -> None:
    table = columns(2000)
    rates = np.where(np.arange(2000) % 4 == 0, 0.5, 0.1)
    found = export(*served(table, rate=rates))
    assert {row["weight"] for row in found.rows} == {2.0, 10.0}
    assert sum(row["weight"] for row in found.rows) == pytest.approx(2000, rel=0.1)
    weighted = sum(row["weight"] * row["t0_quality"] for row in found.rows)
    mean = weighted / sum(row["weight"] for row in found.rows)
    assert mean == pytest.approx(np.mean(table["t0_quality"]), abs=0.05)


def test_conversations_and_repeated_requests_stay_together() -> None:
    threads = {0: "t", 1: "t", 2: None, 3: None, 4: None}
    digests = ["x", "y", "x", "x", "z"]
    found = export(
        *served(
            columns(5),
            rate=1.0,
            thread=lambda row: threads[row],
            digest=lambda row: digests[row],
        )
    )
    assert [row["group"] for row in found.rows] == ["t", "t", "x", "x", None]


def test_audits_that_were_not_done_are_no_rows_and_are_counted() -> None:
    records, events = served(columns(20), rate=1.0)
    events[0] |= {"status": "skipped", "why": "budget", "tiers": []}
    events[1] |= {"status": "failed", "why": "RateLimitError", "tiers": []}
    del events[2]
    found = export(records, events)
    assert len(found.rows) == 17
    assert "3 of 20 audits were not done" in said(found)
    for why in ("skipped: budget 1", "failed: RateLimitError 1", "not yet done 1"):
        assert why in said(found)


def test_an_audit_that_is_made_later_counts_once() -> None:
    records, events = served(columns(3), rate=1.0)
    skipped = events[0] | {"status": "skipped", "why": "budget", "tiers": []}
    for order in ([skipped, *events], [*events, skipped]):
        found = export(records, order)
        assert [row["id"] for row in found.rows] == ["r0", "r1", "r2"]
        assert not found.left_out


@pytest.mark.parametrize(("times", "often"), [(1, "once"), (2, "2 times")])
def test_feedback_is_no_row_and_said(times: int, often: str) -> None:
    records, events = served(columns(3), rate=1.0)
    found = export(records, [*events, *[feedback_event("r0", 1.0)] * times])
    assert len(found.rows) == 3
    assert f"feedback, given {often}, is no row" in said(found)


def test_requests_that_could_not_be_picked_are_said() -> None:
    records, events = served(columns(10), rate=1.0)
    del records[0]["audit"]
    records[1]["audit"] = {"probability": 0.0, "picked": False}
    records[2]["reason"] = "pinned"
    records[3] |= {"tier": None, "reason": "exhausted"}
    found = export(records, events[3:])
    assert (found.decisions, found.ineligible, len(found.rows)) == (9, 3, 6)
    assert "3 of 9 answered requests could not be audited" in said(found)


def test_requests_before_one_that_was_drawn_later_had_their_chance() -> None:
    records, events = served(columns(10), rate=1.0)
    for record in records:
        del record["audit"]
    drawn = [events[row] | {"drawn_later": {"rate": 0.5, "seed": 0}} for row in (2, 6)]
    found = export(records, drawn)
    assert (found.picked, len(found.rows), found.ineligible) == (2, 2, 3)
    records[3]["reason"] = "cached"
    assert export(records, drawn).ineligible == 4


def test_feedback_is_no_row_and_is_said() -> None:
    records, events = served(columns(4), rate=0.0)
    found = export(records, [*events, feedback_event("r1", 0.0), feedback_event("r1", 1.0)])
    assert found.rows == []
    assert "feedback, given 2 times, is no row" in said(found)


def test_decisions_of_several_cascades_make_no_table_unless_one_is_chosen() -> None:
    records, events = served(columns(6), rate=1.0, cascade=lambda row: "ab"[row % 2])
    with pytest.raises(ConfigurationError, match="decisions of several cascades"):
        export(records, events)
    assert [row["id"] for row in export(records, events, cascade="b").rows] == ["r1", "r3", "r5"]


def test_one_version_of_the_policy_can_be_chosen() -> None:
    records, events = served(columns(6), rate=1.0, policy_version=lambda row: row % 3)
    found = export(records, events, policy_version="2")
    assert [row["id"] for row in found.rows] == ["r2", "r5"]


def test_texts_are_a_column_where_every_row_has_them() -> None:
    asked = [{"role": "user", "text": "a"}, {"role": "assistant", "text": "b"}]
    whole = export(
        *served(columns(3), rate=1.0, request=[*asked, {"role": "user", "text": "\ud800c"}])
    )
    assert [row["request"] for row in whole.rows] == ["?c"] * 3, "what confidences read of it"
    records, events = served(columns(3), rate=1.0, request=asked, response="here")
    del records[1]["request"]
    found = export(records, events)
    assert not any("request" in row for row in found.rows)
    assert "the column request is left out: only 2 of 3 rows have it" in said(found)
    assert not any("t0_response" in row and "t1_response" in row for row in found.rows)


def handed_off(kept: bool) -> tuple[list[Json], list[Json]]:
    """One in three requests was answered by somebody else in the last tier's place."""
    table = {name: values for name, values in columns(30).items() if "response" not in name}
    records, events = served(table, rate=1.0, threshold=2.0, response="of a person")
    for record, event in zip(records[::3], events[::3], strict=True):
        record |= {"handoff": True, "handed_to": "queue"}
        if kept:
            event["tiers"][1]["response"] = "of the last tier"
    return records, events


def test_what_somebody_answered_in_the_last_tiers_place_is_not_taken_for_its_answer() -> None:
    found = export(*handed_off(kept=True))
    texts = [row["t1_response"] for row in found.rows]
    assert texts == ["of the last tier", "of a person", "of a person"] * 10
    # Where its own answer was not kept there is no text of it, and so no column.
    assert "t1_response" not in export(*handed_off(kept=False)).rows[0]


def test_a_gate_that_a_draft_failed_is_kept() -> None:
    records, events = served(columns(2), rate=1.0)
    events[0]["tiers"][0] |= {"reason": "gate_refusal", "signals": {}}
    rows = export(records, events).rows
    assert rows[0]["t0_gate"] == "gate_refusal"
    assert "t0_gate" not in rows[1]


def test_prices_of_paid_signals_are_kept() -> None:
    records, events = served(columns(2), rate=1.0)
    events[0]["tiers"][0]["paid"] = {"a": 0.25, "unread": 1.0}
    rows = export(records, events).rows
    assert rows[0]["t0_paid_a_usd"] == 0.25
    assert "t0_paid_unread_usd" not in rows[0]


def test_what_makes_a_table_doubtful_is_said() -> None:
    records, events = served(columns(4), rate=1.0)
    events[0] |= {"why": "undecided", "compare": "auto"}
    events[1]["tiers"][1]["model"] = "m9"
    del events[2]["tiers"][0]
    text = said(export(records, events))
    assert "in 1 of 4 rows it could not be told whether the answers agree" in text
    assert "several comparisons: function:grade 3, auto 1" in text
    assert "tier 1 answered as several models (m1 3, m9 1)" in text
    assert "tier 0 was not asked in 1 of 4 rows" in text


@pytest.fixture(scope="module")
def of_every_kind() -> list[dict[str, Any]]:
    """Rows that hold every kind of column, and texts that a spreadsheet would take for more."""
    table = columns(900, texts=True, classes=True)
    asked = table["request"]
    found = export(
        *served(
            table,
            rate=np.where(np.arange(900) % 3 == 0, 0.7, 0.3),
            thread=lambda row: f"=thread {row // 2}",
            request=lambda row: [{"role": "user", "text": asked[row]}],
        )
    )
    return list(found.rows)


@pytest.fixture(scope="module")
def tuned(of_every_kind: list[dict[str, Any]]) -> dict[str, Any]:
    return policy_of(of_every_kind)


def policy_of(given: Any) -> dict[str, Any]:
    """Tune on a table, and leave out what names the table."""
    policy = tune(given, quality=0.97, method="signal", skip=False, name="p").model_dump()
    for name in ("table", "fitted_table"):
        assert policy["tuned"].pop(name) is not None
    return policy


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".csv.gz", ".parquet"])
def test_a_table_tunes_to_the_same_policy_from_any_file(
    tmp_path: Path, suffix: str, of_every_kind: list[dict[str, Any]], tuned: dict[str, Any]
) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"labels{suffix}"
    write_table(path, deepcopy(of_every_kind))
    table = read_table(path)
    assert table.requests is not None  # what a route is fitted to
    assert [*table.requests] == [row["request"] for row in of_every_kind]
    assert policy_of(table) == tuned


def test_audits_tune_to_what_a_fully_labelled_table_gives_but_for_chance() -> None:
    """`tests/benchmarks/round_trip.py` prints the figures of many runs."""
    truth = round_trip.fresh(20_000)
    for seed in (1, 2):
        found = round_trip.run(seed, 4_000, truth)
        for name in ("audits, even", "audits, uneven"):
            assert found[name]["harm"] <= round_trip.HARM
            assert found[name]["escalated"] == pytest.approx(
                found["all rows"]["escalated"], abs=0.06
            )


def test_by_time_a_row_weighs_by_what_makes_it_unlike_others_of_its_time() -> None:
    chances = [(1.0, None), (0.05, None), (0.01, 0.05), (0.5, 1.0), (1.0, 0.05), (0.5, "x")]
    events = [
        audit_event(
            f"d{row}",
            status="done",
            probability=chance,
            compare="auto",
            tiers=[
                {"tier": tier, "model": "m", "quality": 1.0, "cost_usd": 1.0} for tier in (0, 1)
            ],
            rate=rate,  # type: ignore[arg-type]
        )
        for row, (chance, rate) in enumerate(chances)
    ]
    records = [{"id": f"d{row}", "tier": 0, "reason": "confident"} for row in range(len(chances))]
    rows = [export(records, events, by_time=by_time).rows for by_time in (False, True)]
    assert [row["weight"] for row in rows[0]] == pytest.approx([1, 20, 100, 2, 1, 2])
    assert [row["weight"] for row in rows[1]] == pytest.approx([1, 1, 5, 2, 0.05, 1])
