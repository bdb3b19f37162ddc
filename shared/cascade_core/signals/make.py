"""Reads the `signals=` argument of a cascade."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cascade_core.signals as known
from cascade_core.errors import ConfigurationError
from cascade_core.signals.base import FunctionSignal, Signal, SignalFunction
from cascade_core.signals.logprob import SequenceLogprob

SignalLike: TypeAlias = Signal | SignalFunction | str

BY_NAME = {
    "sequence_logprob": "SequenceLogprob",
    "token_margin": "TokenMargin",
    "self_consistency": "SelfConsistency",
    "grounding": "Grounding",
    "verbalized": "Verbalized",
}
"""Signals that need no argument, by the name they have in records."""


_NEED_MODELS = {
    "judge": " (a judge needs a model: Judge(model))",
    "claims": " (it needs a model: Claims(model))",
    "agreement": " (agreement needs another model: Agreement(model))",
}


def make_signals(signals: Sequence[SignalLike] | None) -> tuple[Signal, ...]:
    """Read the `signals=` argument of a cascade.

    Args:
        signals: Signals, functions `(request, draft) -> float | None`, or names;
            None gives `SequenceLogprob()`.

    Returns:
        The signals, free ones first: a paid one is only asked when the free
        ones leave the question open.

    Raises:
        ConfigurationError: An entry is none of these, its name is no text, two have one name,
            or the list is empty.
    """
    if signals is None:
        return (SequenceLogprob(),)
    if isinstance(signals, str) or not isinstance(signals, Sequence):
        given = type(signals).__name__
        msg = f"signals= takes a list of signals, not {given}: signals=[SequenceLogprob()]"
        raise ConfigurationError(msg)
    if not signals:
        msg = "signals=[] leaves nothing to judge a draft by; leave it out for the default"
        raise ConfigurationError(msg)
    made = [_make_signal(entry) for entry in signals]
    names = [signal.name for signal in made]
    for name in names:
        if not isinstance(name, str) or not name.strip() or name != name.strip():
            msg = f"signals= has a signal named {name!r}; give it a text as name=, such as 'judge'"
            raise ConfigurationError(msg)
        if names.count(name) > 1:
            msg = f"signals= has two signals named {name!r}; give one of them another name="
            raise ConfigurationError(msg)
    return tuple(sorted(made, key=lambda signal: signal.paid))


def _make_signal(entry: SignalLike) -> Signal:
    if isinstance(entry, str):
        if entry in BY_NAME:
            made: Signal = getattr(known, BY_NAME[entry])()
            return made
        hint = _NEED_MODELS.get(entry, "")
        msg = f"unknown signal {entry!r}{hint}; known by name: {', '.join(BY_NAME)}"
        raise ConfigurationError(msg)
    if isinstance(entry, type):
        msg = f"signals= got the class {entry.__name__}; make one: {entry.__name__}(…)"
        raise ConfigurationError(msg)
    if isinstance(entry, Signal):
        return entry
    if getattr(entry, "is_gate", False) is True:
        msg = f"signals= got a gate, {type(entry).__name__}(…): it goes into gates=[…]"
        raise ConfigurationError(msg)
    if callable(entry):
        return FunctionSignal(entry)
    msg = (
        f"signals= got {type(entry).__name__}; give a signal, its name, "
        "or a function (request, draft) -> float | None"
    )
    raise ConfigurationError(msg)
