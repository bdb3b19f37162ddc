"""A labelled table, read into a database of its own as the log that a policy would have written.

Each row that `cascade replay` uses becomes the decision that the policy makes of it, with an audit
that was done: every tier's answer is known. So pages show a table as they show a log. Rows have no
time, for a table says none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from cascade_core.arrays import Array
from cascade_core.evaluation.replaying import Replay, oddities, replay
from cascade_core.evaluation.scored import Scored, thresholds_of
from cascade_core.files import state_of
from cascade_core.labels import Table, TableError, check_learnable, read_table
from cascade_core.log.events import audit_event
from cascade_core.policy.document import Policy
from cascade_core.review.temporary_log import TemporaryLog
from cascade_core.setup.thresholds import DEFAULT_THRESHOLD

COMPARED = "table"
"""What compared the answers, in the audits of a table's rows: whoever made the table did."""

_Column: TypeAlias = list[float | None]


class TableFile:
    """Keeps a database up to date with a labelled table.

    Args:
        path: The table's file.

    Attributes:
        url: The database's address.
        table: All rows of the table.
        said: What is to be known of it, a sentence each.
        filled: How often the database has been filled anew.

    Raises:
        TableError: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = state_of(self._path, TableError)
        self.table = read_table(path)
        self.said: tuple[str, ...] = ()
        self.filled = 0
        self._filled_of: tuple[Any, ...] | None = None
        self._log = TemporaryLog()
        self.url = self._log.url

    @property
    def weighted(self) -> bool:
        """Whether some rows count more than others."""
        weights = self.table.weights
        return weights is not None and bool(np.any(weights != weights[0]))

    def update(self, policy: Policy) -> None:
        """Read the file again if it has changed, and let a policy decide if it is another.

        Args:
            policy: What decides; one without thresholds has the default one for every tier.

        Raises:
            TableError: The table cannot be read, or no row can be used.
            ConfigurationError: The policy does not fit the table.
        """
        state = state_of(self._path, TableError)
        if state != self._known:
            self.table, self._known = read_table(self._path), state
        key = state, policy.fingerprint, policy.name
        if key == self._filled_of:
            return
        decides = with_thresholds(policy, len(self.table.tiers))
        found = replay(self.table, decides)
        with self._log.filling(anew=True) as into:
            for entry in entries_of(found, decides):
                into.add(entry)
        self.said, self._filled_of = tuple(self._sentences(found, policy, decides)), key
        self.filled += 1

    def _sentences(self, found: Replay, policy: Policy, decides: Policy) -> Iterator[str]:
        for why, n in found.unused.items():
            yield f"{n:,} rows are left out: {why}"
        if policy.thresholds is None:
            yield (
                "the policy has no thresholds: rows are decided as a cascade does without, at "
                f"{DEFAULT_THRESHOLD:g}"
            )
        if self.weighted:
            yield (
                "rows of this table weigh differently: what is counted or added up takes each row "
                "once, while what cascade replay prints are weighted means"
            )
        yield from map(str, oddities(found, decides))
        try:
            check_learnable(self.table)
        except TableError as error:
            yield str(error)


def with_thresholds(policy: Policy, tiers: int) -> Policy:
    """Return a policy with the default thresholds where it has none."""
    if policy.thresholds is not None:
        return policy
    return policy.model_copy(update={"thresholds": (DEFAULT_THRESHOLD,) * (tiers - 1)})


def entries_of(found: Replay, policy: Policy) -> Iterator[dict[str, Any]]:
    """Yield the records that a policy would have written of rows, and their audits.

    Args:
        found: A replay of the policy, which has thresholds.
        policy: The policy.
    """
    rows = _Rows(found, policy)
    for row in range(len(found.table)):
        yield rows.record(row)
        if rows.chances[row]:
            yield rows.audit(row)


class _Rows:
    """The rows of a replayed table, as plain numbers."""

    def __init__(self, found: Replay, policy: Policy) -> None:
        table, scored, served = found.table, found.scored, found.served
        self._table, self._policy = table, policy
        self._last = len(table.tiers) - 1
        met = [np.broadcast_to(each, len(table)) for each in thresholds_of(policy, table)]
        self._met = [_plain(each) for each in met]
        self._told = [_plain(scored.told(k, met[k])) for k in range(self._last)]
        weighs = bool(scored.merits)
        self._own = [_plain(each) for each in scored.confidences] if weighs else self._told
        self._calibrated = scored.calibrated
        self._tier = served.tier.tolist()
        self._asked = served.asked.tolist()
        self._cost, self._harm, self._quality = map(
            _plain, (served.cost, served.harm, served.quality)
        )
        self._drafts = [_plain(each) for each in scored.drafts]
        self._paid = [_plain(_paid(scored, k, met[k])) for k in range(self._last)]
        self._qualities = [_plain(each) for each in scored.qualities]
        self._signals = [
            {name: _plain(values) for name, values in tier.signals.items()} for tier in table.tiers
        ]
        # Who reads a log tells the strongest tier by its exact costs: one that was never asked
        # must not look like the one before it.
        self._never_last = bool(np.all(served.tier < self._last))
        self.chances = _chances(table).tolist()

    def record(self, row: int) -> dict[str, Any]:
        """Return the record of a row."""
        table, tier = self._table, self._tier[row]
        judged = [self._judged(row, k) for k in range(self._last) if self._asked[row][k]]
        last = judged[-1] if judged else {}
        return {
            "id": _id(table, row),
            "tier": tier,
            "model": table.tiers[tier].model,
            "accepted": tier < self._last,
            "reason": last.get("reason", "difficult"),
            **{name: last.get(name) for name in ("confidence", "benefit", "merit", "threshold")},
            "calibrated": self._calibrated,
            "signals": last.get("signals", {}),
            "calls": [*self._calls(row)],
            "cost_usd": self._cost[row],
            "class": _class(table, row),
            "policy": self._policy.name,
            "strong_cost_usd": self._drafts[-1][row],
            "strong_cost_is_estimate": self._never_last,
            "version": 2,
            "at": None,
            "latency_ms": None,
            "tags": [],
            "metadata": {},
            "judged": judged,
            "audit": {"probability": self.chances[row], "picked": bool(self.chances[row])},
            "request": None
            if table.requests is None
            else [{"role": "user", "text": table.requests[row]}],
            "response": self._answer(row, tier),
        }

    def audit(self, row: int) -> dict[str, Any]:
        """Return the audit of a row."""
        return {
            **audit_event(
                _id(self._table, row),
                status="done",
                probability=self.chances[row],
                compare=COMPARED,
                tiers=[self._known(row, k) for k in range(self._last + 1)],
                quality=self._quality[row],
                strong_quality=self._qualities[-1][row],
                harm=self._harm[row],
                strong_cost_usd=self._drafts[-1][row],
                cost_usd=0.0,
            ),
            "at": None,
        }

    def _judged(self, row: int, tier: int) -> dict[str, Any]:
        return {
            "tier": tier,
            "model": self._table.tiers[tier].model,
            "reason": self._reason(row, tier),
            "confidence": self._own[tier][row],
            "benefit": None,
            "merit": self._told[tier][row],
            "threshold": self._met[tier][row],
            "signals": {name: values[row] for name, values in self._signals[tier].items()},
        }

    def _reason(self, row: int, tier: int) -> str:
        if self._tier[row] == tier:
            return "confident"
        gated = self._table.tiers[tier].gated
        if gated is not None and gated[row]:
            return "gate_custom"
        return "no_reading" if self._told[tier][row] is None else "low_confidence"

    def _calls(self, row: int) -> Iterator[dict[str, Any]]:
        for k, asked in enumerate(self._asked[row]):
            if not asked:
                continue
            answered = k == self._tier[row]
            outcome = "returned" if k == self._last else "accepted" if answered else "rejected"
            yield _call(k, self._table.tiers[k].model, "draft", self._drafts[k][row], outcome)
            if k < self._last and self._paid[k][row] != 0:  # None is unpriced, and was paid
                yield _call(k, None, "judge", self._paid[k][row], "used")

    def _known(self, row: int, tier: int) -> dict[str, Any]:
        """Return what an audit says of a tier's answer."""
        judged = self._judged(row, tier) if tier < self._last else {}
        known = {
            "tier": tier,
            "model": self._table.tiers[tier].model,
            "quality": self._qualities[tier][row],
            "cost_usd": self._drafts[tier][row],
            "reason": judged.get("reason"),
            **{name: judged.get(name) for name in ("confidence", "benefit", "merit", "threshold")},
            "signals": judged.get("signals", {}),
            "drawn": not self._asked[row][tier],
        }
        response = self._answer(row, tier)
        return known if response is None else {**known, "response": response}

    def _answer(self, row: int, tier: int) -> str | None:
        responses = self._table.tiers[tier].responses
        return None if responses is None else responses[row]


