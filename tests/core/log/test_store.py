"""Where records go: whole lines, whoever writes at once."""

import json
import multiprocessing
import threading
from pathlib import Path

import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.log import DecisionLog, JsonlLog, open_log
from cascade_core.log.reading import is_log, read_records

LONG = "é" * 3000  # far beyond what a buffer would write at once


def write_many(path, writer, count):
    log = JsonlLog(path)
    for place in range(count):
        log.write({"id": f"{writer}-{place}", "text": LONG})


def lines(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def test_each_record_is_one_line_of_json(tmp_path):
    log = JsonlLog(tmp_path / "log.jsonl")
    log.write({"id": "1", "class": "é\nn"})
    log.write({"id": "2", "cost_usd": None})
    assert lines(log.path) == [{"id": "1", "class": "é\nn"}, {"id": "2", "cost_usd": None}]
    assert "é" in log.path.read_text(encoding="utf-8")


def test_a_log_goes_on_where_it_ended(tmp_path):
    path = tmp_path / "log.jsonl"
    JsonlLog(path).write({"id": "1"})
    JsonlLog(path).write({"id": "2"})
    assert [record["id"] for record in lines(path)] == ["1", "2"]


def test_half_a_surrogate_pair_does_not_lose_the_record(tmp_path):
    log = JsonlLog(tmp_path / "log.jsonl")
    log.write({"id": "1", "class": "\ud83d"})
    assert lines(log.path) == [{"id": "1", "class": "\ud83d"}]


def test_threads_with_one_log_do_not_mix_their_lines(tmp_path):
    log = JsonlLog(tmp_path / "log.jsonl")

    def write(writer):
        for place in range(25):
            log.write({"id": f"{writer}-{place}", "text": LONG})

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({record["id"] for record in lines(log.path)}) == 200


def test_processes_with_one_file_do_not_mix_their_lines(tmp_path):
    path = tmp_path / "log.jsonl"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=write_many, args=(path, w, 50)) for w in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert all(worker.exitcode == 0 for worker in workers)
    assert len({record["id"] for record in lines(path)}) == 150


def test_the_file_is_made_with_its_first_record(tmp_path):
    log = open_log(str(tmp_path / "log.jsonl"))
    assert not log.path.exists()
    log.write({"id": "1"})
    assert log.path.exists()


# --- the log= argument --------------------------------------------------------------------------


def test_a_log_may_be_any_object_that_writes_records():
    class Mine:
        def write(self, record):
            pass

    mine = Mine()
    assert isinstance(mine, DecisionLog)
    assert open_log(mine) is mine
    assert open_log(None) is None


@pytest.mark.parametrize("kind", [str, Path])
def test_a_log_may_be_a_path(tmp_path, kind):
    assert open_log(kind(tmp_path / "a.jsonl")).path == tmp_path / "a.jsonl"


@pytest.mark.parametrize("name", ["decisions.db", "d.sqlite", "d.SQLITE3"])
def test_a_database_given_by_its_path_is_told_its_address(tmp_path, name):
    path = tmp_path / name
    with pytest.raises(ConfigurationError, match=r"give its address: sqlite:////.*/d"):
        open_log(path)
    assert not path.exists()


def test_reading_a_database_by_its_path_names_its_address(tmp_path):
    path = tmp_path / "log"
    path.write_bytes(b"SQLite format 3\0" + bytes(84))
    for read in (is_log, lambda given: list(read_records(given))):
        with pytest.raises(ConfigurationError, match=r"give its address: sqlite:////.*/log$"):
            read(path)


def test_a_url_nobody_knows_is_refused_before_any_file_is_made():
    with pytest.raises(ConfigurationError, match="log= does not know redis://: give sqlite"):
        open_log("redis://localhost/log")


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(
        ConfigurationError, match=r"the folder .*gone does not exist; make it first"
    ):
        open_log(tmp_path / "gone" / "log.jsonl")


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(ConfigurationError, match=r"is a folder; give the path of a \.jsonl file"):
        open_log(tmp_path)


def test_an_open_file_takes_text_and_not_records(tmp_path):
    with (tmp_path / "a").open("w") as file, pytest.raises(ConfigurationError, match="not TextIO"):
        open_log(file)


def test_anything_else_is_no_log():
    with pytest.raises(ConfigurationError, match=r"not int"):
        open_log(5)
