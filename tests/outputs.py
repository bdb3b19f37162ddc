"""Compares what documentation shows with what its code prints now.

Words have to be the same. Figures may differ a little, since sums come out differently on other
processors; what is never the same twice (durations, ids, dates, folders) is not compared.
"""

from __future__ import annotations

import math
import re

TOLERANCE = 0.02
"""By how much of itself a figure may differ."""

ANYTHING = "…"
"""Alone on a line: whatever stands there, on any number of lines."""

_PASSING = re.compile(
    r"""
    \x1b\[[0-9;]*m                                      # colours
    | \b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?  # dates
    | \b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b   # ids
    | \b(?=[0-9a-f]*\d)[0-9a-f]{16,}\b
    | (?:/[\w.-]+)*/tmp[\w./-]*                         # folders
    | 127\.0\.0\.1:\d+
    | \b\d[\d,]*(?:\.\d+)?\s?(?:ms|µs|us|ns|s|min|seconds?|minutes?)\b  # durations
    | (?<="latency_ms":\s)[\d.]+
    """,
    re.VERBOSE,
)
_FIGURE = re.compile(r"[-−]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?")


def differences(kept: str, fresh: str, *, tolerance: float = TOLERANCE) -> list[str]:
    """Say where `fresh` does not show what `kept` shows.

    Args:
        kept: What is written down; a line `…` stands for any lines.
        fresh: What came out now.
        tolerance: By how much of itself a figure may differ. One that is shown with few digits may
            also differ by one in its last.

    Returns:
        A line for each difference; none where the two agree.
    """
    wanted, found = _lines(kept), _lines(fresh)
    if ANYTHING in wanted:
        return _with_gaps(wanted, found, tolerance)
    said = [
        f"- {old}\n+ {new}"
        for old, new in zip(wanted, found, strict=False)
        if not _agree(old, new, tolerance)
    ]
    said += [f"- {line}" for line in wanted[len(found) :]]
    said += [f"+ {line}" for line in found[len(wanted) :]]
    return said


def _with_gaps(wanted: list[str], found: list[str], tolerance: float) -> list[str]:
    """Look for each run of lines between gaps after the one before."""
    start = 0
    runs = _runs(wanted)
    for number, run in enumerate(runs):
        last = len(found) - len(run)
        places = range(start, last + 1) if number else range(1)
        if number == len(runs) - 1:
            places = range(max(start, last), last + 1)
        for at in places:
            here = found[at : at + len(run)]
            if len(here) == len(run) and all(
                _agree(old, new, tolerance) for old, new in zip(run, here, strict=True)
            ):
                start = at + len(run)
                break
        else:
            return [f"- {line}" for line in run] + [f"+ {line}" for line in found[start:]]
    return []


def _runs(lines: list[str]) -> list[list[str]]:
    runs: list[list[str]] = [[]]
    for line in lines:
        if line == ANYTHING:
            runs.append([])
        else:
            runs[-1].append(line)
    return runs


def _lines(text: str) -> list[str]:
    """The lines without trailing white space, and without those that pass."""
    lines = [line.rstrip() for line in _PASSING.sub("", text).splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    while lines and not lines[0]:
        lines.pop(0)
    return lines


def _agree(old: str, new: str, tolerance: float) -> bool:
    if _shape(old) != _shape(new):
        return False
    pairs = zip(_FIGURE.findall(old), _FIGURE.findall(new), strict=True)
    return all(_near(before, after, tolerance) for before, after in pairs)


def _shape(line: str) -> str:
    """The words of a line; a figure's width moves the white space around it."""
    return " ".join(_FIGURE.sub(" # ", line).split())


def _near(before: str, after: str, tolerance: float) -> bool:
    old, new = _number(before), _number(after)
    decimals = len(before.partition(".")[2]) if "e" not in before.lower() else 0
    last_digit = 10.0**-decimals if decimals else 0.0
    return math.isclose(old, new, rel_tol=tolerance, abs_tol=last_digit * 1.001)


def _number(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))
