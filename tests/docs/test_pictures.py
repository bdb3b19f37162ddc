"""The pictures of the documentation: drawn by a command, readable on any page, quoted as they are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.docs.running import PAGES, ROOT

DOCS, IMAGES = ROOT / "docs", ROOT / "docs" / "images"
PICTURES = sorted(IMAGES.glob("*.svg"))
SHOWN = re.compile(r"!\[([^\]]*)\]\(([^)]+\.svg)\)")
CAPTION = re.compile(r"!\[[^\]]*\]\(images/(\w+)\.svg\)\n\n\*(?!\*)(.+?)\*\n", re.DOTALL)
NUMBER = re.compile(r"\d+(?:\.\d+)?")


def test_every_picture_is_shown_somewhere_with_words_for_those_who_cannot_see_it():
    texts = {page: page.read_text("utf-8") for page in PAGES}
    for page, text in texts.items():
        for words, path in SHOWN.findall(text):
            assert len(words) > 20, f"{page}: {path}"
            assert (page.parent / path).exists(), f"{page}: {path}"
    everything = "\n".join(texts.values())
    assert not [picture.name for picture in PICTURES if picture.name not in everything]


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_well_formed_and_paints_no_ground_behind_it(path: Path):
    text = path.read_text("utf-8")
    top = ET.fromstring(text)
    assert top.tag.endswith("svg")
    colours = {colour.lower() for colour in re.findall(r"#[0-9a-fA-F]{6}\b", text)}
    # White or black is invisible on one of the two kinds of page.
    assert not colours & {"#ffffff", "#000000"}
    assert not re.search(r"(?:fill|stroke)[:=]\s*\"?(?:white|black)", text)
    assert not re.findall(r"(?:href|src)=\"https?:", text), "nothing is fetched"


def test_captions_quote_figures_that_the_command_printed():
    figures: dict[str, set[str]] = {}
    for line in (IMAGES / "figures.txt").read_text("utf-8").splitlines():
        name, _, rest = line.partition(": ")
        figures.setdefault(name, set()).update(NUMBER.findall(rest))
    captions = CAPTION.findall((DOCS / "concepts.md").read_text("utf-8"))
    assert len(captions) == 5
    for name, words in captions:
        quoted = {figure for figure in NUMBER.findall(words) if figure != "95"}
        assert quoted <= figures[name], f"{name}: {quoted - figures[name]}"


def test_the_readme_quotes_figures_that_the_command_printed():
    figures = set(NUMBER.findall((IMAGES / "curve.txt").read_text("utf-8").replace(",", "")))
    ((words, _),) = SHOWN.findall((ROOT / "README.md").read_text("utf-8"))
    assert len(quoted := set(NUMBER.findall(words.replace(",", "")))) == 7
    assert quoted <= figures


def draw(name: str, folder: Path, *options: str) -> None:
    ran = subprocess.run(
        [sys.executable, f"docs/pictures/{name}.py", *options, "--out", str(folder)],
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "shared")]),
            "PYTHONWARNINGS": "ignore",
            "PICTURES_KEPT": str(folder),
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


def test_the_commands_draw_them(tmp_path: Path):
    draw("concepts", tmp_path, "--asked", "160", "--tuned", "120", "--draws", "2")
    drawn = {path.name for path in tmp_path.glob("*.svg")}
    assert drawn == {
        f"{name}.svg" for name in ("signal", "confidence", "threshold", "harm", "promise")
    }
    said = {line.partition(":")[0] for line in (tmp_path / "figures.txt").read_text().splitlines()}
    assert said == {path.removesuffix(".svg") for path in drawn}
    draw("curve", tmp_path, "--asked", "160", "--picked", "120")
    assert (tmp_path / "curve.svg").exists()
    (ways, _) = (tmp_path / "curve.txt").read_text("utf-8").split("cascade: ", 1)
    assert ways.count(" right, ") == 2
