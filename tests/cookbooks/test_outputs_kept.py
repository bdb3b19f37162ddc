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
    said = []
    kept, fresh = code_cells(read(path)), code_cells(execute(path, data=data))
    for number, (old, new) in enumerate(zip(kept, fresh, strict=True), 1):
        if data is not None or not is_recorded(new):
            said += [f"[{number}] {line}" for line in differences(shown(old), shown(new))]
    assert not said, "run `make cookbooks`, and look at what has changed:\n" + "\n".join(said)


@pytest.mark.parametrize(
    "path",
    [path for path in PATHS if any(map(is_recorded, read(path).cells))],
    ids=lambda path: path.stem,
)
def test_cells_that_show_recorded_answers_say_so_where_there_are_none(path: Path) -> None:
    cells = code_cells(execute(path, data=None, only=is_recorded))
    assert [cell.source for cell in cells if ABSENT not in shown(cell)] == []
