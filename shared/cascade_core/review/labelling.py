"""Keeps what people say of answers in the log that is reviewed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from cascade_core.errors import ConfigurationError
from cascade_core.loop.behind import flush_log
from cascade_core.loop.feedback import record_feedback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cascade_core.review.source import Source

SECONDS_TO_WRITE = 10.0
"""How long a page waits for its feedback to be in the log."""

NO_FEEDBACK = (
    "A labelled table takes no feedback: its qualities are in its columns. Review the log to label "
    "its answers."
)


def give_feedback(
    source: Source, key: str, quality: float, *, by: str = "", corrected: str = "", note: str = ""
) -> None:
    """Keep what somebody says of an answer; it is in the log when this returns.

    Args:
        source: What is reviewed.
        key: The decision's id.
        quality: Of the answer, in [0, 1].
        by: Who says so; empty for nobody.
        corrected: What the answer should have been, kept as it is given; empty for nothing.
        note: What else there is to say; empty for nothing.

    Raises:
        ConfigurationError: It is a table that is reviewed, or the log cannot be written.
    """
    if source.kind == "table":
        raise ConfigurationError(NO_FEEDBACK)
    # A form sends line ends as networks have them.
    texts = [text.replace("\r\n", "\n") for text in (corrected, note)]
    said = [text if text.strip() else None for text in texts]
    # A file of lines is read into a database of its own, which the pages read.
    for log in dict.fromkeys((source.given, source.database)):
        try:
            record_feedback(
                key, quality, by=by.strip() or None, corrected=said[0], note=said[1], log=log
            )
        except OSError as error:
            raise ConfigurationError(_not_kept(source)) from error
    if not flush_log(SECONDS_TO_WRITE):
        raise ConfigurationError(_not_kept(source))


def _not_kept(source: Source) -> str:
    return f"{source.shown} cannot be written now: the feedback is not kept; try again"


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
