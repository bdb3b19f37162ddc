"""The difference between two policies, in lines: what a threshold means is part of it."""

from __future__ import annotations

from typing import Any

import pytest

from cascade_core.policy.changes import changes

LOGISTIC = {"kind": "logistic", "inputs": [f"request:f{i}" for i in range(7)]}
BENEFIT = {"weight": 0.5, "next": {"score": LOGISTIC}}
EXTRA = {"power": 1.0, "mean": 0.3}
FORESIGHT = {"unread": ["judge"], "spread": 0.5, "price": 0.1}


def policy(**calibrator: Any) -> dict[str, Any]:
    return {"calibrators": [{"score": {"kind": "signal", "signal": "s"}, **calibrator}]}


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ({}, {"benefit": BENEFIT}, ["benefit.weight: new, 0.5"]),
        ({"benefit": BENEFIT}, {}, ["benefit.weight: gone, 0.5"]),
        (
            {"benefit": BENEFIT, "usual": 0.9},
            {"benefit": {**BENEFIT, "weight": 1.0}, "usual": 0.8},
            ["benefit.weight: 0.5 -> 1.0", "usual: 0.9 -> 0.8"],
        ),
        ({"benefit": BENEFIT}, {"benefit": {**BENEFIT, "next": {}}}, ["benefit: fitted anew"]),
        ({}, {"extra_cost": EXTRA}, ["extra_cost.power: new, 1.0"]),
        (
            {"extra_cost": EXTRA},
            {"extra_cost": {**EXTRA, "mean": 0.4}},
            ["extra_cost: fitted anew"],
        ),
        ({}, {"foresight": [FORESIGHT]}, ["foresight judge.spread: new, 0.5"]),
        (
            {"foresight": [FORESIGHT]},
            {"foresight": [{**FORESIGHT, "price": 0.2}]},
            ["foresight judge: fitted anew"],
        ),
    ],
)
def test_what_a_threshold_is_held_against_is_told(one: Any, other: Any, said: list[str]) -> None:
    assert changes(policy(**one), policy(**other)) == [f"calibrators[0].{line}" for line in said]


def test_a_score_is_told_by_what_it_is_made_of() -> None:
    mean = {"kind": "mean", "parts": [LOGISTIC, {"kind": "boosting"}]}
    (line,) = changes(policy(score=LOGISTIC), policy(score=mean, curve={"kind": "platt"}))
    assert line == (
        "calibrators[0]: logistic of request:f0, request:f1, request:f2, request:f3, request:f4 "
        "and 2 more -> mean of logistic and boosting with platt curve"
    )
