"""How much may be spent, and what happens when it is: the setting `budget=`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args
from uuid import uuid4

from cascade_core.errors import ConfigurationError
from cascade_core.guards.ledger import Amount
from cascade_core.named_arguments import names_checked

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


@names_checked
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
        name: What errors, records and reports call it; by default made of the above. No two budgets
            of a cascade may have one name, and cascades that share a store share those of one name.

    Attributes:
        nano_usd: The limit in nano-USD.
        label: Its name, or what is made of the limits; no value of its key is in it.
        own: Names it and its copies in this process: cascades that are given one budget share it,
            and so do copies of a cascade.

    Raises:
        ConfigurationError: An argument is none of these, or nothing is limited.
    """

    usd: float | Decimal | None = None
    tokens: int | None = None
    per: Per = "day"
    key: BudgetKey = None
    when_short: WhenShort = "cheapest"
    name: str | None = None
    nano_usd: int | None = field(init=False, repr=False, compare=False)
    label: str = field(init=False, repr=False, compare=False)
    own: str = field(init=False, repr=False, compare=False, default_factory=lambda: uuid4().hex)

    def __post_init__(self) -> None:
        """Check the arguments."""
        if self.usd is None and self.tokens is None:
            raise ConfigurationError("Budget() limits nothing: give usd=5 or tokens=1_000_000")
        for name, unit in (("usd", "USD"), ("tokens", "tokens")):
            value = getattr(self, name)
            if value is not None and not _is_amount(value):
                raise ConfigurationError(f"Budget({name}={value!r}): give {unit} above 0, or None")
        if self.tokens is not None and not isinstance(self.tokens, int):
            msg = f"Budget(tokens={self.tokens!r}): give a whole number of tokens"
            raise ConfigurationError(msg)
        for name, known in (("per", get_args(Per)), ("when_short", get_args(WhenShort))):
            if getattr(self, name) not in known:
                said = ", ".join(map(repr, known))
                msg = f"Budget({name}={getattr(self, name)!r}): give one of {said}"
                raise ConfigurationError(msg)
        _check_key(self.key)
        if self.name is not None and not _is_name(self.name):
            msg = f"Budget(name={self.name!r}): give a text of 1 to 100 letters in one line"
            raise ConfigurationError(msg)
        nano = None if self.usd is None else Amount.limit(Decimal(str(self.usd)))
        if nano == 0:
            msg = f"Budget(usd={self.usd!r}): give 1e-9 USD or more, the least that counts"
            raise ConfigurationError(msg)
        object.__setattr__(self, "nano_usd", nano)
        object.__setattr__(self, "label", self.name if self.name is not None else self._described)

    @property
    def _described(self) -> str:
        parts = [f"{Decimal(str(self.usd)):f} USD" if self.usd is not None else ""]
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
        return "" if value is None else _said(value)


def _said(value: Any) -> str:
    """Return a key's value as text, the same whenever it is asked for.

    Raises:
        TypeError: It has none: where the value lies in memory is all that its text says, and every
            request would have a budget of its own.
    """
    text = str(value)
    if not isinstance(value, str) and _IN_MEMORY.search(text):
        if inspect.iscoroutine(value):
            value.close()  # nobody will await it
        raise TypeError(type(value).__name__)
    return text


_IN_MEMORY = re.compile(r" at 0x[0-9A-Fa-f]+")


def _check_key(key: Any) -> None:
    if callable(key):
        call = getattr(type(key), "__call__", None)  # noqa: B004 - what it is, not whether
        if inspect.iscoroutinefunction(key) or inspect.iscoroutinefunction(call):
            msg = "Budget(key=…) takes a function that returns a text, none that is awaited"
            raise ConfigurationError(msg)
    elif key is not None and not (isinstance(key, str) and key):
        msg = (
            f"Budget(key=…) takes the name of a key of the metadata, 'class', or a function "
            f"(request) -> str, not {type(key).__name__}"
        )
        raise ConfigurationError(msg)


def _is_amount(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return False
    return Decimal(value).is_finite() and value > 0


def _is_name(value: object) -> bool:
    return isinstance(value, str) and value.isprintable() and 0 < len(value.strip()) <= _LONGEST


_LONGEST = 100


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
    labels = [budget.label for budget in budgets]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise ConfigurationError(
            f"budget= has two budgets called {twice!r}: give them a name= each"
        )
    return budgets
