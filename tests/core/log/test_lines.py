"""A line is in the file whole or not at all, whatever the disk and other programs do."""

import errno
import json
import os
import stat

import pytest

from cascade_core.log import JsonlLog, open_log


def read(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log.jsonl"


@pytest.mark.parametrize("torn", ['{"id": "0", "rea', "x", '{"id": "0"}', "\ufeff"])
def test_a_torn_last_line_costs_only_itself(path, torn):
    path.write_text('{"id": "a"}\n' + torn, "utf-8")
    log = JsonlLog(path)
    log.write({"id": "1"})
    log.write({"id": "2"})
    assert path.read_text("utf-8").splitlines() == [
        '{"id": "a"}',
        torn,
        '{"id": "1"}',
        '{"id": "2"}',
    ]


def test_a_whole_last_line_is_followed_at_once(path):
    path.write_text('{"id": "a"}\n')
    JsonlLog(path).write({"id": "1"})
    assert path.read_text() == '{"id": "a"}\n{"id": "1"}\n'


def test_a_disk_that_takes_a_little_at_a_time_gets_all_of_a_line(path, monkeypatch):
    whole = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: whole(handle, data[:7]))
    JsonlLog(path).write({"id": "1", "text": "é" * 50})
    assert read(path) == [{"id": "1", "text": "é" * 50}]


@pytest.mark.parametrize("then", [OSError(errno.ENOSPC, "No space left on device"), 0])
def test_a_disk_that_is_full_keeps_no_half_line(path, monkeypatch, then):
    path.write_text('{"id": "a"}\n')
    whole, times = os.write, []

    def full(handle, data):
        times.append(1)
        if len(times) == 1:
            return whole(handle, data[:7])
        if isinstance(then, OSError):
            raise then
        return then

    monkeypatch.setattr(os, "write", full)
    log = JsonlLog(path)
    with pytest.raises(OSError, match=r"space|nothing"):
        log.write({"id": "1"})
    assert path.read_text() == '{"id": "a"}\n'
    monkeypatch.undo()
    log.write({"id": "2"})
    assert read(path) == [{"id": "a"}, {"id": "2"}]


def test_what_others_wrote_meanwhile_is_never_taken_back(path, monkeypatch):
    whole, times = os.write, []

    def full(handle, data):
        times.append(1)
        if len(times) == 1:
            return whole(handle, data[:7])
        with path.open("a") as other:
            other.write('\n{"id": "other"}\n')
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="space"):
        JsonlLog(path).write({"id": "1"})
    assert path.read_text().endswith('{"id": "other"}\n')


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_log_with_content_is_its_owners_alone(path):
    open_log(path, private=True).write({"id": "1"})
    assert mode(path) == 0o600


@pytest.mark.parametrize(("before", "after"), [(0o644, 0o600), (0o640, 0o640), (0o600, 0o600)])
def test_a_file_that_everybody_can_read_gets_no_content(path, before, after):
    path.touch()
    path.chmod(before)
    open_log(path, private=True).write({"id": "1"})
    assert mode(path) == after


def test_a_log_without_content_leaves_a_file_as_it_is(path):
    path.touch()
    path.chmod(0o644)
    open_log(path).write({"id": "1"})
    assert mode(path) == 0o644


def test_a_pipe_takes_lines_too(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        open_log(pipe, private=True).write({"id": "1"})
        assert os.read(reader, 100) == b'{"id": "1"}\n'
    finally:
        os.close(reader)
