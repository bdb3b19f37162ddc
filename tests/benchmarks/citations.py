"""Where figures that stand beside ours are from, and what whoever got them was allowed to read.

A figure is only like another where both may read the same: a router that sees the request alone
pays for one model a request, and knows nothing of any answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Reads = Literal[
    "the request alone",
    "the request",
    "the draft's text",
    "probabilities of the draft",
    "a second paid answer",
    "several paid answers",
]


@dataclass(frozen=True)
class Citation:
    """Where a figure is from.

    Attributes:
        of: The line that it is about, as `recorded.py` prints it.
        where: Paper, year and table; or that nothing was published.
        reads: What the method may read when it decides.
    """

    of: str
    where: str
    reads: tuple[Reads, ...]

    def __str__(self) -> str:
        """Return it in a line."""
        return f"{self.of}: {self.where}; reads {' and '.join(self.reads)}"


_EARLIER = "measured on the same table before this code was written; not published"

CITATIONS: dict[str, tuple[Citation, ...]] = {
    "gsm8k": (
        Citation(
            "published: causal LLM router",
            "Ong et al., RouteLLM: Learning to Route LLMs with Preference Data, 2024, "
            "arXiv:2406.18665, table 3 (causal LLM, arena and judge data)",
            ("the request alone",),
        ),
        Citation("seen before: handcrafted + LR", _EARLIER, ("the draft's text",)),
    ),
    "gsm8k-agreement": (
        Citation("seen before: agreement", _EARLIER, ("the draft's text", "a second paid answer")),
        Citation(
            "seen before: + learned tie-break",
            _EARLIER,
            ("the draft's text", "a second paid answer"),
        ),
    ),
    "zeroeval": (
        Citation(
            "seen before: agreement with claude-3-haiku",
            _EARLIER,
            ("the draft's text", "a second paid answer"),
        ),
    ),
    "arc": (Citation("seen before: max softmax", _EARLIER, ("probabilities of the draft",)),),
    "hellaswag": (Citation("seen before: max softmax", _EARLIER, ("probabilities of the draft",)),),
}

OURS: dict[str, tuple[Reads, ...]] = {
    "gsm8k": ("the request", "the draft's text"),
    "gsm8k-agreement": ("the request", "the draft's text", "a second paid answer"),
    "zeroeval": ("the request", "the draft's text", "a second paid answer"),
    "zeroeval-chosen": ("the request", "the draft's text", "a second paid answer"),
    "zeroeval-several": ("the request", "the draft's text", "several paid answers"),
    "arc": ("probabilities of the draft", "a second paid answer"),
    "hellaswag": ("probabilities of the draft", "a second paid answer"),
}
"""What `fitted` reads, by workload."""

LEGEND = (
    (
        "fitted: cross-fitted by this package, mean ± standard deviation over seeds; random: a "
        "coin; oracle: hindsight, above 1 where it keeps drafts that the strong model gets wrong"
    ),
    (
        "APGR: share of the gap between the two models' quality that is recovered, averaged over "
        "all shares of requests sent on; a coin gets 0.5"
    ),
    (
        "CPT50, CPT80, CPT95: share of requests sent on to recover 50, 80, 95 % of the gap; lower "
        "is better"
    ),
    (
        "cost: the same against what is paid, from always the cheap model (0) to always the strong "
        "one (1), every call counted"
    ),
    (
        "AUROC: how well the score tells right drafts from wrong ones; ECE: how far its "
        "probabilities are from the truth, and the floor that chance alone gives"
    ),
    "MISSED: a figure short of what was asked of it; nothing fails",
)
"""What the columns mean, printed above all tables."""

PROMISED = (
    (
        "promises: harm (quality lost by not asking the strong model) is promised to stay within "
        "a limit, from 1,000 labelled rows, drawn many times over; the rows nobody drew tell"
    ),
    (
        "broken, worst: share of draws whose promise was broken, of the worst split, and what it "
        "may be: 5 % and two standard errors; refused: draws that allowed no promise"
    ),
    (
        "accepted: share of requests that the cheap model may answer; hindsight: the most it could "
        "be within the limit; a split: accepted ÷ hindsight of each; wanted: what was asked of it"
    ),
)
"""The same for the tables of promises."""


def cited(section: str) -> list[str]:
    """Return what is to be said of the sources of a section's figures."""
    notes = [f"source: {each}" for each in CITATIONS.get(section, ())]
    if reads := OURS.get(section):
        notes.append(f"fitted reads {' and '.join(reads)}")
    return notes
