"""Every notebook, run from its top, still prints what it shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cookbooks.notebooks import (
    PATHS,
    code_cells,
    execute,
    is_recorded,
    read,
    recorded_answers,
    shown,
)
from tests.outputs import differences

ABSENT = "not here"


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_run_prints_what_is_shown(path: Path) -> None:
    data = recorded_answers()
    fresh = execute(path, data=data)
    _compare(path, fresh, without=data is None)


@pytest.mark.parametrize(
    "path",
    [path for path in PATHS if any(map(is_recorded, read(path).cells))],
    ids=lambda path: path.stem,
)
def test_a_run_without_recorded_answers_says_so_and_goes_on(path: Path) -> None:
    if recorded_answers() is None:
        pytest.skip("the run above was one")
    _compare(path, execute(path, data=None), without=True)


def _compare(path: Path, fresh, *, without: bool) -> None:
    said = []
    for number, (old, new) in enumerate(
        zip(code_cells(read(path)), code_cells(fresh), strict=True), 1
    ):
        if without and is_recorded(new):
            assert ABSENT in shown(new), f"cell [{number}] shows recorded answers without any"
        else:
            said += [f"[{number}] {line}" for line in differences(shown(old), shown(new))]
    assert not said, "run `make cookbooks`, and look at what has changed:\n" + "\n".join(said)
