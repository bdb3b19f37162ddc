"""Takes the picture of docs/how-to/report.md: the page that `cascade replay --html` writes.

    python docs/pictures/report.py

Needs Chromium, which draws the page as a reader sees it, and the extra `report`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from drawing import IMAGES

WIDTH, HEIGHT = 640, 2218
"""Pixels: as far as the curves and the confidences."""

COMMANDS = (
    "demo --tickets 20 --tune 1000 --labels labels.csv --json",
    "demo --tickets 20 --tune 1000 --labels fresh.csv --json --seed 1",
    "tune labels.csv --harm 0.05 --out policy.json",
    "replay fresh.csv --policy policy.json --html replay.html",
)


def main() -> None:
    """Make the report of the page and take its picture."""
    with TemporaryDirectory() as folder:
        for command in COMMANDS:
            cascade = [sys.executable, "-m", "cascade_core.cli", *command.split()]
            subprocess.run(cascade, cwd=folder, check=True, capture_output=True)  # noqa: S603
        take(Path(folder, "replay.html"), IMAGES / "report.png")


def take(page: Path, out: Path) -> None:
    """Take the picture of a page."""
    browser = ["chromium", "--headless", "--no-sandbox", "--hide-scrollbars"]
    size = f"--window-size={WIDTH},{HEIGHT}"
    subprocess.run(  # noqa: S603 - our own page
        [*browser, size, f"--screenshot={out}", page.as_uri()], check=True, capture_output=True
    )


if __name__ == "__main__":
    main()
