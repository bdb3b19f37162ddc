"""What fitted confidences recover on recorded answers, beside what was published or a coin's.

`recorded` shows much more of it; here are two rows a workload. More than 1 is better.
"""

from __future__ import annotations

from collections.abc import Iterator

from recorded import free, with_signals
from recorded_data import absent, workloads
from rows import Row, Skipped

GROUP = "recorded answers, APGR (higher is better)"
COIN = 0.5
"""What sending requests on by chance recovers, on average over all shares."""
PUBLISHED = {"gsm8k": 0.622}
"""The best that RouteLLM's authors report of a router on the same answers, by share escalated."""


def rows(seeds: int) -> Iterator[Row | Skipped]:
    """Fit once a seed; the spread is a standard deviation either way."""
    if reason := absent():
        yield Skipped(GROUP, reason)
        return
    for name in ("gsm8k", "gsm8k-agreement", "zeroeval", "arc", "hellaswag"):
        table = workloads()[name]()
        fitted = free(table, seeds) if name == "gsm8k" else with_signals(table, seeds)[0]
        for axis, title in (("APGR", name), ("APGR cost", f"{name}, cost axis")):
            theirs = PUBLISHED.get(name, COIN) if axis == "APGR" else COIN
            ours, apart = fitted.figures[axis], fitted.spread.get(axis, 0.0)
            yield Row(
                GROUP,
                title,
                "a coin" if theirs == COIN else "the best published router",
                ours / theirs,
                (ours - apart) / theirs,
                (ours + apart) / theirs,
                ours,
                theirs,
                "APGR",
            )
