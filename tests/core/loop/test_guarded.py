"""What guards are told of calls whose failure ends the request."""

from __future__ import annotations

from typing import Any

import pytest

from cascade_core.effects import Ask, Failed, Reserve, Settle
from cascade_core.loop.guarded import guarded
from cascade_core.loop.trail import Trail


class _Grant:
    breaker = None

    def __init__(self, call: Any) -> None:
        self.call = call


def test_a_failure_that_ends_the_request_is_settled_and_not_abandoned() -> None:
    ask, abandoned = Ask("the last tier", None), []  # type: ignore[arg-type]

    def flow():
        reply = yield ask
        raise reply.error

    run = guarded(flow(), Trail(()), lambda *told: abandoned.append(told))
    effect = next(run)
    assert isinstance(effect, Reserve)
    grant = _Grant(ask)
    assert run.send(grant) is ask
    failed = Failed(ConnectionError("down"))
    settled = run.send(failed)
    assert isinstance(settled, Settle)
    assert (settled.grant, settled.reply) == (grant, failed)
    with pytest.raises(ConnectionError, match="down"):
        run.send(None)
    assert abandoned == []


def test_a_call_that_nobody_waited_for_is_abandoned() -> None:
    abandoned, ask = [], Ask("a tier", None)  # type: ignore[arg-type]

    def flow():
        yield ask

    run = guarded(flow(), Trail(()), lambda grant, calls: abandoned.append(grant))
    next(run)
    grant = _Grant(ask)
    run.send(grant)
    run.close()
    assert abandoned == [grant]
