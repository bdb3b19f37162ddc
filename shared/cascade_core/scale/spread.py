"""Spreads rows over Ray's workers: batches out, summaries back, the rows themselves into parts.

Only sums travel back, so a run of any length needs no memory where it was started.
"""

from __future__ import annotations

import asyncio
import json
import warnings
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, TypeAlias
from uuid import uuid4

from cascade_core.collect.job import as_cap
from cascade_core.costs.rate import EXACT
from cascade_core.errors import CascadeWarning, ConfigurationError
from cascade_core.lazy import not_installed
from cascade_core.loop.behind import flush_log
from cascade_core.scale.inputs import dataset_of
from cascade_core.scale.parts import PartsFolder, is_done
from cascade_core.scale.rows import batch_name, id_of
from cascade_core.warn import warn


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """What came of one row.

    Attributes:
        row: What is written.
        error: Why it failed, if it did.
        cost: USD; None where a call is unpriced.
    """

    row: Mapping[str, Any] = field(repr=False)
    error: str | None
    cost: Decimal | None


@dataclass(frozen=True, slots=True)
class Spent:
    """What a run has done.

    Attributes:
        out: The folder of the parts.
        before: Rows that an earlier run, or a worker that died, had answered.
        answered: Rows answered now.
        failed: How many rows failed now, by error.
        cost_usd: USD of all rows of this run, as far as it is known.
        unpriced: How many rows had a call that nobody can price.
        stopped: Whether `max_cost` ended it before all rows were asked.
    """

    out: Path
    before: int = 0
    answered: int = 0
    failed: Mapping[str, int] = field(default_factory=dict)
    cost_usd: Decimal = Decimal(0)
    unpriced: int = 0
    stopped: bool = False

    def after(self, told: Mapping[str, Any]) -> Spent:
        """Return the sums with what a worker tells of a batch."""
        failed = Counter(self.failed) + Counter(json.loads(told["failed"]))
        return replace(
            self,
            before=self.before + int(told["before"]),
            answered=self.answered + int(told["answered"]),
            failed=dict(failed),
            cost_usd=EXACT.add(self.cost_usd, Decimal(told["cost_usd"])),
            unpriced=self.unpriced + int(told["unpriced"]),
        )


TellSpent: TypeAlias = Callable[[Spent], None]


class Work(Protocol):
    """What is done with rows; sent to every worker."""

    @property
    def concurrency(self) -> int:
        """How many rows at a time."""

    @property
    def warns(self) -> bool:
        """Whether what it warns of is meant for whoever started the run."""

    def begin(self) -> Callable[[Mapping[str, Any]], Awaitable[RowOutcome]]:
        """Return what does one row; called once a worker."""


def as_whole(given: Any, named: str) -> int:
    """Check a number of things.

    Raises:
        ConfigurationError: It is not a whole number of at least 1.
    """
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise ConfigurationError(f"{named} {given!r}: give a whole number of at least 1")
    return given


def spread(  # noqa: PLR0913 - what a run is made of
    rows: Any,
    work: Work,
    out: str | Path,
    *,
    kind: str = "parquet",
    workers: int | None = None,
    batch_size: int = 128,
    max_cost: float | Decimal | None = None,
    advance: TellSpent | None = None,
) -> Spent:
    """Do work on rows that are not done; see `answer_rows` for the arguments.

    Raises:
        ConfigurationError: Something cannot work.
        MissingPackageError: Ray is not installed.
    """
    as_whole(batch_size, "batch_size")
    cap = as_cap(max_cost)
    pool = None if workers is None else as_whole(workers, "workers")
    if advance is not None and not callable(advance):
        raise ConfigurationError(f"advance is {type(advance).__name__}: give a function")
    ray = _ray()
    try:
        ray.cloudpickle.dumps(work)
    except Exception as error:
        msg = (
            "what is sent to the workers cannot be pickled "
            f"({type(error).__name__}): make clients and models inside the function"
        )
        raise ConfigurationError(msg) from error
    parts = PartsFolder.at(out, kind, uuid4().hex[:8])
    if not ray.is_initialized():
        ray.init(log_to_driver=False)
    size = pool or max(1, int(ray.cluster_resources().get("CPU", 1)))
    given = dataset_of(ray, rows)
    parts.keep_done()
    told = given.map_batches(
        RayWorker,
        fn_constructor_args=(work, parts),
        batch_size=batch_size,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=size),
        # What a worker died over is given to another (Ray's default), which finds what was written.
        num_cpus=_CPUS,
    )
    spent, warned = Spent(parts.folder), set[str]()
    try:
        for batch in told.iter_rows():
            if batch["wrong"]:
                raise ConfigurationError(batch["wrong"])
            for said in set(json.loads(batch["warned"])) - warned:
                warned.add(said)
                warn(said)
            spent = spent.after(batch)
            if advance is not None:
                advance(spent)
            if cap is not None and spent.cost_usd >= cap:
                return replace(spent, stopped=True)
    finally:
        parts.forget()
    parts.finish()
    return spent


