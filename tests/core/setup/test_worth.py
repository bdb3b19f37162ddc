"""A running cascade that costs more than it saves says so once."""

from __future__ import annotations

import copy
import pickle
import threading
import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from cascade_core.draft import Draft
from cascade_core.errors import CascadeWarning
from cascade_core.setup.notices import Notices
from cascade_core.setup.worth import ENOUGH_REQUESTS, Worth
from cascade_core.verdict import Judgement, Verdict


def verdict(cost: str | None, strong: str | None) -> Verdict:
    return Verdict(
        tier=0,
        draft=Draft("fine"),
        reason="confident",
        accepted=True,
        judged=Judgement("confident", True),
        calls=(),
        strong_cost_exact=True,
        cost=None if cost is None else Decimal(cost),
        strong_cost=None if strong is None else Decimal(strong),
    )


def said(
    costs: Callable[[int], tuple[str | None, str | None]], n: int = 3 * ENOUGH_REQUESTS
) -> list[str]:
    worth, notices = Worth(), Notices()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for i in range(n):
            worth.add(verdict(*costs(i)), notices)
    return [str(one.message) for one in caught if one.category is CascadeWarning]


def test_what_costs_more_than_the_last_tier_is_said_once_after_enough_requests() -> None:
    (text,) = said(lambda _: ("0.0000381", "0.0000240"))
    assert (
        f"over {ENOUGH_REQUESTS} requests, this cascade costs more than always asking the last"
        in text
    )
    assert "$0.0000381 a request against $0.0000240" in text
    assert said(lambda _: ("0.0000381", "0.0000240"), ENOUGH_REQUESTS - 1) == []


@pytest.mark.parametrize(
    "costs",
    [
        lambda _: ("0.001", "0.01"),
        lambda _: ("0.01", "0.01"),
        lambda i: ("0.02", "0.01") if i % 2 else ("0.001", "0.0205"),
        lambda i: ("1.2", "0.2") if i == 0 else ("0.001", "0.01"),
        lambda _: (None, "0.01"),
        lambda _: ("0.01", None),
    ],
)
def test_what_saves_or_cannot_be_told_is_not_warned_of(costs: Any) -> None:
    assert said(costs) == []


def test_a_busy_counter_is_not_waited_for_and_copies_count_anew() -> None:
    worth, notices = Worth(), Notices()
    for again in (copy.deepcopy(worth), pickle.loads(pickle.dumps(worth))):
        assert isinstance(again, Worth)
    worth._lock.acquire()
    thread = threading.Thread(target=worth.add, args=(verdict("2", "1"), notices))
    thread.start()
    thread.join(60)
    assert not thread.is_alive()
    assert worth._n == 0
