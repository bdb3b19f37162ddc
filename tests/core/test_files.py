"""Rows come with their lines, mistakes with the place they are at, and files are written whole."""

from __future__ import annotations

import errno
import gzip
import json
import os
import pickle
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.csv_files import CsvRows
from cascade_core.errors import ConfigurationError
from cascade_core.files import FileError, read_json_lines, replacing, write_whole
from cascade_core.labels import TableError

SECRET = "my password is hunter2"


def put(folder: Path, content: str | bytes, name: str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def said_of(path: Path, **given: Any) -> str:
    """What reading a bad file says, without its folder."""
    read = CsvRows if ".csv" in path.name else read_json_lines
    with pytest.raises(FileError) as caught:
        list(read(path, **given))
    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    return str(caught.value).replace(f"{path.parent}/", "")


# Errors


def test_an_error_carries_source_place_column_and_words() -> None:
    error = FileError("a.csv", "is empty", "line 3", "id")
    assert isinstance(error, ConfigurationError)
    assert (error.source, error.place, error.column) == ("a.csv", "line 3", "id")
    assert error.problem == "is empty"
    assert str(error) == "a.csv, line 3, column id: is empty"
    assert str(FileError("a.csv", "is wrong", column="id")) == "a.csv, column id: is wrong"


def test_a_problem_of_the_whole_file_is_a_sentence_and_a_tables_is_marked_off() -> None:
    assert str(FileError("a.csv", "holds no requests")) == "a.csv holds no requests"
    assert str(TableError("a.csv", "holds no rows")) == "a.csv: holds no rows"


@pytest.mark.parametrize("kind", [FileError, TableError])
def test_an_error_crosses_to_another_process(kind: type[FileError]) -> None:
    error = kind("a.csv", "is empty", "line 3", "id")
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), back.place) == (kind, str(error), "line 3")


# Rows


def test_values_of_json_lines_come_with_their_lines(tmp_path: Path) -> None:
    content = '{"a": {"b": "x\u2028y"}}\r\n\n  \n[1]\n"\\u0000"\nnull'
    read = list(read_json_lines(put(tmp_path, content, "r.jsonl")))
    assert read == [(1, {"a": {"b": "x\u2028y"}}), (4, [1]), (5, "\0"), (6, None)]


@pytest.mark.parametrize("zipped", [False, True])
def test_a_byte_order_mark_and_a_zip_are_no_trouble(tmp_path: Path, zipped: bool) -> None:
    content, end = "\ufeff7\n".encode(), ".GZ" if zipped else ""
    content = gzip.compress(content) if zipped else content
    assert list(CsvRows(put(tmp_path, content, f"r.csv{end}"))) == [(1, ["7"])]
    assert list(read_json_lines(put(tmp_path, content, f"r.jsonl{end}"))) == [(1, 7)]


@pytest.mark.parametrize("name", ["r.csv", "r.jsonl"])
def test_an_empty_file_has_no_rows(tmp_path: Path, name: str) -> None:
    path = put(tmp_path, "\ufeff\n \n" if name == "r.jsonl" else "", name)
    assert list(CsvRows(path) if name == "r.csv" else read_json_lines(path)) == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("r.csv", f'a\n"{SECRET}\n\n', "r.csv, line 2: is not CSV; a quoted cell ends with"),
        ("r.csv", f'a\n"{SECRET}" b\n', "r.csv, line 2: is not CSV"),
        ("r.csv", json.dumps({"a": SECRET}), "r.csv, line 1: is JSON, not CSV; give one object"),
        ("r.csv", b"a\n" * 9000 + b"\xe9\n", "r.csv, line 9001: is not UTF-8 text; save the file"),
        ("r.csv", "a,b".encode("utf-16")[:-1], "r.csv is not UTF-8 text, nor the UTF-16 that"),
        ("r.csv.gz", b"hunter2", "r.csv.gz cannot be read: it is damaged or cut off"),
        ("r.jsonl", f'{{}}\n{{"a": {SECRET}', "r.jsonl, line 2, character 7: is not JSON"),
        ("r.jsonl", '{"a":\n', "r.jsonl, line 1, character 6: is not JSON"),
        ("r.jsonl", '{"a": 1, "a": 2}', "r.jsonl, line 1: names a column twice"),
        ("r.jsonl", '{"b": {"a": 1, "a": 2}}', "r.jsonl, line 1: names a column twice"),
        ("r.jsonl", "[" * 100_000, "r.jsonl, line 1: is not JSON that can be read"),
        ("r.jsonl", '{"a": 1}\n\0\0\0', "r.jsonl, line 2: holds NUL characters; the file is"),
        ("r.jsonl", "{}".encode("utf-16-le"), "r.jsonl, line 1: holds NUL characters"),
        ("r.jsonl", 'id,"request"\n1,a\n', "r.jsonl, line 1: is CSV, not JSON; end the file's"),
        ("r.jsonl", "request;class\n", "r.jsonl, line 1: is CSV, not JSON; end the file's"),
        ("r.jsonl", "request\n", "r.jsonl, line 1: is CSV, not JSON; end the file's"),
        ("r.jsonl", "the request, and\n", "r.jsonl, line 1, character 1: is not JSON"),
        ("r.jsonl", b'{"a": 1}\n{"a": "\xc3', "r.jsonl, line 2: is not UTF-8 text"),
    ],
)
def test_a_mistake_is_named_with_its_place(
    tmp_path: Path, name: str, content: str | bytes, said: str
) -> None:
    assert said_of(put(tmp_path, content, name)).startswith(said)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    assert (
        said_of(tmp_path / "gone.jsonl") == "gone.jsonl cannot be read: No such file or directory"
    )
    (tmp_path / "folder.csv").mkdir()
    assert said_of(tmp_path / "folder.csv") == "folder.csv cannot be read: Is a directory"


