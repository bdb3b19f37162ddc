"""How many tiers the lists of a policy can be for.

A list of thresholds, or of calibrators, has one entry for every tier but the last, or one for
every tier: then the last tier's answers are judged too, and handed off below its threshold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cascade_core.errors import ConfigurationError


def possible_tiers(lengths: Iterable[int], exact: int | None = None) -> tuple[int, ...]:
    """Return the numbers of tiers that lists of these lengths fit, the largest first.

    Args:
        lengths: Of the lists; at least one, or `exact`.
        exact: The number of tiers where something else says it; None = nothing does.

    Returns:
        None where they contradict each other.
    """
    fits = [{length + 1, length} - {0} for length in lengths]
    if exact is not None:
        fits.append({exact})
    return tuple(sorted(set.intersection(*fits), reverse=True)) if fits else ()


def check_length(given: int, tiers: int, where: str) -> None:
    """Refuse a list that does not fit a number of tiers.

    Args:
        given: Its length.
        tiers: How many tiers there are.
        where: What it is.

    Raises:
        ConfigurationError: It has neither one entry for every tier but the last, nor one for all.
    """
    if given not in {tiers - 1, tiers}:
        msg = f"{where}: {given} given, but {needed_entries(tiers)}"
        raise ConfigurationError(msg)


def needed_entries(tiers: int) -> str:
    """Say how many entries so many tiers need."""
    if tiers == 1:
        return "one tier takes none, or 1, below which its answers are handed off"
    return (
        f"{tiers} tiers need {tiers - 1}, one for every tier but the last, or {tiers}: below its "
        "own the last tier hands off"
    )


def handoff_in(tiers: int, *given: Sequence[float] | None) -> float | None:
    """Return the last tier's threshold; None where its answers are not judged.

    Args:
        tiers: How many tiers there are.
        given: Lists of thresholds; the first that has a number for the last tier decides.
    """
    for thresholds in given:
        if thresholds is not None and len(thresholds) == tiers:
            return thresholds[-1] or None
    return None
