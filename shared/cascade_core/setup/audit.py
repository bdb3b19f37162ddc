"""Which answers are compared with the strongest tier's, and how: the setting `audit=`."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from cascade_core.errors import ConfigurationError
from cascade_core.integrations.classes import model_name
from cascade_core.named_arguments import names_checked
from cascade_core.setup.spending import Spending
from cascade_core.signals.judge import Judge

if TYPE_CHECKING:
    from cascade_core.ruling import Ruling

Compare: TypeAlias = Literal["auto"] | Judge | Callable[..., Any]
"""What compares two answers: `auto` asks whether they say the same, a `Judge` grades each, and a
function `(request, draft, strong) -> float` gives the quality of the draft beside the strong
answer's 1, or both qualities as a pair; it may be async."""

_PERCENT = 100


@names_checked
@dataclass(frozen=True, slots=True)
class Audit:
    """A random share of the requests whose answer is compared with the strongest tier's.

    Args:
        rate: Probability that a request is audited, in [0, 1]. A rule of the policy may set another
            for the requests that it is about; with 0, those alone are audited.
        compare: What compares the answers; see `Compare`.
        max_usd_per_day: The most that audits may cost in a day (UTC); None sets no limit. What it
            forbids counts as not covered. Cascades that are given the same `Audit` share it.

    Raises:
        ConfigurationError: An argument is none of these.
    """

    rate: float = 0.05
    compare: Compare = "auto"
    max_usd_per_day: float | None = None
    spending: Spending = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the arguments."""
        rate, limit = self.rate, self.max_usd_per_day
        if not _is_number(rate) or not 0 <= rate <= 1:
            percent = _is_number(rate) and 1 < rate <= _PERCENT
            hint = f", {rate / _PERCENT:g} for {rate:g} %" if percent else ""
            msg = f"Audit(rate={rate!r}): give a number from 0 to 1{hint}"
            raise ConfigurationError(msg)
        if limit is not None and (not _is_number(limit) or limit <= 0):
            msg = f"Audit(max_usd_per_day={limit!r}): give USD above 0, or None for no limit"
            raise ConfigurationError(msg)
        _check_compare(self.compare)
        object.__setattr__(self, "spending", Spending(limit))

    @property
    def comparator(self) -> str:
        """What compares, as the log names it: `auto`, `judge:MODEL`, `function:NAME`."""
        return comparator_name(self.compare)


def comparator_name(compare: Compare) -> str:
    """Return what the log calls a way to compare."""
    if isinstance(compare, str):
        return compare
    if isinstance(compare, Judge):
        model = compare.model
        return f"judge:{model if isinstance(model, str) else _named(model)}"
    return f"function:{getattr(compare, '__name__', type(compare).__name__)}"


def _named(model: Any) -> str:
    return model_name(model) or model_name(getattr(model, "bound", None)) or type(model).__name__


def _is_number(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value)  # type: ignore[arg-type]


def _check_compare(compare: object) -> None:
    if compare == "auto" or isinstance(compare, Judge):
        return
    what = "give 'auto', a Judge(model), or a function (request, draft, strong) -> float"
    if isinstance(compare, str | type) or not callable(compare):
        shown = repr(compare) if isinstance(compare, str) else getattr(compare, "__name__", None)
        raise ConfigurationError(f"Audit(compare={shown or type(compare).__name__}): {what}")
    try:
        inspect.signature(compare).bind(None, None, None)
    except TypeError:
        name = comparator_name(compare).partition(":")[2]
        msg = f"Audit(compare={name}) cannot be called with three arguments: {what}"
        raise ConfigurationError(msg) from None
    except ValueError:  # a builtin says nothing of its arguments
        return


def read_audit(given: Any, log: Any) -> Audit | None:
    """Read the `audit=` argument of a cascade.

    Args:
        given: None, an `Audit`, or a number that is its rate.
        log: What the cascade's log was made into; audits are written there.

    Raises:
        ConfigurationError: It is none of these, or there is no log that keeps audits.
    """
    if given is None:
        return None
    if _is_number(given):
        given = Audit(float(given))
    if not isinstance(given, Audit):
        msg = f"audit= takes an Audit(rate=…) or its rate, not {type(given).__name__}"
        raise ConfigurationError(msg)
    if log is None:
        msg = "audit= needs a log to write audits to: log='sqlite:///decisions.db'"
        raise ConfigurationError(msg)
    if not callable(getattr(log, "write_event", None)):
        msg = (
            f"audit= needs a log that keeps events, and {type(log).__name__} has no "
            "write_event(event): add it, or give log= a URL or the path of a .jsonl file"
        )
        raise ConfigurationError(msg)
    return given


_chance = SystemRandom()
"""Of its own: who seeds `random` for a reproducible run does not mean to choose what is audited,
and forked processes must not choose alike."""


def pick(rate: float, ruling: Ruling, chance: Callable[[], float]) -> dict[str, Any]:
    """Choose whether a request is audited, by nothing but chance.

    Args:
        rate: The cascade's.
        ruling: What the rules say of the request.
        chance: Draws a number from [0, 1).

    Returns:
        What its record says: `probability` and `picked`.
    """
    probability = rate if ruling.audit is None else ruling.audit
    return {"probability": probability, "picked": chance() < probability}


def by_chance() -> float:
    """Draw a number from [0, 1)."""
    return _chance.random()
