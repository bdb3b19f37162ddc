"""A labelled table is read from files and from memory alike."""

from __future__ import annotations

import gzip
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from cascade_core.labels import Table, TableError, TierColumns, read_table
from tests.core.labels.making import GOOD, HEADER, csv, jsonl, numbers, row

COLUMNS = {
    "id": ["a", "b", "c"],
    "t0_quality": [1.0, 0.0, 0.5],
    "t0_cost_usd": [0.001, 0.001, 0.002],
    "t0_signal_logprob": [0.9, 0.2, None],
    "t1_quality": [1.0, 1.0, 0.0],
    "t1_cost_usd": [0.01, 0.01, 0.02],
}


def is_the_good_table(table: Table) -> bool:
    cheap, strong = table.tiers
    return (
        list(table.ids or ()) == ["a", "b", "c"]
        and cheap.quality.tolist() == [1.0, 0.0, 0.5]
        and cheap.cost.tolist() == [0.001, 0.001, 0.002]
        and numbers(cheap.signals["logprob"]) == [0.9, 0.2, None]
        and strong.quality.tolist() == [1.0, 1.0, 0.0]
        and strong.cost.tolist() == [0.01, 0.01, 0.02]
        and not strong.signals
    )


def records() -> list[dict[str, object]]:
    return [dict(zip(COLUMNS, cells, strict=True)) for cells in zip(*COLUMNS.values(), strict=True)]


def test_a_csv_file_is_read(tmp_path: Path) -> None:
    table = read_table(csv(tmp_path, HEADER, *GOOD))
    assert is_the_good_table(table)
    assert table.source.endswith("labels.csv")
    assert len(table) == 3
    assert table.classes is table.groups is table.weights is table.requests is None


def test_a_zipped_file_is_read(tmp_path: Path) -> None:
    plain = csv(tmp_path, HEADER, *GOOD)
    (tmp_path / "zipped.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    assert is_the_good_table(read_table(str(tmp_path / "zipped.csv.gz")))


def test_a_byte_order_mark_windows_lines_and_blanks_are_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    text = "\r\n".join([HEADER.replace(",", ", "), "", GOOD[0], GOOD[1], "c,0.5, 0.002, ,0,0.02"])
    path.write_bytes(b"\xef\xbb\xbf" + text.encode())
    table = read_table(path)
    assert is_the_good_table(table)
    assert table.numbers is not None
    assert table.numbers.tolist() == [3, 4, 5]


@pytest.mark.parametrize(("sign", "point"), [(";", ","), (";", "."), ("\t", ","), ("\t", ".")])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_table_is_read_as_a_spreadsheet_of_any_country_saves_it(
    tmp_path: Path, sign: str, point: str, encoding: str
) -> None:
    lines = [HEADER, *GOOD, ",,,,,"]
    text = "\r\n".join(line.replace(",", sign).replace(".", point) for line in lines)
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode(encoding))
    assert is_the_good_table(read_table(path))


@pytest.mark.parametrize(("yes", "no"), [("True", "False"), ("TRUE", "FALSE"), ("true ", "false")])
def test_truths_are_qualities_and_readings_as_data_frames_write_them(
    tmp_path: Path, yes: str, no: str
) -> None:
    table = read_table(csv(tmp_path, HEADER, f"a,{yes},0.1,{no},1,1", f"b,{no},0.1,,{yes},1"))
    assert table.tiers[0].quality.tolist() == [1, 0]
    assert table.tiers[1].quality.tolist() == [1, 1]
    assert numbers(table.tiers[0].signals["logprob"]) == [0, None]


@pytest.mark.parametrize(("cell", "read"), [("1.0000000002", 1), ("-1e-17", 0), ("1.0000001", 1)])
def test_a_share_a_rounding_beyond_its_end_is_read_as_that_end(
    tmp_path: Path, cell: str, read: float
) -> None:
    from_file = read_table(csv(tmp_path, HEADER, f"a,{cell},0.1,{cell},1,1"))
    in_memory = read_table({n: [c] for n, c in row(t0_quality=float(cell)).items()})
    for table in (from_file, in_memory):
        assert table.tiers[0].quality.tolist() == [read]


