"""A CSV file is read however a spreadsheet has saved it, each row with its line."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from cascade_core.csv_files import CsvRows
from cascade_core.files import FileError, read_json_lines
from tests.core.test_files import SECRET, put, said_of


def test_rows_come_with_the_line_on_which_they_begin(tmp_path: Path) -> None:
    content = 'a,b\r\n\r\n"one\n\ntwo",1\r\n,\r\n"x\u2028y","q""q"\r\n'
    assert list(CsvRows(put(tmp_path, content, "r.csv"))) == [
        (1, ["a", "b"]),
        (3, ["one\n\ntwo", "1"]),
        (7, ["x\u2028y", 'q"q']),
    ]


def test_old_line_ends_and_cells_with_nul_are_csv(tmp_path: Path) -> None:
    assert list(CsvRows(put(tmp_path, "a\rb\rc\0d", "r.csv"))) == [
        (1, ["a"]),
        (2, ["b"]),
        (3, ["c\0d"]),
    ]


def test_the_csv_modules_limit_is_left_as_it_was_even_by_a_bad_file(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    long = "x" * 300_000
    assert list(CsvRows(put(tmp_path, long, "r.csv"))) == [(1, [long])]
    said_of(put(tmp_path, f'"{SECRET}', "r.csv"))
    assert csv.field_size_limit() == before


PLAIN = [(1, ["id", "note"]), (2, ["1", "a b"]), (4, ["2", "é; , z"])]
WAYS: dict[str, Callable[[str], bytes]] = {
    "UTF-16, as Excel's Unicode text": lambda text: text.replace(',"', '\t"').encode("utf-16"),
    "UTF-16 of the other order": lambda text: ("\ufeff" + text).encode("utf-16-be"),
    "UTF-16 without its mark": lambda text: text.encode("utf-16-le"),
    "UTF-16 of the other order without its mark": lambda text: text.encode("utf-16-be"),
    "UTF-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "old Mac line ends": lambda text: text.replace("\n", "\r").encode(),
    "Windows line ends": lambda text: text.replace("\n", "\r\n").encode(),
    "semicolons": lambda text: text.replace(',"', ';"').encode(),
    "tabs": lambda text: text.replace(',"', '\t"').encode(),
    "empty columns at the end": lambda text: text.replace('"\n', '",,,\n').encode(),
    "the same of rows alone": lambda text: (
        text.replace('"\n', '",,,\n').replace('"note",,,', '"note"').encode()
    ),
    "empty rows at the end": lambda text: (text + ",\n,\n").encode(),
}


@pytest.mark.parametrize("way", WAYS)
def test_what_spreadsheets_write_is_read(tmp_path: Path, way: str) -> None:
    text = '"id","note"\n"1","a b"\n\n"2","é; , z"\n'
    assert list(CsvRows(put(tmp_path, WAYS[way](text), "r.csv"))) == PLAIN


def test_a_separator_may_be_told_in_a_line_of_its_own(tmp_path: Path) -> None:
    assert list(CsvRows(put(tmp_path, "sep=|\r\nid|note\r\n1|a;b\r\n", "r.csv"))) == [
        (2, ["id", "note"]),
        (3, ["1", "a;b"]),
    ]


@pytest.mark.parametrize("header", ["request,a;b;c", '"a;b;c;d",id', "id", "x", "a,b"])
def test_commas_separate_unless_a_header_tells_otherwise(tmp_path: Path, header: str) -> None:
    assert next(CsvRows(put(tmp_path, header, "r.csv")))[1] == next(csv.reader([header]))


def test_commas_are_points_only_where_they_separate_nothing(tmp_path: Path) -> None:
    german = CsvRows(put(tmp_path, "id;x\na;0,5\n", "r.csv"))
    next(german)
    cells = ["0,5", " -1,5E-05 ", "1.000,5", "1,000,000", "0.5", "a,5", ""]
    assert [german.number(cell) for cell in cells] == [
        "0.5", " -1.5E-05 ", "1.000,5", "1,000,000", "0.5", "a,5", "",
    ]  # fmt: skip
    english = CsvRows(put(tmp_path, 'id,x\na,"1,000"\n', "r.csv"))
    next(english)
    assert english.number("1,000") == "1,000"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_json_lines_are_read_in_any_such_way_too(tmp_path: Path, encoding: str, end: str) -> None:
    content = f'{{"id": "a"}}{end}{{"id": "\u00e9"}}{end}'.encode(encoding)
    read = list(read_json_lines(put(tmp_path, content, "r.jsonl")))
    assert read == [(1, {"id": "a"}), (2, {"id": "\u00e9"})]


def test_a_header_of_nothing_but_blanks_is_no_trouble(tmp_path: Path) -> None:
    assert list(CsvRows(put(tmp_path, " , \n1,2\n", "r.csv"))) == [(1, [" "]), (2, ["1", "2"])]


def test_half_a_character_of_utf16_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="nor the UTF-16 that it begins as"):
        list(CsvRows(put(tmp_path, "id,request\n".encode("utf-16")[:-1], "r.csv")))
