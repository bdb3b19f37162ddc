"""One run from beginning to end: what it was begun with, its journal, and its table."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from cascade_core.collect.case import Grader
from cascade_core.collect.estimate import Estimate, estimate_cost
from cascade_core.collect.journal import Journal, journal_path
from cascade_core.collect.requests import Requests, Sample
from cascade_core.collect.runner import Advance, Examine, SpendingCap, run_all
from cascade_core.collect.summary import Collected, count_problems, summarise
from cascade_core.costs.prices import Names
from cascade_core.errors import ConfigurationError
from cascade_core.likeness import is_secret, names_secret
from cascade_core.setup.plan import Plan
from cascade_core.signals.base import Signal
from cascade_core.warn import warn

SUFFIXES = (".csv", ".jsonl", ".parquet")


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done, checked.

    Attributes:
        requests: The requests.
        plan: The tiers, signals, gates and prices.
        grader: Says how good an answer is.
        out: Where the table goes.
        tiers: Each tier's model and settings in words, to tell other ones by.
        judge: The same for the model that grades, if one does.
        texts: Whether the table holds requests and answers.
        of_last: The signals that are read of the last tier, too; none leaves it unjudged.
        concurrency: How many requests run at a time.
        max_cost: The most USD to spend, earlier runs for the same table included.
        begin: Told what the run will cost at about before anything is asked; what it raises ends
            the run.
        advance: Told of progress.
    """

    requests: Requests
    plan: Plan
    grader: Grader
    out: Path
    tiers: tuple[str, ...]
    judge: str | None = None
    texts: bool = True
    of_last: tuple[Signal, ...] = ()
    concurrency: int = 8
    max_cost: Decimal | None = None
    begin: Callable[[Estimate], None] | None = field(default=None, repr=False)
    advance: Advance | None = field(default=None, repr=False)

    @property
    def settings(self) -> Mapping[str, Any]:
        """What the answers depend on; a run goes on only with the same."""
        return {
            "requests": self.requests.digest,
            "tiers": list(self.tiers),
            "signals": [_spelled(signal) for signal in self.plan.signals],
            "gates": [_name_of(gate.passes) for gate in self.plan.gates if not gate.own],
            "prices": self.plan.prices.identity,
            "texts": self.texts,
            **({"last_signals": [_spelled(s) for s in self.of_last]} if self.of_last else {}),
        }

    @property
    def keys(self) -> tuple[str, ...]:
        """By which each tier's answers are known again, also of two tiers that are alike."""
        alike = [self.tiers[:k].count(tier) for k, tier in enumerate(self.tiers)]
        return tuple(
            f"{tier} {n}" if n else tier for tier, n in zip(self.tiers, alike, strict=True)
        )

    @property
    def graded_by(self) -> str:
        """How answers are graded, and by which model where one does."""
        return self.grader.identity + (f" {self.judge}" if self.judge else "")


def as_out(given: str | Path) -> Path:
    """Check where a table is to go, before anything is paid for.

    Raises:
        ConfigurationError: It cannot go there, or lies there already.
    """
    out = Path(given)
    if out.suffix.lower() not in SUFFIXES:
        raise ConfigurationError(f"{out}: a table is written as {', '.join(SUFFIXES)}")
    if out.suffix.lower() == ".parquet" and find_spec("pyarrow") is None:
        msg = f"{out}: Parquet needs pyarrow (pip install pyarrow); or write .csv or .jsonl"
        raise ConfigurationError(msg)
    if not out.parent.is_dir():
        raise ConfigurationError(f"{out}: the folder {out.parent} does not exist; make it first")
    if out.exists() and not journal_path(out).exists():
        msg = f"{out} is there already; move it away, or give the new table another name"
        raise ConfigurationError(msg)
    return out


def as_concurrency(given: int) -> int:
    """Check how many requests are to run at a time.

    Raises:
        ConfigurationError: It is not a whole number of at least 1.
    """
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        msg = f"concurrency {given!r}: give how many requests run at a time, at least 1"
        raise ConfigurationError(msg)
    return given


def as_cap(given: float | Decimal | None, named: str = "max_cost") -> Decimal | None:
    """Check a spending cap, in USD.

    Raises:
        ConfigurationError: It is not a number above 0.
    """
    if given is None:
        return None
    number = isinstance(given, int | float | Decimal) and not isinstance(given, bool)
    if not number or not math.isfinite(given) or given <= 0:
        raise ConfigurationError(f"{named} {given!r}: give the most USD to spend, above 0")
    return Decimal(str(given))


def read_of_last(plan: Plan, *, wanted: bool) -> tuple[Signal, ...]:
    """Return the signals that the last tier's answers are read by: those that cost nothing.

    Raises:
        ConfigurationError: They are wanted, and there is none.
    """
    free = tuple(signal for signal in plan.signals if not signal.paid)
    if wanted and not free:
        msg = (
            "last_signals: every signal asks a model, and such are not read of the last tier; "
            "add one that does not to signals, e.g. sequence_logprob"
        )
        raise ConfigurationError(msg)
    return free if wanted else ()


