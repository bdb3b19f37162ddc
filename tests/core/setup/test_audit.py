"""The setting `audit=`: what it takes, who is picked, and what a day may cost."""

import pickle
import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from cascade_core import Audit
from cascade_core.errors import CascadeWarning, ConfigurationError
from cascade_core.log import JsonlLog
from cascade_core.request import Request
from cascade_core.ruling import Ruling
from cascade_core.setup import spending
from cascade_core.setup.audit import by_chance, pick, read_audit
from cascade_core.setup.spending import Spending
from cascade_core.signals import Judge, SelfConsistency
from tests.core.loop.test_session import engine


def graded(request, draft, strong):
    return 1.0


@pytest.mark.parametrize("rate", [-0.1, 1.01, True, "0.1", None, float("nan"), float("inf")])
def test_a_rate_is_a_probability(rate):
    with pytest.raises(ConfigurationError, match=r"Audit\(rate=.*from 0 to 1"):
        Audit(rate)


def test_one_request_in_twenty_is_audited_where_nothing_is_said():
    assert Audit(compare=graded).rate == 0.05


def test_with_a_rate_of_zero_rules_alone_have_requests_audited():
    none = Audit(0).rate
    assert pick(none, Ruling(), random.random) == {"probability": 0, "picked": False}
    assert pick(none, Ruling(audit=1.0), random.random) == {"probability": 1.0, "picked": True}


def test_a_percentage_is_recognised():
    with pytest.raises(ConfigurationError, match=r"0\.05 for 5 %"):
        Audit(5)


@pytest.mark.parametrize("limit", [0, -1, True, "5", float("inf")])
def test_a_limit_is_an_amount(limit):
    with pytest.raises(ConfigurationError, match="max_usd_per_day"):
        Audit(0.1, max_usd_per_day=limit)


@pytest.mark.parametrize(
    ("compare", "named"),
    [
        ("agreement", "'agreement'"),
        (None, "NoneType"),
        (0.5, "float"),
        (Judge, "Judge"),
        (SelfConsistency(), "SelfConsistency"),
        (lambda a, b: 1.0, "three arguments"),
    ],
)
def test_what_compares_is_auto_a_judge_or_a_function_of_three(compare, named):
    with pytest.raises(ConfigurationError, match=named) as caught:
        Audit(0.1, compare)
    assert "(request, draft, strong)" in str(caught.value)


def test_the_comparator_has_a_name_that_holds_no_key():
    class Model:
        model_name = "gpt-4.1"
        key = "sk-secret"

    assert Audit(1).comparator == "auto"
    assert Audit(1, Judge(Model())).comparator == "judge:gpt-4.1"
    assert Audit(1, Judge("openai:gpt-4.1")).comparator == "judge:openai:gpt-4.1"
    assert Audit(1, Judge(object())).comparator == "judge:object"
    assert Audit(1, graded).comparator == "function:graded"


def test_a_cascade_takes_an_audit_or_its_rate(tmp_path):
    log = JsonlLog(tmp_path / "log.jsonl")
    assert read_audit(None, None) is None
    assert read_audit(0.05, log) == Audit(0.05)
    assert read_audit(Audit(0.05), log) == Audit(0.05)
    for wrong in (True, "5 %", [0.05]):
        with pytest.raises(ConfigurationError, match="audit= takes an Audit"):
            read_audit(wrong, log)


def test_an_audit_needs_a_log_that_keeps_events():
    class Records:
        def write(self, record):
            """Keep it."""

    with pytest.raises(ConfigurationError, match="audit= needs a log to write"):
        engine(audit=Audit(0.1))
    with pytest.raises(ConfigurationError, match="Records has no write_event"):
        engine(Records(), audit=Audit(0.1))


def test_an_audit_crosses_to_another_process():
    assert pickle.loads(pickle.dumps(Audit(0.1, graded, 5))) == Audit(0.1, graded, 5)


# --- who is picked --------------------------------------------------------------------------------


def test_a_request_is_picked_by_the_rate_or_its_rules():
    audit = 0.25
    assert pick(audit, Ruling(), lambda: 0.2499) == {"probability": 0.25, "picked": True}
    assert pick(audit, Ruling(), lambda: 0.25) == {"probability": 0.25, "picked": False}
    assert pick(audit, Ruling(audit=0.0), lambda: 0.0) == {"probability": 0.0, "picked": False}
    assert pick(audit, Ruling(audit=1.0), lambda: 0.99) == {"probability": 1.0, "picked": True}


