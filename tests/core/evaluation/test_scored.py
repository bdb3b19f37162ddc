"""A policy over a table decides as a running cascade does."""

import math

import numpy as np
import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.scored import serve, thresholds_of
from cascade_core.evaluation.scoring import score
from cascade_core.fitted.curves import logit
from cascade_core.fitted.merits import MeritParts
from cascade_core.labels import Table, TierColumns
from cascade_core.policy import Policy
from cascade_core.request import Request
from cascade_core.signals import BaseSignal, SequenceLogprob
from tests.core.making import Answer, make_tiers, plan_for, play

CURVE = {"kind": "platt", "slope": 1.3, "intercept": -0.4}
BY_LOGPROB = {"score": {"kind": "signal", "signal": "sequence_logprob"}, "curve": CURVE}
WITH_TEXT = {
    "score": {
        "kind": "logistic",
        "inputs": ["signal:sequence_logprob", "draft:words", "request:words"],
        "low": [0.0, 0.0, 0.0],
        "high": [1.0, 9.0, 9.0],
        "fill": [0.5, 1.0, 1.0],
        "weights": [4.0, 0.3, -0.5],
        "missing": [0.2, 0.0, 0.0],
        "intercept": -1.5,
    },
    "curve": CURVE,
    "class_curves": {"hard": {"kind": "isotonic", "x": [0.1, 0.9], "y": [0.0, 0.6]}},
}
STAGES = [
    {
        "cost_usd": 1.0,
        "quality": 0.9,
        "accepted": 0.5,
        "accepts": {
            "score": {
                "kind": "logistic",
                "inputs": ["request:words"],
                "low": [0.0],
                "high": [9.0],
                "fill": [0.0],
                "weights": [-2.0],
                "missing": [0.0],
                "intercept": 4.0,
            }
        },
    },
    {"cost_usd": 3.0, "quality": 0.9, "accepted": 0.4},
    {"cost_usd": 10.0, "quality": 0.95},
]


def rows(n=80, tiers=3, seed=0):
    """Rows that a cascade of fakes can be asked about, some without a reading."""
    rng = np.random.default_rng(seed)
    readings = [np.where(rng.random(n) < 0.1, np.nan, rng.random(n)) for _ in range(tiers)]
    return Table(
        "made up",
        tuple(
            TierColumns(
                model=f"m{k}",
                quality=rng.integers(0, 2, n).astype(float),
                cost=np.full(n, 10.0**k),
                signals={"sequence_logprob": readings[k]} if k < tiers - 1 else {},
                paid={},
                responses=["word " * int(w) for w in rng.integers(1, 30, n)],
            )
            for k in range(tiers)
        ),
        ids=[str(row) for row in range(n)],
        classes=rng.integers(-1, 2, n).astype(np.int64),
        class_names=("easy", "hard"),
        requests=["ask " * int(w) for w in rng.integers(1, 30, n)],
    )


def ask(plan, table, row):
    """Ask a running cascade what the table's row says."""
    answers = []
    for tier in table.tiers:
        reading = tier.signals.get("sequence_logprob", np.full(len(table), np.nan))[row]
        values = None if np.isnan(reading) else [math.log(reading)]
        answers.append(Answer(tier.responses[row], values=values))
    request = Request.of(table.requests[row])
    code = table.classes[row]
    if code >= 0:
        request.metadata = {"cascade_class": table.class_names[code]}
    return play(plan, *answers, request=request)[0]


@pytest.mark.parametrize(
    "document",
    [
        {"thresholds": [0.5, 0.6]},
        {"calibrators": [BY_LOGPROB, BY_LOGPROB], "thresholds": [0.5, 0.6]},
        {"calibrators": [WITH_TEXT, WITH_TEXT], "thresholds": [0.55, 0.4]},
        {
            "calibrators": [WITH_TEXT, BY_LOGPROB],
            "thresholds": [0.5, 0.5],
            "classes": {"hard": {"thresholds": [0.9, 0.2]}},
            "route": {"stages": STAGES},
        },
    ],
)
def test_every_row_ends_where_a_running_cascade_ends(document):
    table, policy = rows(), Policy.load(document)
    plan = plan_for(tiers=make_tiers(3), policy=policy, thresholds=None)
    served = serve(score(table, policy), thresholds_of(policy, table))
    assert len(set(served.tier)) == 3  # the policy tells rows apart
    for row in range(len(table)):
        verdict = ask(plan, table, row)
        assert verdict.tier == served.tier[row]
        assert {call.tier for call in verdict.calls} == set(np.flatnonzero(served.asked[row]))


class Judged(BaseSignal):
    """A paid signal that says what a table's row says of the tier it is asked about."""

    paid = True

    def __init__(self, name="judge"):
        self.name, self.says, self.asked = name, {}, []

    def measure(self, request, draft, tier):
        self.asked.append(tier.index)
        return self.says[tier.index]
        yield


