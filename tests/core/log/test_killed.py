"""Processes that are killed at any moment lose nothing that they were told is written."""

import multiprocessing
import os
import random
import sqlite3
from pathlib import Path
from time import sleep

import pytest

from cascade_core.log import open_log
from cascade_core.log.reading import read_records
from cascade_core.log.urls import database_url, sqlite_file
from tests.core.log.databases import a_record

ROUNDS = int(os.environ.get("CASCADE_TEST_KILLS", "5"))
WRITERS = 4


def write(url, told: Path):
    log = open_log(url)
    handle = os.open(told, os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    for start in range(0, 1_000_000, 7):
        names = [f"{told.name}-{number}" for number in range(start, start + 7)]
        for name in names:
            log.write(a_record(id=name))
        if log.flush(30):
            os.write(handle, "".join(f"{name}\n" for name in names).encode())


@pytest.mark.processes
def test_nothing_that_was_acknowledged_is_lost(url, tmp_path):
    log = open_log(url)
    log.write(a_record(id="first"))
    assert log.flush(30)
    chance = random.Random(0)
    context = multiprocessing.get_context("fork")
    told = []
    for number in range(ROUNDS):
        paths = [tmp_path / f"told-{number}-{writer}" for writer in range(WRITERS)]
        children = [context.Process(target=write, args=(url, path)) for path in paths]
        for child in children:
            child.start()
        while not any(path.exists() and path.stat().st_size for path in paths):
            assert all(child.is_alive() for child in children)
            sleep(0.005)
        sleep(chance.uniform(0, 0.1))
        for child in children:
            child.kill()
        for child in children:
            child.join()
        told += [name for path in paths if path.exists() for name in path.read_text().split()]
    kept = {record["id"] for record in read_records(url)}
    assert len(told) >= 7 * ROUNDS
    assert set(told) <= kept
    log.write(a_record(id="last"))
    assert log.flush(30)
    file = sqlite_file(database_url(url))
    if file is not None:
        with sqlite3.connect(file) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
