"""Reading the file of requests: what it may hold, and how every mistake in it is named."""

from __future__ import annotations

import json
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.collect.requests import read_requests
from cascade_core.errors import CascadeWarning, ConfigurationError


def write(folder: Path, content: str | bytes, name: str = "requests.csv") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_csv_file_is_read_with_all_its_columns(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'id,request,reference,class,group,weight\na,"How\nmany?",3,sums,g1,2.5\nb,Why?,,,,\n',
    )
    read = read_requests(path)
    first, second = read.samples
    assert (first.id, first.text, first.reference) == ("a", "How\nmany?", "3")
    assert (first.class_name, first.group, first.weight) == ("sums", "g1", 2.5)
    assert (second.id, second.reference, second.class_name, second.weight) == ("b", None, None, 1)
    assert second.line == 4, "a cell with a line break takes two lines"
    assert read.columns == {"id", "request", "reference", "class", "group", "weight"}


def test_a_spreadsheets_file_is_read_with_decimal_commas_and_columns_without_names(
    tmp_path: Path,
) -> None:
    content = "request;id;weight;;\r\nWas?;a;0,5;;\r\nWer?;b;2;;\r\n;;;;\r\n".encode("utf-16")
    read = read_requests(write(tmp_path, content, "r.csv"))
    assert [(s.text, s.id, s.weight) for s in read.samples] == [
        ("Was?", "a", 0.5),
        ("Wer?", "b", 2),
    ]


@pytest.mark.parametrize("beside", [{"tool_calls": [{}]}, {"function_call": {"name": "f"}}])
def test_a_message_that_calls_a_tool_may_have_no_content(beside: dict[str, Any]) -> None:
    asked = {"role": "user", "content": "Where is it?"}
    for calls in ({"content": None}, {}):
        called = {"role": "assistant", **beside, **calls}
        (sample,) = read_requests([{"messages": [asked, called]}]).samples
        assert sample.messages == (asked, {"role": "assistant", **beside, "content": ""})


def test_an_id_is_the_line_where_none_is_given(tmp_path: Path) -> None:
    read = read_requests(write(tmp_path, "request\nfirst\n\nsecond\n"))
    assert [sample.id for sample in read.samples] == ["2", "4"]


def test_a_byte_order_mark_and_windows_line_ends_do_not_matter(tmp_path: Path) -> None:
    read = read_requests(write(tmp_path, "request,id\r\nhello,1\r\n".encode("utf-8-sig")))
    assert [(s.text, s.id) for s in read.samples] == [("hello", "1")]


def test_separators_that_only_unicode_calls_line_ends_stay_in_the_text(tmp_path: Path) -> None:
    text = "one\u2028two\x0bthree"
    assert read_requests(write(tmp_path, f"request\n{text}\n")).samples[0].text == text
    line = json.dumps({"request": text}, ensure_ascii=False)
    assert read_requests(write(tmp_path, f"{line}\n", "r.jsonl")).samples[0].text == text


def test_a_request_may_be_longer_than_csv_readers_take_by_themselves(tmp_path: Path) -> None:
    read = read_requests(write(tmp_path, "request\n" + "x" * 300_000 + "\n"))
    assert len(read.samples[0].text) == 300_000


def test_json_lines_may_have_messages_and_references_of_any_kind(tmp_path: Path) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2 + 2?"}]
    lines = [
        {"messages": messages, "reference": 4, "id": 7},
        {"request": "an object", "reference": {"b": 1}},
    ]
    read = read_requests(write(tmp_path, "\n".join(map(json.dumps, lines)), "r.jsonl"))
    first, second = read.samples
    assert (first.text, first.id, first.reference) == ("2 + 2?", "7", "4")
    assert first.messages == tuple(messages)
    assert json.loads(second.reference or "") == {"b": 1}


def test_records_of_the_callers_own_are_read_like_lines() -> None:
    assert [s.id for s in read_requests([{"request": "a"}, {"request": "b"}]).samples] == ["1", "2"]


