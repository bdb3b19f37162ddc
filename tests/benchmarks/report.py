"""What `cascade report` takes for a million decisions: seconds, and megabytes at most.

    python tests/benchmarks/report.py [--decisions 1000000] [--url sqlite:///log.db] [--jsonl]

The log is made first; the command then runs in a process of its own, imports and all, whose peak
memory is measured. A URL's decisions stay there and are made once; give one of an empty database.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from rows import Row, row

GROUP = "report"
MILLION = 1_000_000
CHUNK = 20_000
SECONDS, MEGABYTES = 5.0, 500.0
"""What a million decisions may take."""

_SENT = ("low_confidence", "gate_refusal", "gate_schema", "no_reading")


def made_up(n: int, seed: int = 0) -> Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """Make decisions and audits as rows of a database, some at a time: 30 days, two policies."""
    rng, read = np.random.default_rng(seed), np.random.default_rng(seed + 1)
    for start in range(0, n, CHUNK):
        size = min(CHUNK, n - start)
        numbers = start + np.arange(size)
        kept, straight = rng.random(size) < 0.7, rng.random(size) < 0.05
        latency = rng.lognormal(6, 0.6, size) * np.where(kept, 1, 2.5)
        strong = rng.lognormal(-7, 0.5, size)
        cheap = strong / 12
        picked = rng.random(size) < 0.05
        classes, sent = rng.integers(0, 12, size), rng.integers(0, len(_SENT), size)
        tags = rng.integers(0, 40, size)
        reading = read.random(size) / 2
        decisions, audits = [], []
        for i, number in enumerate(numbers.tolist()):
            stays, past = bool(kept[i]), bool(straight[i])
            cost = cheap[i] if stays else strong[i] + (0 if past else cheap[i])
            name = f"{number:08x}-0000-4000-8000-000000000000"
            decisions.append(
                {
                    "id": name,
                    "at": 1.77e9 + number * 30 * 86_400 / n,
                    "cascade": "desk",
                    "framework": "langchain",
                    "class": f"class {classes[i]}",
                    "policy": "desk",
                    "policy_version": str(1 + (number > n // 2)),
                    "rule": "legal" if past and not stays else None,
                    "tier": int(not stays),
                    "model": "small" if stays else "large",
                    "reason": "confident" if stays else "bypassed" if past else _SENT[sent[i]],
                    "accepted": stays,
                    "calibrated": True,
                    "confidence": float(reading[i]) + 0.5 * stays,
                    "threshold": 0.5,
                    "cost_usd": float(cost),
                    "strong_cost_usd": float(strong[i]),
                    "strong_cost_is_estimate": stays,
                    "latency_ms": float(latency[i]),
                    "input_tokens": 400,
                    "output_tokens": 80,
                    "digest": name[:16] * 2,
                    "tags": f'["team {tags[i]}"]',
                    "calls": 1 if stays or past else 2,
                    "failed_calls": int(number % 500 == 0),
                    "audit_probability": 0.05,
                    "audit_picked": bool(picked[i]),
                }
            )
            if picked[i]:
                harm = float(stays and number % 90 == 0)
                audits.append(
                    {
                        "event": json.dumps(_event(decisions[-1], harm)),
                        "id": f"audit {name}",
                        "decision": name,
                        "at": decisions[-1]["at"] + 1,
                        "status": "done",
                        "probability": 0.05,
                        "compare": "auto",
                        "quality": 1 - harm,
                        "strong_quality": 1.0,
                        "harm": harm,
                        "strong_cost_usd": float(strong[i]),
                        "cost_usd": float(strong[i]),
                    }
                )
        yield decisions, audits


def _event(decision: Mapping[str, Any], harm: float) -> dict[str, Any]:
    """Return what an audit says of both tiers' answers."""
    confidence, strong = decision["confidence"], decision["strong_cost_usd"]
    drafts = {
        "model": ("small", "large"),
        "quality": (1 - harm, 1.0),
        "cost_usd": (strong / 12, strong),
        "confidence": (confidence, None),
        "signals": ({"seen": confidence}, {}),
    }
    tiers = [
        {"tier": k, **{name: pair[k] for name, pair in drafts.items()}, "reason": None}
        for k in range(2)
    ]
    name = decision["id"]
    return {
        "event": "audit",
        "id": f"audit {name}",
        "decision": name,
        "status": "done",
        "probability": 0.05,
        "compare": "auto",
        "why": None,
        "tiers": tiers,
    }


