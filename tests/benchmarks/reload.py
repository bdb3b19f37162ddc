"""How soon every process goes by a policy that has changed, and whether a request is ever in between.

    python tests/benchmarks/reload.py [--changes 20] [--json]

Four processes answer requests without a pause while a policy's file is written, and a version in a
database is activated, again and again. Every request must be answered, and judged by one version
from end to end; of each change it is measured when the last process went by it.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "shared")]

from cascade_core.log.policies import PolicyStore  # noqa: E402
from cascade_core.policy.document import Policy  # noqa: E402
from cascade_core.setup import watching  # noqa: E402

PROCESSES = 4
REQUESTS = 1000
SOON = 2.0
"""Seconds within which all processes should go by a change: the bar."""
LIMIT = 120.0
"""Seconds after which a change is taken never to come."""


@dataclass
class Measured:
    """What was seen of one source.

    Attributes:
        source: `file` or `database`.
        changes: How often the policy changed.
        requests: Requests made, of all processes.
        lost: Requests without an answer.
        mixed: Answers that two versions had a hand in.
        seconds: Of each change, until the last process went by it.
    """

    source: str
    changes: int
    requests: int
    lost: int
    mixed: int
    seconds: list[float]


def version(k: int) -> Policy:
    """Return a policy whose every part says which it is."""
    return Policy(name=f"version {k}", thresholds=(k / 1000,))


def work(
    policy: str, every: float, least: int, place: int, seen: Any, last: int, found: Any
) -> None:
    """Answer requests until the last version decides, and say what became of them."""
    from cascade_core.loop.session import Session
    from cascade_core.setup.engine import Engine
    from cascade_core.setup.settings import CascadeSettings
    from tests.core.loop.test_session import Models
    from tests.core.making import REQUEST, Answer, make_tiers

    watching.EVERY = every
    tiers = make_tiers(2)
    engine = Engine(CascadeSettings(tiers=tiers, policy=policy), tiers)
    models = Models(Answer(probs=[0.5] * 4), Answer())
    made = lost = mixed = 0
    while made < least or seen[place] < last:
        made += 1
        try:
            record: Any = Session(engine, REQUEST, models).run().record
        except Exception:  # noqa: BLE001 - it is what is counted
            lost += 1
            continue
        k = int(record["policy"].rpartition(" ")[2])
        thresholds = {judged["threshold"] for judged in record["judged"]} | {record["threshold"]}
        known = record["policy_version"] in (version(k).fingerprint, k + 1)
        mixed += thresholds != {k / 1000} or not known
        seen[place] = k
        sleep(0.001)
    found.put((made, lost, mixed))


def measure(
    source: str,
    folder: Path,
    *,
    changes: int,
    every: float = watching.EVERY,
    processes: int = PROCESSES,
) -> Measured:
    """Change a policy again and again under requests of several processes."""
    place = str(folder / "policy.json")
    if source == "database":
        place = f"sqlite:///{folder / 'decisions.db'}"

    def put(k: int) -> None:
        if source == "file":
            version(k).save(place)
        else:
            store = PolicyStore(place, create=True)
            store.activate(store.save(version(k))[0])

    put(0)
    spawn = multiprocessing.get_context("spawn")
    seen, found = spawn.Array("i", [-1] * processes), spawn.Queue()
    least = REQUESTS // processes
    workers = [
        spawn.Process(target=work, args=(place, every, least, k, seen, changes, found), daemon=True)
        for k in range(processes)
    ]
    for worker in workers:
        worker.start()
    _wait(seen, 0)
    seconds = []
    for k in range(1, changes + 1):
        began = monotonic()
        put(k)
        _wait(seen, k)
        seconds.append(monotonic() - began)
    told = [found.get(timeout=LIMIT) for _ in workers]
    for worker in workers:
        worker.join(LIMIT)
    made, lost, mixed = (sum(column) for column in zip(*told, strict=True))
    return Measured(source, changes, made, lost, mixed, seconds)


def _wait(seen: Any, k: int) -> None:
    deadline = monotonic() + LIMIT
    while min(seen) < k:
        if monotonic() > deadline:
            msg = f"version {k} has not come to all processes: {list(seen)}"
            raise TimeoutError(msg)
        sleep(0.002)


def main() -> int:
    """Measure and print; status 1 where a request was lost or mixed, or a change came late."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    measured = []
    for source in ("file", "database"):
        with TemporaryDirectory() as folder:
            measured.append(measure(source, Path(folder), changes=given.changes))
    if given.json:
        sys.stdout.write(json.dumps([asdict(each) for each in measured], indent=2) + "\n")
    else:
        for each in measured:
            sys.stdout.write(
                f"{each.source}: {each.requests:,} requests in {PROCESSES} processes during "
                f"{each.changes} changes: {each.lost} lost, {each.mixed} judged by two versions; "
                f"all on the new one after {max(each.seconds):.2f} s at the most\n"
            )
    bad = any(each.lost or each.mixed or max(each.seconds) > SOON for each in measured)
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
