"""What `cascade review` takes for a log of a million decisions, and what a database would take.

    python tests/benchmarks/review.py [--decisions 100000 1000000] [--url sqlite:///log.db]

The log is made first. The command then runs in a process of its own and is asked as a browser asks
it. Beside it stand the figures of its first page as SQL asks for them: of the log's own database,
and of DuckDB over Parquet where it is installed. Pages count in columns that are read once, for a
database counts anew for every page.
"""

from __future__ import annotations

import argparse
import http.client
import importlib.util
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from report import fill
from report import measure as measure_command
from rows import Row, row

GROUP = "review"
SIZES = 100_000, 1_000_000
FIRST_PAGE = {100_000: 1.5, 1_000_000: 5.0}
"""Seconds that the first page may take, from the start of the process, by decisions."""

MEGABYTES = 600.0
"""What a million decisions may take."""

SLIDER_MS = 100.0
"""What an answer to a moved slider may take."""

ANSWERS = 30


class Browser:
    """Asks a server, with the cookie that its address gave."""

    def __init__(self, address: str) -> None:
        where = urlsplit(address)
        self._connection = http.client.HTTPConnection(where.netloc, timeout=120)
        self._headers: dict[str, str] = {}
        self._first = f"{where.path}?{where.query}"

    def open(self) -> bytes:
        """Return the first page."""
        answer, page = self._ask(self._first)
        if answer.status in {302, 303, 307}:
            self._headers["Cookie"] = str(answer.getheader("Set-Cookie")).partition(";")[0]
            return self.get(str(answer.getheader("Location")))
        return page

    def get(self, path: str) -> bytes:
        """Return a page, or what else is there."""
        answer, page = self._ask(path)
        if answer.status != 200:
            raise RuntimeError(f"{path} was answered with {answer.status}")
        return page

    def _ask(self, path: str) -> tuple[http.client.HTTPResponse, bytes]:
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        return answer, answer.read()


@contextmanager
def reviewing(log: str) -> Iterator[tuple[Browser, subprocess.Popen[str]]]:
    """Run the command on a log until this ends."""
    command = [sys.executable, "-m", "cascade_core.cli", "review", log]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Browser(process.stdout.readline().strip()), process
        finally:
            process.terminate()


def measure(log: str) -> dict[str, float]:
    """Measure a server from its start on: seconds, milliseconds, and megabytes at its peak."""
    began = perf_counter()
    with reviewing(log) as (browser, process):
        browser.open()
        found = {"first page, s": perf_counter() - began, "first page, MB": _peak(process.pid)}
        found["CPU until then, s"] = _processor(process.pid)
        pages = {
            "overview again": "/",
            "thresholds, first": "/thresholds",
            "classes": "/classes",
            "decisions by cost": "/decisions?sort=cost",
            "decisions filtered": "/decisions?class=class+3&reason=low_confidence&sort=cost",
            "queue": "/queue",
            "policy": "/policy",
        }
        for name, path in pages.items():
            found[f"{name}, ms"] = 1000 * _seconds(lambda path=path: browser.get(path))
        fields = browser.get("/thresholds")
        if b'name="t0"' in fields:
            path = "/thresholds/answer?t0={:.3f}"
            moved = [
                1000 * _seconds(lambda i=i: browser.get(path.format((i + 1) / (ANSWERS + 2))))
                for i in range(ANSWERS)
            ]
            found |= {"slider, median ms": median(moved), "slider, worst ms": max(moved)}
        found["all pages, MB"] = _peak(process.pid)
        return found


def exported(log: str) -> dict[str, float]:
    """Measure `cascade export`: it reads audits as `tune` and `replay` read those of a log."""
    with tempfile.TemporaryDirectory() as folder:
        found = measure_command("export", log, "--out", f"{folder}/labels.csv")
    return {
        "cascade export, s": found["seconds"],
        "cascade export, CPU s": found["CPU"],
        "cascade export, MB": found["MB"],
    }


def in_sql(log: str) -> float:
    """Ask the log's own database for what the first page counts, and return the seconds."""
    with sqlite3.connect(log.removeprefix("sqlite:///")) as connection:
        return _seconds(lambda: [connection.execute(query).fetchall() for query in _QUERIES])