def check_priced(max_cost: Decimal | None, models: Mapping[str, Names], plan: Plan) -> None:
    """Refuse a spending cap that cannot be kept.

    Args:
        max_cost: The cap.
        models: What is called, and the names it is priced by.
        plan: Whose prices count.

    Raises:
        ConfigurationError: A model has no price.
    """
    if max_cost is None:
        return
    for label, names in models.items():
        if plan.prices.rate(names) is None:
            name = names if isinstance(names, str) else next(filter(None, names or ()), None)
            named = "whose model has no name" if name is None else f"priced as {name}"
            named = "" if name and name in label else f", {named},"
            msg = (
                f"a spending cap needs the price of every model, and {label}{named} has none: "
                "give a price table (--prices), or no cap"
            )
            raise ConfigurationError(msg)


async def carry_out(job: Job, examine: Examine) -> Collected:
    """Examine the requests and write the table.

    Args:
        job: What is to be done.
        examine: Examines one request.

    Returns:
        What was collected. A run that the cap stopped writes the table as far as
        it has come, and keeps its journal to go on from; so does one of which a tier
        failed on some requests, which are asked again, and one of which a grader failed,
        whose answers are graded again.

    Raises:
        ConfigurationError: The journal is of another run or lacks answers that are to be
            graded anew, or a tier gives what cannot be read.
    """
    from cascade_core.collect.doubt import doubt  # noqa: PLC0415 - brings numpy
    from cascade_core.labels.write import write_table  # noqa: PLC0415 - the same

    with Journal(journal_path(job.out), job.settings) as journal:
        regrade = _to_regrade(job, journal)
        before = {index: journal.entries[index] for index in regrade}
        budget = SpendingCap(job.max_cost, job.graded_by)
        for entry in journal.entries.values():
            budget.add(entry)
        if job.begin is not None and (todo := _to_ask(job, journal)):
            job.begin(estimate_cost(job.plan, todo, judged=job.grader.paid))
        stopped = await run_all(
            job.requests.samples,
            examine,
            journal,
            concurrency=job.concurrency,
            budget=budget,
            regrade=regrade,
            free=not job.grader.paid,
            tiers=[tier.label for tier in job.plan.tiers],
            advance=job.advance or _silent,
        )
        # Where the cap left no room to grade all again, rows of two qualities are not mixed.
        entries = [entry.graded(job.graded_by) for entry in journal.in_order()]
        if entries:
            write_table(job.out, [entry.row for entry in entries])
        left = sum(bool(e.errors) or e.graded_by != job.graded_by for e in entries)
        doubted = doubt(entries, job.grader.name, references="reference" in job.requests.columns)
        found = Collected(
            out=job.out,
            journal=journal.path,
            n=len(entries),
            total=len(job.requests),
            spent=budget.spent,
            unpriced=budget.unpriced,
            usable=sum(entry.usable for entry in entries),
            failed=sum(bool(entry.errors) for entry in entries),
            ungraded=sum(not (entry.usable or entry.errors) for entry in entries),
            problems=count_problems(entries),
            left=len(job.requests) - len(entries) + left,
            stopped=stopped,
            quality=job.grader.name,
            tiers=summarise(entries, len(job.plan.tiers)),
            doubt=doubted,
            kept=all(entry.answers is not None for entry in entries),
            regraded=sum(journal.entries[i] is not entry for i, entry in before.items()),
        )
        if found.settled:
            journal.remove()
        if found.doubt:
            warn(_doubted(found))
        return found


def _doubted(found: Collected) -> str:
    how = f"; {found.journal} keeps the answers for that, and no tier is asked again"
    return f"{found.doubt}{how if found.kept else ''}"


def _silent(_done: int, _total: int, _spent: Decimal) -> None:
    """Tell nobody of progress."""


def _to_ask(job: Job, journal: Journal) -> list[Sample]:
    """Return the requests that a tier is yet to answer."""
    kept = journal.entries
    return [s for s in job.requests.samples if s.index not in kept or kept[s.index].incomplete]


def _to_regrade(job: Job, journal: Journal) -> frozenset[int]:
    """Return the requests whose answers are there already and are to be graded again.

    Those that a grader failed on, and all where they were graded in another way. An answer of
    which the grader said that it does not know is left, unless it says so of them all: a
    function without its `return` does.

    Raises:
        ConfigurationError: They were graded in another way, and are not kept.
    """
    known = [entry for entry in journal.entries.values() if not entry.incomplete]
    nothing = not any(entry.usable for entry in known)
    again = [e for e in known if e.problems or nothing or e.graded_by != job.graded_by]
    if any(entry.answers is None for entry in again):
        msg = (
            f"{journal.path} was begun with another quality, and holds no answers to grade again, "
            "for texts are left out: give the same quality to go on, or delete it to start over"
        )
        raise ConfigurationError(msg)
    return frozenset(entry.index for entry in again)


def _spelled(signal: Any) -> str:
    """Spell a signal the same in every process, as an object's repr is not; no key is in it."""
    plain = {
        name: value
        for name, value in sorted(getattr(signal, "__dict__", {}).items())
        if name[0] != "_" and (value is None or isinstance(value, str | int | float))
        if not names_secret(name) and not is_secret(name, value)
    }
    listed = ", ".join(f"{name}={value!r}" for name, value in plain.items())
    return f"{type(signal).__name__}:{signal.name}({listed})"


def _name_of(function: Any) -> str:
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return f"{getattr(function, '__module__', '')}.{name}"
