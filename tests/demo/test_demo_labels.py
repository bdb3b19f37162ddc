"""`cascade demo --labels` and `--policy`: from the demo's tickets to a policy and back, keyless."""

from __future__ import annotations

import csv
import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("langchain_openai")
pytest.importorskip("llama_index.llms.openai_like")

from cascade_core import Policy, collect_decisions
from cascade_core.calibration import tune
from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.replaying import replay
from cascade_core.labels import read_table
from cascade_core.logprobs import Logprobs
from cascade_core.usage import Usage
from cascade_demo import commands, measure
from cascade_demo.asking import FRAMEWORKS, open_asking
from cascade_demo.desk import grade, tickets
from cascade_demo.labels import Labels
from cascade_demo.show import print_labels
from tests.demo.test_demo_command import answer, report, text_of
from tests.running import Run

TUNE = tickets("tune", 40)
COLUMNS = [
    "id", "request", "class",
    "t0_model", "t0_response", "t0_quality", "t0_cost_usd", "t0_trajectory",
    "t0_signal_sequence_logprob",
    "t1_model", "t1_response", "t1_quality", "t1_cost_usd",
]  # fmt: skip
KEYS = {
    "cheap", "strong", "cascade", "framework", "tickets", "tune_tickets", "tune_readings",
    "threshold", "models", "prices", "classes",
}  # fmt: skip


def run(**options: Any) -> dict[str, Any]:
    """Run the command in this process, which saves importing two frameworks every time."""
    with redirect_stdout(StringIO()) as out:
        commands.demo(**options, as_json=True)
    said: dict[str, Any] = json.loads(out.getvalue())
    assert set(said) == KEYS
    return said


each_framework = pytest.mark.parametrize("framework", FRAMEWORKS)


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory, lent: None) -> dict[str, Path]:
    """The labelled table of every framework."""
    found = {}
    for framework in FRAMEWORKS:
        path = tmp_path_factory.mktemp(framework) / "labels.csv"
        run(tickets=2, tune=40, framework=framework, labels=path)
        found[framework] = path
    return found


@pytest.fixture(scope="module")
def table(tables: dict[str, Path]) -> Path:
    return tables["langchain"]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


# --- the table ------------------------------------------------------------------------------------


def test_the_table_holds_the_tickets_that_the_threshold_is_picked_on(table: Path) -> None:
    rows = rows_of(table)
    assert list(rows[0]) == COLUMNS
    assert [(r["id"], r["request"], r["class"]) for r in rows] == [
        (t.id, t.text, t.ticket_class) for t in TUNE
    ]
    for row, ticket in zip(rows, TUNE, strict=True):
        for tier, model in enumerate(("desk-small", "desk-large")):
            assert row[f"t{tier}_model"] == model
            assert row[f"t{tier}_quality"] == str(int(grade(row[f"t{tier}_response"], ticket)))
        assert 0 < float(row["t0_cost_usd"]) < float(row["t1_cost_usd"])
        assert 0 < float(row["t0_signal_sequence_logprob"]) <= 1


def test_both_frameworks_write_the_same_table(tables: dict[str, Path]) -> None:
    first, *others = (path.read_text() for path in tables.values())
    assert others == [first]


@each_framework
def test_the_cascade_reads_pays_and_decides_as_the_table_says(
    tables: dict[str, Path], framework: str, lent: None
) -> None:
    """Where a class has a threshold of its own, too: a ticket's class is told to the cascade."""
    path = tables[framework]
    classes = {TUNE[0].ticket_class: {"thresholds": [1.0]}}
    policy = Policy.load({"name": "by hand", "thresholds": [0.9], "classes": classes})
    found = replay(path, policy)
    with open_asking(framework, None, None) as asking, collect_decisions() as seen:
        ask = asking.cascade(policy)
        for ticket in TUNE:
            ask(ticket.text, ticket.ticket_class)
    assert [record["tier"] for record in seen] == found.served.tier.tolist()
    assert {record["policy"] for record in seen} == {"by hand"}
    for record, row in zip(seen, rows_of(path), strict=True):
        assert record["confidence"] == pytest.approx(float(row["t0_signal_sequence_logprob"]))
        paid = [float(row[f"t{call['tier']}_cost_usd"]) for call in record["calls"]]
        assert [call["cost_usd"] for call in record["calls"]] == pytest.approx(paid, rel=1e-12)
    threshold = {record["class"]: record["threshold"] for record in seen}
    assert threshold.pop(TUNE[0].ticket_class) == 1.0
    assert set(threshold.values()) == {0.9}


def labels_of(cheap: Draft, tmp_path: Path, **prices: Any) -> tuple[Labels, dict[str, str]]:
    labels = Labels(("small", "large"), prices)
    labels.add(TUNE[0], cheap, Draft("yes", usage=Usage(10, 10)))
    labels.write(tmp_path / "labels.csv")
    return labels, rows_of(tmp_path / "labels.csv")[0]