BY_BOTH = {
    "score": {
        "kind": "logistic",
        "inputs": ["signal:sequence_logprob", "signal:judge", "draft:words"],
        "low": [0.0] * 3,
        "high": [1.0, 1.0, 9.0],
        "fill": [0.5, 0.5, 1.0],
        "weights": [4.0, 2.0, -0.3],
        "missing": [0.2, 0.0, 0.0],
        "intercept": -2.0,
    },
    "class_curves": {"hard": CURVE},
}
BY_JUDGE_AND_TEXT = {
    "score": {
        "kind": "logistic",
        "inputs": ["signal:judge", "draft:words"],
        "low": [0.0] * 2,
        "high": [1.0, 9.0],
        "fill": [0.5, 1.0],
        "weights": [2.0, -0.9],
        "missing": [0.0, 0.0],
        "intercept": 1.5,
    },
}
TREE_OF_BOTH = {
    "score": {
        "kind": "boosting",
        "inputs": ["signal:sequence_logprob", "signal:judge"],
        "base": 0.0,
        "roots": [0],
        "feature": [0, 1, 1, -1, -1, -1, -1],
        "threshold": [0.5, 0.3, 0.6, 0.0, 0.0, 0.0, 0.0],
        "missing_left": [True] * 7,
        "left": [1, 3, 5, -1, -1, -1, -1],
        "right": [2, 4, 6, -1, -1, -1, -1],
        "value": [0.0, 0.0, 0.0, -2.0, 0.1, -0.1, 2.0],
    }
}


@pytest.mark.parametrize(
    "document",
    [
        {"thresholds": [0.5, 0.6]},
        {"calibrators": [BY_BOTH, BY_BOTH], "thresholds": [0.55, 0.6]},
        {"calibrators": [TREE_OF_BOTH, BY_LOGPROB], "thresholds": [0.45, 0.5]},
        {
            "calibrators": [BY_BOTH, TREE_OF_BOTH],
            "thresholds": [0.6, 0.5],
            "classes": {"hard": {"thresholds": [0.4, 0.6]}},
            "route": {"stages": STAGES},
        },
        {"calibrators": [BY_LOGPROB, BY_BOTH], "thresholds": [0.6, 0.6]},
        {"calibrators": [BY_JUDGE_AND_TEXT, BY_BOTH], "thresholds": [0.5, 0.6]},
    ],
)
def test_a_paid_signal_is_paid_where_a_running_cascade_asks_for_it(document):
    table, policy = rows(n=120), Policy.load(document)
    rng = np.random.default_rng(3)
    for tier in table.tiers[:-1]:
        read = np.where(rng.random(len(table)) < 0.1, np.nan, rng.random(len(table)))
        tier.signals["judge"] = read
        tier.paid["judge"] = np.where(np.isnan(read), np.nan, 0.25)
    judge = Judged()
    signals = [SequenceLogprob(), judge]
    plan = plan_for(tiers=make_tiers(3), policy=policy, thresholds=None, signals=signals)
    scored, thresholds = score(table, policy), thresholds_of(policy, table)
    served = serve(scored, thresholds)
    told = [scored.told(k, threshold) for k, threshold in enumerate(thresholds)]
    spared = 0
    for row in range(len(table)):
        judge.asked.clear()
        readings = [tier.signals["judge"][row] for tier in table.tiers[:-1]]
        judge.says = {k: None if np.isnan(v) else v for k, v in enumerate(readings)}
        verdict = ask(plan, table, row)
        assert verdict.tier == served.tier[row]
        asked = [k for k in judge.asked if not np.isnan(readings[k])]
        assert served.cost[row] == served.asked[row] @ [1, 10, 100] + 0.25 * len(asked)
        spared += served.asked[row][:-1].sum() - len(judge.asked)
        last = verdict.tier if verdict.accepted else served.asked[row][:-1].nonzero()[0].max()
        if verdict.judged.confidence is not None:
            assert verdict.judged.confidence == pytest.approx(told[last][row])
    assert spared > 10


BY_TWO = {
    "score": {
        "kind": "logistic",
        "inputs": ["signal:sequence_logprob", "signal:judge", "signal:second"],
        "low": [0.0] * 3,
        "high": [1.0] * 3,
        "fill": [0.5] * 3,
        "weights": [4.0, 1.5, 1.5],
        "missing": [0.0] * 3,
        "intercept": -3.0,
    },
}


def foreseeing(unread, *, price, spread=1.0):
    columns = ("inputs", "low", "high", "fill", "weights", "missing")
    read = {name: BY_TWO["score"][name][:1] for name in columns}
    score = {"kind": "logistic", **read, "intercept": -1.5}
    return {"unread": unread, "price": price, "spread": spread, "score": score}


FORESEEING = {
    **BY_TWO,
    "usual": 0.9,
    "foresight": [
        foreseeing(["judge", "second"], price=0.025),
        foreseeing(["second"], price=0.05, spread=0.5),
    ],
}


