"""Reads a notebook, runs it in a fresh kernel, and brings it into the form that is kept."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from tests.benchmarks.recorded_data import data_dir

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "cookbooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))

RECORDED = "recorded"
"""Tag of a cell that shows recorded answers, which are not everywhere."""

MOST_SECONDS_A_CELL = 600  # for what hangs

_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_TEXT_KINDS = ("text/plain", "text/markdown")


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def recorded_answers() -> Path | None:
    """The folder with recorded answers of real models, where there is one."""
    folder = data_dir()
    return folder if folder.is_dir() else None


def execute(
    path: Path, *, data: Path | None, only: Callable[[NotebookNode], bool] = lambda _: True
) -> NotebookNode:
    """Run a notebook from its top, with no key, no network and nothing lying around.

    Args:
        path: Which.
        data: The folder with recorded answers, or None.
        only: Tells which cells to run.

    Raises:
        CellExecutionError: A cell failed.
    """
    notebook = read(path)
    notebook.cells = [cell for cell in notebook.cells if only(cell)]
    with TemporaryDirectory(prefix="cookbook-") as folder:
        NotebookClient(
            notebook,
            timeout=MOST_SECONDS_A_CELL,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
        ).execute(env=_environment(data))
    return settled(notebook)


def _environment(data: Path | None) -> dict[str, str]:
    named = re.compile(r"_API_KEY$|^(OPENAI|ANTHROPIC|OLLAMA|LANGSMITH|LANGCHAIN|CASCADE|PYTEST)_")
    kept = {name: value for name, value in os.environ.items() if not named.search(name)}
    paths = [Path(__file__).parent / "closed_network", ROOT, ROOT / "shared"]
    return {
        **kept,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "OPENBLAS_NUM_THREADS": "1",
        **({"CASCADE_DATA": str(data)} if data else {}),
    }


def settled(notebook: NotebookNode) -> NotebookNode:
    """Drop what would be different after every run, and number cells by their place."""
    notebook.nbformat_minor = 5
    notebook.metadata = nbformat.from_dict(_METADATA)
    for place, cell in enumerate(notebook.cells, 1):
        cell.id = f"cell-{place:02}"
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
        if cell.cell_type == "code":
            cell.outputs = _joined(cell.outputs)
    return notebook


def _joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Outputs, with what one stream printed in pieces in one piece."""
    joined: list[NotebookNode] = []
    for output in outputs:
        output.pop("transient", None)
        before = joined[-1] if joined else None
        if (
            before is not None
            and before.output_type == output.output_type == "stream"
            and before.name == output.name
        ):
            before.text += output.text
        else:
            joined.append(output)
    return joined


def is_recorded(cell: NotebookNode) -> bool:
    return RECORDED in cell.metadata.get("tags", ())


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def text_of(output: NotebookNode) -> str:
    """What an output says, without its pictures."""
    if output.output_type == "stream":
        return output.text
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}"
    return "\n".join(output.data[kind] for kind in _TEXT_KINDS if kind in output.data)


def shown(cell: NotebookNode) -> str:
    """Everything a cell says, and a line for each picture."""
    parts = []
    for output in cell.outputs:
        pictures = [kind for kind in output.get("data", {}) if kind.startswith("image/")]
        parts += [f"[{kind}]" for kind in sorted(pictures)] or [text_of(output)]
    return "\n".join(parts)
