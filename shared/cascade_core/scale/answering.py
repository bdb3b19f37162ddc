"""`answer_rows`: a cascade answers millions of rows, on as many workers as Ray gives."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeAlias

from cascade_core.costs.rate import EXACT
from cascade_core.errors import CascadeExhausted, ConfigurationError, error_name
from cascade_core.log.collect import collect_decisions
from cascade_core.log.record import Record
from cascade_core.scale.making import make_with
from cascade_core.scale.rows import BulkRow, RowError, read_row
from cascade_core.scale.spread import RowOutcome, Spent, TellSpent, as_whole, spread
from cascade_core.warn import warn

AnswerRow: TypeAlias = Callable[[BulkRow], Awaitable[str]]
"""Asks a cascade one row and returns the answer's text."""

_ADAPTERS = "model_cascade.answering"
"""Where the adapters say how a row is asked; the core imports none itself."""

_ASKED = ("ainvoke", "achat", "aquery")
"""By which what is given in place of a function is told."""


def answer_rows(  # noqa: PLR0913 - what a run is made of
    rows: Any,
    cascade: Callable[[], Any],
    out: str | Path,
    *,
    format: str = "parquet",  # noqa: A002 - what it is called everywhere
    workers: int | None = None,
    concurrency: int = 16,
    batch_size: int = 128,
    max_cost: float | Decimal | None = None,
    advance: TellSpent | None = None,
) -> Spent:
    """Answer rows with a cascade, on a Ray cluster or on all processors of this machine.

    Every worker makes the cascade once and asks so many rows at a time. A finished batch is
    written to a file of its own, whole or not at all. Called again with the same folder, what is
    answered there is not asked again, and what failed is. Ray's own `ray.init()` says which cluster
    it is; without one, it is this machine.

    Args:
        rows: A Ray dataset, the path of a CSV, JSONL or Parquet file or of a folder of Parquet
            files, or mappings. A row has an `id` of its own, a `request` (or `messages`, as
            `{"role", "content"}`), and optionally `class`, `tags` and `metadata`.
        cascade: A function that makes the cascade, or a chain or query engine around it. It is
            sent to the workers, so it must not hold what cannot be pickled.
        out: A folder that all workers see. Answered rows go to `part-*`, failed ones to
            `failed-*`.
        format: Of those files: `parquet` or `jsonl`.
        workers: How many processes; as many as Ray has processors unless given.
        concurrency: How many rows each of them asks at a time.
        batch_size: Rows a file. What a worker has asked of a batch is lost when it is killed.
        max_cost: USD after which no more batches are begun, in this run. Those that run are
            finished; a `Budget` with a `store` holds to the call.
        advance: Told after every batch what has been done so far.

    Returns:
        What was done.

    Raises:
        ConfigurationError: Something cannot work, or a row has no id.
        MissingPackageError: Ray is not installed.
    """
    if any(hasattr(cascade, name) for name in _ASKED) or not callable(cascade):
        msg = "cascade: give a function that makes it, such as `def make(): return ChatCascade(…)`"
        raise ConfigurationError(msg)
    work = Answering(cascade, as_whole(concurrency, "concurrency"))
    return spread(
        rows,
        work,
        out,
        kind=format,
        workers=workers,
        batch_size=batch_size,
        max_cost=max_cost,
        advance=advance,
    )


@dataclass(frozen=True)
class Answering:
    """What a worker does with rows; sent to it.

    Attributes:
        make: Makes the cascade.
        concurrency: How many rows are asked at a time.
        warns: Whether whoever started the run hears its warnings.
    """

    make: Callable[[], Any]
    concurrency: int
    warns: bool = True

    def begin(self) -> Callable[[Mapping[str, Any]], Awaitable[RowOutcome]]:
        """Make the cascade, and return what answers one row.

        Raises:
            ConfigurationError: It cannot be made or asked.
        """
        cascade = make_with(self.make, "cascade")
        if getattr(cascade, "budget", None) and not getattr(cascade, "store", None):
            warn("each worker has the whole budget for itself: store= makes all share one")
        answer = _answering(cascade)

        async def one(raw: Mapping[str, Any]) -> RowOutcome:
            return await _answered(raw, answer)

        return one


def _answering(cascade: Any) -> AnswerRow:
    for entry in entry_points(group=_ADAPTERS):
        try:
            found: AnswerRow | None = entry.load()(cascade)
        except ModuleNotFoundError:  # the framework of that adapter is not installed
            continue
        if found is not None:
            return found
    msg = (
        f"the function that makes the cascade returned {type(cascade).__name__}: return a cascade, "
        "or a chain or query engine around one"
    )
    raise ConfigurationError(msg)


async def _answered(raw: Mapping[str, Any], answer: AnswerRow) -> RowOutcome:
    text, error = None, None
    with collect_decisions() as seen:
        try:
            row = read_row(raw)
            text = await answer(row)
        except RowError as problem:
            error = str(problem)
        except ConfigurationError:
            raise
        except Exception as problem:  # noqa: BLE001 - one row is no reason to lose the others
            error = _named(problem)
    cost = _cost(seen)
    last: Mapping[str, Any] = seen[-1] if seen else {}
    metadata = raw.get("metadata")
    written = {
        "id": str(raw["id"]),
        "answer": text,
        "error": error,
        **{name: last.get(name) for name in ("tier", "model", "reason", "confidence")},
        "cost_usd": None if cost is None else float(cost),
        "decision": last.get("id"),
        "record": json.dumps(last, default=str) if last else None,
        "metadata": metadata if isinstance(metadata, str) else json.dumps(metadata, default=str),
    }
    return RowOutcome(written, error, cost)


def _named(error: Exception) -> str:
    if not isinstance(error, CascadeExhausted):
        return error_name(error)
    causes = dict.fromkeys(error_name(cause) for _, cause in error.causes)
    return f"CascadeExhausted ({', '.join(causes)})"


def _cost(seen: Sequence[Record]) -> Decimal | None:
    """Add up what the decisions of a row cost; None where one is unpriced."""
    total = Decimal(0)
    for record in seen:
        cost = record["cost_usd"]
        if cost is None:
            return None
        total = EXACT.add(total, Decimal(str(cost)))
    return total