def test_a_jsonl_file_is_read(tmp_path: Path) -> None:
    assert is_the_good_table(read_table(jsonl(tmp_path, *records())))


def test_a_parquet_file_is_read(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table(COLUMNS), tmp_path / "labels.parquet")
    assert is_the_good_table(read_table(tmp_path / "labels.parquet"))


def test_columns_rows_and_arrays_in_memory_are_read() -> None:
    arrays = {name: np.array(cells) for name, cells in COLUMNS.items()}
    arrays["t0_signal_logprob"] = np.array([0.9, 0.2, np.nan])
    assert is_the_good_table(read_table(COLUMNS))
    assert is_the_good_table(read_table(arrays))
    assert is_the_good_table(read_table(records()))
    assert is_the_good_table(read_table(iter(records())))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_data_frame_is_read(library: str) -> None:
    frames = pytest.importorskip(library)
    assert is_the_good_table(read_table(frames.DataFrame(COLUMNS)))


def test_nullable_columns_of_pandas_are_read() -> None:
    pandas = pytest.importorskip("pandas")
    assert is_the_good_table(read_table(pandas.DataFrame(COLUMNS).convert_dtypes()))


def test_an_arrow_table_is_read() -> None:
    pyarrow = pytest.importorskip("pyarrow")
    assert is_the_good_table(read_table(pyarrow.table(COLUMNS)))


def test_a_table_is_returned_as_it_is() -> None:
    table = read_table(COLUMNS)
    assert read_table(table) is table


def test_every_column_of_the_design_is_read(tmp_path: Path) -> None:
    head = (
        "id,request,class,group,weight,t0_model,t0_response,t0_quality,t0_cost_usd,"
        "t0_signal_judge,t0_paid_judge_usd,t1_model,t1_quality,t1_cost_usd,t2_quality,t2_cost_usd,mine"
    )
    one = 'a,"Hi, you",faq,g,2,small,Yes,1,0.1,0.5,0.01,mid,1,0.2,1,0.3,anything'
    two = "b,,,,,small,,,,,,large,,,,,"
    three = "c,Why?,code,,1,,No,0,0.1,,,mid,0,0.2,0,0.3,"
    four = "d,x,faq,g,0,,No,0,0.1,,,mid,0,0.2,0,0.3,"
    table = read_table(csv(tmp_path, head, one, two, three, four))
    cheap, middle, strong = table.tiers
    assert table.requests == ["Hi, you", "", "Why?", "x"]
    assert table.class_names == ("faq", "code")
    assert table.classes is not None
    assert table.classes.tolist() == [0, -1, 1, 0]
    assert table.groups is not None
    first, alone, alone_too, last = table.groups.tolist()
    assert first == last
    assert len({first, alone, alone_too}) == 3
    assert table.weights is not None
    assert table.weights.tolist() == [2.0, 1.0, 1.0, 0.0]
    assert cheap.model == "small"
    assert middle.model is None, "two models in one tier are no model"
    assert strong.model is None
    assert cheap.responses == ["Yes", "", "No", "No"]
    assert middle.responses is None
    assert numbers(cheap.quality) == [1.0, None, 0.0, 0.0]
    assert numbers(cheap.cost) == [0.1, None, 0.1, 0.1]
    assert numbers(cheap.signals["judge"]) == [0.5, None, None, None]
    assert numbers(cheap.paid["judge"]) == [0.01, None, None, None]


def test_equal_weights_are_no_weights() -> None:
    assert read_table([row("a", weight=2), row("b", weight=2)]).weights is None


