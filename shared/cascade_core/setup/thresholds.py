"""Reads thresholds and what makes confidences, and checks that they are for the cascade's tiers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cascade_core.errors import ConfigurationError
from cascade_core.policy.document import Policy
from cascade_core.policy.tier_counts import check_length
from cascade_core.setup.confidence import Calibrated, Confidence, Raw
from cascade_core.signals.base import Signal
from cascade_core.signals.readings import Combiner, Minimum

DEFAULT_THRESHOLD = 0.9
"""What an uncalibrated confidence has to reach where nobody set a threshold.

With the default signal this asks for a geometric mean token probability of
0.9. It is a starting point, not a promise: raw readings mean different things
for different models, so tune it on your own traffic.
"""

_PERCENT = 100


def read_thresholds(
    given: Sequence[float | None] | float | None, tiers: int, where: str
) -> tuple[float, ...]:
    """Return one threshold for every tier but the last, and one for that where it has one.

    Args:
        given: The thresholds; one number is for every tier but the last. None in the last place
            says that no answer is handed off, as leaving it out does.
        tiers: How many tiers there are.
        where: What is read.

    Raises:
        ConfigurationError: They are no numbers in [0, 1], or not for so many tiers.
    """
    if given is None:
        return (DEFAULT_THRESHOLD,) * (tiers - 1)
    if isinstance(given, int | float) and not isinstance(given, bool):
        values: tuple[Any, ...] = (given,) * (tiers - 1)
        given = [given]
    elif isinstance(given, Sequence) and not isinstance(given, str):
        values = tuple(given)
        if len(values) == tiers and values[-1] is None:
            given = values = values[:-1]
    else:
        msg = f"thresholds= takes numbers in [0, 1], not {type(given).__name__}"
        raise ConfigurationError(msg)
    check_length(len(values), tiers, where)
    for place, value in enumerate(given):
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or math.isnan(value) or not 0 <= value <= 1:
            percent = number and 2 <= value <= _PERCENT  # noqa: PLR2004 - 1.2 is no percentage
            hint = f", {value / _PERCENT:g} for {value:g} %" if percent else ""
            msg = f"thresholds[{place}] is {value!r}: give a number in [0, 1]{hint}"
            raise ConfigurationError(msg)
    return tuple(float(value) for value in values)


def read_confidences(
    document: Policy, combiner: Combiner, signals: Sequence[Signal], tiers: int
) -> tuple[Confidence, ...]:
    """Return what makes a confidence of a draft's readings, for every tier that it is known of.

    Raises:
        ConfigurationError: The policy's calibrators do not go with the cascade.
    """
    if document.calibrators is None:
        return (Raw(combiner, [signal.name for signal in signals]),) * tiers
    if combiner.identity != Minimum.identity:
        msg = "combine= has no use beside a policy with calibrators, which combine readings"
        raise ConfigurationError(msg)
    check_length(len(document.calibrators), tiers, "the policy's calibrators")
    return tuple(Calibrated(calibrator) for calibrator in document.calibrators)


def handing_off(
    tiers: int, thresholds: Mapping[str, Sequence[float]], document: Policy
) -> list[str]:
    """Return the lists that have a threshold for the last tier, by what they are called.

    Args:
        tiers: How many tiers there are.
        thresholds: The cascade's own and those of classes, by what they are called.
        document: The policy, for its rules.
    """
    lists = {**thresholds}
    lists.update({f"rule {rule.name!r}": rule.then.thresholds or () for rule in document.rules})
    return [name for name, values in lists.items() if len(values) == tiers and values[-1] > 0]


def check_last(confidences: int, tiers: int, handing: Sequence[str]) -> None:
    """Refuse a threshold for the last tier where nothing makes a confidence of its answers.

    Args:
        confidences: For how many tiers something does.
        tiers: How many there are.
        handing: The lists that have a threshold for the last tier.

    Raises:
        ConfigurationError: There is one; the message says what gives the tier a confidence.
    """
    if confidences < tiers and handing:
        msg = (
            f"{handing[0]} has a number for the last tier, and the policy has no calibrator for "
            "it: add one, or leave the number out"
        )
        raise ConfigurationError(msg)


def idle_handler(given: object, handing: Sequence[str]) -> Iterator[str]:
    """Say where `on_handoff` is given and no threshold lets an answer be handed off."""
    if given is not None and not handing:
        yield (
            "on_handoff= has no use: no threshold is for the last tier, so every answer of it is "
            "returned; give thresholds= one number for every tier"
        )
