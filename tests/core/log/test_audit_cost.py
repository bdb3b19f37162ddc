"""What a day's audits have cost, by a database that several processes write to."""

from datetime import UTC, datetime, timedelta

from cascade_core import flush_log
from cascade_core.log import audit_event, open_log
from cascade_core.log.database_log import DatabaseLog
from cascade_core.setup.audit import Audit
from tests.core.loop.test_session import engine


def event(cost, at):
    made = audit_event("d", status="done", probability=0.5, compare="auto", cost_usd=cost)
    return {**made, "at": at.isoformat()}


def test_audits_since_a_time_are_added_up(tmp_path):
    log, now = open_log(f"sqlite:///{tmp_path}/log.db"), datetime.now(UTC)
    assert isinstance(log, DatabaseLog)
    for cost, age in ((0.25, 0), (0.5, 1), (None, 1), (8.0, 48)):
        log.write_event(event(cost, now - timedelta(hours=age)))
    assert flush_log(60)
    assert log.audit_cost(now - timedelta(hours=24)) == 0.75
    assert log.audit_cost(now + timedelta(hours=1)) == 0.0


def test_a_cascade_counts_what_others_have_spent_today(tmp_path):
    url = f"sqlite:///{tmp_path}/log.db"
    other = open_log(url)
    other.write_event(event(0.9, datetime.now(UTC)))
    assert flush_log(60)
    made = engine(url, audit=Audit(0.1, max_usd_per_day=1))
    spending = made.audit.spending
    assert spending.due
    spending.refresh(made.log.audit_cost)
    assert spending.reserve(spending._limit / 2) == "budget"
