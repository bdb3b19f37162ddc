"""Makes every mistake on the command line that docs/troubleshooting.md explains.

Each one is a function that prepares a folder and returns the arguments of `cascade`; what is said
on standard error is its message.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cascade_core.log import audit_event
from tests.core.commands.making import BY_A, ladder

Mistake = Callable[[], Sequence[str]]
MISTAKES: list[Mistake] = []
TUNE = ["tune", "labels.csv", "--harm", "0.05", "--out", "policy.json"]


def mistake(prepare: Mistake) -> Mistake:
    MISTAKES.append(prepare)
    return prepare


def table(columns: Mapping[str, Sequence[Any]], **changed: Any) -> None:
    """Write labels.csv; a column that is None is left out."""
    kept = {name: cells for name, cells in {**columns, **changed}.items() if cells is not None}
    with Path("labels.csv").open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(kept)
        lines.writerows(zip(*kept.values(), strict=True))


def requests(*rows: Mapping[str, Any]) -> None:
    text = "".join(json.dumps(row) + "\n" for row in rows)
    Path("requests.jsonl").write_text(text, "utf-8")


# --- tune -----------------------------------------------------------------------------------------


@mistake
def no_objective() -> Sequence[str]:
    table(ladder(400, 40))
    return ["tune", "labels.csv", "--out", "policy.json"]


@mistake
def no_table() -> Sequence[str]:
    return TUNE


@mistake
def a_column_by_another_name() -> Sequence[str]:
    columns = ladder(400, 40)
    table(columns, t0_quality=None, t0_qualty=columns["t0_quality"])
    return TUNE


@mistake
def a_quality_in_percent() -> Sequence[str]:
    table(ladder(400, 40), t1_quality=[100] * 400)
    return TUNE


@mistake
def a_repeated_id() -> Sequence[str]:
    table(ladder(400, 40), id=["r1"] * 400)
    return TUNE


@mistake
def no_signal() -> Sequence[str]:
    table(ladder(400, 40), t0_signal_a=None)
    return TUNE


@mistake
def few_rows() -> Sequence[str]:
    table(ladder(12, 3))
    return TUNE


@mistake
def too_few_for_the_promise() -> Sequence[str]:
    table(ladder(40, 4))
    return TUNE


@mistake
def a_signal_that_tells_nothing() -> Sequence[str]:
    columns = ladder(1000, 300)
    table(columns, t0_signal_a=[0.5] * 1000)
    return TUNE


@mistake
def the_strong_model_is_cheaper() -> Sequence[str]:
    table(ladder(1000, 300), t0_cost_usd=[0.009] * 1000)
    return TUNE


@mistake
def no_threshold_is_good_enough() -> Sequence[str]:
    table(ladder(1000, 300))
    return ["tune", "labels.csv", "--quality", "1.2", "--out", "policy.json"]


@mistake
def unpriced_rows() -> Sequence[str]:
    table(ladder(1000, 300), t0_cost_usd=[""] * 1000)
    return ["tune", "labels.csv", "--max-cost", "0.004", "--out", "policy.json"]


@mistake
def a_policy_as_toml() -> Sequence[str]:
    table(ladder(400, 40))
    return [*TUNE[:-1], "policy.toml"]


@mistake
def no_classes() -> Sequence[str]:
    table(ladder(400, 40))
    return [*TUNE, "--per-class"]


@mistake
def no_trajectories() -> Sequence[str]:
    table(ladder(400, 40))
    return [*TUNE, "--commit"]


# --- replay and drift -----------------------------------------------------------------------------


def policy(**document: Any) -> None:
    Path("policy.json").write_text(json.dumps(document), "utf-8")


@mistake
def a_policy_without_thresholds() -> Sequence[str]:
    table(ladder(400, 40))
    policy(name="mine")
    return ["replay", "labels.csv", "--policy", "policy.json"]


@mistake
def a_policy_for_more_tiers() -> Sequence[str]:
    table(ladder(400, 40))
    policy(thresholds=[0.8, 0.7, 0.6])
    return ["replay", "labels.csv", "--policy", "policy.json"]


@mistake
def a_table_without_the_signal() -> Sequence[str]:
    columns = ladder(400, 40)
    table(columns, t0_signal_a=None, t0_signal_b=columns["t0_signal_a"])
    policy(thresholds=[0.5], calibrators=[BY_A])
    return ["replay", "labels.csv", "--policy", "policy.json"]


@mistake
def drift_from_nothing() -> Sequence[str]:
    policy(thresholds=[0.8])
    Path("decisions.jsonl").write_text("", "utf-8")
    return ["drift", "decisions.jsonl", "--policy", "policy.json"]


# --- collect, check, demo -------------------------------------------------------------------------

TIERS = ["--tier", "openai:gpt-4o-mini", "--tier", "openai:gpt-4o"]


@mistake
def collecting_over_a_table() -> Sequence[str]:
    requests({"request": "When is my invoice due?"})
    table(ladder(4, 1))
    return ["collect", "requests.jsonl", *TIERS, "--out", "labels.csv"]


@mistake
def an_empty_request() -> Sequence[str]:
    requests({"request": ""})
    return ["collect", "requests.jsonl", *TIERS, "--out", "labels.csv"]


@mistake
def requests_as_text() -> Sequence[str]:
    Path("requests.txt").write_text("When is my invoice due?\n", "utf-8")
    return ["collect", "requests.txt", *TIERS, "--out", "labels.csv"]


@mistake
def exact_without_references() -> Sequence[str]:
    requests({"request": "When is my invoice due?"})
    return ["collect", "requests.jsonl", *TIERS, "--quality", "exact", "--out", "labels.csv"]


@mistake
def judge_without_a_judge() -> Sequence[str]:
    requests({"request": "When is my invoice due?"})
    return ["collect", "requests.jsonl", *TIERS, "--quality", "judge", "--out", "labels.csv"]


@mistake
def a_cap_without_a_price() -> Sequence[str]:
    requests({"request": "When is my invoice due?"})
    tiers = ["--tier", "openai:my-model", "--tier", "openai:gpt-4o"]
    return ["collect", "requests.jsonl", *tiers, "--max-cost", "5", "--out", "labels.csv"]


@mistake
def one_tier_to_collect_from() -> Sequence[str]:
    requests({"request": "When is my invoice due?"})
    return ["collect", "requests.jsonl", *TIERS[:2], "--out", "labels.csv"]


@mistake
def a_function_that_is_not_there() -> Sequence[str]:
    requests({"request": "When is my invoice due?"})
    return ["collect", "requests.jsonl", *TIERS, "--quality", "mine:grade", "--out", "labels.csv"]


@mistake
def no_provider() -> Sequence[str]:
    return ["check", "my-model", "openai:gpt-4o"]


@mistake
def an_unknown_framework() -> Sequence[str]:
    return ["demo", "--framework", "langgraph"]


@mistake
def labels_that_are_there() -> Sequence[str]:
    table(ladder(4, 1))
    return ["demo", "--labels", "labels.csv"]


@mistake
def an_unknown_option() -> Sequence[str]:
    return ["tune", "labels.csv", "--harm", "2 %", "--out", "policy.json"]


# --- audit ----------------------------------------------------------------------------------------


@mistake
def a_log_audited_at_another_rate() -> Sequence[str]:
    drawn = {"rate": 0.5, "seed": 0}
    event = audit_event("a", status="done", probability=0.5, compare="auto")
    Path("decisions.jsonl").write_text(json.dumps({**event, "drawn_later": drawn}) + "\n", "utf-8")
    return ["audit", "decisions.jsonl", "--tier", "demo:desk-small", "--tier", "demo:desk-large"]
