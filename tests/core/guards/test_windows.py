"""Windows of budgets: calendar days and hours of UTC, and runs."""

from datetime import UTC, datetime, timedelta

import pytest

from cascade_core.guards.windows import RUN_ENDS, window_of


@pytest.mark.parametrize(
    ("per", "name", "ends"),
    [
        ("day", "2026-02-28", datetime(2026, 3, 1, tzinfo=UTC)),
        ("hour", "2026-02-28T23", datetime(2026, 3, 1, tzinfo=UTC)),
    ],
)
def test_a_window_ends_where_the_next_begins(per, name, ends):
    last = datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC).timestamp()
    assert window_of(per, last) == (name, ends.timestamp())
    assert window_of(per, ends.timestamp()).name != name


def test_an_hour_is_a_window_of_its_own():
    now = datetime(2026, 2, 28, 9, 30, tzinfo=UTC)
    assert window_of("hour", now.timestamp()).name == "2026-02-28T09"
    later = (now + timedelta(hours=1)).timestamp()
    assert window_of("hour", later).name == "2026-02-28T10"
    assert window_of("day", later) == window_of("day", now.timestamp())


def test_a_run_is_remembered_for_a_while_after_its_last_call():
    assert window_of("run", 1000.0, "mine") == ("mine", 1000.0 + RUN_ENDS)