def test_what_has_no_price_is_empty_and_not_free(tmp_path: Path) -> None:
    price = {"input": "1", "output": "2"}
    _, row = labels_of(Draft("yes", usage=Usage(10, 10)), tmp_path, large=price)
    assert (row["t0_cost_usd"], float(row["t1_cost_usd"])) == ("", 3e-05)
    _, row = labels_of(Draft("yes"), tmp_path, small=price)
    assert row["t0_cost_usd"] == row["t1_cost_usd"] == ""


@pytest.mark.parametrize(
    "draft",
    [
        Draft("yes"),
        Draft("yes", logprobs=Logprobs(())),
        Draft("yes", logprobs=Logprobs((-0.1,)), finish="length"),
        Draft("I'm sorry, but I can't help with that.", logprobs=Logprobs((-0.1,))),
    ],
    ids=["silent", "empty", "cut off", "refused"],
)
def test_a_draft_that_is_never_accepted_has_no_reading(draft: Draft, tmp_path: Path) -> None:
    labels, row = labels_of(draft, tmp_path)
    assert (labels.n_read, labels.labelled[0].confidence) == (0, None)
    assert row["t0_signal_sequence_logprob"] == ""


def test_a_person_is_told_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    one = [answer(True)]
    print_labels(report(one, one, one), Path("my labels.csv"))
    out = capsys.readouterr().out.splitlines()
    assert "my labels.csv holds 40 tickets" in out[1]
    assert "  cascade tune 'my labels.csv' --quality 0.95 --out policy.json" in out
    assert "A promise such as --harm 0.05 takes about 300 tickets: --tune." in out
    assert "  cascade replay 'my labels.csv' --policy policy.json" in out


# --- the policy -----------------------------------------------------------------------------------


@each_framework
def test_a_policy_tuned_on_the_table_decides_the_held_out_tickets(
    table: Path, tmp_path: Path, framework: str, lent: None
) -> None:
    policy = tune(table, quality=0.9, name="mine")
    policy.save(tmp_path / "policy.json")
    said = run(tickets=12, framework=framework, policy=tmp_path / "policy.json")
    assert said["threshold"] == (policy.thresholds or ())[0]
    assert (said["tune_tickets"], said["tune_readings"], said["tickets"]) == (0, 0, 12)


def test_a_person_is_told_which_policy_decided() -> None:
    one = [answer(True)]

    def said(policy: Policy) -> str:
        return text_of(report(one, one, one, n_tune=0, n_read=0, policy=policy))

    simple = said(Policy(thresholds=(0.8,), name="mine"))
    assert "Decided by policy 'mine': drafts of a confidence of 0.8000 or more" in simple
    assert "other ticket" not in simple
    assert "Decided by the policy that was given" in said(Policy(thresholds=(0.8,)))
    classes = said(Policy.load({"thresholds": [0.8], "classes": {"a_b": {"thresholds": [1.0]}}}))
    assert "save in classes with thresholds of their own: a b." in classes


def test_a_tuned_policys_confidence_is_said_to_be_calibrated(table: Path) -> None:
    one = [answer(True)]
    policy = tune(table, quality=0.9, skip=False)
    assert "drafts of a calibrated confidence of" in text_of(report(one, one, one, policy=policy))


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"labels": "labels.txt"}, "labels.txt: is of no known kind"),
        ({"labels": "nowhere/labels.csv"}, "there is no directory nowhere"),
        ({"labels": "."}, "is a directory"),
        ({"policy": "none.json"}, "none.json cannot be read"),
    ],
)
def test_what_cannot_work_is_said_before_any_model_is_made_ready(
    given: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measure, "open_asking", pytest.fail)
    with pytest.raises(ConfigurationError, match=named):
        run(**{option: Path(path) for option, path in given.items()})


def test_a_policy_for_other_tiers_is_refused_before_any_ticket_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lent: None
) -> None:
    monkeypatch.setattr(measure, "_answer", pytest.fail)
    path = tmp_path / "policy.json"
    path.write_text('{"thresholds": [0.5, 0.5, 0.5]}')
    with pytest.raises(ConfigurationError, match="2 tiers need 1"):
        run(policy=path)


def test_labels_and_a_policy_together_are_one_line_and_status_2(demo_here: Run) -> None:
    ran = demo_here("--labels", "labels.csv", "--policy", "none.json")
    assert (ran.status, ran.out) == (2, "")
    assert "--policy picks none" in ran.err
    assert ran.err.count("\n") == 1


def test_a_table_that_is_there_is_not_written_over(tmp_path: Path, demo_here: Run) -> None:
    mine = tmp_path / "labels.csv"
    mine.write_text("600 labels")
    ran = demo_here("--tickets", "2", "--tune", "20", "--labels", str(mine))
    assert (ran.status, ran.out, mine.read_text()) == (2, "", "600 labels")
    assert f"{mine} is there already; move it away, or give the new table" in ran.err
    assert ran.err.count("\n") == 1


def test_the_table_written_is_one_that_tuning_reads(table: Path) -> None:
    assert len(read_table(table)) == 40
