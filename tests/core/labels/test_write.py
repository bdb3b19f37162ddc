"""What is written reads back equal, all of it or nothing."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cascade_core.labels import Table, TableError, read_table, write_table
from tests.core.labels.making import numbers, row

SUFFIXES = [".csv", ".jsonl", ".parquet", ".csv.gz", ".jsonl.gz"]

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
names = text.filter(lambda name: name.strip())
share = st.none() | st.floats(0, 1) | st.sampled_from([0, 1, True])
money = st.none() | st.floats(0, 1e6) | st.decimals(0, 10, places=8)


@st.composite
def rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows of two or three tiers, with or without each optional column."""
    cells: dict[str, st.SearchStrategy[Any]] = {}
    for k in range(draw(st.integers(2, 3))):
        cells |= {f"t{k}_quality": share, f"t{k}_cost_usd": money}
        for signal in draw(st.lists(names.map(str.strip), max_size=2, unique=True)):
            cells |= {f"t{k}_signal_{signal}": share, f"t{k}_paid_{signal}_usd": money}
        cells |= {f"t{k}_response": st.none() | text, f"t{k}_model": st.just("m\n")}
    optional = {"request": st.none() | text, "class": st.none() | text, "group": st.none() | text}
    cells |= optional | {"weight": st.none() | st.floats(0.1, 10), "mine": text}
    left_out = draw(
        st.sets(st.sampled_from([*optional, "weight", "mine", "t0_response", "t1_model"]))
    )
    kept = {name: cell for name, cell in cells.items() if name not in left_out}
    ids = draw(st.lists(names, min_size=1, max_size=5, unique=True))
    return [{"id": id_, **draw(st.fixed_dictionaries(kept))} for id_ in ids]


def listed(table: Table) -> dict[str, Any]:
    """Everything in a table that does not depend on where it was read."""
    return {
        "ids": table.ids,
        "requests": table.requests,
        "classes": None if table.classes is None else table.classes.tolist(),
        "class_names": table.class_names,
        "groups": None if table.groups is None else table.groups.tolist(),
        "weights": None if table.weights is None else table.weights.tolist(),
        "tiers": [
            {
                "model": tier.model,
                "quality": numbers(tier.quality),
                "cost": numbers(tier.cost),
                "signals": {name: numbers(cells) for name, cells in tier.signals.items()},
                "paid": {name: numbers(cells) for name, cells in tier.paid.items()},
                "responses": tier.responses,
            }
            for tier in table.tiers
        ],
    }


@pytest.mark.simulation
@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=rows())
def test_what_is_written_reads_back_equal(suffix: str, rows: list[dict[str, Any]]) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"labels{suffix}"
        write_table(path, rows)
        assert [file.name for file in Path(folder).iterdir()] == [path.name]
        assert listed(read_table(path)) == listed(read_table(rows))


def test_columns_come_in_a_fixed_order(tmp_path: Path) -> None:
    mixed = {
        "mine": "x",
        "t1_cost_usd": 0.2,
        "t0_paid_judge_usd": Decimal("0.00010"),
        "t0_cost_usd": 1e-7,
        "t0_signal_judge": 0.25,
        "t0_signal_logprob": None,
        "t1_quality": np.float64(1),
        "t0_quality": 0.5,
        "t0_response": 'No, "why"?',
        "t0_model": "small",
        "weight": 2,
        "group": "g",
        "class": "faq",
        "request": "Hi",
        "id": "a",
    }
    write_table(tmp_path / "labels.csv", [mixed])
    assert (tmp_path / "labels.csv").read_text().splitlines() == [
        (
            "id,request,class,group,weight,t0_model,t0_response,t0_quality,t0_cost_usd,"
            "t0_signal_judge,t0_paid_judge_usd,t0_signal_logprob,t1_quality,t1_cost_usd,mine"
        ),
        'a,Hi,faq,g,2,small,"No, ""why""?",0.5,1e-07,0.25,0.0001,,1,0.2,x',
    ]