def test_the_error_is_of_the_kind_that_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="cannot be read"):
        next(CsvRows(tmp_path / "gone.csv", TableError))
    with pytest.raises(TableError, match="line 1, character 1: is not JSON"):
        next(read_json_lines(put(tmp_path, "oops", "r.jsonl"), TableError))


def test_what_a_line_should_be_may_be_told(tmp_path: Path) -> None:
    path = put(tmp_path, f"{{}}\n{SECRET}\n", "r.jsonl")
    assert said_of(path, expected="a decision") == "r.jsonl, line 2: not a decision"


@pytest.mark.parametrize("rest", [b'{"a": 1', b'{"a": "\xc3', b"{", b"\0\0\0", b'{"a": 1, "a": "'])
def test_a_last_line_that_a_kill_cut_off_may_be_left_out(tmp_path: Path, rest: bytes) -> None:
    path = put(tmp_path, b'{"a": "\xc3\xa9"}\n' * 3 + rest, "r.jsonl")
    told: list[bool] = []
    lines = [line for line, _ in read_json_lines(path, cut_off=lambda: told.append(True))]
    assert (lines, told) == ([1, 2, 3], [True])
    assert said_of(path).startswith("r.jsonl, line 4")


def test_only_an_unfinished_line_counts_as_cut_off(tmp_path: Path) -> None:
    def cut_off() -> None:
        raise AssertionError

    whole = put(tmp_path, '{"a": 1}\n{"a": 2}', "r.jsonl")
    assert len(list(read_json_lines(whole, cut_off=cut_off))) == 2
    broken = put(tmp_path, '{"a": 1\n', "r.jsonl")
    assert "line 1, character 8: is not JSON" in said_of(broken, cut_off=cut_off)
    foreign = put(tmp_path, b"{}\n\xe9\xe9\n{}\n", "r.jsonl")
    assert "line 2: is not UTF-8" in said_of(foreign, cut_off=cut_off)


@given(st.binary(max_size=200), st.sampled_from(["r.csv", "r.jsonl", "r.csv.gz", "r.jsonl.gz"]))
def test_no_file_makes_a_reader_stumble(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    path = put(tmp_path_factory.mktemp("any"), content, name)
    read = CsvRows if ".csv" in name else read_json_lines
    lines: list[int] = []
    with suppress(FileError):
        lines += (line for line, _ in read(path))
    assert lines == sorted(set(lines))


# Writing


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = put(tmp_path, "before, and longer than what comes", "a.txt")
    write_whole(path, "after\n\u00e9 \ud83d")
    assert path.read_bytes() == "after\n\u00e9 ?".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_nobody_sees_half_a_file(tmp_path: Path) -> None:
    path = put(tmp_path, "before", "a.txt")
    with replacing(path) as file:
        file.write(b"half")
        file.flush()
        assert path.read_text() == "before"
    assert path.read_text() == "half"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_while_writing_passes_and_leaves_nothing(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = put(tmp_path, "before", "a.txt")

    def write() -> None:
        with replacing(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("fails", ["fsync", "replace"])
def test_a_full_disk_is_one_clear_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, fails, full)
    path = put(tmp_path, "before", "a.txt")
    with pytest.raises(FileError) as caught:
        write_whole(path, "after", source="policy a.txt")
    assert str(caught.value) == "policy a.txt cannot be written: No space left on device"
    with (
        pytest.raises(TableError, match=r"a\.txt: cannot be written: No space"),
        replacing(path, TableError) as file,
    ):
        file.write(b"after")
    monkeypatch.undo()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_is_none_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"gone.a\.txt cannot be written: No such file"):
        write_whole(tmp_path / "gone" / "a.txt", "text")
    with pytest.raises(FileError, match="cannot be written: Is a directory"):
        write_whole(tmp_path, "text")
    assert list(tmp_path.iterdir()) == []


def test_permissions_are_kept_and_new_files_have_the_usual_ones(tmp_path: Path) -> None:
    private, plain = put(tmp_path, "before", "a.txt"), put(tmp_path, "", "plain")
    private.chmod(0o640)
    write_whole(private, "after")
    write_whole(tmp_path / "new.txt", "text")

    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    assert mode(private) == 0o640
    assert mode(tmp_path / "new.txt") == mode(plain)


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = put(tmp_path, "before", "a.txt"), tmp_path / "link.txt"
    link.symlink_to(target)
    write_whole(link, "after")
    assert link.is_symlink()
    assert target.read_text() == "after"


def test_a_name_may_be_as_long_as_names_may_be(tmp_path: Path) -> None:
    path = tmp_path / ("\u00e9" * 120 + ".json")
    write_whole(path, "text")
    assert path.read_text() == "text"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes on this system")
def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(path, "text")
    assert os.read(reader, 10) == b"text"
    os.close(reader)
    assert stat.S_ISFIFO(path.stat().st_mode)
