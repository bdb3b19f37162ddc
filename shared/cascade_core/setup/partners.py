"""The models that signals ask what the tiers are asked, such as those of `Agreement`.

They are called as a tier is, with the caller's own request, and are none: no draft of theirs is
judged or returned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from cascade_core.errors import ConfigurationError
from cascade_core.setup.misuse import check_partner
from cascade_core.signals.asking import model_id, partners_of
from cascade_core.tier import Tier

MakePartner: TypeAlias = Callable[[Any, int], Tier | None]
"""Makes a tier of a model, with an index; None where it is no model of the framework."""


class Partners:
    """What is asked beside the tiers of one cascade.

    Args:
        signals: The cascade's signals.
        tiers: Its tiers.
        make: Makes a tier of a model.

    Raises:
        ConfigurationError: A model is none of the framework's, or is a tier of the cascade.
    """

    def __init__(self, signals: Iterable[object], tiers: Sequence[Tier], make: MakePartner) -> None:
        self._made: dict[int, tuple[Any, Tier]] = {}
        for signal in signals:
            for model in partners_of(signal):
                self._add(model, getattr(signal, "name", ""), tiers, make)

    def _add(self, model: Any, name: str, tiers: Sequence[Tier], make: MakePartner) -> None:
        if id(model) in self._made:
            return
        # Past the tiers, and past what answers are handed off to: it is in nobody's list.
        tier = make(model, len(tiers) + 1 + len(self._made))
        if tier is None:
            msg = (
                f"the signal {name!r} cannot ask {model_id(model)} what the tiers are asked: give "
                "it what could be a tier of this cascade"
            )
            raise ConfigurationError(msg)
        check_partner(tier, tiers, name)
        self._made[id(model)] = model, tier

    def get(self, model: object) -> Tier | None:
        """Return a model as a tier; None where no signal asks it so."""
        made = self._made.get(id(model))
        return None if made is None else made[1]

    def of(self, target: Any) -> Tier:
        """Return the tier that an effect's target is, or is made to be.

        Raises:
            ConfigurationError: It is a model that a caller's own signal asks what the tiers are
                asked, and does not name in its `partners`.
        """
        tier = target if isinstance(target, Tier) else self.get(target)
        if tier is None:
            msg = (
                f"a signal asks {model_id(target)} the caller's request itself: it has to name the "
                "model in its attribute partners, a tuple"
            )
            raise ConfigurationError(msg)
        return tier

    @property
    def tiers(self) -> list[Tier]:
        """All of them."""
        return [tier for _, tier in self._made.values()]

    @property
    def models(self) -> list[Any]:
        """The models, as their signals have them."""
        return [model for model, _ in self._made.values()]
