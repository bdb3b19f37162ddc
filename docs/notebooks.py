"""Makes pages of the cookbooks, so that the site shows them; `make docs` does so before it builds.

    python docs/notebooks.py [FOLDER]

The pages are not kept: what they show is kept in the notebooks.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parent
NOTEBOOKS = DOCS.parent / "cookbooks"
HEADING = re.compile(r"^# .*$", re.MULTILINE)


def page(path: Path, folder: Path) -> str:
    """Return a notebook as a page, and write its pictures beside it.

    Args:
        path: The notebook.
        folder: Where its page goes.
    """
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    parts: list[str] = []
    for number, cell in enumerate(cells):
        headings = re.findall(r"^#+ (.+)$", "\n".join(parts), re.MULTILINE) or [path.stem]
        parts += _parts(cell, f"{path.stem}-{number:02}", folder, headings[-1])
    text = "\n\n".join(parts)
    whence = f"\n\nThis page is the notebook `cookbooks/{path.name}`; run it to see it happen."
    return HEADING.sub(lambda title: title[0] + whence, text, count=1) + "\n"


def _parts(cell: dict[str, Any], name: str, folder: Path, heading: str) -> Iterator[str]:
    source = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        yield _relinked(source)
        return
    yield f"```python\n{source}\n```"
    for place, output in enumerate(cell["outputs"]):
        shown = output.get("data", {})
        if svg := shown.get("image/svg+xml"):
            picture = folder / f"{name}-{place}.svg"
            picture.write_text("".join(svg), encoding="utf-8")
            yield f"![{heading}]({picture.name})"
        elif markdown := shown.get("text/markdown"):
            yield "".join(markdown)
        elif said := "".join(output.get("text") or shown.get("text/plain") or ""):
            yield f"``` {{ .text .output }}\n{said.rstrip()}\n```"


def _relinked(text: str) -> str:
    """Lead links from beside the notebooks to where they lead from the pages."""
    return re.sub(r"\]\(([\w-]+)\.ipynb", r"](\1.md", text.replace("](../docs/", "](../"))


def main(folder: Path) -> None:
    """Write all pages."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        (folder / f"{path.stem}.md").write_text(page(path, folder), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else DOCS / "cookbooks")
