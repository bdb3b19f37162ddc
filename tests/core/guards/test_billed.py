"""What counts as spent of a call that failed."""

from __future__ import annotations

import pytest

from cascade_core.call import Call
from cascade_core.costs.prices import Prices
from cascade_core.effects import Ask, Failed, Grant
from cascade_core.guards.billed import may_be_billed
from cascade_core.guards.budget import Budget
from cascade_core.guards.guards import Guards
from cascade_core.guards.ledger import Amount, LocalLedger
from cascade_core.request import Request, Turn
from cascade_core.tier import Tier


def error(*names: str) -> BaseException:
    """Return an error of a client: the first name's, which wraps the next."""
    made: BaseException | None = None
    for name in reversed(names):
        wraps, made = made, type(name, (Exception,), {})()
        made.__cause__ = wraps
    assert made is not None
    return made


def spent(raised: BaseException) -> Amount:
    tier = Tier(0, "cheap", max_tokens=100)
    guards = Guards([Budget(tokens=10_000, per="day")], LocalLedger())
    request = Request([Turn("user", "hi")])
    grant = guards.before(Ask(tier, request), request, Prices())
    assert isinstance(grant, Grant)
    call = Call(0, "m", "draft", None, None, 1.0, "failed", error=type(raised).__name__)
    guards.after(grant, Failed(raised), [call])
    (balance,) = guards.ledger._balances.values()
    return balance.used


@pytest.mark.parametrize(
    "names",
    [
        ("ReadTimeout",),
        ("ReadError",),
        ("APIConnectionError", "ReadError"),
        ("APIConnectionError", "RemoteProtocolError"),
        ("APITimeoutError", "ReadTimeout"),
        ("ConnectionResetError",),
        ("DeadlineExceeded",),
    ],
)
def test_a_call_whose_request_had_left_counts_in_full(names):
    assert may_be_billed(*names)
    assert spent(error(*names)).tokens > 100


@pytest.mark.parametrize(
    "names",
    [
        ("ConnectError",),
        ("ConnectTimeout",),
        ("PoolTimeout",),
        ("APIConnectionError", "ConnectError"),
        ("APITimeoutError", "ConnectTimeout"),
        ("RateLimitError",),
        ("InternalServerError",),
        ("ValueError",),
    ],
)
def test_a_call_that_was_never_sent_or_was_refused_counts_nothing(names):
    assert not may_be_billed(*names)
    assert spent(error(*names)).tokens == 0