def test_chance_is_nobodys_seed():
    random.seed(7)
    first = [by_chance() for _ in range(3)]
    random.seed(7)
    assert [by_chance() for _ in range(3)] != first
    assert all(0 <= number < 1 for number in first)


def test_a_rule_that_wants_audits_of_a_cascade_without_is_warned_of():
    request = Request.of("hello")
    request.ruling = Ruling(audit=0.5)
    made = engine()
    with pytest.warns(CascadeWarning, match="sets an audit rate"):
        assert made.pick(request, made.plan) is None


# --- what a day costs -----------------------------------------------------------------------------


class Clock:
    def __init__(self):
        self.at = datetime(2026, 3, 1, 23, 0, tzinfo=UTC)

    def __call__(self):
        return self.at


def test_without_a_limit_nothing_is_forbidden():
    free = Spending(None)
    assert free.reserve(None) == 0
    free.settle(Decimal(0), None)
    assert not free.due, "there is nothing to read"


def test_audits_under_way_count_as_what_they_will_cost():
    day = Spending(1.0)
    first = day.reserve(Decimal("0.6"))
    assert day.reserve(Decimal("0.6")) == "budget"
    day.settle(first, Decimal("0.3"))
    assert day.reserve(Decimal("0.6")) == Decimal("0.6")


def test_what_one_did_cost_is_what_the_next_may_cost():
    day = Spending(1.0)
    day.settle(day.reserve(Decimal("0.1")), Decimal("0.6"))
    assert day.reserve(Decimal("0.1")) == "budget"


def test_a_new_day_begins_in_utc():
    clock = Clock()
    day = Spending(1.0, now=clock)
    day.settle(day.reserve(Decimal(1)), Decimal(1))
    assert day.reserve(Decimal(1)) == "budget"
    clock.at += timedelta(hours=1)
    assert day.reserve(Decimal(1)) == Decimal(1)


def test_no_limit_can_be_kept_without_prices():
    clock = Clock()
    day = Spending(1.0, now=clock)
    assert day.reserve(None) == "unpriced"
    day.settle(day.reserve(Decimal(0)), None)
    assert day.reserve(Decimal(0)) == "unpriced"
    clock.at += timedelta(days=1)
    assert day.reserve(Decimal(0)) == Decimal(0), "one call without a price ends a day's audits"


def test_what_other_processes_spend_is_read_now_and_then(monkeypatch):
    asked, clock, time = [], Clock(), [0.0]
    monkeypatch.setattr(spending, "monotonic", lambda: time[0])

    def read(since):
        asked.append(since)
        return 0.9

    day = Spending(1.0, clock)
    assert day.due
    day.refresh(read)
    assert asked == [datetime(2026, 3, 1, tzinfo=UTC)]
    assert day.reserve(Decimal("0.2")) == "budget"
    assert not day.due
    day.refresh(read)
    assert len(asked) == 1
    time[0] += spending.READ_EVERY
    assert day.due


def test_what_is_read_while_the_day_ends_is_not_the_next_days():
    clock = Clock()

    def read(since):
        clock.at += timedelta(days=1)
        return 1.0

    day = Spending(1.0, clock)
    day.refresh(read)
    assert day.spent == 0
    assert day.due, "what others have spent on the new day is not known yet"
    assert day.reserve(Decimal("0.2")) == Decimal("0.2")


def test_what_this_process_has_spent_counts_before_the_log_shows_it():
    day = Spending(1.0)
    day.settle(day.reserve(Decimal("0.9")), Decimal("0.9"))
    day.refresh(lambda since: 0.0)
    assert day.reserve(Decimal("0.2")) == "budget"


def test_a_copy_in_another_process_counts_its_own():
    day = Spending(1.0)
    day.settle(day.reserve(Decimal(1)), Decimal(1))
    assert pickle.loads(pickle.dumps(day)).reserve(Decimal(1)) == Decimal(1)


def test_cascades_that_are_given_one_audit_share_its_limit(tmp_path):
    audit = Audit(1, max_usd_per_day=1)
    log = JsonlLog(tmp_path / "log.jsonl")
    first, second = engine(log, audit=audit), engine(log, audit=audit)
    assert first.audit.spending is second.audit.spending
    assert audit == Audit(1, max_usd_per_day=1)
    assert pickle.loads(pickle.dumps(audit)) == audit
