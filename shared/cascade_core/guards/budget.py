"""How much may be spent, and what happens when it is: the setting `budget=`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from cascade_core.errors import ConfigurationError

if TYPE_CHECKING:
    from cascade_core.request import Request

Per: TypeAlias = Literal["day", "hour", "run"]
"""How long a budget lasts: a calendar day or hour of UTC, or one run of an agent or a chain."""

WhenShort: TypeAlias = Literal["cheapest", "refuse", "wait"]
"""What happens to a request that a budget has no room for: only the cheapest tier answers it, it is
refused with `BudgetExceeded`, or it waits until the budget has room."""

BudgetKey: TypeAlias = str | Callable[[Any], Any] | None
"""Whose a budget is: `"class"` has one for every class of requests, another name one for every
value of that key in the requests' metadata, a function `(request) -> str | None` one for every
value that it returns, and None one for all."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that may be spent.

    Args:
        usd: In USD; None sets no limit on money.
        tokens: In tokens, of prompts and answers together; None sets no limit on them.
        per: How long that lasts; see `Per`.
        key: Whose budget it is; see `BudgetKey`. A request without a value of the key shares one
            budget with all others that have none.
        when_short: What happens when it is used up; see `WhenShort`.
        name: What errors, records and reports call it; by default made of the above.

    Raises:
        ConfigurationError: An argument is none of these, or nothing is limited.
    """

    usd: float | Decimal | None = None
    tokens: int | None = None
    per: Per = "day"
    key: BudgetKey = None
    when_short: WhenShort = "cheapest"
    name: str | None = None

    def __post_init__(self) -> None:
        """Check the arguments."""
        if self.usd is None and self.tokens is None:
            raise ConfigurationError("Budget() limits nothing: give usd=5 or tokens=1_000_000")
        for name, unit in (("usd", "USD"), ("tokens", "tokens")):
            value = getattr(self, name)
            if value is not None and not _is_amount(value):
                raise ConfigurationError(f"Budget({name}={value!r}): give {unit} above 0, or None")
        for name, known in (("per", get_args(Per)), ("when_short", get_args(WhenShort))):
            if getattr(self, name) not in known:
                said = ", ".join(map(repr, known))
                msg = f"Budget({name}={getattr(self, name)!r}): give one of {said}"
                raise ConfigurationError(msg)
        if self.key is not None and not isinstance(self.key, str) and not callable(self.key):
            msg = (
                f"Budget(key=…) takes the name of a key of the metadata, 'class', or a function "
                f"(request) -> str, not {type(self.key).__name__}"
            )
            raise ConfigurationError(msg)

    @property
    def limit_usd(self) -> Decimal | None:
        """The most USD, exactly as it was written."""
        return None if self.usd is None else Decimal(str(self.usd))

    @property
    def label(self) -> str:
        """How errors, records and reports call it; no value of its key is in it."""
        if self.name is not None:
            return self.name
        parts = [f"{self.usd} USD" if self.usd is not None else ""]
        parts.append(f"{self.tokens} tokens" if self.tokens is not None else "")
        key = getattr(self.key, "__name__", "function") if callable(self.key) else self.key
        whose = f" and {key}" if key else ""
        return f"{' and '.join(filter(None, parts))} per {self.per}{whose}"

    def owner(self, request: Request) -> str:
        """Return whose budget a request is paid from; an empty string where it is everybody's."""
        if self.key is None:
            return ""
        if callable(self.key):
            value = self.key(request)
        elif self.key == "class":
            value = request.class_name
        else:
            value = request.metadata.get(self.key)
        return "" if value is None else str(value)


def _is_amount(value: object) -> bool:
    number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    return number and math.isfinite(value) and value > 0  # type: ignore[arg-type, operator]


def read_budgets(given: Any) -> tuple[Budget, ...]:
    """Read the `budget=` argument of a cascade.

    Args:
        given: None, a `Budget`, or several of them.

    Raises:
        ConfigurationError: It is none of these.
    """
    if given is None:
        return ()
    several = isinstance(given, Sequence) and not isinstance(given, str)
    budgets: tuple[Any, ...] = tuple(given) if several else (given,)
    for each in budgets:
        if not isinstance(each, Budget):
            msg = f"budget= takes a Budget(usd=…), or a list of them, not {type(each).__name__}"
            raise ConfigurationError(msg)
    return budgets
