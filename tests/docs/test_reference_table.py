"""The page about the labelled table says what the reader does."""

from __future__ import annotations

import gzip
import math
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest

from cascade_core.labels import TableError, check_learnable, read_table
from cascade_core.labels.columns import Column, ColumnPart, check_columns, parse
from cascade_core.labels.files import READERS
from tests.docs.reference import named, tables

TABLES = tables("table.md")
HEADER = b"id,t0_quality,t0_cost_usd,t1_quality,t1_cost_usd"
CELLS = {None: "text", 1.0: "0 to 1", math.inf: "0 or more"}


def columns() -> dict[str, Column]:
    found = {name: parse("t", name) for name in named(TABLES["Columns"], "column")}
    assert all(found.values())
    return {name: column for name, column in found.items() if column}


def test_every_column_is_documented_with_its_cells_and_nothing_else() -> None:
    read = columns()
    assert [column.part for column in read.values()] == list(get_args(ColumnPart))
    for row, column in zip(TABLES["Columns"], read.values(), strict=True):
        assert row["cells"] == CELLS[column.highest]


def test_the_columns_that_are_needed_are_documented() -> None:
    said = {row["column"].strip("`") for row in TABLES["Columns"] if row["needed"] == "yes"}
    other = [name.replace("t0", "t1") for name in said if name.startswith("t0")]
    everything = {
        name: column for name in [*columns(), *other] if (column := parse("t", name)) is not None
    }
    for name in columns():
        left = [column for key, column in everything.items() if key != name]
        if name in said or name == "t0_signal_NAME":  # a price needs the readings
            with pytest.raises(TableError):
                check_columns("t", left)
        else:
            assert check_columns("t", left) == 2


def test_every_format_is_documented_with_how_its_rows_are_counted() -> None:
    assert named(TABLES["Formats"], "name ends in") == list(READERS)
    for row, (_, unit) in zip(TABLES["Formats"], READERS.values(), strict=True):
        assert row["rows are counted"].startswith(f"by {unit}")


def csv(*rows: bytes, header: bytes = HEADER) -> tuple[str, bytes]:
    return "labels.csv", b"\n".join([header, *rows, b""])


GOOD = b"a,1,1,1,1"
WEIGHED = HEADER + b",weight"
CASES: Mapping[str, list[tuple[str, bytes | None]]] = {
    "The file": [
        ("labels.csv", None),
        ("labels.csv/", None),
        ("labels.txt", b"x"),
        ("labels.csv", b""),
        csv(),
        csv(b"\xff,1,1,1,1"),
        ("labels.csv", b'{"id": "a"}\n'),
        csv(b'"a"b,1,1,1,1'),
        csv(b"a,1"),
        ("labels.csv.gz", gzip.compress(HEADER)[:-9]),
        ("labels.jsonl", HEADER),
        ("labels.jsonl", b'{"id": a}\n'),
        ("labels.jsonl", b'{"id": "a", "id": "b"}\n'),
        ("labels.jsonl", b'["a"]\n'),
        ("labels.parquet", b"PAR"),
    ],
    "The columns": [
        csv(GOOD, header=HEADER.replace(b",t1_cost_usd", b",cost of it")),
        csv(GOOD, header=HEADER.replace(b",t1_cost_usd", b",T1 cost USD")),
        csv(b"a,b", header=b"id,request"),
        csv(b"a,b,c", header=b"id,reason,calls"),
        csv(GOOD + b",a", header=HEADER + b",id"),
        csv(GOOD + b",1", header=HEADER + b",t0_qualty"),
        csv(GOOD + b",1", header=HEADER + b",t0_zip"),
        csv(GOOD + b",1", header=HEADER + b",t0_paid_judge_usd"),
    ],
    "The cells": [
        csv(b",1,1,1,1"),
        csv(GOOD, GOOD),
        csv(b"a,good,1,1,1"),
        csv(b"a,nan,1,1,1"),
        csv(b"a,1,inf,1,1"),
        csv(b"a,98,1,1,1"),
        csv(b"a,1,-1,1,1"),
        csv(GOOD + b",0", header=WEIGHED),
        csv(GOOD + b",1e308", b"b,1,1,1,1,1e308", header=WEIGHED),
    ],
    "What can be learnt": [
        csv(b"a,1,1,,1"),
        csv(GOOD),
        csv(GOOD + b",0", b"b,1,1,,1,1", header=WEIGHED),
    ],
}


@pytest.mark.parametrize("heading", CASES)
def test_every_error_is_documented_as_it_is(tmp_path: Path, heading: str) -> None:
    said = []
    for number, (name, content) in enumerate(CASES[heading]):
        path = tmp_path / str(number) / name
        path.parent.mkdir()
        if name.endswith("/"):
            path.mkdir()
        elif content is not None:
            path.write_bytes(content)
        with pytest.raises(TableError) as caught:
            check_learnable(read_table(path))
        said.append(str(caught.value).removeprefix(f"{path.parent}/"))
    assert said == named(TABLES[heading], "message")
