"""Doubts whether answers were graded by the right comparison, told by what comes of it.

A last tier that is never right, or worse than a cheaper one, is rare. A comparison that
cannot read its answers is not: a model that writes its working first never equals a bare reference.
"""

from __future__ import annotations

from collections.abc import Sequence

from cascade_core.collect.journal import Entry
from cascade_core.statistics.pvalues import binomial_p

SELDOM = 0.1
"""Share of agreement below which it is the comparison that is doubted, not the tier."""
FEWEST = 5
"""Rows that it takes for that."""
LEVEL = 0.01
"""How seldom a last tier that is as good as the others is doubted, by chance alone."""


def doubt(entries: Sequence[Entry], quality: str, *, references: bool) -> str | None:
    """Say why the qualities of a table are to be doubted.

    Args:
        entries: The rows.
        quality: How they were graded.
        references: Whether requests have references to compare with.

    Returns:
        What is odd and what else to try, in one line; None where nothing is odd.
    """
    rows = [[q for q in e.qualities if q is not None] for e in entries if e.usable]
    if quality == "agreement" and (seldom := _seldom(rows)):
        return (
            f"{seldom} by quality 'agreement', which compares answers word by word: answers of "
            "several sentences hardly ever are the same; try --quality judge with --judge MODEL, a "
            "function of yours, or references to compare with"
        )
    odd = _odd(rows)
    if odd is None:
        return None
    others = ("contains", "numeric", "normalised") if references else ("agreement",)
    named = ", ".join(other for other in (*others, "judge") if other != quality)
    return (
        f"{odd} by quality {quality!r}: that may miss right answers, such as those with their "
        f"reasoning in front; try --quality {named}, or a function of yours"
    )


def _seldom(rows: Sequence[Sequence[float]]) -> str | None:
    """Say which tier hardly ever agrees with the last tier."""
    *cheaper, last = zip(*rows, strict=True) if rows else ((),)
    for tier, qualities in enumerate(cheaper):
        mean = sum(qualities) / len(last)
        if len(last) >= FEWEST and mean < SELDOM:
            return (
                f"tier {tier} agrees with the last tier in {100 * mean:.1f} % of {len(last)} rows"
            )
    return None


def _odd(rows: Sequence[Sequence[float]]) -> str | None:
    *cheaper, last = zip(*rows, strict=True) if rows else ((),)
    if last and not any(last):
        return f"tier {len(cheaper)}, the last, has quality 0 throughout"
    for tier, qualities in enumerate(cheaper):
        better = sum(q > strongest for q, strongest in zip(qualities, last, strict=True))
        worse = sum(q < strongest for q, strongest in zip(qualities, last, strict=True))
        mean, best = sum(qualities) / len(last), sum(last) / len(last)
        # The sign test: rows on which both do alike tell nothing.
        if mean > best and binomial_p(worse, better + worse, 0.5) <= LEVEL / len(cheaper):
            return (
                f"tier {len(cheaper)}, the last, is worse than tier {tier} "
                f"({best:.3f} against {mean:.3f}, which is hardly chance)"
            )
    return None
