"""Labelled tables made up for tests: hard requests, cheap tiers that fail on them."""

import numpy as np

WORDS = ("refund", "dispute", "exception", "invoice", "password", "reset", "due", "policy")


def columns(n=600, tiers=2, seed=0, *, texts=False, classes=False, graded=False, sharp=6.0):
    """Columns of a table whose signal `a` is a noisy view of how likely a draft is good."""
    rng = np.random.default_rng(seed)
    hard = rng.random(n)
    found = {"id": [f"r{row}" for row in range(n)]}
    if texts:
        found["request"] = [
            " ".join(rng.choice(WORDS, 3)) + (" please explain why" if h > 0.6 else "")
            for h in hard
        ]
    if classes:
        found["class"] = ["easy" if h < 0.5 else "hard" for h in hard]
    for k in range(tiers):
        good = 1 / (1 + np.exp(sharp * (hard - 0.6 - 0.15 * k)))
        if k == tiers - 1:
            good = np.full(n, 0.95)
        quality = (rng.random(n) < good).astype(float)
        if graded:
            quality = np.clip(0.5 * quality + 0.5 * good, 0, 1)
        found[f"t{k}_model"] = [f"m{k}"] * n
        found[f"t{k}_quality"] = quality.tolist()
        found[f"t{k}_cost_usd"] = [1e-5 * 12.0**k] * n
        if k < tiers - 1:
            seen = np.clip(good + rng.normal(0, 0.1, n), 0, 1)
            found[f"t{k}_signal_a"] = seen.tolist()
            found[f"t{k}_signal_noise"] = rng.random(n).tolist()
        if texts:
            found[f"t{k}_response"] = ["An answer."] * n
    return found