def _paid(scored: Scored, tier: int, threshold: Array) -> Array:
    paid = np.zeros(len(scored))
    for reading in scored.read(tier):
        paid += reading.at(threshold)
    return paid


def _call(
    tier: int, model: str | None, purpose: str, cost: float | None, outcome: str
) -> dict[str, Any]:
    return {
        "tier": tier,
        "model": model,
        "purpose": purpose,
        "usage": None,
        "tokens_source": None,
        "cost_usd": cost,
        "latency_ms": None,
        "outcome": outcome,
    }


def _chances(table: Table) -> Array:
    """Return what each row's weight says as a chance of being picked: the least weighs 1."""
    if table.weights is None:
        return np.ones(len(table))
    counted = table.weights > 0
    chances = np.zeros(len(table))
    if counted.any():
        chances[counted] = table.weights[counted].min() / table.weights[counted]
    return chances


def _id(table: Table, row: int) -> str:
    return str(row + 1) if table.ids is None else table.ids[row]


def _class(table: Table, row: int) -> str | None:
    if table.classes is None or table.classes[row] < 0:
        return None
    return table.class_names[int(table.classes[row])]


def _plain(values: Array | Sequence[float]) -> _Column:
    """Return numbers, and None for NaN."""
    return [None if value != value else value for value in np.asarray(values).tolist()]  # noqa: PLR0124
