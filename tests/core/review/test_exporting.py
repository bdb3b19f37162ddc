"""A review written as files: everything leads to a file beside it, and nothing is half-written."""

from __future__ import annotations

import errno
import re
import sqlite3
from html import unescape
from pathlib import Path

import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.log.policies import PolicyStore
from cascade_core.policy.document import Policy
from cascade_core.review import exporting
from cascade_core.review.exporting import EXPORT_MARK, _decision_file, export_review
from cascade_core.review.overview import OVERVIEW_BY
from cascade_core.review.periods import Period, period_of
from cascade_core.review.policy_homes import find_home
from cascade_core.review.source import open_source
from cascade_core.review.static_pages import to_static
from cascade_core.review.workbench import Workbench
from tests.core.review.logs import everything
from tests.core.traffic.making import decision
from tests.core.traffic.storing import store

ODD = ["../../evil", "a/b", "con", "A", "a", "ü\x00", "x" * 300, "..", "<script>"]


def bench_of(file: Path) -> Workbench:
    return Workbench(open_source(f"sqlite:///{file}"), Policy.load(None))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("log") / "log.db"
    store(everything(), f"sqlite:///{file}")
    return file


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of one decision, for what becomes of the folder whatever is in it."""
    file = tmp_path_factory.mktemp("small") / "log.db"
    store([decision("one", 1)], f"sqlite:///{file}")
    return file


@pytest.fixture(scope="module")
def exported(log: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("to") / "site"
    export_review(bench_of(log), folder, Period())
    return folder


def pages(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.html"))


def test_every_link_leads_to_a_file_beside_it(exported: Path) -> None:
    seen = 0
    for page in pages(exported):
        text = page.read_text("utf-8")
        for to in re.findall(r'(?:href|src)="([^"]*)"', text):
            path = unescape(to).partition("#")[0]
            if not path or path.startswith("data:"):
                continue
            seen += 1
            assert "://" not in path
            assert not path.startswith("/")
            file = (page.parent / path).resolve()
            assert file.is_file(), f"{page.name} leads to {path}"
            assert file.is_relative_to(exported.resolve())
    assert seen > 100


def test_every_page_of_the_log_is_there(exported: Path, log: Path) -> None:
    names = {page.relative_to(exported).as_posix() for page in pages(exported)}
    wanted = ["index", "thresholds", "classes", "decisions", "policy"]
    assert {f"{name}.html" for name in wanted} <= names
    decisions = [name for name in names if name.startswith("decisions/")]
    assert len(decisions) == len(bench_of(log).snapshot())


def test_every_grouping_has_a_page(exported: Path) -> None:
    first = (exported / "index.html").read_text("utf-8")
    groups = first.partition('aria-label="Group by"')[2].partition("</nav>")[0]
    files = dict(re.findall(r'<a href="([^"]*)"[^>]*>(\w+)</a>', groups))
    assert list(files.values()) == list(OVERVIEW_BY)
    for file, by in files.items():
        assert f">By {by}</h2>" in (exported / file).read_text("utf-8")


def test_nothing_in_it_needs_a_server(exported: Path) -> None:
    for page in pages(exported):
        text = page.read_text("utf-8")
        assert 'method="post"' not in text
        assert 'name="csrf"' not in text
        assert "data-update" not in text
        assert "/queue" not in text
        assert "Content-Security-Policy" in text
        assert "An export." in text


def test_only_so_many_of_the_latest_decisions_have_a_page(log: Path, tmp_path: Path) -> None:
    few, none = tmp_path / "few", tmp_path / "none"
    export_review(bench_of(log), few, Period(), 50)
    first = (few / "decisions.html").read_text("utf-8")
    ids = set(re.findall(r'href="(decisions/[^"]*)"', first))
    assert len(ids) == 50
    assert not list(few.glob("decisions-*.html"))
    export_review(bench_of(log), none, period_of({"until": "2020-01-01"}))
    assert not (none / "decisions").exists()
    assert "to 2020-01-01" in (none / "index.html").read_text("utf-8")


def test_an_id_is_a_safe_name_of_a_file(tmp_path: Path) -> None:
    file, folder = tmp_path / "log.db", tmp_path / "to" / "site"
    folder.parent.mkdir()
    store([decision(each, day) for day, each in enumerate(ODD, 1)], f"sqlite:///{file}")
    export_review(bench_of(file), folder, Period())
    made = [page.name for page in (folder / "decisions").iterdir()]
    assert len(made) == len({name.lower() for name in made}) == len(ODD)
    assert all(re.fullmatch(r"[a-z0-9-]+\.html", name) for name in made)
    assert {path.name for path in folder.parent.iterdir()} == {"site"}
    text = (folder / "decisions.html").read_text("utf-8")
    for name in made:
        assert f'href="decisions/{name}"' in text


def test_an_earlier_export_is_replaced_and_nothing_else(small: Path, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    export_review(bench_of(small), folder, Period(), 0)
    (folder / "left.html").write_text("of an earlier one")
    export_review(bench_of(small), folder, Period(), 0)
    assert not (folder / "left.html").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]
    (folder / EXPORT_MARK).unlink()
    with pytest.raises(ConfigurationError, match="holds other files"):
        export_review(bench_of(small), folder, Period(), 0)
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(ConfigurationError, match="is no folder"):
        export_review(bench_of(small), file, Period(), 0)
    with pytest.raises(ConfigurationError, match="does not exist; make it first"):
        export_review(bench_of(small), tmp_path / "no" / "site", Period(), 0)


@pytest.mark.parametrize("earlier", [False, True])
def test_a_full_disk_is_one_clear_error_and_leaves_nothing(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, earlier: bool
) -> None:
    folder = tmp_path / "site"
    if earlier:
        export_review(bench_of(small), folder, Period(), 0)
    before = sorted(path.name for path in tmp_path.rglob("*"))
    write = Path.write_text

    def full(self: Path, text: str, **more: str) -> int:
        if self.name == "policy.html":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, text, **more)

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(ConfigurationError, match=r"cannot be written \(No space left on device\)"):
        export_review(bench_of(small), folder, Period(), 0)
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_a_folder_that_cannot_be_replaced_stays(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "site"
    export_review(bench_of(small), folder, Period(), 0)
    rename = Path.rename

    def once(self: Path, to: Path) -> Path:
        if to == folder and not self.name.endswith(".old"):
            raise OSError(errno.EACCES, "Permission denied")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", once)
    with pytest.raises(ConfigurationError, match="Permission denied"):
        export_review(bench_of(small), folder, Period(), 0)
    assert (folder / "index.html").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_page_that_cannot_be_made_is_one_clear_error(
    log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> tuple[int, str]:
        return 400, '<p class="error" role="alert">the policy is of 3 tiers &amp; more</p>'

    monkeypatch.setattr(exporting, "_get", broken)
    with pytest.raises(ConfigurationError, match="of 3 tiers & more"):
        export_review(bench_of(log), tmp_path / "site", Period())
    assert list(tmp_path.iterdir()) == []


LEADS = {"/here": "here.html", "/by?by=tag": "by-tag.html", "/static/x.js": "static/x.js"}


@pytest.mark.parametrize(
    ("served", "static"),
    [
        ('<a href="/here">x</a>', '<a href="here.html">x</a>'),
        ('<a href="/gone">x</a> y', "<a>x</a> y"),
        ('<a class="button primary" href="/gone">x <b>z</b></a> y', " y"),
        ('<a href="/here.csv" download>x</a> y', " y"),
        ('<a href="#place" data-update="z">x</a>', '<a href="#place">x</a>'),
        ('<form method="post"><input name="a"><p>x</p></form>y', "y"),
        ('<form method="get" action="/z"><input name="a"><select></select></form>y', "y"),
        ("<div data-served><p>x</p><input><br></div>y", "y"),
        ('<form method="dialog"><button>x</button></form>', None),
        ('<form data-answer="/a" id="s"><input></form>', '<form id="s"><input></form>'),
        ("<p>a &amp; &lt;b&gt; &#34; &nbsp;</p>", None),
        ('<svg viewBox="0 0 1 1"><path d="M0 0"/></svg>', None),
        ('<div data-chart="{&#34;x&#34;:[1]}"></div>', None),
        ('<script defer src="/static/x.js"></script>', '<script defer src="static/x.js"></script>'),
        (
            '<script type="application/json">{"a":"/here","b":"/decisions/1?x=1"}</script>',
            '<script type="application/json">{"a":"/here","b":null}</script>',
        ),
    ],
)
def test_a_page_is_written_again_without_what_needs_a_server(
    served: str, static: str | None
) -> None:
    assert to_static(served, LEADS.get) == (served if static is None else static)


@pytest.mark.parametrize(
    "key",
    ["con", "nul", "com1", "CON", "../x", "", ".", "a b", "x" * 81, "a\nb", "id-" + "0" * 16],
)
def test_an_id_that_is_no_name_of_a_file_everywhere_is_called_by_a_digest(key: str) -> None:
    assert re.fullmatch(r"decisions/id-[0-9a-f]{16}\.html", _decision_file(key))


def test_no_id_takes_the_file_of_another() -> None:
    keys = ["AAAA", "aaaa", _decision_file("AAAA").partition("/")[2].removesuffix(".html"), "con1"]
    assert len({_decision_file(key).lower() for key in keys}) == len(keys)


def test_a_version_that_is_damaged_does_not_end_an_export(tmp_path: Path) -> None:
    url = store(everything(), f"sqlite:///{tmp_path / 'log.db'}")
    policies = PolicyStore(url)
    policies.save(Policy.load({"thresholds": [0.5]}))
    policies.activate(policies.save(Policy.load({"thresholds": [0.6]}))[0])
    with sqlite3.connect(tmp_path / "log.db") as database:
        database.execute("UPDATE policies SET document = '{' WHERE version = 1")
    bench = Workbench(open_source(url), home=find_home(url, None), read_only=True)
    assert export_review(bench, tmp_path / "out", Period(), 3)
    assert "damaged" in (tmp_path / "out" / "policy-version-1.html").read_text("utf-8")