@pytest.mark.parametrize("by", [BY_TWO, FORESEEING], ids=["may change", "worth its price"])
def test_of_two_paid_signals_each_is_paid_where_the_others_leave_it_open(by):
    table, policy = rows(n=200), Policy.load({"calibrators": [by] * 2, "thresholds": [0.5] * 2})
    judges = [Judged("judge"), Judged("second")]
    rng = np.random.default_rng(5)
    for tier in table.tiers[:-1]:
        for judge, price in zip(judges, (0.25, 0.5), strict=True):
            read = np.where(rng.random(len(table)) < 0.2, np.nan, rng.random(len(table)))
            tier.signals[judge.name] = read
            tier.paid[judge.name] = np.where(np.isnan(read), np.nan, price)
    plan = plan_for(
        tiers=make_tiers(3), policy=policy, thresholds=None, signals=[SequenceLogprob(), *judges]
    )
    served = serve(score(table, policy), thresholds_of(policy, table))
    for row in range(len(table)):
        paid = 0.0
        for judge in judges:
            judge.asked.clear()
            readings = [tier.signals[judge.name][row] for tier in table.tiers[:-1]]
            judge.says = {k: None if np.isnan(v) else v for k, v in enumerate(readings)}
        assert ask(plan, table, row).tier == served.tier[row]
        for judge, price in zip(judges, (0.25, 0.5), strict=True):
            paid += price * sum(judge.says[tier] is not None for tier in judge.asked)
        assert served.cost[row] == pytest.approx(served.asked[row] @ [1, 10, 100] + paid)


def test_what_signals_leave_possible_lies_about_confidences_out_of_fold():
    """A fit to the very rows knows their outcomes: its bounds would tell them to what is picked."""
    table, policy = rows(n=4, tiers=2), Policy.load({"calibrators": [BY_TWO]})
    (tier, _), nothing = table.tiers, np.full(4, np.nan)
    tier.signals.update(sequence_logprob=np.full(4, 0.5), judge=np.full(4, 0.5), second=nothing)
    tier.paid["judge"] = np.full(4, 0.25)
    (own,) = set(score(table, policy).confidences[0])
    given = np.array([0.1, 0.45, own, 0.9])
    scored = score(table, policy, parts=[MeritParts(given)])
    assert scored.confidences[0] == pytest.approx(given)
    (ends,) = scored.paid[0]
    low, high = (logit(end) - logit(given) for end in (ends.low, ends.high))
    assert (low < 0).all()
    assert (high > 0).all()
    assert np.ptp(low) == pytest.approx(0, abs=1e-9)
    assert np.ptp(high) == pytest.approx(0, abs=1e-9)


def test_every_call_is_paid_and_only_those():
    table, policy = rows(), Policy.load({"thresholds": [0.5, 0.6]})
    served = serve(score(table, policy), [0.5, 0.6])
    assert np.array_equal(served.cost, served.asked @ np.array([1.0, 10.0, 100.0]))


def test_a_paid_signal_is_paid_where_its_tier_is_asked():
    table = rows(tiers=2)
    tier = table.tiers[0]
    paid = np.where(np.isnan(tier.signals["sequence_logprob"]), np.nan, 0.25)
    tier.paid["sequence_logprob"] = paid
    served = serve(score(table, Policy.load({"thresholds": [0.5]})), [0.5])
    assert np.allclose(served.cost, 1.0 + np.nan_to_num(paid) + np.where(served.tier == 1, 10, 0))


def test_harm_is_what_the_last_tier_would_have_given_more():
    table = rows(tiers=2)
    served = serve(score(table, Policy.load({"thresholds": [0.5]})), [0.5])
    weak, strong = (tier.quality for tier in table.tiers)
    accepted = table.tiers[0].signals["sequence_logprob"] >= 0.5
    assert np.array_equal(served.harm, accepted * (strong > weak))


def test_a_draft_without_a_reading_is_never_accepted():
    table = rows(tiers=2)
    served = serve(score(table, Policy.load({"thresholds": [0.0]})), [0.0])
    unread = np.isnan(table.tiers[0].signals["sequence_logprob"])
    assert np.array_equal(served.tier == 1, unread)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"thresholds": [0.5] * 4}, "fit 4 or 5 tiers.*has 3"),
        ({"calibrators": [BY_LOGPROB], "thresholds": [0.5]}, "fit 1 or 2 tiers.*has 3"),
        (
            {
                "calibrators": [{"score": {"kind": "signal", "signal": "judge"}}, BY_LOGPROB],
                "thresholds": [0.5, 0.5],
            },
            r"no column t0_signal_judge.*sequence_logprob",
        ),
    ],
)
def test_a_policy_that_does_not_fit_the_table_is_refused(document, words):
    with pytest.raises(ConfigurationError, match=words):
        score(rows(), Policy.load(document))


def test_a_policy_that_reads_texts_needs_a_table_that_has_them():
    table = rows()
    blind = Table(table.source, table.tiers, table.ids)
    document = Policy.load({"calibrators": [WITH_TEXT, WITH_TEXT], "thresholds": [0.5, 0.5]})
    with pytest.raises(ConfigurationError, match=r"lacks the column request; .*log_content=True"):
        score(blind, document)