def test_numbers_may_be_texts_decimals_or_booleans_and_ids_numbers() -> None:
    table = read_table(
        [row(1, t0_quality=True), row("b", t0_quality="0", t0_cost_usd=Decimal("0.1"))]
    )
    assert table.ids == ["1", "b"]
    assert table.tiers[0].quality.tolist() == [1.0, 0.0]
    assert table.tiers[0].cost.tolist() == [0.001, 0.1]


def test_a_column_that_some_json_rows_lack_is_empty_in_them(tmp_path: Path) -> None:
    late = row("b", t0_signal_late=0.5, request="Hi")
    table = read_table(jsonl(tmp_path, row("a"), late, row("c", request=None)))
    assert numbers(table.tiers[0].signals["late"]) == [None, 0.5, None]
    assert table.requests == ["", "Hi", ""]


def test_columns_that_begin_after_the_first_chunk_are_filled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cascade_core.labels.records.ROWS", 2)
    late = {"t0_signal_late": 0.5, "request": "Hi", "class": "faq"}
    rows = [row("a"), row("b"), row("c", **late), row("d", **late), row("e")]
    table = read_table(jsonl(tmp_path, *rows))
    assert table.ids == ["a", "b", "c", "d", "e"]
    assert numbers(table.tiers[0].signals["late"]) == [None, None, 0.5, 0.5, None]
    assert table.requests == ["", "", "Hi", "Hi", ""]
    assert table.classes is not None
    assert table.classes.tolist() == [-1, -1, 0, 0, -1]


def test_chunks_of_a_csv_file_join_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cascade_core.labels.files.ROWS", 2)
    table = read_table(csv(tmp_path, HEADER, *GOOD))
    assert is_the_good_table(table)
    assert table.numbers is not None
    assert table.numbers.tolist() == [2, 3, 4]


def test_a_long_prompt_is_read_and_the_csv_module_left_as_it_was(tmp_path: Path) -> None:
    from csv import field_size_limit

    before = field_size_limit()
    prompt = "word " * 100_000
    table = read_table(csv(tmp_path, f"request,{HEADER}", f"{prompt},{GOOD[0]}"))
    assert table.requests == [prompt]
    assert field_size_limit() == before


def test_taking_rows_takes_them_from_every_column() -> None:
    rows = [
        row(
            i,
            request=f"r{i}",
            weight=i + 1,
            group=f"g{i // 2}",
            t0_response=f"d{i}",
            t0_signal_s=i / 10,
        )
        | {"class": f"c{i % 2}"}
        for i in range(4)
    ]
    table = read_table(rows)
    taken = table.take(np.array([3, 1]))
    assert taken.ids == ["3", "1"]
    assert taken.requests == ["r3", "r1"]
    assert taken.weights is not None
    assert taken.weights.tolist() == [4.0, 2.0]
    assert taken.tiers[0].responses == ["d3", "d1"]
    assert taken.tiers[0].signals["s"].tolist() == [0.3, 0.1]
    assert taken.classes is not None
    assert taken.groups is not None
    assert table.groups is not None
    assert taken.groups.tolist() == table.groups[[3, 1]].tolist()
    assert [taken.class_names[code] for code in taken.classes] == ["c1", "c1"]
    assert taken.places([0, 1]) == "rows 2 to 4"
    masked = table.take(np.array([False, False, True, False]))
    assert masked.ids == ["2"]
    assert masked.places([0]) == "row 3"
    assert masked.take([0]).places([0]) == "row 3", "rows keep the number they were read with"


def test_a_mask_of_another_length_takes_nothing() -> None:
    with pytest.raises(IndexError, match="does not fit"):
        read_table(COLUMNS).take(np.array([True]))


def test_a_table_made_by_hand_counts_its_rows() -> None:
    tier = TierColumns(quality=np.zeros(3), cost=np.ones(3))
    table = Table(source="made", tiers=(tier, tier))
    assert table.places([1]) == "row 2"
    assert table.take([2]).places([0]) == "row 3"


def test_something_else_is_refused() -> None:
    with pytest.raises(TableError, match="is a int; give a path"):
        read_table(7)  # type: ignore[arg-type]
