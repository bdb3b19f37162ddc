"""All requests: so many at a time, up to the cap, each written down as it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cascade_core.collect.journal import Entry, Journal
from cascade_core.collect.requests import Sample, read_requests
from cascade_core.collect.runner import ALL_FAILED, SpendingCap, Stopped, run_all
from cascade_core.errors import CascadeWarning, ConfigurationError

CENT = Decimal("0.01")


def samples(n: int) -> tuple[Sample, ...]:
    return read_requests([{"request": f"question {i}"} for i in range(n)]).samples


class Work:
    """Examines requests at a price, and remembers how many ran at a time."""

    def __init__(self, cost: Callable[[int], Decimal | None] = lambda _: CENT) -> None:
        self.cost = cost
        self.started: list[int] = []
        self.graded: list[int] = []
        self.grading = Decimal(0)
        self.running = self.peak = 0
        self.errors: dict[int, str] = {}
        self.quality: float | None = 1.0
        self.raises: dict[int, Exception] = {}
        self.reached_50 = asyncio.Event()

    async def __call__(self, sample: Sample, kept: Entry | None) -> Entry:
        if kept is not None and not kept.incomplete:
            self.graded.append(sample.index)
            row = {**kept.row, "t0_quality": 1.0, "t1_quality": 1.0}
            return replace(kept, row=row, cost=(kept.cost or 0) + self.grading)
        self.started.append(sample.index)
        if len(self.started) == 50:
            self.reached_50.set()
        self.running += 1
        self.peak = max(self.peak, self.running)
        await asyncio.sleep(0.001)
        self.running -= 1
        if sample.index in self.raises:
            raise self.raises[sample.index]
        row = {"id": sample.id, "t0_quality": self.quality, "t1_quality": self.quality}
        return Entry(sample.index, row, self.cost(sample.index), self.errors)


async def go(
    folder: Path, work: Work, n: int = 20, cap: str | None = None, at_once: int = 4, **options: Any
) -> tuple[Stopped | None, SpendingCap, dict[int, Entry]]:
    budget = SpendingCap(None if cap is None else Decimal(cap))
    with Journal(folder / "j", {}) as journal:
        for entry in journal.entries.values():
            budget.add(entry)
        stopped = await run_all(
            samples(n), work, journal, concurrency=at_once, budget=budget, **options
        )
        return stopped, budget, dict(journal.entries)


async def test_every_request_is_examined_once_and_so_many_run_at_a_time(tmp_path: Path) -> None:
    work = Work()
    stopped, budget, entries = await go(tmp_path, work)
    assert stopped is None
    assert sorted(entries) == list(range(20))
    assert sorted(work.started) == list(range(20))
    assert work.peak == 4
    assert budget.spent == 20 * CENT


async def test_a_second_run_does_only_what_is_missing(tmp_path: Path) -> None:
    await go(tmp_path, Work(), n=5, cap="0.03")
    work = Work()
    _, budget, _ = await go(tmp_path, work, n=5)
    assert sorted(work.started) == [3, 4]
    assert budget.spent == 5 * CENT


@pytest.mark.parametrize("at_once", [1, 4, 50])
async def test_the_cap_is_kept_to_the_cent_where_requests_cost_alike(
    tmp_path: Path, at_once: int
) -> None:
    stopped, budget, entries = await go(tmp_path, Work(), n=20, cap="0.095", at_once=at_once)
    assert stopped == "cap"
    assert budget.spent == 9 * CENT
    assert len(entries) == 9


async def test_the_cap_is_passed_by_one_request_at_the_most(tmp_path: Path) -> None:
    work = Work(lambda index: CENT if index < 10 else 5 * CENT)
    stopped, budget, _ = await go(tmp_path, work, cap="0.12", at_once=1)
    assert stopped == "cap"
    assert budget.spent <= Decimal("0.12") + 5 * CENT


async def test_before_any_price_is_known_requests_run_one_at_a_time(tmp_path: Path) -> None:
    work = Work()
    work.errors = {0: "ProviderError"}  # what a failure costs says nothing
    stopped, _, _ = await go(tmp_path, work, n=5, cap="1")
    assert stopped is None
    assert work.peak == 1


async def test_a_cap_that_is_reached_just_so_is_no_reason_to_stop(tmp_path: Path) -> None:
    stopped, budget, _ = await go(tmp_path, Work(), n=10, cap="0.10")
    assert stopped is None
    assert budget.spent == Decimal("0.10")


async def test_a_call_without_a_price_ends_a_run_with_a_cap_and_no_other(tmp_path: Path) -> None:
    unpriced = Work(lambda index: None if index == 0 else CENT)
    stopped, _, entries = await go(tmp_path, unpriced, cap="1")
    assert stopped == "unpriced"
    assert len(entries) == 1
    stopped, budget, _ = await go(tmp_path, Work(lambda _: None))
    assert stopped is None
    assert budget.unpriced == 20


async def test_an_error_that_ends_the_run_loses_nothing_that_was_finished(tmp_path: Path) -> None:
    work = Work()
    work.raises = {6: ConfigurationError("cannot be read")}
    with pytest.raises(ConfigurationError, match="cannot be read"):
        await go(tmp_path, work, at_once=1)
    with Journal(tmp_path / "j", {}) as journal:
        assert sorted(journal.entries) == list(range(6))
    assert work.running == 0


async def test_a_cancelled_run_cancels_what_runs_and_keeps_what_is_done(tmp_path: Path) -> None:
    work = Work()
    task = asyncio.create_task(go(tmp_path, work, n=10_000))
    await work.reached_50.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    with Journal(tmp_path / "j", {}) as journal:
        assert len(work.started) - 4 <= len(journal.entries) <= len(work.started)


async def test_a_tier_that_never_answers_is_noticed_while_it_runs(tmp_path: Path) -> None:
    work = Work()
    work.errors = {1: "InternalServerError (HTTP 500)"}
    with pytest.warns(CascadeWarning, match=f"tier 1 failed on each of the first {ALL_FAILED}"):
        await go(tmp_path, work)


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        ("NotFoundError (HTTP 404)", 1),
        ("AuthenticationError (HTTP 401)", 1),
        ("ModelNotFound", 1),
        ("BadRequestError (HTTP 400)", 2),
    ],
)
async def test_a_tier_that_cannot_work_is_found_before_the_others_are_paid_for(
    tmp_path: Path, error: str, asked: int
) -> None:
    work = Work()
    work.errors = {1: error}
    with pytest.raises(ConfigurationError, match=r"strong failed on the first request: .*is kept"):
        await go(tmp_path, work, tiers=["cheap", "strong"])
    assert work.started == list(range(asked))


@pytest.mark.parametrize("error", ["RateLimitError (HTTP 429)", "APITimeoutError", "E (HTTP 503)"])
async def test_a_tier_that_is_down_for_a_moment_ends_nothing(tmp_path: Path, error: str) -> None:
    work = Work()
    work.errors = {1: error}
    with pytest.warns(CascadeWarning, match="tier 1 failed on each"):
        await go(tmp_path, work, tiers=["cheap", "strong"])
    assert len(work.started) == 20
    assert work.peak == 4


@pytest.mark.parametrize("error", [RecursionError(), ValueError("secret"), AttributeError("text")])
async def test_a_request_that_is_lost_is_kept_out_and_the_others_go_on(
    tmp_path: Path, error: Exception
) -> None:
    work = Work()
    work.raises = {3: error}
    with pytest.warns(CascadeWarning, match=f"request '4' was lost to {type(error).__name__}"):
        _, _, entries = await go(tmp_path, work, tiers=["cheap", "strong"])
    assert len(entries) == 20
    assert [index for index, entry in entries.items() if not entry.usable] == [3]
    assert set(entries[3].errors) == {0, 1}
    assert "secret" not in str(entries[3].errors)


async def test_what_json_cannot_hold_is_lost_alone(tmp_path: Path) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    async def examine(sample: Sample, kept: Entry | None) -> Entry:
        row = {"id": sample.id, "t0_quality": 1.0, "t1_quality": 1.0}
        answers = [{"calls": deep if sample.index == 2 else []}]
        return Entry(sample.index, row, CENT, answers=answers)

    with pytest.warns(CascadeWarning, match="request '3' was lost to UnkeepableError"):
        _, _, entries = await go(tmp_path, examine, n=5, tiers=["cheap", "strong"])  # type: ignore[arg-type]
    assert [entry.usable for _, entry in sorted(entries.items())] == [True, True, False, True, True]


async def test_answers_that_nobody_can_grade_are_noticed_while_it_runs(tmp_path: Path) -> None:
    work = Work()
    work.quality = None
    with pytest.warns(CascadeWarning, match="no answer to the first 10 requests could be graded"):
        await go(tmp_path, work, n=ALL_FAILED)


async def test_what_earlier_attempts_cost_is_spent_but_makes_no_request_dearer(
    tmp_path: Path,
) -> None:
    for attempt in range(1, 6):
        work = Work()
        work.errors = {} if attempt == 5 else {0: "APIError (HTTP 503)"}
        _, budget, _ = await go(tmp_path, work, n=1)
        assert budget.spent == attempt * CENT
    stopped, budget, entries = await go(tmp_path, Work(), n=10, cap="0.10")
    assert (stopped, len(entries), budget.spent) == ("cap", 6, 10 * CENT)


async def test_an_unpriced_request_counts_once_however_often_it_is_asked(tmp_path: Path) -> None:
    work = Work(lambda _: None)
    work.errors = {0: "APIError (HTTP 503)"}
    for _ in range(2):
        _, budget, _ = await go(tmp_path, work, n=4)
        assert budget.unpriced == 4


async def test_requests_that_fail_again_are_no_sign_that_a_tier_never_answers(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    work = Work()
    await go(tmp_path, work, n=5)
    work.errors = {0: "APIError (HTTP 503)"}
    await go(tmp_path, work, n=5 + ALL_FAILED - 1)
    await go(tmp_path, work, n=5 + ALL_FAILED - 1)
    assert not recwarn.list


async def test_answers_are_graded_again_first_and_where_that_is_free_without_room_below_the_cap(
    tmp_path: Path,
) -> None:
    await go(tmp_path, Work(), n=5, cap="0.03")
    work = Work()
    stopped, budget, entries = await go(tmp_path, work, n=5, cap="0.03", regrade={0, 2})
    assert (stopped, work.graded, work.started) == ("cap", [0, 2], [])
    assert (budget.spent, len(entries)) == (3 * CENT, 3)
    work = Work()
    stopped, _, _ = await go(tmp_path, work, n=5, cap="0.03", regrade={0, 2}, free=False)
    assert (stopped, work.graded) == ("cap", [])


async def test_what_grading_again_costs_is_added_to_what_the_answers_cost(tmp_path: Path) -> None:
    await go(tmp_path, Work(), n=3)
    for times in (1, 2):
        work = Work()
        work.grading = CENT
        _, budget, entries = await go(tmp_path, work, n=3, regrade={1}, free=False)
        assert (entries[1].cost, entries[1].earlier) == ((1 + times) * CENT, 0)
        assert budget.spent == (3 + times) * CENT
