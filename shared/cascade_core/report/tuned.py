"""Reports a freshly tuned policy in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from cascade_core.calibration.progress import OnStep
from cascade_core.costs.shown import dearer, dollars
from cascade_core.policy.document import Policy
from cascade_core.policy.evidence import Figures, Promise, ShownEarly, Tuned
from cascade_core.report.rows import (
    OPERATING_LEGEND,
    Figure,
    claimed,
    formatted,
    operating_rows,
)
from cascade_core.report.terminal import LOOK, print_figures
from cascade_core.statistics.bootstrap import Interval
from cascade_core.visible import SafeText


@contextmanager
def tuning_bar(*, quiet: bool) -> Iterator[OnStep]:
    """Show how far tuning has come on standard error, where somebody looks."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:  # a bar that is only disabled may still end its line
        yield lambda *_: None
        return
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as bar:
        task = bar.add_task("reading the table", total=None)
        yield lambda done, total, doing: bar.update(
            task, completed=done, total=total, description=doing
        )


def print_policy(
    policy: Policy,
    path: Path,
    console: Console | None = None,
    *,
    before: Path | None = None,
    rules: str = "",
) -> None:
    """Print what was tuned, what it does, and what is promised.

    Args:
        policy: As `tune` returned it.
        path: Where it was written.
        console: Where to print; standard output by default.
        before: Where what was there before is kept, if anything was.
        rules: A line about its rules, if there is one.
    """
    out, tuned = console or Console(), policy.tuned
    assert tuned is not None  # noqa: S101 - it was tuned
    out.print(SafeText(f"{tuned.table}: {tuned.objective}\n", style="bold"))
    for reason, count in tuned.rows_unused.items():
        out.print(SafeText(f"{count:,} rows not used: {reason}", style="dim"))
    for tier, choice in enumerate(tuned.choices):
        out.print(SafeText(f"tier {tier}: {choice}"))
    for line in (*_thresholds(policy, len(tuned.models) - 1), *_shown(tuned.shown), *_worse(tuned)):
        out.print(SafeText(line))
    for name, rule in policy.classes.items():
        of_tiers = enumerate(rule.thresholds)
        said = ", ".join(_threshold(policy, tier, threshold) for tier, threshold in of_tiers)
        out.print(SafeText(f"class {name}: {said}"))
    for name, reason in tuned.refused.items():
        out.print(SafeText(f"class {name} goes to the last tier: {reason}"))
    if policy.route is not None:
        out.print(
            SafeText("requests that a tier will hardly answer skip it, judged by the request")
        )
    for name, cost in tuned.straight.items():
        out.print(SafeText(f"class {name} goes straight to the last tier, at {cost}"))
    out.print(SafeText(_saved(tuned.figures), style="bold"))
    title = f"measured on {_rows(policy)}"
    merit = [_MERIT] if any(map(policy.weighs, range(len(tuned.models)))) else []
    legend = [*OPERATING_LEGEND, *merit]
    print_figures(out, title, [*_figures(tuned), *_by_tier(tuned)], legend)
    out.print()
    for promise in policy.promises:
        out.print(SafeText(_promised(promise)))
    if not policy.promises:
        out.print(SafeText(_UNPROMISED, style="dim"))
    replaced = f" (it replaces a file that is now {before})" if before else ""
    out.print(SafeText(f"\n{rules}{path} written{replaced}; use it as policy={str(path)!r}"))


_UNPROMISED = (
    "no promise: thresholds were picked on these very rows, which flatters them the more the fewer "
    "the rows; --quality or --harm with --confidence tests them on others"
)


def _saved(found: Figures) -> str:
    """Say in one line what the policy saves, or that it does not."""
    cost, strong = found.cost_usd, found.strong_cost_usd
    kept = found.quality / found.strong_quality if found.strong_quality else None
    quality = "" if kept is None else f" at {formatted(kept)} of its quality"
    if cost is None or strong is None:
        return f"saved: not known, for some calls are unpriced; {formatted(kept)} of the quality"
    if not strong:
        return "saved: nothing, for the last tier costs $0"
    if cost > strong:
        return dearer(cost, strong)
    return (
        f"saved: {formatted(1 - cost / strong)} of what always asking the last tier costs"
        f"{quality}: {dollars(cost)} a request in place of {dollars(strong)}"
    )


def _shown(shown: ShownEarly | None) -> Iterator[str]:
    """Say how soon accepted drafts are shown, where that is before they are finished."""
    if shown is None:
        return
    yield (
        f"{formatted(shown.committed)} of the accepted drafts are shown before they are finished: "
        f"half of all accepted ones after {formatted(shown.after)} of their tokens or less"
    )


def _worse(tuned: Tuned) -> Iterator[str]:
    """Say that the strongest tier looks weaker than what the cascade answers."""
    low, strong = tuned.figures.quality_low, tuned.figures.strong_quality
    if low is not None and low > strong:
        yield (
            f"{LOOK} the last tier's own answers are graded worse than the policy's: are the tiers "
            "in order, the strongest last, and the grades in their columns?"
        )


def _thresholds(policy: Policy, last: int) -> list[str]:
    given = policy.thresholds or ()
    said = [f"tier {k}: {_threshold(policy, k, to)}" for k, to in enumerate(given[:last])]
    handoff = policy.handoff(last + 1)
    return said if handoff is None else [*said, f"tier {last}: hand off below {handoff:.4f}"]


def _threshold(policy: Policy, tier: int, threshold: float) -> str:
    if threshold >= 1:
        return "not asked, as nothing of it would be accepted"
    return f"accept at {'merit' if policy.weighs(tier) else 'confidence'} ≥ {threshold:.4f}"


_MERIT = "merit: what the confidence in a draft and the benefit of asking on come to"


def _rows(policy: Policy) -> str:
    assert policy.tuned is not None  # noqa: S101 - it was tuned
    n = f"{policy.tuned.figures.n:,} rows"
    if any(promise.kind != "error" for promise in policy.promises):
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
