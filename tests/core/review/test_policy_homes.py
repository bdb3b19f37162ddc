"""Where policies live: versions are kept, nothing is lost, nobody is overwritten."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.files import FileError
from cascade_core.log.policies import MeanwhileError, PolicyStore
from cascade_core.policy.document import Policy
from cascade_core.review import policy_homes
from cascade_core.review.policy_homes import (
    AS_FOUND,
    BY_HAND,
    DatabaseHome,
    FileHome,
    find_home,
    mark_of,
    version_before,
)

ONE, TWO, THREE = (Policy.load({"name": name, "thresholds": [0.5]}) for name in "abc")


def database(folder: Path) -> DatabaseHome:
    url = f"sqlite:///{folder / 'log.db'}"
    store = PolicyStore(url, create=True)
    store.activate(store.save(ONE)[0])
    return DatabaseHome(url)


def file(folder: Path) -> FileHome:
    ONE.save(folder / "policy.json")
    return FileHome(folder / "policy.json")


@pytest.fixture(params=[database, file], ids=["database", "file"])
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    return request.param(tmp_path)


def activate(home: Any, number: int) -> int | None:
    found: int | None = home.put_in_use(number, mark_of(home.current()))
    return found


def test_a_version_is_kept_put_in_use_and_taken_back(home: Any) -> None:
    assert home.current().policy == ONE
    assert home.keep(TWO, "lower") == (2, True)
    assert home.keep(TWO, "again") == (2, False)
    assert home.current().policy == ONE
    assert activate(home, 2) == 1
    assert (home.current().policy, home.current().number, version_before(home)) == (TWO, 2, 1)
    assert activate(home, 1) == 2
    assert (home.current().policy, version_before(home)) == (ONE, 2)
    assert [number for number, _ in home.activations()] == [1, 2, 1]
    assert [(each.number, each.active) for each in home.listed()] == [(1, True), (2, False)]
    assert home.version(2) == TWO


def test_what_is_in_use_already_is_not_activated_again(home: Any) -> None:
    home.keep(TWO, None)
    seen = mark_of(home.current())
    assert (home.put_in_use(2, seen), home.put_in_use(2, seen)) == (1, 2)
    assert len(home.activations()) == 2


def test_nobody_is_overwritten(home: Any) -> None:
    seen = mark_of(home.current())
    home.keep(TWO, None)
    home.keep(THREE, None)
    home.put_in_use(2, seen)
    with pytest.raises(MeanwhileError, match="version 2 has been made to decide meanwhile"):
        home.put_in_use(3, seen)
    assert home.current().policy == TWO


def test_a_version_that_is_not_there_is_refused(home: Any) -> None:
    home.keep(TWO, None)
    with pytest.raises(ConfigurationError, match="no policy of number 7"):
        activate(home, 7)


def test_a_file_is_written_whole_and_as_it_was_becomes_version_1(tmp_path: Path) -> None:
    home = file(tmp_path)
    assert (home.listed(), home.activations(), home.current().number) == ([], [], None)
    assert not (tmp_path / "policy.json.versions.db").exists()  # nothing was to be kept yet
    home.keep(TWO, "lower")
    assert [each.note for each in home.listed()] == [AS_FOUND, "lower"]
    activate(home, 2)
    assert Policy.load(tmp_path / "policy.json") == TWO
    assert json.loads((tmp_path / "policy.json").read_text())["name"] == "b"


def test_versions_are_read_by_whoever_may_read_the_file(tmp_path: Path) -> None:
    home = file(tmp_path)
    (tmp_path / "policy.json").chmod(0o600)
    home.keep(TWO, None)
    assert (tmp_path / "policy.json.versions.db").stat().st_mode & 0o777 == 0o600


def test_a_file_that_was_changed_by_hand_is_noticed_and_kept(tmp_path: Path) -> None:
    home = file(tmp_path)
    seen = mark_of(home.current())
    home.keep(TWO, None)
    THREE.save(tmp_path / "policy.json")
    with pytest.raises(MeanwhileError, match="something else has been made to decide"):
        home.put_in_use(2, seen)
    assert Policy.load(tmp_path / "policy.json") == THREE
    assert not any(each.active for each in home.listed())
    assert activate(home, 2) == 3
    assert [each.note for each in home.listed()] == [AS_FOUND, None, BY_HAND]
    assert (home.version(3), version_before(home)) == (THREE, 3)


def test_a_file_that_cannot_be_written_leaves_what_decided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = file(tmp_path)
    home.keep(TWO, None)

    def full(*_: Any) -> None:
        raise FileError("policy.json", "cannot be written: No space left on device")

    monkeypatch.setattr(Policy, "save", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        activate(home, 2)
    assert (home.current().policy, home.activations()[-1][0]) == (ONE, 1)


def test_of_two_who_write_a_file_at_once_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = file(tmp_path)
    home.keep(TWO, None)
    home.keep(THREE, None)
    other = FileHome(tmp_path / "policy.json")
    seen, note = mark_of(home.current()), FileHome._note_what_is_there

    def slow(self: FileHome) -> int:
        number = note(self)
        if self is home:
            other.put_in_use(3, seen)
        return number

    monkeypatch.setattr(FileHome, "_note_what_is_there", slow)
    with pytest.raises(MeanwhileError, match="version 3 has been activated meanwhile"):
        home.put_in_use(2, seen)
    assert Policy.load(tmp_path / "policy.json") == THREE


def test_toml_is_kept_in_versions_and_never_written(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("# as agreed with Anna\nthresholds = [0.5]\n")
    home = FileHome(path)
    assert home.keep(TWO, None) == (2, True)
    with pytest.raises(ConfigurationError, match="would lose its comments"):
        activate(home, 2)
    assert path.read_text().startswith("# as agreed")


def test_a_database_without_an_active_policy_decides_as_a_cascade_without_one(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'log.db'}"
    PolicyStore(url, create=True).save(ONE)
    home = DatabaseHome(url)
    assert (home.current().policy, home.current().number) == (Policy(), None)
    assert activate(home, 1) is None
    assert home.current().policy == ONE


def test_where_a_policy_lives_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    url = f"sqlite:///{tmp_path / 'log.db'}"
    ONE.save("policy.json")
    PolicyStore(url, create=True).save(ONE)
    assert isinstance(find_home(url), DatabaseHome)
    assert isinstance(find_home("labels.csv", url), DatabaseHome)
    assert isinstance(find_home(url, "policy.json"), FileHome)
    nowhere = find_home("labels.csv")
    assert nowhere.why_not_saved is not None
    assert "--policy policy.json" in nowhere.why_not_saved
    with pytest.raises(ConfigurationError, match="A file of rows holds no policies"):
        nowhere.keep(ONE, None)
    with pytest.raises(ConfigurationError, match=r"--policy 'log\.db' is the path of a database"):
        find_home(url, "log.db")
    with pytest.raises(ConfigurationError, match=r"policy gone.json cannot be read"):
        find_home(url, "gone.json")
    assert policy_homes.version_before(nowhere) is None