def fill(url: str, n: int) -> None:
    """Write n decisions to an empty database; leave one that has them as it is."""
    import sqlalchemy as sa

    from cascade_core.log.database import Database
    from cascade_core.log.schema import audits, decisions, details

    database = Database(url)
    with database.reading() as connection:
        if connection.scalar(sa.select(sa.func.count()).select_from(decisions)) == n:
            return
    for made, checked in made_up(n):
        with database.writing() as connection:
            connection.execute(sa.insert(decisions), made)
            connection.execute(
                sa.insert(details), [{"id": each["id"], "record": _short(each)} for each in made]
            )
            if checked:
                connection.execute(sa.insert(audits), checked)
    if not database.is_sqlite:
        with database.engine.connect().execution_options(
            isolation_level="AUTOCOMMIT"
        ) as connection:
            connection.exec_driver_sql("ANALYZE")


def _short(decision: Mapping[str, Any]) -> str:
    names = ("id", "tier", "model", "reason", "class", "cascade", "policy", "policy_version")
    return json.dumps({name: decision[name] for name in names} | {"calls": [], "judged": []})


def write_lines(path: Path, n: int) -> None:
    """Write n decisions and their audits to a file of JSON lines."""
    from datetime import UTC, datetime

    with path.open("w", encoding="utf-8") as file:
        for made, audits in made_up(n):
            for each in made:
                record = _record(each, datetime.fromtimestamp(each["at"], UTC).isoformat())
                file.write(f"{json.dumps(record)}\n")
            for each in audits:
                at = datetime.fromtimestamp(each["at"], UTC).isoformat()
                event = json.loads(each["event"])
                file.write(f"{json.dumps({**each, **event, 'at': at})}\n")


def _record(each: Mapping[str, Any], at: str) -> dict[str, Any]:
    calls = [{"tier": 0, "purpose": "draft", "outcome": "returned"}] * each["calls"]
    audit = {"probability": each["audit_probability"], "picked": each["audit_picked"]}
    return {**each, "at": at, "tags": json.loads(each["tags"]), "calls": calls, "audit": audit}


def measure(name: str, *options: str) -> dict[str, float]:
    """Run a command of `cascade`, and measure it as a whole: seconds, and megabytes at its peak."""
    command = [sys.executable, "-m", "cascade_core.cli", name, *options]
    began = perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return {
        "seconds": perf_counter() - began,
        "CPU": used.ru_utime + used.ru_stime,
        "MB": used.ru_maxrss / 1024,
    }


def rows(rounds: int) -> Iterator[Row]:
    """Measure a million decisions in SQLite beside what they may take."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/decisions.db"
        fill(url, MILLION)
        found = [measure("report", url) for _ in range(rounds)]
        name = "cascade report, a million decisions"
        for unit, key, most in (("s", "seconds", SECONDS), ("MB", "MB", MEGABYTES)):
            sides = [each[key] for each in found], [most] * rounds
            yield row(GROUP, f"{name}, {unit}", "what it may take", sides, unit=unit, bar=1.0)


def main() -> None:
    """Measure one log, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--decisions", type=int, default=MILLION)
    parser.add_argument("--url", help="Of an empty database; SQLite in a temporary folder if not.")
    parser.add_argument("--jsonl", action="store_true", help="A file of JSON lines instead.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = given.url or f"sqlite:///{folder}/decisions.db"
        if given.jsonl:
            log = str(Path(folder, "decisions.jsonl"))
            write_lines(Path(log), given.decisions)
        else:
            fill(log, given.decisions)
        for options in ((), ("--by", "class"), ("--by", "tag"), ("--by", "day"), ("--json",)):
            found = measure("report", log, *options)
            shown = " ".join(("cascade report LOG", *options))
            sys.stdout.write(
                f"{shown:<32} {found['seconds']:6.2f} s  {found['CPU']:6.2f} s of CPU  "
                f"{found['MB']:5.0f} MB\n"
            )


if __name__ == "__main__":
    main()
