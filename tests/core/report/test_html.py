"""The page is whole, stands alone, and runs nothing."""

import re
from html.parser import HTMLParser

import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.evaluation import Interval
from cascade_core.report.html import Section, render, write_html
from cascade_core.report.rows import Figure
from tests.core.report.making import CLASSES, curve

pytest.importorskip("jinja2")


def page():
    pytest.importorskip("matplotlib")
    from cascade_core.report import figures

    return render(
        "Replay <i>",
        [
            Section("Figures", figures=[Figure("quality <q>", 0.9, Interval(0.8, 0.95), note="n")]),
            Section("Curve", text=["words & more"], plots=[figures.cost_quality(curve())]),
            Section.of_classes("Classes", CLASSES, [figures.by_class(CLASSES)]),
        ],
        subtitle="300 requests",
    )


class Tags(HTMLParser):
    """Collects what opens, and fails on what closes out of order."""

    VOID = frozenset({"meta", "path", "use", "rect", "img", "br"})

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_every_element_of_the_page_is_closed():
    tags = Tags()
    tags.feed(page())
    assert tags.open == []
    assert [tag for tag, _ in tags.seen].count("section") == 3


def test_the_page_asks_nothing_of_the_network_and_runs_nothing():
    tags = Tags()
    tags.feed(page())
    for tag, attributes in tags.seen:
        assert tag not in {"script", "link", "iframe", "img"}
        for name, value in attributes.items():
            if name in {"src", "href", "xlink:href"}:
                assert value.startswith("#")
            assert not name.startswith("on")
    assert not re.search(r"@import|url\((?!#)", page())


def test_text_from_outside_is_escaped():
    text = page()
    assert "<i>" not in text
    assert "Replay &lt;i&gt;" in text
    assert "quality &lt;q&gt;" in text
    assert "<b>" not in text
    assert "words &amp; more" in text


def test_figures_stand_in_the_page_with_their_intervals():
    text = page()
    assert "90.0 %" in text
    assert "80.0 % … 95.0 %" in text
    assert "300 requests" in text


def test_the_page_follows_a_dark_screen():
    assert "prefers-color-scheme: dark" in page()


def test_the_page_is_written_whole(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("before", encoding="utf-8")
    write_html(path, "Title", [Section("One", text=["two"])])
    assert path.read_text(encoding="utf-8") == render("Title", [Section("One", text=["two"])])
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_a_page_that_cannot_be_written_names_its_path(tmp_path):
    with pytest.raises(ConfigurationError, match=r"absent.report\.html cannot be written"):
        write_html(tmp_path / "absent" / "report.html", "Title", [])


@pytest.mark.processes
def test_reports_are_imported_without_their_extra():
    import subprocess
    import sys

    code = (
        "import sys, cascade_core.report.html, cascade_core.report.figures, "
        "cascade_core.report.terminal\n"
        "assert not {'jinja2', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
