"""A day's learning is spread over the day, and weighed so that no hour counts more than another."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascade_core.log import audit_event
from cascade_core.ruling import Ruling
from cascade_core.setup.audit import Audit
from cascade_core.setup.learn import Learn, Learning
from cascade_core.setup.learn_spending import DaySpent, LearnSpending
from cascade_core.setup.spent_lines import SpentLines
from cascade_core.watch.trial import RunningTest
from tests.langchain.fakes import UNSURE, pair

COST = Decimal("0.001")
ENOUGH_FOR = 500
A_DAY = 4000  # requests
LIMIT = 0.02
MORNING, EVENING = 0.0, 0.06  # what is lost: 3 % over the day


class Clock:
    """Of a day that goes by."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def a_day(
    generator: np.random.Generator, wanted: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, LearnSpending]:
    """Live through a day.

    Args:
        generator: Of chance.
        wanted: Requests of the day before.

    Returns:
        Of each audit when it was, as a share of the day, its weight and what was lost.
    """
    clock = Clock()
    spending = LearnSpending(float(COST) * ENOUGH_FOR, 10, clock)
    before = clock.now.timestamp() - 86_400 if wanted else 0.0
    spending.refresh(lambda _: DaySpent(0.0, 0, wanted * float(COST), wanted, before))
    found = []
    for number in range(A_DAY):
        share = number / A_DAY
        clock.now = datetime(2026, 3, 1, tzinfo=UTC) + share * timedelta(days=1)
        chance = spending.pace(1.0)
        lost = generator.random() < (MORNING if share < 0.5 else EVENING)
        if generator.random() < chance:
            reserved = spending.reserve(COST)
            assert isinstance(reserved, Decimal)
            spending.settle(reserved, COST, chance)
            found.append((share, 1 / chance, float(lost)))
    return (*np.array(found).T, spending)


@pytest.mark.simulation
@pytest.mark.parametrize("wanted", [0.0, float(A_DAY)])
def test_every_hour_is_learned_from_and_weighs_what_it_is(wanted: float) -> None:
    harms = []
    for seed in range(20):
        at, weights, lost, spending = a_day(np.random.default_rng(seed), wanted)
        assert spending.spent is not None
        assert spending.spent <= COST * ENOUGH_FOR, "the limit is a limit"
        assert spending.spent >= COST * ENOUGH_FOR * Decimal("0.8"), "and is used"
        assert np.histogram(at, 8, (0.0, 1.0))[0].min() >= 10
        assert weights.sum() == pytest.approx(A_DAY, rel=0.25)
        harms.append(np.average(lost, weights=weights))
    assert np.mean(harms) == pytest.approx((MORNING + EVENING) / 2, abs=0.005)


@pytest.mark.simulation
def test_what_loses_too_much_in_the_evening_does_not_pass_by_its_mornings() -> None:
    """It did where money ran out at noon, in every run."""
    passed = 0
    for seed in range(40):
        test = RunningTest.begin(LIMIT, 0.05, 1, 1.0)
        for day in range(4):
            _, weights, lost, _ = a_day(np.random.default_rng((seed, day)), A_DAY if day else 0.0)
            cost = np.ones((len(lost), 1))
            test.update(lost[:, None], cost, cost[:, 0], weights)
            passed += bool(test.strength()[0] >= test.needed)
    assert passed <= 0.05 * 40


def test_as_long_as_there_is_enough_everything_is_learned_from() -> None:
    spending = LearnSpending(1.0, 10, Clock())
    assert spending.pace(1.0) == 1.0
    spending.refresh(lambda _: DaySpent(0.001, 49, 9.0, 9000.0))
    assert spending.pace(1.0) == 1.0, "so few are no sample of a day"
    spending = LearnSpending(1.0, 10, Clock())
    spending.refresh(lambda _: DaySpent(0.5, 500, 2.0, 2000.0))
    assert spending.pace(1.0) < 0.25
    assert spending.pace(0.05) == 1.0, "in service a few are"


@pytest.mark.parametrize("priced", [True, False])
def test_processes_that_spend_fast_do_not_each_spend_the_whole_limit(*, priced: bool) -> None:
    """Each read what others had spent once a second: four of them spent it four times."""
    price, log = (COST if priced else None), list[float]()
    several = [LearnSpending(float(COST) * 100, 100, Clock()) for _ in range(4)]
    going = True
    while going:
        going = False
        for each in several:
            each.refresh(lambda _: DaySpent(sum(log), len(log)))
            reserved = each.reserve(price)
            if isinstance(reserved, Decimal):
                each.settle(reserved, price)
                log.append(float(price or 0))
                going = True
    assert 99 <= len(log) <= 100 + 2 * 4


def test_what_a_rule_or_the_money_makes_less_likely_says_what_is_usual() -> None:
    clock = Clock()
    spending = LearnSpending(1.0, 10, clock)
    learning = Learning(Learn(), "", "", Audit(rate=0.5), spending, None)
    plan = pair(UNSURE).cascade._engine.plan
    assert learning.pick(plan, Ruling(), lambda: 0.4) == {"probability": 0.5, "picked": True}
    assert learning.pick(plan, Ruling(audit=0.1), lambda: 0.4) == {
        "probability": 0.1,
        "picked": False,
        "rate": 0.5,
    }
    a_day_ago = clock.now.timestamp() - 86_400
    spending.refresh(lambda _: DaySpent(0.5, 50, 4.0, 400.0, a_day_ago))
    found = learning.pick(plan, Ruling(), lambda: 0.0)
    assert found == {"probability": pytest.approx(0.125), "picked": True, "rate": 0.5}


def test_of_a_file_only_what_is_new_is_read(tmp_path: Path) -> None:
    path, now = tmp_path / "decisions.jsonl", datetime.now(UTC)
    spent = SpentLines(path)
    assert spent(now - timedelta(hours=1)) == DaySpent(0.0, 0)

    def line(usd: float | None, hours: float, chance: float = 0.5, **more: Any) -> str:
        event = audit_event("d", status="done", probability=chance, compare="auto", cost_usd=usd)
        at = (now - timedelta(hours=hours)).isoformat()
        return json.dumps({**event, "at": at, **more}) + "\n"

    half = line(4.0, 0.1)
    given = line(1.0, 0.5) + line(2.0, 2) + line(8.0, 30) + line(9.0, 0.1, status="skipped")
    path.write_text(given + '{"event": 5\n{"event": "audit"}\n[]\n' + half[:20])
    found = spent(now - timedelta(hours=1))
    assert found[:4] == (1.0, 1, 6.0, 4.0)
    assert found.since == pytest.approx((now - timedelta(hours=2)).timestamp(), abs=0.001)
    with path.open("a") as more:
        more.write(half[20:] + line(None, 0.1, chance=1.0))
    assert spent(now - timedelta(hours=1))[:4] == (5.0, 3, 14.0, 7.0)
    assert pickle.loads(pickle.dumps(spent))(now - timedelta(hours=1))[:2] == (5.0, 3)
    path.write_text(line(0.25, 0.1))  # rotated
    assert spent(now - timedelta(hours=1))[:2] == (0.25, 1)
    path.unlink()
    assert spent(now - timedelta(hours=1)) == DaySpent(0.0, 0)
