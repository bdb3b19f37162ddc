"""Reports a replay: in the terminal, and as a page."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from cascade_core.evaluation.study import Study
from cascade_core.labels.fingerprints import holds
from cascade_core.report.figures import (
    by_class,
    confidence_histograms,
    cost_quality,
    reliability_diagram,
)
from cascade_core.report.html import Section, write_html
from cascade_core.report.rows import (
    CURVE_LEGEND,
    OPERATING_LEGEND,
    Figure,
    claimed,
    curve_rows,
    operating_rows,
    shortened,
)
from cascade_core.report.terminal import LOOK, print_classes, print_figures
from cascade_core.visible import SafeText

_LONGEST_NAME = 60


def print_replay(study: Study, console: Console | None = None) -> None:
    """Print what a policy would have done.

    Args:
        study: The replay, worked out.
        console: Where to; standard output by default.
    """
    out = console or Console()
    out.print(SafeText(_headline(study)))
    out.print(SafeText(_models(study), style="dim"))
    for line in _caveats(study):
        out.print(SafeText(line, style="dim"))
    for line in study.dear:
        out.print(SafeText(f"{LOOK} {line}", style="bold"))
    print_figures(out, "what the policy does", _operating(study), OPERATING_LEGEND)
    title = f"its {'merit' if study.policy.weighs(0) else 'confidence'}, over all thresholds"
    print_figures(out, title, _signal_rows(study), [*_two_tiers(study), *CURVE_LEGEND])
    if study.replay.by_class:
        print_classes(out, "by class", study.replay.by_class, study.harmed)
        for line in study.dear_classes:
            out.print(SafeText(f"{LOOK} {line}"))
        for name, said in study.harmed.items():
            out.print(SafeText(f"{LOOK} class {shortened(name, _LONGEST_NAME)} {said}"))
    for line in _promises(study):
        out.print(SafeText(line))


def write_page(path: Path, study: Study) -> None:
    """Write the same with pictures, as one page that needs no network.

    Args:
        path: Where to.
        study: The replay, worked out.

    Raises:
        ConfigurationError: It cannot be written.
        ModuleNotFoundError: The extra `report` is not installed.
    """
    means, classes = study.replay.means, study.replay.by_class
    sections = [
        Section(
            "What the policy does",
            text=[
                _headline(study),
                *(f"{LOOK} {line}." for line in (*study.dear, *study.dear_classes)),
                *_caveats(study),
                *_promises(study),
            ],
            figures=_operating(study),
            legend=OPERATING_LEGEND,
        ),
        Section(
            "Quality and cost",
            text=_two_tiers(study),
            plots=[cost_quality(study.curve, best=study.best, point=means)],
            figures=_signal_rows(study),
            legend=CURVE_LEGEND,
        ),
        *(
            Section(
                f"Confidence in tier {one.tier}",
                plots=[
                    reliability_diagram(one.bins, noise_floor=one.noise_floor),
                    confidence_histograms(one.confidence, one.quality, study.replay.scored.weights),
                ],
            )
            for one in study.tiers
        ),
        *(
            [Section.of_classes("By class", classes, [by_class(classes)], study.harmed)]
            if classes
            else []
        ),
    ]
    named = f"policy {study.policy.name}" if study.policy.name else "a policy"
    write_html(
        path,
        "Cascade replay",
        sections,
        subtitle=f"{named} on {means.n:,} requests of {study.replay.table.source}. "
        f"{_models(study)}.",
    )


def _models(study: Study) -> str:
    """Name the tiers' models."""
    last = len(study.models) - 1
    words = {0: "the cheapest", last: "the last"}
    named = (
        f"tier {k}{f' ({words[k]})' if k in words else ''}: {model or 'not named'}"
        for k, model in enumerate(study.models)
    )
    return ", ".join(named)


def _headline(study: Study) -> str:
    means = study.replay.means
    kept = means.quality / means.strong_quality if means.strong_quality else None
    said = (
        f"{means.n:,} requests: quality {means.quality:.3f} against the last tier's "
        f"{means.strong_quality:.3f}{'' if kept is None else f' ({100 * kept:.1f} %)'}"
    )
    if means.cost_usd is None or means.strong_cost_usd is None:
        return f"{said}; some calls are unpriced, so nothing can be said about costs."
    if not means.strong_cost_usd:
        return f"{said}; the last tier costs $0, so no share of its cost can be given."
    return f"{said}, at {100 * means.cost_usd / means.strong_cost_usd:.1f} % of its cost."


def _caveats(study: Study) -> list[str]:
    """Return what a reader must know before believing the figures."""
    lines = [f"{n:,} rows not used: {why}" for why, n in study.replay.unused.items()]
    tuned = study.policy.tuned
    if tuned is not None and holds(study.replay.table, tuned.fitted_marks):
        lines.append(
            "Rows that the policy was fitted to are among these; figures on rows it has seen "
            "flatter it."
        )
    return lines


def _operating(study: Study) -> list[Figure]:
    means = study.replay.means
    rows = operating_rows(means, study.intervals)
    if len(study.tiers) > 1 or any(share < 1 for share in means.asked[:1]):
        rows += [
            Figure(f"answered by tier {k}", share, note=f"asked {100 * asked:.1f} %")
            for k, (share, asked) in enumerate(zip(means.by_tier, means.asked, strict=True))
        ]
    answered = study.replay.answered
    if answered is not None:
        rows.append(Figure("not handed off", answered.share))
        rows.append(Figure("quality of those", answered.quality, unit="score"))
    return rows


def _signal_rows(study: Study) -> list[Figure]:
    rows = curve_rows(study.curve, study.curve_intervals)
    for one in study.tiers:
        name = f", tier {one.tier}" if len(study.tiers) > 1 else ""
        rows += [
            Figure(f"AUROC{name}", one.auroc, unit="score"),
            Figure(
                f"ECE{name}",
                one.bins.ece,
                unit="score",
                note=f"chance alone: {one.noise_floor:.3f}",
            ),
        ]
        if one.read < 1:
            rows.append(Figure(f"drafts with a reading{name}", one.read))
    return rows


def _two_tiers(study: Study) -> list[str]:
    """Say what the curve leaves out, where it leaves out anything."""
    last = len(study.tiers)
    if last == 1:
        return []
    pair = f"tier 0 straight to tier {last}"
    return [f"The curve, with its APGR and CPT, goes from {pair}; the policy itself does not."]


def _promises(study: Study) -> list[str]:
    """Say whether what was promised holds on these rows."""
    lines = []
    for promise in study.policy.promises:
        own = study.replay.means
        if promise.class_name is not None:
            found = study.replay.by_class.get(promise.class_name)
            if found is None:
                continue
            own = found
        if promise.kind == "harm":
            seen, held = own.harm, own.harm <= promise.limit
        elif promise.kind == "error":
            answered = study.replay.answered
            if answered is None or answered.quality is None:
                continue
            seen = 1 - answered.quality
            held = seen <= promise.limit
        else:
            seen = own.quality / own.strong_quality if own.strong_quality else 1.0
            held = seen >= promise.limit
        kept = "kept" if held else "not kept on these rows"
        lines.append(f"{claimed(promise)}; here {100 * seen:.2f} %: {kept}")
    return lines
