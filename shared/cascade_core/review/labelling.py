"""Keeps what people say of answers in the log that is reviewed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from starlette.exceptions import HTTPException

from cascade_core.errors import ConfigurationError
from cascade_core.loop.behind import flush_log
from cascade_core.loop.feedback import record_feedback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cascade_core.review.workbench import Workbench

SECONDS_TO_WRITE = 10.0
"""How long a page waits for its feedback to be in the log."""

NO_FEEDBACK = (
    "A labelled table takes no feedback: its qualities are in its columns. Review the log to label "
    "its answers."
)


class SaidOf(NamedTuple):
    """What somebody says of an answer.

    Attributes:
        quality: Of the answer, in [0, 1].
        by: Who says so; empty for nobody.
        corrected: What the answer should have been, kept as it is given; empty for nothing.
        note: What else there is to say; empty for nothing.
    """

    quality: float
    by: str = ""
    corrected: str = ""
    note: str = ""


def give_feedback(bench: Workbench, key: str, said: SaidOf) -> None:
    """Keep what somebody says of an answer; the pages know it when this returns.

    Args:
        bench: The review.
        key: The decision's id.
        said: What is said of it.

    Raises:
        ConfigurationError: It is a table that is reviewed.
        HTTPException: The log cannot be written now.
    """
    hand_over(bench, key, said)
    settle(bench)


def hand_over(bench: Workbench, key: str, said: SaidOf) -> None:
    """Give the log what somebody says of an answer; see `give_feedback`, and `settle`."""
    log = bench.source.keeps_feedback
    if log is None:
        raise ConfigurationError(NO_FEEDBACK)
    try:
        record_feedback(
            key,
            said.quality,
            by=said.by or None,
            corrected=said.corrected or None,
            note=said.note or None,
            log=log,
        )
    except OSError as error:
        reason = f"{bench.source.shown} cannot be written now ({type(error).__name__})"
        raise HTTPException(503, f"{reason}: nothing is kept; try again") from error


def settle(bench: Workbench) -> None:
    """Wait until what was said is in the log, and known here.

    Raises:
        HTTPException: It is not there yet.
    """
    if not flush_log(SECONDS_TO_WRITE):
        shown = bench.source.shown
        msg = f"{shown} cannot be written now: it waits here, and is lost if this ends"
        raise HTTPException(503, msg)
    if bench.source.file is not None:  # the pages ask a copy of it
        bench.refresh()


def feedback_in(form: Mapping[str, str]) -> SaidOf:
    """Read what a form says of an answer.

    Raises:
        ConfigurationError: It says no quality in [0, 1].
    """
    # A form sends line ends as networks have them.
    texts = [form.get(name, "").replace("\r\n", "\n") for name in ("corrected", "note")]
    kept = [text if text.strip() else "" for text in texts]
    return SaidOf(quality_in(form), form.get("by", "").strip(), *kept)


def quality_in(form: Mapping[str, str]) -> float:
    """Read the quality that a form gives: a number, or `between` and another.

    Raises:
        ConfigurationError: It is no number in [0, 1].
    """
    text = form.get("quality", "").strip()
    if text == "between":
        text = form.get("between", "").strip()
    try:
        quality = float(text)
    except ValueError:
        quality = math.nan
    if not 0 <= quality <= 1:
        raise ConfigurationError(
            "say how good the answer is: good, bad, or a number from 0 to 1, such as 0.5"
        )
    return quality
