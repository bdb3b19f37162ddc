"""`collect_rows`: `collect` for more requests than one machine asks about in a night, on Ray.

Each request is one run of `acollect`, so a row is what `cascade collect` would have written.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cascade_core.errors import ConfigurationError
from cascade_core.scale.making import make_with
from cascade_core.scale.rows import RowError, id_of, read_row
from cascade_core.scale.spread import RowOutcome, Spent, TellSpent, as_whole, spread
from langchain_cascade.collecting import acollect

_OPTIONS = ("signals", "quality", "judge", "gates", "prices", "texts", "last_signals")
_KEPT = ("reference", "class", "group", "weight")


def collect_rows(  # noqa: PLR0913 - what a run is made of
    rows: Any,
    tiers: Callable[[], Sequence[Any]],
    out: str | Path,
    *,
    format: str = "parquet",  # noqa: A002 - what it is called everywhere
    workers: int | None = None,
    concurrency: int = 16,
    batch_size: int = 128,
    max_cost: float | Decimal | None = None,
    advance: TellSpent | None = None,
    **options: Any,
) -> Spent:
    """Ask every tier about many requests, on a Ray cluster or on all processors of this machine.

    Args:
        rows: As for `cascade_core.scale.answer_rows`; and `reference`, `group` and `weight`.
        tiers: A function that makes the tiers, cheapest first; called once a worker.
        out: A folder that all workers see. `part-*` are labelled rows; `failed-*` those of which a
            tier failed or an answer could not be graded: they are collected again by the next run.
        format: Of those files: `parquet` or `jsonl`.
        workers: How many processes; as many as Ray has processors unless given.
        concurrency: How many requests each of them asks about at a time.
        batch_size: Requests a file.
        max_cost: USD after which no more batches are begun, in this run.
        advance: Told after every batch what has been done so far.
        options: Of `collect`: `signals`, `quality`, `judge` (by its name), `gates`, `prices`,
            `texts`, `last_signals`.

    Returns:
        What was done.

    Raises:
        ConfigurationError: Something cannot work, or a row has no id.
        MissingPackageError: Ray is not installed.
    """
    if not callable(tiers):
        raise ConfigurationError("tiers: give a function that makes the list of tiers")
    odd = next((name for name in options if name not in _OPTIONS), None)
    if odd is not None:
        raise ConfigurationError(f"{odd}= is no option here: give {', '.join(_OPTIONS)}")
    work = Collecting(tiers, as_whole(concurrency, "concurrency"), options)
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
class Collecting:
    """What a worker does with requests; sent to it.

    Attributes:
        make: Makes the tiers.
        concurrency: How many requests at a time.
        options: What `acollect` is given besides.
        warns: Whether whoever started the run hears its warnings: they are about tables, and each
            of these has one row.
    """

    make: Callable[[], Sequence[Any]]
    concurrency: int
    options: Mapping[str, Any] = field(repr=False)
    warns: bool = False

    def begin(self) -> Callable[[Mapping[str, Any]], Awaitable[RowOutcome]]:
        """Make the tiers, and return what collects one row.

        Raises:
            ConfigurationError: They cannot be made.
        """
        tiers = make_with(lambda: list(self.make()), "tiers")

        async def one(raw: Mapping[str, Any]) -> RowOutcome:
            try:
                record = _record(raw)
            except RowError as problem:
                return RowOutcome({"id": id_of(raw), "error": str(problem)}, str(problem), None)
            with TemporaryDirectory(prefix="cascade-collect-") as folder:
                table = Path(folder) / "labels.jsonl"
                found = await acollect([record], tiers, table, **self.options)
                row = json.loads(table.read_text(encoding="utf-8"))
            error = "a tier failed" if found.failed else "not graded" if found.ungraded else None
            return RowOutcome(row, error, None if found.unpriced else found.spent)

        return one


def _record(raw: Mapping[str, Any]) -> dict[str, Any]:
    row = read_row(raw)
    asked = {"request": row.text} if row.messages is None else {"messages": list(row.messages)}
    kept = {name: raw[name] for name in _KEPT if raw.get(name) is not None}
    return {"id": row.id, **asked, **kept}
