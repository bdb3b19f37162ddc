"""Whatever is wrong with a table is said once, with its file, line and column."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.labels import TableError, read_table
from tests.core.labels.making import GOOD, HEADER, csv, jsonl, row


def problem_with(source: Any) -> str:
    """What is said of a bad table, without its folder."""
    with pytest.raises(TableError) as caught:
        read_table(source)
    assert isinstance(caught.value, ConfigurationError)
    said = str(caught.value)
    assert "\n" not in said
    return said.replace(f"{Path(str(source)).parent}/", "") if isinstance(source, Path) else said


@pytest.mark.parametrize(
    ("column", "cell", "said"),
    [
        ("t0_quality", "1.2", "1.2 is outside [0, 1]"),
        ("t0_quality", "-0.1", "-0.1 is outside [0, 1]"),
        ("t0_quality", "NaN", "is NaN; leave the cell empty where there is no number"),
        ("t1_quality", "inf", "is infinite; leave the cell empty where there is no number"),
        ("t0_quality", "good", "is not a number; leave the cell empty where there is none"),
        ("t0_signal_logprob", "2", "2.0 is outside [0, 1]"),
        ("t0_signal_logprob", "nan", "is NaN; leave the cell empty where there is no number"),
        ("t0_cost_usd", "-1", "-1.0 is negative; it must be 0 or more"),
        ("t1_cost_usd", "-inf", "is infinite; leave the cell empty where there is no number"),
        ("t1_cost_usd", "$1", "is not a number; leave the cell empty where there is none"),
        ("t0_quality", "0_1", "is not a number; leave the cell empty where there is none"),
        ("t1_cost_usd", "1_0", "is not a number; leave the cell empty where there is none"),
        ("t1_cost_usd", "True", "is not a number; leave the cell empty where there is none"),
        ("t1_cost_usd", "1;0", "is not a number; leave the cell empty where there is none"),
        ("t0_quality", "1.00001", "1.00001 is outside [0, 1]"),
        ("id", "", "is empty; every row needs an id of its own"),
        ("id", "  ", "is empty; every row needs an id of its own"),
        ("id", "a", "'a' is the id of line 2 too; ids are unique"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_bad_cell_is_named(tmp_path: Path, kind: str, column: str, cell: str, said: str) -> None:
    bad = dict(zip(HEADER.split(","), GOOD[2].split(","), strict=True)) | {column: cell}
    if kind == "csv":
        path, line = csv(tmp_path, HEADER, *GOOD[:2], ",".join(bad.values())), 4
    else:
        good = dict(zip(HEADER.split(","), GOOD[0].split(","), strict=True))
        path, line = jsonl(tmp_path, row("z"), good, bad), 3
    assert problem_with(path) == f"{path.name}, line {line}, column {column}: {said}"


def test_numbers_that_json_does_not_know_are_named(tmp_path: Path) -> None:
    for word, said in {"NaN": "is NaN", "Infinity": "is infinite", "1e999": "is infinite"}.items():
        line = json.dumps(row("b", t0_quality="?")).replace('"?"', word)
        said_of = problem_with(jsonl(tmp_path, row("a"), line))
        assert said_of.startswith(f"labels.jsonl, line 2, column t0_quality: {said}")
    huge = json.dumps(row("b", t0_cost_usd="?")).replace('"?"', "9" * 400)
    assert "is infinite" in problem_with(jsonl(tmp_path, huge))


def test_cells_that_are_no_cells_are_named() -> None:
    lists = problem_with([row("a"), row("b", t0_quality=[1])])
    assert lists.startswith("table, row 2, column t0_quality: is not a number")
    assert problem_with([row(["a"])]) == "table, row 1, column id: holds a list; give a text"
    assert "column request: holds a dict" in problem_with([row("a", request={"role": "user"})])


def test_a_nan_in_a_parquet_file_is_named_by_row(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {name: [cell] * 3 for name, cell in row().items()} | {"id": ["a", "b", "c"]}
    bad = pyarrow.table(columns | {"t0_quality": [1.0, None, float("nan")]})
    parquet.write_table(bad, tmp_path / "labels.parquet")
    said = problem_with(tmp_path / "labels.parquet")
    assert said.startswith("labels.parquet, row 3, column t0_quality: is NaN")


def test_a_line_is_the_line_of_the_file_even_after_cells_with_line_breaks(tmp_path: Path) -> None:
    path = csv(
        tmp_path,
        f"{HEADER},request",
        f'{GOOD[0]},"one\n\ntwo"',  # lines 2 to 4
        "",
        f'{GOOD[1]},"three\r\nfour\u2028five"',  # lines 6 and 7
        "c,7,0.1,,1,0.2,six",
    )
    assert problem_with(path).startswith("labels.csv, line 8, column t0_quality: 7.0 is outside")


def test_a_row_that_spans_lines_is_named_by_its_first(tmp_path: Path) -> None:
    path = csv(tmp_path, f"request,{HEADER}", f'"one\ntwo\nthree",{GOOD[0]}'.replace("1,", "8,", 1))
    assert problem_with(path).startswith("labels.csv, line 2, column t0_quality")


def test_blank_lines_of_jsonl_count(tmp_path: Path) -> None:
    path = jsonl(tmp_path, row("a"), "", row("b", t1_quality=3))
    assert problem_with(path).startswith("labels.jsonl, line 3, column t1_quality")


@pytest.mark.parametrize("gone", ["id", "t0_quality", "t0_cost_usd", "t1_quality", "t1_cost_usd"])
def test_a_missing_column_is_named(tmp_path: Path, gone: str) -> None:
    names = [name for name in HEADER.split(",") if name != gone]
    said = problem_with(csv(tmp_path, ",".join(names), "1,1,1,1,1"))
    assert said.startswith(f"labels.csv, line 1: column {gone} is missing; ")
    assert f"column {gone} is missing" in problem_with({name: [1] for name in names})
    assert f"column {gone} is missing" in problem_with([dict.fromkeys(names, 1)])


def test_rows_without_any_column_lack_all_that_are_needed(tmp_path: Path) -> None:
    (tmp_path / "labels.jsonl").write_text("{}\n{}\n")
    needed = "columns id, t0_quality, t0_cost_usd, t1_quality, t1_cost_usd are missing"
    assert needed in problem_with(tmp_path / "labels.jsonl")
    assert needed in problem_with([{}])


def test_a_table_of_one_tier_lacks_the_second() -> None:
    said = problem_with({"id": ["a"], "t0_quality": [1], "t0_cost_usd": [1]})
    assert "columns t1_quality, t1_cost_usd are missing" in said
    assert "two tiers or more" in said


def test_a_log_given_as_a_table_is_told() -> None:
    record = {"id": "a", "tier": 0, "reason": "confident", "calls": [], "cost_usd": 1}
    said = problem_with([record])
    assert said.endswith("this is a log of decisions; cascade export makes a table of its audits")
    said = problem_with("postgresql://me:hunter2@host/db")
    assert said == (
        "postgresql://…: is a log, not a table; cascade export makes a table of its audits"
    )


def test_requests_given_as_a_table_are_told_how_to_become_one(tmp_path: Path) -> None:
    said = problem_with(csv(tmp_path, "id,request,reference", "1,hi,ho"))
    assert "cascade collect asks the tiers about them and writes the table" in said


def test_a_gap_between_tiers_is_named() -> None:
    said = problem_with([row(t3_quality=1, t3_cost_usd=1)])
    assert "columns t2_quality, t2_cost_usd are missing" in said
    assert "without a gap" in said
    assert len(problem_with([row(t99999999_quality=1)])) < 400


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("t0_qualty", "did you mean t0_quality?"),
        ("t0_Quality", "did you mean t0_quality?"),
        ("t1_cost", "did you mean t1_cost_usd?"),
        ("t01_quality", "did you mean t1_quality?"),
        ("t0_singal_judge", "did you mean t0_signal_judge?"),
        ("t0_paid_judge", "did you mean t0_paid_judge_usd?"),
        ("t0_note", "rename your own columns"),
        ("t0_signal_ judge", "did you mean t0_signal_judge?"),
        ("t0_signal_", "rename your own columns"),
    ],
)
def test_a_misspelt_column_of_a_tier_is_hinted_at(tmp_path: Path, name: str, hint: str) -> None:
    said = problem_with(csv(tmp_path, f"{HEADER},{name}", f"{GOOD[0]},1"))
    assert said.startswith(f"labels.csv, line 1, column {name}: unknown column; ")
    assert hint in said
    in_json = problem_with(jsonl(tmp_path, row("a"), row("b", **{name: 1})))
    assert in_json.startswith(f"labels.jsonl, line 2, column {name}: unknown column; ")


def test_a_column_that_nearly_has_a_needed_name_is_hinted_at() -> None:
    columns = {"ID": ["a"], **{name: [1] for name in row() if name != "id"}}
    assert "did you mean id by 'ID'?" in problem_with(columns)
    columns = {"t0quality": [1], **{name: [1] for name in row() if name != "t0_quality"}}
    assert "did you mean t0_quality by 't0quality'?" in problem_with(columns)


@pytest.mark.parametrize("text", [json.dumps(row()), json.dumps([row()]), '{"id":"a","x":1}\n{}'])
def test_json_that_is_called_csv_is_told_by_its_kind(tmp_path: Path, text: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(f"\ufeff{text}\n", encoding="utf-8")
    said = problem_with(path)
    assert "labels.csv, line 1: is JSON, not CSV" in said
    assert said.endswith(".jsonl")


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_csv_that_is_called_jsonl_is_told_by_its_kind(tmp_path: Path, sign: str) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text(f"{HEADER}\n{GOOD[0]}\n".replace(",", sign), encoding="utf-8")
    assert "line 1: is CSV, not JSON; end the file's name in .csv" in problem_with(path)


def test_a_column_may_begin_like_json(tmp_path: Path) -> None:
    path = csv(tmp_path, f"[mine],{HEADER}", *(f"1,{line}" for line in GOOD))
    assert len(read_table(path)) == len(GOOD)


def test_a_price_without_its_signal_is_named() -> None:
    said = problem_with([row(t0_paid_judge_usd=0.1)])
    assert said == (
        "table, column t0_paid_judge_usd: is the price of t0_signal_judge, which is missing"
    )


def test_a_column_that_stands_there_twice_is_named(tmp_path: Path) -> None:
    said = problem_with(csv(tmp_path, f"{HEADER},t0_quality", f"{GOOD[0]},1"))
    assert said == "labels.csv, line 1, column t0_quality: stands there twice"
    twice = '{"id": "a", "t0_quality": 1, "t0_quality": 0}'
    assert problem_with(jsonl(tmp_path, twice)) == "labels.jsonl, line 1: names a column twice"


def test_the_users_own_columns_may_be_called_anything(tmp_path: Path) -> None:
    table = read_table(csv(tmp_path, f"{HEADER},,note,note,weights", f"{GOOD[0]},1,2,3,NaN"))
    assert len(table) == 1


def test_weights_must_count_for_something(tmp_path: Path) -> None:
    said = problem_with([row("a", weight=0), row("b", weight=0)])
    assert said.startswith("table, column weight: is 0 in every row")
    assert "column weight: -1.0 is negative" in problem_with([row("a", weight=-1)])
    assert "adds up to infinity" in problem_with([row("a", weight=1e308), row("b", weight=1e308)])


@pytest.mark.parametrize("name", ["labels.csv", "labels.jsonl", "labels.csv.gz"])
def test_an_empty_file_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(b"") if name.endswith("gz") else b"")
    said = problem_with(path)
    assert said.startswith(f"{name}: ")
    assert "empty" in said or "no rows" in said


def test_a_header_alone_is_no_table(tmp_path: Path) -> None:
    said = problem_with(csv(tmp_path, HEADER))
    assert said == "labels.csv: holds no rows: a table needs at least one"
    assert "holds no rows" in problem_with({name: [] for name in row()})
    assert "holds no rows" in problem_with([])


def test_an_empty_parquet_file_is_named(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    empty = pyarrow.table({name: [] for name in row()})
    parquet.write_table(empty, tmp_path / "labels.parquet")
    assert "holds no rows" in problem_with(tmp_path / "labels.parquet")


def test_a_file_that_is_not_parquet_is_named(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    for content in (b"", b"id,t0_quality\n", b"PAR1 and not much more PAR1"):
        path = tmp_path / "labels.parquet"
        path.write_bytes(content)
        assert problem_with(path).startswith("labels.parquet: ")


@pytest.mark.parametrize("cells", ["a,1,0.1", f"{GOOD[0]},more"])
def test_a_ragged_row_is_named(tmp_path: Path, cells: str) -> None:
    said = problem_with(csv(tmp_path, HEADER, GOOD[1], cells))
    count = len(cells.split(","))
    assert said.startswith(f"labels.csv, line 3: has {count} cells where the header names 6; quote")


def test_a_quote_that_never_ends_is_named_where_it_begins(tmp_path: Path) -> None:
    path = csv(tmp_path, f"request,{HEADER}", f"hi,{GOOD[0]}", f'"hello,{GOOD[1]}', f"x,{GOOD[2]}")
    assert problem_with(path).startswith("labels.csv, line 3: is not CSV")


def test_a_broken_json_line_is_named(tmp_path: Path) -> None:
    said = problem_with(jsonl(tmp_path, row("a"), '{"id": "b", oops}'))
    assert said == "labels.jsonl, line 2, character 13: is not JSON"
    said = problem_with(jsonl(tmp_path, row("a"), "[1, 2]"))
    assert said == "labels.jsonl, line 2: is not a JSON object; give one a line"
    assert "is not JSON" in problem_with(jsonl(tmp_path, "[" * 100_000))
    assert "is not JSON" in problem_with(jsonl(tmp_path, f'{{"id": {"9" * 5000}}}'))


def test_text_that_is_not_utf8_is_named_by_line(tmp_path: Path) -> None:
    lines = [HEADER, *(f"q{i},1,1,1,1,1" for i in range(5000))]
    lines[3000] = "caf\u00e9,1,1,1,1,1"
    path = tmp_path / "labels.csv"
    path.write_bytes("\n".join(lines).encode("latin-1"))
    assert problem_with(path) == (
        "labels.csv, line 3001: is not UTF-8 text; save the file as UTF-8"
    )
    zipped = tmp_path / "labels.csv.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    assert problem_with(zipped).startswith("labels.csv.gz, line 3001: is not UTF-8")


def test_a_damaged_zip_is_named(tmp_path: Path) -> None:
    whole = gzip.compress("\n".join([HEADER, *GOOD]).encode())
    path = tmp_path / "labels.csv.gz"
    for content in (whole[:-12], b"not zipped", whole[:12] + b"\xff" * 20):
        path.write_bytes(content)
        assert problem_with(path).startswith("labels.csv.gz: cannot be read")


def test_a_path_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    assert problem_with(tmp_path / "gone.csv") == "gone.csv: does not exist; check the path"
    (tmp_path / "folder.csv").mkdir()
    assert problem_with(tmp_path / "folder.csv") == "folder.csv: is a directory; give a file"
    (tmp_path / "labels.xlsx").write_bytes(b"")
    said = problem_with(tmp_path / "labels.xlsx")
    assert said.startswith("labels.xlsx: is of no known kind; name it .csv, .csv.gz, .jsonl")
    assert "does not exist" in problem_with("x" * 200)
    assert "cannot be read" in problem_with("x" * 5000)


def test_columns_of_unequal_length_are_named() -> None:
    columns = {name: [cell] * 3 for name, cell in row().items()} | {"id": ["a", "b", "c"]}
    said = problem_with(columns | {"t1_quality": [1, 1]})
    assert said == "table, column t1_quality: has 2 cells, but id has 3"
    assert "is a str; give a list" in problem_with(columns | {"id": "abc"})
    assert "is a int; give a list" in problem_with(columns | {"t0_quality": 1})
    assert "has 2 dimensions" in problem_with(columns | {"t0_quality": np.ones((3, 1))})


def test_a_row_that_is_no_mapping_is_named() -> None:
    assert problem_with([row("a"), ("b", 1)]).startswith("table, row 2: is a tuple; give a mapping")


def test_bad_arrays_are_named_by_row() -> None:
    columns: dict[str, Any] = {name: np.ones(3) for name in row()} | {"id": ["a", "b", "c"]}
    said = problem_with(columns | {"t0_quality": np.array([0.5, np.nan, 2.0])})
    assert said == "table, row 3, column t0_quality: 2.0 is outside [0, 1]"


def test_no_error_repeats_what_was_asked(tmp_path: Path) -> None:
    secret = "my password is hunter2"
    head = f"request,{HEADER}"
    for lines in (
        (head, f"{secret},{GOOD[0]}".replace("0.9", secret)),
        (head, f"{secret},{GOOD[0]},{secret}"),
        (head, f'"{secret}" oops,{GOOD[0]}'),
        (head, f'"{secret},{GOOD[0]}'),
        (f"{secret},{GOOD[0]}", f"{secret},{GOOD[1]}"),
    ):
        assert "hunter2" not in problem_with(csv(tmp_path, *lines))
    for line in (f'{{"request": "{secret}" oops', f'"{secret}"', json.dumps(row(request=[secret]))):
        assert "hunter2" not in problem_with(jsonl(tmp_path, line))
    with pytest.raises(TableError) as caught:
        read_table(jsonl(tmp_path, f'{{"request": "{secret}" oops'))
    assert caught.value.__context__ is None or caught.value.__suppress_context__
