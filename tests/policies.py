"""Fitted policies for the adapters' tests, small enough to be followed by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HALF = {"kind": "isotonic", "x": [0.0, 1.0], "y": [0.0, 0.5]}
"""A curve that halves a reading."""


def by(signal: str = "sequence_logprob") -> dict[str, Any]:
    """A calibrator of one signal; its confidence is half of the reading."""
    return {"score": {"kind": "signal", "signal": signal}, "curve": HALF}


WEIGHS = {**by(), "benefit": {"keep": by(), "weight": 1.0}}
"""One whose threshold is held against more than the confidence: a merit."""

LONG_IS_HARD = {
    "score": {
        "kind": "logistic",
        "inputs": ["request:words"],
        "low": [0.0],
        "high": [100.0],
        "fill": [0.0],
        "weights": [-10.0],
        "missing": [0.0],
        "intercept": 22.0,
    }
}
"""A request of up to nine words will be answered well by the cheap tier, a longer one not."""

ROUTE = {
    "stages": [
        {"cost_usd": 1.0, "quality": 0.9, "accepted": 0.5, "accepts": LONG_IS_HARD},
        {"cost_usd": 10.0, "quality": 0.95},
    ]
}
DEAR = {
    "stages": [
        {"cost_usd": 6.0, "quality": 0.9, "accepted": 0.5},
        {"cost_usd": 10.0, "quality": 0.95},
    ]
}
"""A draft costs 6 USD and saves 10 in half of the cases: it had better not be asked for."""
DEAR_MIDDLE = {
    "stages": [
        {"cost_usd": 1.0, "quality": 0.9, "accepted": 0.8},
        {"cost_usd": 9.0, "quality": 0.9, "accepted": 0.1},
        {"cost_usd": 10.0, "quality": 0.95},
    ]
}
EASY = "When is it due?"
HARD = "why " * 20


def fitted(threshold: float = 0.4, **fields: Any) -> Mapping[str, Any]:
    """A policy for two tiers that accepts readings of twice the threshold."""
    return {"name": "tuned", "calibrators": [by()], "thresholds": [threshold], **fields}


CLASSES = {"billing": {"thresholds": [0.1]}}