def test_columns_that_mean_nothing_here_are_named(tmp_path: Path) -> None:
    with pytest.warns(CascadeWarning, match="not used: referense"):
        read_requests(write(tmp_path, "request,referense\na,b\n"))


@pytest.mark.parametrize(
    ("name", "content", "named"),
    [
        ("r.csv", "", "holds no requests"),
        ("r.csv", "request\n", "holds no requests"),
        ("r.csv", "prompt\nhello\n", "line 1, column request"),
        ("r.csv", "request,request\na,b\n", "line 1, column request: stands there twice"),
        ("r.csv", "request,id\na,1\nb\n", "line 3: has 1 cells; the header names 2"),
        ("r.csv", "request,id\na,1\n,2\n", "line 3, column request: is empty"),
        ("r.csv", "request,id\na,1\nb,1\n", "line 3, column id: is the same as on line 2"),
        ("r.csv", "request,weight\na,heavy\n", "line 2, column weight"),
        ("r.csv", "request,weight\na,nan\n", "line 2, column weight"),
        ("r.csv", "request,weight\na,-1\n", "line 2, column weight"),
        ("r.csv", 'request\na\n"b\n', "line 3: is not CSV"),
        ("r.csv", b"request\na\n\xff\n", "line 3: is not UTF-8"),
        ("r.csv", "messages\na\n", "line 1, column messages: needs a JSONL file"),
        ("r.jsonl", '{"request": "a"}\n{"request": \n', "line 2, character 13: is not JSON"),
        ("r.jsonl", "[1]\n", "line 1: is a list"),
        ("r.jsonl", '{"request": 5}\n', "line 1, column request: is a whole number"),
        ("r.jsonl", '{"request": "a", "id": [1]}\n', "line 1, column id: is a list"),
        ("r.jsonl", '{"messages": "a"}\n', "line 1, column messages"),
        ("r.jsonl", '{"messages": [{"role": "user"}]}\n', "line 1, column messages: [0]"),
        (
            "r.jsonl",
            '{"messages": [{"role": "system", "content": "a"}]}\n',
            "column request: is empty, and no message that has text is of the role user",
        ),
        (
            "r.jsonl",
            '{"request": "a"}\n{"messages": [{"role": "usr", "content": "a"}]}\n',
            "line 2, column messages: [0]: its role 'usr' is none of system, developer, user",
        ),
        ("r.jsonl", '{"request": "a", "id": 1.5}\n', "column id: is a number; give a text"),
        ("r.csv", "request,id\na,1,b\n", "line 2: has 3 cells; the header names 2"),
        (
            "r.jsonl",
            '{"messages": [{"role": "user", "content": [1]}]}\n',
            "messages: [0] is not an",
        ),
        ("r.jsonl", '{"messages": [{"role": "user", "content": null}]}\n', "messages: [0] is not"),
        ("r.txt", "a\n", ".csv or .jsonl"),
    ],
)
def test_a_mistake_is_one_line_that_says_where(
    tmp_path: Path, name: str, content: Any, named: str
) -> None:
    path = write(tmp_path, content, name)
    with pytest.raises(ConfigurationError) as raised:
        read_requests(path)
    assert named in str(raised.value)
    assert name in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_stands_where_a_role_should_is_not_quoted_where_it_may_be_a_prompt() -> None:
    wrong = [{"messages": [{"role": "What is my salary?", "content": "user"}]}]
    with pytest.raises(ConfigurationError, match=r"\[0\]: its role is none of system") as raised:
        read_requests(wrong)
    assert "salary" not in str(raised.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.csv cannot be read"):
        read_requests(tmp_path / "absent.csv")


@given(st.binary(max_size=200), st.sampled_from(["r.csv", "r.jsonl"]))
def test_no_file_makes_the_reader_stumble(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    path = write(tmp_path_factory.mktemp("any"), content, name)
    with warnings.catch_warnings(action="ignore"), suppress(ConfigurationError):
        read_requests(path)
