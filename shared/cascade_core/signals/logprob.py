"""Signals read from the log-probabilities of the tokens a model wrote.

Both are free: they need no further call, only a provider that returns token
log-probabilities. A value that cannot be one (NaN, or above 0) is read as
probability 0, so that a broken reading never helps an answer pass.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias, get_args

from cascade_core.draft import Draft
from cascade_core.effects import Steps
from cascade_core.errors import ConfigurationError
from cascade_core.named_arguments import names_checked
from cascade_core.request import Request
from cascade_core.signals.base import BaseSignal, Running
from cascade_core.signals.readings import Reading
from cascade_core.tier import Tier

Reduction: TypeAlias = Literal["mean", "min", "quantile", "sum", "length_normalised"]

_SLACK = 1e-3
"""Providers round: a certain token may come as a hair above 0, and counts as 0."""
_FLOOR = -1e30
"""Below this every probability is 0; it keeps sums and differences finite."""
_STEEPEST = 10
"""Beyond, `alpha` makes every answer of some length certain, and powers overflow."""


@names_checked
class SequenceLogprob(BaseSignal):
    """The probability of the written tokens, put together into one number.

    Gupta et al., "Language Model Cascades: Token-level uncertainty and beyond"
    (ICLR 2024) compare these; quantiles often order long answers best, `min`
    short ones.

    Args:
        reduce: How the tokens' log-probabilities become one:
            `mean` – exp of their mean, the geometric mean probability
            (Chow-Average); does not depend on length.
            `min` – probability of the least likely token.
            `quantile` – probability at the given quantile (Chow-Quantile).
            `sum` – probability of the whole sequence (Chow-Sum).
            `length_normalised` – exp of the sum over ((5 + n) / 6) ** alpha
            (Wu et al., 2016), between `sum` (alpha 0) and about `mean` (alpha 1).
        quantile: The quantile for `reduce="quantile"`, in [0, 1]; 0 is `min`.
        alpha: The exponent for `reduce="length_normalised"`, in [0, 10].
        name: The signal's name in records and policies.

    Raises:
        ConfigurationError: An argument is not one of the above.
    """

    needs_logprobs = True

    def __init__(
        self,
        reduce: Reduction = "mean",
        *,
        quantile: float = 0.1,
        alpha: float = 0.6,
        name: str = "sequence_logprob",
    ) -> None:
        if reduce not in get_args(Reduction):
            known = ", ".join(get_args(Reduction))
            msg = f"SequenceLogprob(reduce={reduce!r}): choose one of {known}"
            raise ConfigurationError(msg)
        if not 0 <= quantile <= 1:
            msg = f"SequenceLogprob(quantile={quantile!r}): give a number in [0, 1]"
            raise ConfigurationError(msg)
        if not 0 <= alpha <= _STEEPEST:
            msg = f"SequenceLogprob(alpha={alpha!r}): give a number in [0, {_STEEPEST}]"
            raise ConfigurationError(msg)
        self.name = name
        self.reduce: Reduction = reduce
        self.quantile = quantile
        self.alpha = alpha

    def measure(self, request: Request, draft: Draft, tier: Tier) -> Steps[Reading]:
        """Read the draft's tokens; no reading where the provider sent none."""
        del request, tier
        if draft.logprobs is None or not draft.logprobs.values:
            return None
        return self.read(draft.logprobs.values)
        yield  # a generator like every signal, though it asks for nothing

    def read(self, values: Sequence[float]) -> float:
        """Reduce the tokens' log-probabilities to a reading.

        Args:
            values: Natural-log probabilities, at least one.

        Returns:
            A probability in [0, 1].
        """
        highest = max(values)
        if not highest <= _SLACK or any(map(math.isnan, values)):
            return 0.0
        if highest > 0 or min(values) < _FLOOR:
            values = [_clipped(value) for value in values]
        if self.reduce == "mean":
            score = math.fsum(values) / len(values)
        elif self.reduce == "min":
            score = min(values)
        elif self.reduce == "quantile":
            score = _quantile(sorted(values), self.quantile, len(values))
        else:
            score = math.fsum(values) / self._length_penalty(len(values))
        return min(1.0, math.exp(score))

    def running(self, max_tokens: int | None) -> Running | None:
        """Bound the reading of a stream, with every token still to come at probability 1.

        Args:
            max_tokens: The most tokens the answer can have; some servers write
                "no limit" as -1 or 0. Without a limit only
                `min` and `sum` can fall for good: any other reduction could
                still be lifted by enough certain tokens.
        """
        if self.reduce in {"min", "sum"} or (max_tokens is not None and max_tokens > 0):
            return _RunningLogprob(self, max_tokens)
        return None

    def _length_penalty(self, n: int) -> float:
        if self.reduce == "sum":
            return 1.0
        return float(((5 + n) / 6) ** self.alpha)

    def _bound(self, values: Sequence[float], total: float, limit: int) -> float:
        """Return the highest reading once `limit` tokens are written; values sorted."""
        n = max(len(values), limit)
        if self.reduce == "min":
            score = values[0]
        elif self.reduce == "quantile":
            score = _quantile(values, self.quantile, n)
        elif self.reduce == "mean":
            score = total / n
        else:
            score = total / self._length_penalty(n)
        return min(1.0, math.exp(score))


