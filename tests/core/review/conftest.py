"""Logs are made of a copy: what a review reads is the subject here, not how its tables come to be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from starlette.testclient import TestClient

from cascade_core.log.database import Database
from cascade_core.log.schema import FORM


@pytest.fixture(scope="session")
def empty_log(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the file of a log without entries, made as every log is made."""
    file = tmp_path_factory.mktemp("empty") / "log.db"
    Database(f"sqlite:///{file}").open()
    assert [each.name for each in file.parent.iterdir()] == [file.name], "all is in one file"
    return file.read_bytes()


@pytest.fixture(scope="session", autouse=True)
def _one_event_loop() -> Iterator[None]:
    """Answer all requests in one event loop, as a server does; each had a thread and a loop of its own."""
    with start_blocking_portal() as portal, pytest.MonkeyPatch.context() as patch:
        patch.setattr(TestClient, "portal", portal)
        yield


@pytest.fixture(autouse=True)
def _new_logs_are_copies(empty_log: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fill the file of a new log with those bytes in place of making its tables step by step.

    `tests/core/log` makes, and upgrades, each database in earnest.
    """
    prepare, migrate = Database._prepare_sqlite, Database._migrate

    def prepared(self: Database) -> None:
        file: Path | None = self.file
        if file is None or file.stat().st_size:
            prepare(self)
        else:
            file.write_bytes(empty_log)

    def migrated(self: Database) -> None:
        if not self.is_sqlite or self._read_form() != FORM:
            migrate(self)

    monkeypatch.setattr(Database, "_prepare_sqlite", prepared)
    monkeypatch.setattr(Database, "_migrate", migrated)
