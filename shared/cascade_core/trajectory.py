"""The course of a draft: how surprising each of its first tokens was.

A rule learns by it how soon a draft can be told to be good. It is written with few digits, and read
with no more while a draft is being written, so that a table and a stream decide alike.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

MOST_TOKENS = 256
"""Tokens that are kept of a draft; no rule decides later than that."""

MOST_SURPRISE = 99.0
"""Stands for a token that was next to impossible, and for what is no log-probability."""

_PLACES = 3
_SLACK = 1e-3
"""Providers round: a certain token may come as a hair above 0."""


def surprise(logprob: float) -> float:
    """Return how surprising a token was, −ln p in nats, to three decimal places."""
    if not logprob <= _SLACK:
        return MOST_SURPRISE
    return round(min(MOST_SURPRISE, max(0.0, -logprob)), _PLACES)


def trajectory_cell(logprobs: Iterable[float]) -> str | None:
    """Return the course of a draft as the cell of a table; None where it has no tokens."""
    first = islice(logprobs, MOST_TOKENS)
    return " ".join(f"{surprise(value):g}" for value in first) or None
