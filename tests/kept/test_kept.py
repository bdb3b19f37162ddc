"""Files written by earlier versions are read as they always were.

`policy-*`, `table.*` and `decisions.jsonl` were written before the packages were laid out as they
are now, and `expected.json` says what a replay of each policy gave then.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cascade_core import Policy
from cascade_core.drift import watch
from cascade_core.evaluation import replay
from cascade_core.log.record import calls_of

HERE = Path(__file__).parent
EXPECTED = json.loads((HERE / "expected.json").read_text(encoding="utf-8"))
POLICIES = sorted(path.name for path in HERE.glob("policy-*"))


@pytest.mark.parametrize("case", sorted(EXPECTED))
def test_a_kept_policy_replays_a_kept_table_as_it_did(case: str) -> None:
    policy, table = case.split()
    again = replay(HERE / table, policy=HERE / policy).as_dict()
    assert {name: again[name] for name in EXPECTED[case]} == pytest.approx(EXPECTED[case])


@pytest.mark.parametrize("name", POLICIES)
def test_a_kept_policy_is_written_as_it_was_read(name: str, tmp_path: Path) -> None:
    policy = Policy.load(HERE / name)
    again = tmp_path / "again.json"
    policy.save(again)
    assert Policy.load(again) == policy
    assert Policy.load(again).fingerprint == policy.fingerprint
    if name.endswith(".json"):
        written = json.loads((HERE / name).read_text(encoding="utf-8"))
        assert holds(json.loads(again.read_text(encoding="utf-8")), written)


def holds(whole: object, part: object) -> bool:
    """Tell whether a document says all that another says; it may spell out defaults."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(holds(whole[key], part[key]) for key in part)
    if isinstance(part, list):
        return isinstance(whole, list) and all(map(holds, whole, part))
    return whole == part


def test_kept_decisions_are_watched() -> None:
    records = [json.loads(line) for line in (HERE / "decisions.jsonl").open(encoding="utf-8")]
    tuned = Policy.load(HERE / "policy-quality.json").tuned
    assert tuned is not None
    assert tuned.reference is not None
    report = watch(records, tuned.reference, policy="quality")
    assert (report.rows, report.skipped) == (2, {"policy": 6})


def test_the_calls_of_kept_decisions_are_read_back() -> None:
    for line in (HERE / "decisions.jsonl").open(encoding="utf-8"):
        record = json.loads(line)
        calls = calls_of(record)
        assert [call.outcome for call in calls] == [call["outcome"] for call in record["calls"]]
        paid = [call.cost for call in calls]
        if None not in paid:
            assert float(sum(paid)) == pytest.approx(record["cost_usd"])