_CPUS = 0.5
"""Of a processor: a worker waits for models most of the time, and reading rows needs room too."""


class RayWorker:
    """Does batches of rows in one of Ray's processes.

    Args:
        work: What is done.
        parts: Where it is written.
    """

    def __init__(self, work: Work, parts: PartsFolder) -> None:
        self._work, self._parts = work, parts
        self._done = parts.done_before()
        self._runner: asyncio.Runner | None = None
        self._one: Callable[[Mapping[str, Any]], Awaitable[RowOutcome]] | None = None

    def __call__(self, table: Any) -> dict[str, list[Any]]:
        """Do a batch and tell what came of it, or what is wrong with all of it.

        An error that is raised here comes back wrapped by Ray, and is logged with its rows' lines.
        """
        # What a worker warns of is seen where the run was started, and nowhere else.
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", CascadeWarning)
            try:
                told = self._batch(table)
            except ConfigurationError as error:
                told = _told(wrong=str(error))
        heard = [each for each in said if issubclass(each.category, CascadeWarning)]
        ours = [str(each.message) for each in heard if self._work.warns]
        return told | {"warned": [json.dumps(list(dict.fromkeys(ours)))]}

    def _batch(self, table: Any) -> dict[str, list[Any]]:
        rows = table.to_pylist()
        ids = [id_of(row) for row in rows]
        if len(set(ids)) < len(ids):
            twice = next(i for i, n in Counter(ids).items() if n > 1)
            raise ConfigurationError(f"id {twice!r} stands there twice; each row has its own")
        todo = [row for row, over in zip(rows, is_done(ids, self._done), strict=True) if not over]
        batch = batch_name([id_of(row) for row in todo])
        if not todo or self._parts.is_there(batch):
            return _told(before=len(rows))
        outcomes = self._run(todo)
        answered = [o.row for o in outcomes if o.error is None]
        self._parts.write(batch, answered, [o.row for o in outcomes if o.error is not None])
        return _told(
            before=len(rows) - len(todo),
            answered=len(answered),
            failed=Counter(o.error for o in outcomes if o.error is not None),
            cost=sum((o.cost for o in outcomes if o.cost is not None), Decimal(0)),
            unpriced=sum(o.cost is None for o in outcomes),
        )

    def _run(self, todo: Sequence[Mapping[str, Any]]) -> list[RowOutcome]:
        if self._runner is None:
            # One event loop for all batches: clients keep their connections in it.
            self._runner = asyncio.Runner()
            threads = ThreadPoolExecutor(max(32, self._work.concurrency))
            self._runner.get_loop().set_default_executor(threads)
        return self._runner.run(self._all(todo))

    async def _all(self, todo: Sequence[Mapping[str, Any]]) -> list[RowOutcome]:
        if self._one is None:
            self._one = self._work.begin()
        one, room = self._one, asyncio.Semaphore(self._work.concurrency)

        async def turn(row: Mapping[str, Any]) -> RowOutcome:
            async with room:
                return await one(row)

        tasks = [asyncio.ensure_future(turn(row)) for row in todo]
        try:
            outcomes = await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
        # A row that is written down has its record in the log.
        await asyncio.to_thread(flush_log, _PATIENCE)
        return outcomes


_PATIENCE = 60.0
"""Seconds that a batch waits for the log at the most."""


def _told(  # noqa: PLR0913 - the sums
    *,
    before: int = 0,
    answered: int = 0,
    failed: Mapping[str, int] | None = None,
    cost: Decimal = Decimal(0),
    unpriced: int = 0,
    wrong: str = "",
) -> dict[str, list[Any]]:
    return {
        "wrong": [wrong],
        "before": [before],
        "answered": [answered],
        "failed": [json.dumps(failed or {})],
        "cost_usd": [str(cost)],
        "unpriced": [unpriced],
    }


def _ray() -> Any:
    try:
        ray = import_module("ray")
        import_module("ray.data")
        import_module("ray.cloudpickle")
    except ModuleNotFoundError as error:
        raise not_installed(error, "cascade_core.scale", "ray") from error
    return ray
