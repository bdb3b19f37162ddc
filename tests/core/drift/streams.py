"""Streams of requests made up for tests, and a monitor that reads them."""

import numpy as np

from cascade_core.policy.reference import Reference

THRESHOLD = 0.6


def traffic(n, seed, *, a=4.0, b=2.0, wrong=0.1, unread=0.03):
    """Confidences, escalations and harm of n requests."""
    rng = np.random.default_rng(seed)
    confidence = rng.beta(a, b, n)
    confidence[rng.random(n) < unread] = np.nan
    escalated = ~(confidence >= THRESHOLD)
    harm = np.where(escalated, 0.0, rng.random(n) < wrong)
    return confidence, escalated, harm


def feed(monitor, stream, *, harm=True):
    """Let a monitor read a stream; give its alarms by what moved."""
    confidence, escalated, lost = (column.tolist() for column in stream)
    for i in range(len(confidence)):
        monitor.observe(confidence[i], escalated[i], lost[i] if harm else None)
    return {alarm.what: alarm for alarm in monitor.alarms}


def reference(n=1_000, seed=0, **settings):
    limit = settings.pop("limit", 0.1)
    return Reference.of(*traffic(n, seed, **settings), limit=limit)
