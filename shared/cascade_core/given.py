"""`Tier`: a model in `tiers=[…]` together with what its caller knows of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import replace
from decimal import Decimal
from typing import Any, Self

from cascade_core.abilities import NEEDS, Abilities, Missing, read_modalities
from cascade_core.errors import ConfigurationError
from cascade_core.named_arguments import names_checked


@names_checked
class Tier:
    """A model together with what it can take, in place of the bare model in `tiers=[…]`.

    A request that a tier cannot serve is not sent there. Model profiles and metadata say much of
    it already; what is said here goes before them. What nobody says counts as able.

    Args:
        model: What would stand in `tiers=[…]` without it: a model, a chain, an engine or a name.
        max_input_tokens: The most tokens a request may have, its answer not counted.
        modalities: What the model reads beside text: `image`, `audio`, `video`, `file`.
        tools: Whether it calls tools.
        structured_output: Whether its provider makes objects of a JSON schema.
        n: Whether it gives several answers to one request.
        max_call_usd: The most USD one call of it can cost: under a budget, a chain or an engine
            that may call several models has to say so.
        max_call_tokens: The same in tokens, of prompts and answers together.

    Raises:
        ConfigurationError: A number is not positive, or a modality is not known.

    Examples:
        >>> ChatCascade([Tier(local, max_input_tokens=8_000, modalities=["text"]), strong])
    """

    def __init__(  # noqa: PLR0913 - one for each thing that may be known
        self,
        model: Any,
        *,
        max_input_tokens: int | None = None,
        modalities: Collection[str] | None = None,
        tools: bool | None = None,
        structured_output: bool | None = None,
        n: bool | None = None,
        max_call_usd: float | Decimal | None = None,
        max_call_tokens: int | None = None,
    ) -> None:
        whole = type(max_input_tokens) is int and max_input_tokens > 0
        if max_input_tokens is not None and not whole:
            msg = f"Tier(max_input_tokens={max_input_tokens!r}): give a whole number above 0"
            raise ConfigurationError(msg)
        for name, value, kinds in (
            ("max_call_usd", max_call_usd, int | float | Decimal),
            ("max_call_tokens", max_call_tokens, int),
        ):
            number = isinstance(value, kinds) and not isinstance(value, bool)
            if value is not None and not (number and Decimal(value).is_finite() and value > 0):
                raise ConfigurationError(f"Tier({name}={value!r}): give a number above 0")
        if isinstance(model, Tier):
            msg = "Tier(Tier(…)): say everything in one"
            raise ConfigurationError(msg)
        self.model = model
        self.max_input_tokens = max_input_tokens
        self.modalities = modalities
        self.tools = tools
        self.structured_output = structured_output
        self.n = n
        self.max_call_usd = max_call_usd
        self.max_call_tokens = max_call_tokens
        self._unread = None if modalities is None else read_modalities(modalities, "modalities=")

    def of(self, model: Any) -> Self:
        """Return the same said of another model."""
        made = copy(self)
        made.model = model
        return made

    @property
    def said(self) -> dict[str, Any]:
        """What is said of the model, as plain JSON."""
        names = ("max_input_tokens", "modalities", *NEEDS, "max_call_usd", "max_call_tokens")
        found = {name: getattr(self, name) for name in names}
        if self.max_call_usd is not None:
            found["max_call_usd"] = float(self.max_call_usd)
        if self.modalities is not None:
            found["modalities"] = sorted(self.modalities)
        return {name: value for name, value in found.items() if value is not None}

    def applied_to(self, found: Abilities) -> Abilities:
        """Return what is known of the model, with what its caller says in first place."""
        lacks: set[Missing] = set(found.lacks)
        if self._unread is not None:
            lacks = {need for need in lacks if need in NEEDS} | self._unread
        for need in NEEDS:
            said = getattr(self, need)
            if said is not None:
                lacks = lacks - {need} if said else lacks | {need}
        limit, shared = found.max_input_tokens, found.shared
        if self.max_input_tokens is not None:
            limit, shared = self.max_input_tokens, False
        usd = None if self.max_call_usd is None else Decimal(str(self.max_call_usd))
        return replace(
            found,
            max_input_tokens=limit,
            shared=shared,
            lacks=frozenset(lacks),
            call_usd=usd,
            call_tokens=self.max_call_tokens,
        )

    def __repr__(self) -> str:
        """Say what is known, and the model by its class: its own repr may hold keys."""
        known = [f"{name}={value!r}" for name, value in self.said.items()]
        model = self.model if isinstance(self.model, str) else type(self.model).__name__
        return f"Tier({', '.join([repr(model) if model is self.model else model, *known])})"


def bare_model(given: object) -> tuple[Any, Tier | None]:
    """Return what a caller gave as a tier, and what was said of it."""
    return (given.model, given) if isinstance(given, Tier) else (given, None)


def listed_tiers(tiers: object, of: str) -> Sequence[object]:
    """Return what was given as `tiers=`, making sure that it is a list with something in it.

    Args:
        tiers: What was given.
        of: What it is to be a list of.

    Raises:
        ConfigurationError: It is no list, or is empty.
    """
    if isinstance(tiers, str) or not isinstance(tiers, Sequence):
        given = f"the class {tiers.__name__}" if isinstance(tiers, type) else type(tiers).__name__
        msg = f"tiers= takes a list of {of}, cheapest first, not {given}: tiers=[cheap, strong]"
        raise ConfigurationError(msg)
    if not tiers:
        msg = f"tiers=[] is empty: give at least a cheap and a strong one of your {of}"
        raise ConfigurationError(msg)
    return tiers


def check_is_one(given: object, where: str) -> None:
    """Refuse what is given in place of one model in every framework alike: its class, or a list.

    Raises:
        ConfigurationError: Says what to give.
    """
    if isinstance(given, type):
        msg = f"{where} is the class {given.__name__}; make one: {given.__name__}(…)"
        raise ConfigurationError(msg)
    if isinstance(given, list | tuple | set):
        hint = "give one model"
        if where.startswith("tiers["):
            hint = "give the tiers one by one, cheapest first: tiers=[cheap, strong]"
        raise ConfigurationError(f"{where} is a {type(given).__name__}; {hint}")


def is_of(given: object, framework: str) -> bool:
    """Tell whether a thing is of a framework's packages, such as `langchain_openai` of `langchain`.

    Args:
        given: Anything.
        framework: What the names of its packages begin with.
    """
    return any(cls.__module__.startswith(framework) for cls in type(given).__mro__)


def described(found: Abilities, said: Tier | None) -> Abilities:
    """Return what is known of a model and what its caller says."""
    return found if said is None else said.applied_to(found)