def test_rows_may_come_from_a_generator_and_lack_cells(tmp_path: Path) -> None:
    def made() -> Iterator[Mapping[str, object]]:
        yield row("a")
        yield row("b", request="Hi", t0_quality=float("nan"))

    write_table(tmp_path / "labels.jsonl", made())
    table = read_table(tmp_path / "labels.jsonl")
    assert table.requests == ["", "Hi"]
    assert numbers(table.tiers[0].quality) == [1.0, None]


def test_the_users_own_columns_are_kept(tmp_path: Path) -> None:
    own = {"note": "x", "flag": True, "count": 3, "list": [1, "\u00e9"], "share": np.float64(0.5)}
    for suffix in SUFFIXES:
        if suffix == ".parquet":
            pytest.importorskip("pyarrow")
        write_table(tmp_path / f"labels{suffix}", [row("a", **own), row("b", note=3)])
        assert read_table(tmp_path / f"labels{suffix}").ids == ["a", "b"]
    assert (tmp_path / "labels.csv").read_text().splitlines()[0].endswith(",".join(own))
    assert '"flag": true, "count": 3' in (tmp_path / "labels.jsonl").read_text()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_half_a_character_does_not_lose_the_table(tmp_path: Path, suffix: str) -> None:
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    write_table(tmp_path / f"labels{suffix}", [row("a", request="ok \ud83d")])
    assert read_table(tmp_path / f"labels{suffix}").requests == ["ok ?"]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ([], "holds no rows"),
        ([row("a"), row("a")], "row 2, column id: 'a' is the id of row 1 too"),
        ([row("a", t0_quality=2)], "row 1, column t0_quality: 2.0 is outside"),
        ([row("a", t0_qualty=1)], "row 1, column t0_qualty: unknown column"),
        ([row("a") | {3: "x"}], "has a column named by a int"),
        ([{"id": "a"}], "are missing"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(
    tmp_path: Path, bad: list[dict[str, Any]], said: str
) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("as it was")
    with pytest.raises(TableError) as caught:
        write_table(path, bad)
    assert str(caught.value).startswith(str(path))
    assert said in str(caught.value)
    assert path.read_text() == "as it was"
    assert list(tmp_path.iterdir()) == [path]


def test_a_crash_while_writing_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "labels.csv"
    write_table(path, [row("old")])
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(TableError, match="cannot be written: No space left on device"):
        write_table(path, [row("new")])
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"labels\.csv: cannot be written: No such file"):
        write_table(tmp_path / "gone" / "labels.csv", [row()])
    with pytest.raises(TableError, match="is of no known kind"):
        write_table(tmp_path / "labels.txt", [row()])


def test_a_link_stays_a_link_and_the_file_is_as_readable_as_any(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    (tmp_path / "link.csv").symlink_to(tmp_path / "labels.csv")
    write_table(tmp_path / "link.csv", [row()])
    assert (tmp_path / "link.csv").is_symlink()
    assert len(read_table(tmp_path / "labels.csv")) == 1
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "labels.csv")}
    assert len(modes) == 1


@pytest.mark.parametrize(
    "answer",
    [
        "=1+1",
        "+1 for the idea",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "'=1",
        "''@x",
        "=cmd|' /C calc'!A0",
    ],
)
def test_no_answer_is_a_formula_to_a_spreadsheet(tmp_path: Path, answer: str) -> None:
    path = tmp_path / "labels.csv"
    write_table(path, [row(t0_response=answer)])
    text = path.read_bytes().decode()
    assert f"'{answer}" in text.replace('""', '"')
    responses = read_table(path).tiers[0].responses
    assert responses is not None
    assert responses[0] == answer


@pytest.mark.parametrize("answer", ["-5", "+3.5", "-1,234.50", "it's", "'quoted'", "a=1"])
def test_what_no_spreadsheet_runs_is_written_as_it_is(tmp_path: Path, answer: str) -> None:
    path = tmp_path / "labels.csv"
    write_table(path, [row(t0_response=answer)])
    assert f"'{answer}" not in path.read_text()
    responses = read_table(path).tiers[0].responses
    assert responses is not None
    assert responses[0] == answer
