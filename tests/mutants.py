"""Do the tests notice when the code breaks? Change it in small ways, one at a time, and see.

    python tests/mutants.py [FOLDER ...] [--fresh]

mutmut makes the changes ("mutants") in the folders of the core that decide what a caller gets,
and runs the tests of the folder of the same name under tests/core on each. A mutant that
no test notices has survived; fewer than `NOTICED` of a folder's noticed is an error.

What is known of a function is kept in `.mutants` until the function changes; what survived is
tried again each time. `--fresh` starts anew, as is due where tests were taken away. What a
survivor changes is shown, in .mutants/FOLDER, by `mutmut show NAME`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".mutants"
FOLDERS = ("loop", "policy", "statistics", "fitted")
NOTICED = 0.9
WORKERS = os.environ.get("WORKERS", "2")

# How fast something is cannot be told where every function is called through another.
UNTIMED = "not slow and not millisecond"

# Read from the folder mutmut is started in; paths are relative to it.
SETTINGS = """\
[mutmut]
source_paths=cascade_core
only_mutate=cascade_core/{folder}/*.py
pytest_add_cli_args_test_selection=tests/core/{folder}
pytest_add_cli_args=
    -p
    no:cacheprovider
    --hypothesis-profile=mutants
    -k
    {but}
timeout_multiplier=5
on_dependency_change=ignore
use_git_change_detection=false
"""


def main() -> int:
    """Print a line a folder and what survived; return 1 where too much did."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", metavar="FOLDER", help=f"default: {FOLDERS}")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier runs found")
    given = parser.parse_args()
    table = Table("", "mutants", "killed", "survived", "timeouts", "noticed")
    shares = []
    for folder in given.folders or FOLDERS:
        if given.fresh:
            shutil.rmtree(WORK / folder, ignore_errors=True)
        total, killed, timeouts = _noticed(folder)
        shares.append((killed + timeouts) / total)
        counts = total, killed, total - killed - timeouts, timeouts
        table.add_row(folder, *map(str, counts), f"{shares[-1]:.1%}")
    Console().print(table)
    return int(min(shares) < NOTICED)


def _noticed(folder: str) -> tuple[int, int, int]:
    """Try the mutants of a folder; return how many there are, were killed, and never ended."""
    place = WORK / folder
    _lay_out(place, folder)
    survived = _survivors(place)
    _mutmut(place, "run", "--max-children", WORKERS)
    again = sorted(set(survived) & set(_survivors(place)))
    if again:
        _mutmut(place, "run", "--max-children", WORKERS, *again)
    Console().print("survived:", *_survivors(place), sep="\n  ", highlight=False, soft_wrap=True)
    _mutmut(place, "export-cicd-stats")
    found = json.loads((place / "mutants" / "mutmut-cicd-stats.json").read_text())
    return found["total"], found["killed"] + found["segfault"], found["timeout"]


def _lay_out(place: Path, folder: str) -> None:
    """Show mutmut the code and its tests as one project, for it knows no folder `shared`."""
    place.mkdir(parents=True, exist_ok=True)
    for name, target in {
        "cascade_core": "shared/cascade_core",
        "tests": "tests",
        "pyproject.toml": "pyproject.toml",
    }.items():
        if not (place / name).is_symlink():
            (place / name).symlink_to(os.path.relpath(ROOT / target, place))
    (place / "setup.cfg").write_text(SETTINGS.format(folder=folder, but=UNTIMED))
    # Which tests touch which function is found out anew, or changed tests would not be tried.
    (place / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)
    shutil.rmtree(place / "mutants" / "tests", ignore_errors=True)


def _survivors(place: Path) -> list[str]:
    """Return the mutants that no test noticed so far."""
    lines = _mutmut(place, "results").splitlines()
    found = (line.strip().rpartition(": ") for line in lines)
    return [name for name, _, status in found if status in {"survived", "no tests", "suspicious"}]


def _mutmut(place: Path, *arguments: str) -> str:
    """Run mutmut; its progress is shown to people only."""
    shown = arguments[0] == "run" and sys.stdout.isatty()
    done = subprocess.run(
        [sys.executable, "-m", "mutmut", *arguments],
        cwd=place,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},  # a fork would lose the others
        stdout=None if shown else subprocess.PIPE,
        stderr=None if shown else subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"mutmut {arguments[0]} failed in {place}\n{done.stdout or ''}")
    return done.stdout or ""


if __name__ == "__main__":
    sys.exit(main())
