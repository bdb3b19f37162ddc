"""What is read of a draft's first tokens: for one that is being written, or for a million rows."""

from __future__ import annotations

from typing import Any

import numpy as np

_PLACES = 9
"""Digits of a reading that count: its last bits depend on how many are computed at a time."""


def readings_so_far(total: Any, highest: Any, tokens: int) -> tuple[Any, Any]:
    """Return the geometric mean probability of some tokens, and the lowest of their probabilities.

    Args:
        total: The sum of their surprises in nats, or of every row's, shape (n,).
        highest: The largest of them, likewise.
        tokens: How many they are.
    """
    return (
        np.round(np.exp(np.negative(total) / tokens), _PLACES),
        np.round(np.exp(np.negative(highest)), _PLACES),
    )
