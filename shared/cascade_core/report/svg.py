"""Draws pictures as SVG elements that can stand inside a page.

Colours are left to the page: every colour that matplotlib writes is a
placeholder which becomes a CSS variable, so that one picture is readable on a
dark page and on a light one. Text stays text.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, FAINT = "#0a0b0c", "#0a0b1c"
MAIN, SECOND, GOOD, BAD = "#0a0b2c", "#0a0b3c", "#0a0b4c", "#0a0b5c"
_VARIABLES = {
    INK: "var(--ink)",
    FAINT: "var(--faint)",
    MAIN: "var(--main)",
    SECOND: "var(--second)",
    GOOD: "var(--good)",
    BAD: "var(--bad)",
}

_SETTINGS: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "model-cascade",  # the same report is the same bytes
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": FAINT,
    "grid.alpha": 0.5,
    "grid.linewidth": 0.6,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
}


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture and what it says.

    Attributes:
        svg: An `<svg>` element with its description in it.
        alt: The same for those who cannot see it.
        caption: Below the picture.
    """

    svg: str
    alt: str
    caption: str


def draw_plot(
    title: str, alt: str, caption: str, draw: Callable[[Axes], None], *, height: float = 3.4
) -> Plot:
    """Draw one picture.

    Args:
        title: What it shows; also the prefix of names inside it.
        alt: What it says, for those who cannot see it.
        caption: Below the picture.
        draw: Draws on the axes it is given.
        height: In inches; the width is always the same.

    Raises:
        ModuleNotFoundError: The extra `report` is not installed.
    """
    import matplotlib as mpl  # noqa: PLC0415 - an extra, and slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    settings: Any = _SETTINGS  # matplotlib's own stubs know the names by heart
    with mpl.rc_context(settings):
        figure = Figure(figsize=(5.4, height), layout="constrained")
        draw(figure.add_subplot())
        written = io.StringIO()
        figure.savefig(
            written, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    return Plot(_inline(written.getvalue(), title, alt), alt, caption)


def _inline(svg: str, title: str, alt: str) -> str:
    """Make a whole SVG file an element of a page: own names, the page's colours, a description."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    prefix = re.sub(r"\W+", "-", title.lower())
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", svg)
    for placeholder, variable in _VARIABLES.items():
        svg = svg.replace(placeholder, variable)
    svg = re.sub(r' (width|height)="[\d.]+pt"', "", svg, count=2)
    described = f"<title>{escape(title)}</title><desc>{escape(alt)}</desc>"
    return svg.replace("<svg", '<svg role="img"', 1).replace(">", f">{described}", 1)