def in_duckdb(log: str, folder: Path) -> float | None:
    """Ask DuckDB over Parquet for the same; None where it is not installed."""
    if importlib.util.find_spec("duckdb") is None:
        return None
    import duckdb
    import pyarrow as pa
    from pyarrow import parquet

    connection = duckdb.connect()
    for table in ("decisions", "audits"):
        file = folder / f"{table}.parquet"
        with sqlite3.connect(log.removeprefix("sqlite:///")) as kept:  # DuckDB's reader is apart
            rows = kept.execute(f"SELECT * FROM {table}")
            names = [each[0] for each in rows.description]
            columns = [list(each) for each in zip(*rows, strict=True)]
        parquet.write_table(pa.table(dict(zip(names, columns, strict=True))), file)
        connection.execute(f"CREATE VIEW {table} AS SELECT * FROM '{file}'")
    return _seconds(lambda: [connection.execute(query).fetchall() for query in _QUERIES])


_FIGURES = (
    "count(*), sum(cost_usd), sum(strong_cost_usd), sum(failed_calls), "
    "sum(CASE WHEN failed_calls > 0 THEN 1 ELSE 0 END), sum(CASE WHEN tier > 0 THEN 1 ELSE 0 END)"
)
_GROUPS = ("tier", "reason", "class", "model", "rule", "policy, policy_version")
_QUERIES = (
    f"SELECT {_FIGURES} FROM decisions",
    *(f"SELECT {by}, {_FIGURES} FROM decisions GROUP BY {by}" for by in _GROUPS),
    f'SELECT CAST("at" / 86400 AS INTEGER), {_FIGURES} FROM decisions GROUP BY 1',
    (
        "SELECT count(*), sum(a.quality / a.probability), sum(a.harm / a.probability), sum(a.cost_usd) "
        "FROM audits a JOIN decisions d ON d.id = a.decision WHERE a.status = 'done'"
    ),
    *(
        "SELECT latency_ms FROM decisions WHERE latency_ms IS NOT NULL ORDER BY latency_ms "
        f"LIMIT 1 OFFSET (SELECT CAST(count(*) * {share} AS INTEGER) FROM decisions)"
        for share in (0.5, 0.95)
    ),
)
"""The sums and counts of the first page; its intervals are not SQL's to find."""


def _seconds(asked: Callable[[], Any]) -> float:
    began = perf_counter()
    asked()
    return perf_counter() - began


def _peak(process: int) -> float:
    """Return the megabytes that a process has had at the most."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024


def _processor(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rows(rounds: int) -> Iterator[Row]:
    """Measure the first page and a slider's answer beside what they may take."""
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            log = f"sqlite:///{folder}/decisions.db"
            fill(log, size)
            found = [measure(log) for _ in range(rounds)]
        bars = [("s", "first page, s", FIRST_PAGE[size])]
        bars.append(("MB", "all pages, MB", MEGABYTES))
        if size == SIZES[0]:
            bars.append(("ms", "slider, median ms", SLIDER_MS))
        for unit, key, most in bars:
            sides = [each[key] for each in found], [most] * rounds
            name = f"cascade review, {size:,} decisions: {key.rpartition(',')[0]}, {unit}"
            yield row(GROUP, name, "what it may take", sides, unit=unit, bar=1.0)


def main() -> None:
    """Measure logs of several sizes, and print what they took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--decisions", type=int, nargs="+", default=SIZES)
    parser.add_argument("--url", help="Of a SQLite database that was made before.")
    parser.add_argument("--json", action="store_true", help="Print JSON and nothing else.")
    given = parser.parse_args()
    for size in given.decisions:
        with tempfile.TemporaryDirectory() as folder:
            log = given.url or f"sqlite:///{folder}/decisions.db"
            fill(log, size)
            found: dict[str, float | None] = dict(measure(log))
            found |= exported(log)
            found["the same figures in SQL, s"] = in_sql(log)
            found["in DuckDB over Parquet, s"] = in_duckdb(log, Path(folder))
        if given.json:
            sys.stdout.write(json.dumps({"decisions": size, **found}) + "\n")
            continue
        sys.stdout.write(f"{size:,} decisions\n")
        for name, value in found.items():
            shown = "not installed" if value is None else f"{value:.2f}"
            sys.stdout.write(f"  {name:<28} {shown:>13}\n")


if __name__ == "__main__":
    main()
