"""How all pictures of the documentation look: readable on a white page and on a near-black one.

A page's reader may switch its colours at any time, which a picture is not told of. So nothing is
painted behind it, and every colour stands out on both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

IMAGES = Path(__file__).parents[1] / "images"

GREY, CHEAP, STRONG, CASCADE, WRONG = "#808080", "#2f6fde", "#e07b39", "#2a9d6f", "#d64550"

_SETTINGS = {
    "svg.fonttype": "none",
    "svg.hashsalt": "model-cascade",  # the same figures give the same bytes
    "font.family": "sans-serif",
    "font.sans-serif": ["system-ui", "Segoe UI", "Roboto", "Helvetica", "Arial", "DejaVu Sans"],
    "font.size": 11,
    "text.color": GREY,
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "legend.frameon": False,
    "savefig.transparent": True,
}


@contextmanager
def picture(
    name: str, folder: Path = IMAGES, *, height: float = 3.3, width: float = 6.6
) -> Iterator[Figure]:
    """Draw one picture and write it.

    Args:
        name: Its file's name, without the ending.
        folder: Where it goes.
        height: In inches.
        width: In inches.
    """
    settings: dict[str, object] = dict(_SETTINGS)
    with mpl.rc_context(settings):  # type: ignore[arg-type]  # matplotlib knows the names by heart
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        path = folder / f"{name}.svg"
        figure.savefig(path, metadata={"Date": None, "Creator": None})
    path.write_text(_plain(path.read_text("utf-8")), "utf-8")


def _plain(svg: str) -> str:
    """Leave out what no reader sees: the kind of document, and who wrote it."""
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!DOCTYPE.*?>\s*", "", svg, flags=re.DOTALL)
    svg = svg.replace('<?xml version="1.0" encoding="utf-8" standalone="no"?>\n', "")
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"
