"""The scores that are worth trying on so many rows, plainest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Literal, TypeAlias

import numpy as np

from cascade_core.arrays import Array
from cascade_core.fitted.feature_names import DRAFT, REQUEST
from cascade_core.fitted.inputs import Inputs

Method: TypeAlias = Literal["auto", "signal", "logistic", "boosting"]

LOGISTIC_ROWS = 40
"""Rows from which a learned combination of signals is tried."""
TEXT_ROWS = 50
"""Rows from which features of the texts are tried."""
TREE_ROWS = 300
"""Rows from which boosting is tried."""
FOREST_ROWS = 500
"""Rows up to which random trees are tried on texts; they grow with the rows."""
WORD_ROWS = 400
"""Rows from which the words of requests are tried."""
RARE = 5
"""Outcomes of the rarer kind that anything learned needs."""
TIED = 0.1
"""Share of the readings that may be the same before a signal counts as coarse."""
_MOST_CLASSES = 20
"""Classes that become inputs at most."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A score that may be fitted.

    Attributes:
        label: What it is called.
        rank: How plain it is; 0 is the plainest.
        kind: What fits it.
        names: What it reads, as `source:name`.
        words: The texts whose words it also reads.
        parts: What a mean is of; they are candidates themselves, and come before it.
    """

    label: str
    rank: int
    kind: Literal["signal", "logistic", "forest", "boosting", "mean"]
    names: tuple[str, ...]
    words: tuple[str, ...] = ()
    parts: tuple[Candidate, ...] = ()

    @property
    def of_texts(self) -> bool:
        """Whether it reads a text."""
        return any(name.startswith(("request:", "draft:")) for name in self.names)


def candidates(  # noqa: PLR0913 - what there is, and what is wanted of it
    inputs: Inputs,
    signals: Sequence[str],
    texts: Sequence[str],
    target: Array,
    method: Method,
    *,
    fine: bool = False,
) -> list[Candidate]:
    """Return what is worth trying, plainest first.

    Args:
        inputs: What there is to read.
        signals: Signals to use.
        texts: Texts to use: `request`, `draft`.
        target: Outcomes of the rows there are to fit to, shape (n,).
        method: What was asked for; all but `"auto"` is tried whatever the rows.
        fine: Whether coarse signals are left out where something learned can stand in.

    Returns:
        Candidates; none where there is nothing to read.

    Raises:
        ModuleNotFoundError: What was asked for needs scikit-learn, which is missing.
    """
    plain = [Candidate(name, 0, "signal", (f"signal:{name}",)) for name in signals]
    if method == "signal":
        return plain
    text = _text_names(inputs, texts)
    if method != "auto":
        _need_learning(method)
        learned = _learned(inputs, signals, text) or _alone(signals)
        return [c for c in learned if c.kind == method]
    if not plain and text:
        _need_learning(method)
    learned = _learned(inputs, signals, text) if has_learning() else []
    rows, rare = len(target), min((target > 0).sum(), (target < 1).sum())
    carried = [c for c in learned if rare >= RARE and _carry(c, rows)]
    if fine and carried:
        plain = [c for c in plain if not _coarse(inputs, c)]
        carried = [c for c in carried if not _coarse(inputs, c)] or carried
    return [*plain, *_with_means(carried, rows)] or learned[:1]


def _with_means(carried: Sequence[Candidate], rows: int) -> list[Candidate]:
    """Put the mean of those that read the texts, and of those that do not, behind them."""
    found = list(carried)
    if rows < TREE_ROWS:
        return found
    for texts in (False, True):
        parts = [c for c in carried if c.of_texts is texts]
        if texts and any(part.words for part in parts):  # the same regression with words is there
            parts = [c for c in parts if c.words or c.kind != "logistic"]
            found = [c for c in found if not c.of_texts or c in parts]
        if len(parts) > 1:
            names = tuple(dict.fromkeys(name for part in parts for name in part.names))
            words = tuple(dict.fromkeys(text for part in parts for text in part.words))
            *some, last = (part.label.partition(" on ")[0] for part in parts)
            read = max((part.label.partition(" on ")[2] for part in parts), key=len)
            label = f"mean of {', '.join(some)} and {last} on {read}"
            found.append(Candidate(label, 3, "mean", names, words, tuple(parts)))
    return found


def _coarse(inputs: Inputs, candidate: Candidate) -> bool:
    """Tell whether many drafts share one score; a threshold takes all of them or none.

    Two agreements of yes or no make four scores, whatever combines them. Texts tell drafts apart.
    """
    if candidate.of_texts:
        return False
    sources = [name.partition(":") for name in candidate.names]
    signals = dict.fromkeys(name for source, _, name in sources if source in {"signal", "logit"})
    readings = np.array([inputs.signals[name] for name in signals]).reshape(len(signals), inputs.n)
    read = readings[:, ~np.isnan(readings).all(axis=0)]
    # Among what is unread in part, all that is unread counts as one reading.
    most = np.unique(np.nan_to_num(read, nan=-1.0), axis=1, return_counts=True)[1].max(initial=0)
    return bool(most > TIED * read.shape[1])


def _learned(inputs: Inputs, signals: Sequence[str], text: tuple[str, ...]) -> list[Candidate]:
    names = tuple(f"{source}:{name}" for name in signals for source in ("signal", "logit"))
    raw = tuple(f"signal:{name}" for name in signals)
    classes = () if inputs.classes is None else tuple(f"class:{n}" for n in inputs.class_names)
    classes = classes if len(classes) <= _MOST_CLASSES else ()
    found = []
    read = [part for part, given in (("signals", names), ("class", classes)) if given]
    base = " and ".join(read)
    if len(signals) > 1 or classes:
        found.append(Candidate(f"logistic on {base}", 1, "logistic", names + classes))
        found.append(Candidate(f"boosting on {base}", 4, "boosting", raw + classes))
    if text:
        read = [*read, "texts"]
        base = ", ".join(read)
        every = names + classes + text
        found.append(Candidate(f"logistic on {base}", 2, "logistic", every))
        if any(name.startswith("request:") for name in text):
            read_too = (
                ("request", "draft") if any(n.startswith("draft:") for n in text) else ("request",)
            )
            words = Candidate(f"logistic on {base}, words", 3, "logistic", every, read_too)
            found.append(words)
        # A forest of few rows is as tame as a ridge: neither is the plainer one.
        found.append(Candidate(f"random trees on {base}", 2, "forest", raw + classes + text))
        found.append(Candidate(f"boosting on {base}", 5, "boosting", raw + classes + text))
    return sorted(found, key=lambda candidate: candidate.rank)


def _alone(signals: Sequence[str]) -> list[Candidate]:
    """Return what can be learned of one signal and nothing else, for who asks for it."""
    both = tuple(f"{source}:{name}" for name in signals for source in ("signal", "logit"))
    return [
        Candidate("logistic on signals", 1, "logistic", both),
        Candidate("boosting on signals", 4, "boosting", both[::2]),
    ][: 2 * len(signals)]


def _text_names(inputs: Inputs, texts: Sequence[str]) -> tuple[str, ...]:
    names: tuple[str, ...] = ()
    if inputs.requests is not None:
        if "request" in texts:
            names += tuple(f"request:{name}" for name in REQUEST)
        if "draft" in texts and inputs.responses is not None:
            names += tuple(f"draft:{name}" for name in DRAFT)
    return names


def _carry(candidate: Candidate, rows: int) -> bool:
    """Tell whether so many rows are enough for a candidate, and not too many."""
    if candidate.words:
        return rows >= WORD_ROWS
    if candidate.kind == "boosting":
        return rows >= TREE_ROWS
    if candidate.kind == "forest":
        return TEXT_ROWS <= rows <= FOREST_ROWS
    return rows >= (LOGISTIC_ROWS if candidate.rank == 1 else TEXT_ROWS)


def has_learning() -> bool:
    """Tell whether scikit-learn is installed."""
    return find_spec("sklearn") is not None


def _need_learning(method: Method) -> None:
    if not has_learning():
        msg = (
            f"fitting {method!r} to this table needs scikit-learn: "
            "pip install 'model-cascade[calibrate]'"
        )
        raise ModuleNotFoundError(msg, name="sklearn")
