"""What holds for every notebook as it is kept, whatever it is about."""

from __future__ import annotations

import ast
import importlib.util
import json
import re
from pathlib import Path

import pytest

from tests.cookbooks.notebooks import FOLDER, PATHS, ROOT, code_cells, read, settled, text_of

MOST_LINES = 20
HERE = {"cookbooks", "tests"}

pytestmark = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def test_outputs_are_kept_and_tell_of_no_error(path: Path) -> None:
    cells = code_cells(read(path))
    assert any(cell.outputs for cell in cells)
    assert [o.ename for cell in cells for o in cell.outputs if o.output_type == "error"] == []


def test_cells_ran_once_each_from_the_top(path: Path) -> None:
    cells = code_cells(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


def test_no_code_cell_is_long(path: Path) -> None:
    long = [cell.source for cell in code_cells(read(path)) if cell.source.count("\n") >= MOST_LINES]
    assert long == []


def test_it_is_kept_in_the_form_that_make_cookbooks_writes(path: Path) -> None:
    kept = read(path)
    assert json.loads(json.dumps(kept)) == json.loads(json.dumps(settled(read(path))))


def test_it_says_in_one_cell_how_to_use_own_models(path: Path) -> None:
    heads = [
        cell
        for cell in read(path).cells
        if re.match(r"#+ With your own models\n", cell.source) and cell.cell_type == "markdown"
    ]
    assert len(heads) == 1


def test_code_is_all_in_the_notebook_or_installed(path: Path) -> None:
    for cell in code_cells(read(path)):
        for name in _imported(_plain(cell.source)):
            assert name.partition(".")[0] not in HERE, name
            found = importlib.util.find_spec(name.partition(".")[0])
            assert found is not None, f"{name} is not installed"
            origin = found.origin or ""
            assert not any(Path(origin).is_relative_to(ROOT / part) for part in HERE), name
        assert not re.search(r"^\s*[%!](run|load|pip|cd)\b|sys\.path", cell.source, re.MULTILINE)


def test_it_names_no_place_of_one_machine(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"/(?:home|tmp|root|work|Users|usr|opt)/\S*|[A-Z]:\\\\\w+", text) == []


def test_pictures_have_one_style(path: Path) -> None:
    cells = code_cells(read(path))
    if any("image/svg+xml" in output.get("data", {}) for cell in cells for output in cell.outputs):
        style = (Path(__file__).parent / "style.txt").read_text(encoding="utf-8")
        assert style.strip() in [cell.source.strip() for cell in cells]


def test_pictures_are_drawn_for_light_and_dark_pages(path: Path) -> None:
    for cell in code_cells(read(path)):
        for output in cell.outputs:
            kinds = set(output.get("data", {}))
            assert not kinds & {"image/png", "image/jpeg"}, "pictures are SVG"
            picture = output.get("data", {}).get("image/svg+xml", "")
            assert "<dc:date>" not in picture
            assert not re.search(r"fill: ?#fff(fff)?\b|fill: ?#000(000)?\b", picture)


def test_figures_in_the_text_stand_in_an_output_or_in_the_code(path: Path) -> None:
    notebook = read(path)
    known = [
        _number(figure)
        for cell in code_cells(notebook)
        for text in [cell.source, *map(text_of, cell.outputs)]
        for figure in _FIGURE.findall(text)
    ]
    unknown = [
        figure
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for figure in _FIGURE.findall(_prose(cell.source))
        if not any(_says(figure, value) for value in known)
    ]
    assert unknown == []


def test_the_list_of_cookbooks_has_it(path: Path) -> None:
    assert f"]({path.name})" in (FOLDER / "README.md").read_text(encoding="utf-8")


_FIGURE = re.compile(r"(?<![\w.,#-])[-−]?\d[\d,]*(?:\.\d+)?(?![\w-])(?:\s?%)?")
_NO_PROSE = re.compile(
    r"```.*?```|`[^`]*`|\]\([^)]*\)|^#.*$|^\s*\d+\.\s|\b0\d\b", re.DOTALL | re.MULTILINE
)


def _prose(markdown: str) -> str:
    """Text without code, addresses, headings and the numbers of lists and notebooks."""
    return _NO_PROSE.sub(" ", markdown)


def _number(figure: str) -> float:
    return float(figure.rstrip("% \u00a0").rstrip(",").replace(",", "").replace("−", "-"))


def _says(figure: str, value: float) -> bool:
    """Whether `figure` is `value`, rounded; of shares, also in percent."""
    wanted = _number(figure)
    digits = len(figure.rstrip("% ").partition(".")[2])
    values = [value, value * 100] if figure.endswith("%") else [value]
    return any(abs(wanted - value) <= 0.5 * 10**-digits + 1e-9 for value in values)


def _plain(source: str) -> str:
    """A cell's Python, without IPython's own lines."""
    return re.sub(r"^\s*[%!].*$", "", source, flags=re.MULTILINE)


def _imported(source: str) -> list[str]:
    # Cells may await at their top.
    tree = compile(source, "cell", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import"
            names.append(node.module or "")
    return names
