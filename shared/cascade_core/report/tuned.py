"""Reports a freshly tuned policy in the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.text import Text

from cascade_core.policy.document import Policy
from cascade_core.policy.evidence import Promise, Tuned
from cascade_core.report.rows import OPERATING_LEGEND, Figure, claimed, operating_rows
from cascade_core.report.terminal import print_figures
from cascade_core.statistics.bootstrap import Interval


def print_policy(policy: Policy, path: Path, console: Console | None = None) -> None:
    """Print what was tuned, what it does, and what is promised.

    Args:
        policy: As `tune` returned it.
        path: Where it was written.
        console: Where to print; standard output by default.
    """
    out, tuned = console or Console(), policy.tuned
    assert tuned is not None  # noqa: S101 - it was tuned
    out.print(Text(f"{tuned.table}: {tuned.objective}\n", style="bold"))
    for reason, count in tuned.rows_unused.items():
        out.print(Text(f"{count:,} rows not used: {reason}", style="dim"))
    for tier, choice in enumerate(tuned.choices):
        out.print(Text(f"tier {tier}: {choice}"))
    for tier, threshold in enumerate(policy.thresholds or ()):
        out.print(Text(f"tier {tier}: {_threshold(threshold)}"))
    for name, rule in policy.classes.items():
        said = ", ".join(map(_threshold, rule.thresholds))
        out.print(Text(f"class {name}: {said}"))
    for name, reason in tuned.refused.items():
        out.print(Text(f"class {name} goes to the strongest tier: {reason}"))
    if policy.route is not None:
        out.print(Text("requests that a tier will hardly answer skip it, judged by the request"))
    title = f"measured on {_rows(policy)}"
    print_figures(out, title, [*_figures(tuned), *_by_tier(tuned)], OPERATING_LEGEND)
    out.print()
    for promise in policy.promises:
        out.print(Text(_promised(promise)))
    if not policy.promises:
        out.print(Text(_UNPROMISED, style="dim"))
    out.print(Text(f"\n{path} written; use it as policy={str(path)!r}"))


_UNPROMISED = (
    "no promise: thresholds were picked on these very rows, which flatters them the more the fewer "
    "the rows; --quality or --harm with --confidence tests them on others"
)


def _threshold(threshold: float) -> str:
    return "accept nothing" if threshold >= 1 else f"accept at confidence ≥ {threshold:.4f}"


def _rows(policy: Policy) -> str:
    assert policy.tuned is not None  # noqa: S101 - it was tuned
    n = f"{policy.tuned.figures.n:,} rows"
    if policy.promises:
        return f"{n} that nothing was fitted to"
    return f"{n}, each scored by a model that had not seen it"


def _figures(tuned: Tuned) -> list[Figure]:
    found = tuned.figures
    low, high = found.quality_low, found.quality_high or 1.0
    return operating_rows(found, None if low is None else {"quality": Interval(low, high)})


def _by_tier(tuned: Tuned) -> list[Figure]:
    """Return who answers, where that is not said by the share answered beyond tier 0."""
    shares = tuned.figures.by_tier
    if len(shares) <= 2:  # noqa: PLR2004
        return []
    return [Figure(f"answered by tier {tier}", share) for tier, share in enumerate(shares)]


def _promised(promise: Promise) -> str:
    return (
        f"{claimed(promise)} "
        f"({100 * promise.seen:.2f} % on {promise.rows:,} rows, {promise.method} test, "
        f"p = {promise.p_value:.3g})"
    )
