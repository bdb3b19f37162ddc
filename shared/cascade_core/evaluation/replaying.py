"""Replays a policy over the rows of a labelled table: what it would have done with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cascade_core.evaluation.answered import AnsweredShare, answered_of
from cascade_core.evaluation.means import Means, means
from cascade_core.evaluation.scored import Scored, Served, serve, thresholds_of
from cascade_core.evaluation.scoring import score
from cascade_core.labels import Table, TableError, read_table, usable
from cascade_core.labels.order import odd_order
from cascade_core.policy.document import Policy
from cascade_core.policy.models import other_models


@dataclass(frozen=True, slots=True)
class Replay:
    """What a policy did with a table.

    Attributes:
        means: Over all rows that could be used.
        by_class: The same for every class.
        unused: How many rows could not be used, by reason.
        table: The rows that could be.
        scored: Their confidences, costs and qualities.
        served: What was done with each.
        answered: What was answered and not handed off; None where nothing is handed off.
    """

    means: Means
    by_class: Mapping[str, Means]
    unused: Mapping[str, int]
    table: Table = field(repr=False)
    scored: Scored = field(repr=False)
    served: Served = field(repr=False)
    answered: AnsweredShare | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON."""
        found = self.means.as_dict()
        if self.answered is not None:
            found["answered"] = self.answered.share
            found["answered_quality"] = self.answered.quality
        return found


def replay(
    table: Table | str | Path | Mapping[str, Any],
    policy: Policy | Mapping[str, Any] | str | Path,
) -> Replay:
    """Run a policy over a labelled table.

    Args:
        table: A labelled table, or where to read one.
        policy: A policy with thresholds, or where to read one. Without calibrators the
            lowest reading of a row is its confidence, as in a cascade.

    Raises:
        TableError: The table is bad; the message names line and column.
        ConfigurationError: The policy does not fit the table.
    """
    rows = read_table(table)
    document = Policy.load(policy)
    mask, unused = usable(rows)
    if not mask.any():
        why = "; ".join(f"{reason} ({n:,} rows)" for reason, n in unused.items())
        raise TableError(rows.source, f"no row can be used: {why}")
    rows = rows.take(mask)
    scored = score(rows, document)
    served = serve(scored, thresholds_of(document, rows))
    return Replay(
        means=means(scored, served),
        by_class=_by_class(rows, scored, served),
        unused=unused,
        table=rows,
        scored=scored,
        served=served,
        answered=answered_of(rows, document, served),
    )


def oddities(found: Replay, policy: Policy) -> Iterator[str]:
    """Say what a replay leaves out, and what cannot be meant: other models, tiers out of order.

    Args:
        found: A replay of the policy.
        policy: The policy.
    """
    yield from odd_order(found.table)
    if policy.rules:
        yield (
            "the policy's rules are left out, for a table has no tags, metadata, tools or times: "
            "the figures are those of requests that no rule is about"
        )
    if policy.tuned is not None:
        names = [[tier.model] if tier.model else [] for tier in found.table.tiers]
        yield from other_models(policy.tuned.models, names)


def _by_class(table: Table, scored: Scored, served: Served) -> dict[str, Means]:
    if table.classes is None:
        return {}
    found = {}
    for code, name in enumerate(table.class_names):
        rows = table.classes == code
        if rows.any():
            found[name] = means(scored, served, rows)
    return found
