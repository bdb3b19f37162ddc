"""Draws the picture of the README: what every threshold costs and gives, on the demo's tickets.

    python docs/pictures/curve.py

The threshold that is marked was picked on the first 600 tickets, as `cascade demo` picks one; what
is drawn are the others. The figures shown are printed, and kept beside the picture in `curve.txt`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from desk import labelled_tickets
from drawing import CASCADE, CHEAP, GREY, IMAGES, STRONG, picture

from cascade_core.evaluation import sweep
from cascade_core.labels import Table
from cascade_demo.threshold import Labelled, pick_threshold

PER = 1000
"""Tickets that the costs are of."""


def main(
    asked: Annotated[int, typer.Option(help="Tickets to ask both models about.")] = 6000,
    picked: Annotated[int, typer.Option(help="How many of them the threshold is picked on.")] = 600,
    out: Annotated[Path, typer.Option(help="Folder of the picture.")] = IMAGES,
) -> None:
    """Draw the picture and print what it shows."""
    table = labelled_tickets(asked)
    threshold = _picked(table.take(np.arange(picked)))
    said = draw(table.take(np.arange(picked, asked)), threshold, out)
    (out / "curve.txt").write_text(said, "utf-8")
    typer.echo(said, nl=False)


def draw(table: Table, threshold: float, out: Path) -> str:
    """Draw the curve with the three ways marked, and return their figures."""
    cheap, strong = table.tiers
    curve = sweep(_confidence(table), cheap.quality, strong.quality, cheap.cost, strong.cost)
    chosen = curve.point(int(np.searchsorted(curve.threshold, threshold)))
    marks = {
        "cheap only": (curve.weak_cost, curve.weak_quality, CHEAP),
        "strong only": (curve.strong_cost, curve.strong_quality, STRONG),
        "cascade": (chosen.cost, chosen.quality, CASCADE),
    }
    places = {"cheap only": (14, -12), "strong only": (8, 10), "cascade": (8, 10)}
    with picture("curve", out, height=3.6) as figure:
        axes = figure.subplots()
        _, quality = curve.along()
        cost = np.concatenate(([curve.weak_cost], curve.cost))
        axes.plot(PER * cost, 100 * quality, color=CASCADE, linewidth=2)
        ends = [marks["cheap only"], marks["strong only"]]
        axes.plot(
            [PER * mark[0] for mark in ends],
            [100 * mark[1] for mark in ends],
            "--",
            color=GREY,
            linewidth=1.2,
        )
        for name, (usd, right, colour) in marks.items():
            axes.plot(PER * usd, 100 * right, "o", color=colour, markersize=9, zorder=5)
            axes.annotate(
                f"{name}\n{right:.1%} right, ${PER * usd:.3f}",
                (PER * usd, 100 * right),
                xytext=places[name],
                textcoords="offset points",
                ha="left" if name == "cheap only" else "right",
                color=colour,
                weight="bold",
            )
        axes.annotate(
            "other thresholds",
            (PER * curve.cost[len(curve) // 4], 100 * curve.quality[len(curve) // 4]),
            xytext=(-10, 0),
            textcoords="offset points",
            ha="right",
            color=CASCADE,
        )
        axes.annotate(
            "tossing a coin",
            (PER * sum(mark[0] for mark in ends) / 2, 50 * sum(mark[1] for mark in ends)),
            xytext=(8, -14),
            textcoords="offset points",
        )
        axes.margins(x=0.08)
        axes.set_ylim(67, 101)
        axes.set_xlabel(f"USD per {PER:,} tickets, every call counted")
        axes.set_ylabel("tickets answered rightly, %")
    lines = [f"{name}: {right:.1%} right, {PER * usd:.3f} USD per {PER:,} tickets"
             for name, (usd, right, _) in marks.items()]  # fmt: skip
    share = chosen.cost / curve.strong_cost
    return "\n".join(
        [
            *lines,
            f"cascade: {share:.0%} of what always asking the strong model costs",
            f"cascade: {chosen.escalated:.0%} sent on, over {len(table):,} tickets",
        ]
    ) + "\n"  # fmt: skip


def _picked(table: Table) -> float:
    rows = zip(_confidence(table), *(tier.quality for tier in table.tiers), strict=True)
    return pick_threshold(
        [
            Labelled(None if np.isnan(read) else float(read), bool(cheap), bool(strong))
            for read, cheap, strong in rows
        ]
    )


def _confidence(table: Table) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return table.tiers[0].signals["sequence_logprob"]  # type: ignore[return-value]


if __name__ == "__main__":
    typer.run(main)