class _RunningLogprob:
    """What has been read of a stream so far."""

    __slots__ = ("_broken", "_limit", "_signal", "_total", "_values")

    def __init__(self, signal: SequenceLogprob, max_tokens: int | None) -> None:
        self._signal = signal
        self._limit = max_tokens or 0
        self._values: list[float] = []
        self._total = 0.0
        self._broken = False

    def feed(self, logprobs: Sequence[float]) -> float:
        for value in logprobs:
            if not value <= _SLACK:
                self._broken = True
                continue
            insort(self._values, _clipped(value))
            self._total += _clipped(value)
        if self._broken:
            return 0.0
        if not self._values:
            return 1.0
        # The total is a running sum, `read` sums exactly: leave room for the
        # difference, so that a bound is never below the reading it bounds.
        bound = self._signal._bound(self._values, self._total, self._limit)  # noqa: SLF001
        return min(1.0, bound * (1 + 1e-9))


@names_checked
class TokenMargin(BaseSignal):
    """How far each written token stood above its best alternative.

    The margin of a token is its probability minus that of the likeliest
    *other* token, at least 0: a token that was sampled below the likeliest one
    has no margin. Needs `top_logprobs` from the provider.

    Args:
        reduce: `mean`, `min` or `quantile` of the margins.
        quantile: The quantile for `reduce="quantile"`, in [0, 1].
        name: The signal's name in records and policies.

    Raises:
        ConfigurationError: An argument is not one of the above.
    """

    needs_logprobs = True
    top_logprobs = 2

    def __init__(
        self,
        reduce: Literal["mean", "min", "quantile"] = "mean",
        *,
        quantile: float = 0.1,
        name: str = "token_margin",
    ) -> None:
        if reduce not in _MARGIN_REDUCTIONS:
            msg = f"TokenMargin(reduce={reduce!r}): choose one of {', '.join(_MARGIN_REDUCTIONS)}"
            raise ConfigurationError(msg)
        if not 0 <= quantile <= 1:
            msg = f"TokenMargin(quantile={quantile!r}): give a number in [0, 1]"
            raise ConfigurationError(msg)
        self.name = name
        self.reduce = reduce
        self.quantile = quantile

    def measure(self, request: Request, draft: Draft, tier: Tier) -> Steps[Reading]:
        """Read the margins; no reading where the provider sent no alternatives."""
        del request, tier
        try:
            margins = _margins(draft)
        except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
            return None  # alternatives that cannot be read
        if not margins:
            return None
        return min(1.0, max(0.0, _MARGIN_REDUCTIONS[self.reduce](margins, self.quantile)))
        yield  # a generator like every signal, though it asks for nothing


def _margins(draft: Draft) -> list[float]:
    if draft.logprobs is None:
        return []
    margins = []
    for position, entry in enumerate(draft.logprobs.entries):
        written = draft.logprobs.values[position]
        if not written <= _SLACK:
            return [0.0]
        alternatives = draft.logprobs.alternatives(position)
        if not alternatives:
            continue
        others = [p for token, p in alternatives if token != entry.get("token")]
        rival = 0.0 if any(map(math.isnan, others)) else max(others, default=-math.inf)
        margins.append(max(0.0, math.exp(min(0.0, written)) - math.exp(min(0.0, rival))))
    return margins


def _clipped(value: float) -> float:
    return min(0.0, max(_FLOOR, value))


def _quantile(ordered: Sequence[float], q: float, n: int) -> float:
    """Return a quantile of `n` numbers by linear interpolation between order statistics.

    Numbers missing at the end of `ordered` are zeros.
    """
    place = q * (n - 1)
    below = math.floor(place)
    low, high = (ordered[i] if i < len(ordered) else 0.0 for i in (below, math.ceil(place)))
    return low + (place - below) * (high - low)


_MARGIN_REDUCTIONS: dict[str, Callable[[Sequence[float], float], float]] = {
    "mean": lambda margins, _: math.fsum(margins) / len(margins),
    "min": lambda margins, _: min(margins),
    "quantile": lambda margins, q: _quantile(sorted(margins), q, len(margins)),
}
