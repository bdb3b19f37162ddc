"""What keeping decisions in a database costs: a call, and what the database keeps up with.

    python tests/benchmarks/log.py [--rounds 1] [--json]

Of a call: CPU time of the caller's thread, with a log and without one, in turn; beside it the share
of the thread that writes. Sustained: decisions a second that are given, written and acknowledged.
PostgreSQL is measured where there is a server, on one of its own; see tests/services.py.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time, thread_time
from typing import Any
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests/benchmarks")]

from overhead import pairs  # noqa: E402
from rows import Row, Skipped, print_rows, spread  # noqa: E402

from cascade_core import collect_decisions, flush_log  # noqa: E402
from cascade_core.log import open_log  # noqa: E402
from langchain_cascade import ChatCascade  # noqa: E402

GROUP = "decisions in a database"
CALLS = 300
DECISIONS = 30_000
ADDED = 20.0
"""Microseconds that a log may add to a call: the bar."""
SUSTAINED = 10_000
"""Decisions a second that a database should keep up with: the bar."""


def with_log(cascade: ChatCascade, log: str | None) -> ChatCascade:
    """Return the same cascade with a log."""
    return ChatCascade(tiers=cascade.tiers, signals=cascade.signals, log=log)


def call_times(cascade: ChatCascade, calls: int) -> list[float]:
    """Return the seconds of CPU time that each call takes its caller."""
    found = []
    for _ in range(calls):
        began = thread_time()
        cascade.invoke("Where is my order?")
        found.append(thread_time() - began)
    return found


def added(url: str, rounds: int) -> tuple[list[float], list[float], float]:
    """Measure calls with and without a log in turn.

    Returns:
        Median seconds of each round with it and without, and seconds of the writing thread a call.
    """
    cascade, _, _ = pairs(full=True)["accept"]
    plain, logged = with_log(cascade, None), with_log(cascade, url)
    for each in (plain, logged):
        call_times(each, 50)
    ours, theirs, written = [], [], 0.0
    for _ in range(rounds):
        theirs.append(median(call_times(plain, CALLS)))
        whole, own = process_time(), thread_time()
        ours.append(median(call_times(logged, CALLS)))
        assert flush_log(60)
        written += process_time() - whole - (thread_time() - own)
    return ours, theirs, written / rounds / CALLS


def a_record() -> dict[str, Any]:
    """Return the record of a real call."""
    cascade, _, _ = pairs(full=True)["accept"]
    with collect_decisions() as seen:
        with_log(cascade, None).invoke("Where is my order?")
    return dict(seen[0])


def sustained(url: str, record: dict[str, Any]) -> float:
    """Return how many decisions a second are given, written and acknowledged."""
    log: Any = open_log(url)
    ids = (str(uuid4()) for _ in count())
    log.write({**record, "id": next(ids)})
    assert log.flush(60)
    began = perf_counter()
    for _ in range(DECISIONS):
        log.write({**record, "id": next(ids)})
    assert log.flush(60)
    assert log.lost == 0
    return DECISIONS / (perf_counter() - began)


def rows(rounds: int) -> Iterator[Row | Skipped]:
    """Measure SQLite, and PostgreSQL where there is one."""
    record = a_record()
    with TemporaryDirectory() as folder:
        yield from _of("SQLite", f"sqlite:///{folder}/decisions.db", record, rounds)
    from tests.services import binaries, postgres

    if binaries() is None:
        yield Skipped(GROUP, "PostgreSQL: there is no server; make test-services installs it")
        return
    with ExitStack() as stack:
        try:
            url = stack.enter_context(postgres())
        except (SystemExit, OSError) as error:
            yield Skipped(GROUP, f"PostgreSQL: {error}")
            return
        yield from _of("PostgreSQL", url, record, rounds)


def _of(name: str, url: str, record: dict[str, Any], rounds: int) -> Iterator[Row]:
    ours, theirs, writing = added(url, rounds)
    more = [1e6 * (mine - other) for mine, other in zip(ours, theirs, strict=True)]
    yield _row(
        f"{name}: CPU added to a call",
        [each / ADDED for each in more],
        (median(more), ADDED, "µs"),
        f"its bar; the writing thread takes {1e6 * writing:.0f} µs more",
    )
    speeds = [sustained(url, record) for _ in range(max(3, rounds // 3))]
    yield _row(
        f"{name}: sustained",
        [SUSTAINED / each for each in speeds],
        (median(speeds), SUSTAINED, "/s"),
        "its bar, decisions a second",
    )


def _row(name: str, ratios: list[float], sides: tuple[float, float, str], beside: str) -> Row:
    low, middle, high = spread(ratios)
    return Row(GROUP, name, beside, middle, low, high, *sides, bar=1.0)


def main() -> int:
    """Print both figures; fail where a bar is missed."""
    return print_rows(__doc__, rows)


if __name__ == "__main__":
    sys.exit(main())
