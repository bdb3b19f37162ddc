"""A watch over a log, from the first audits to a version that decides, and back."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy.exc import OperationalError

from cascade_core.calibration import tune
from cascade_core.errors import ConfigurationError
from cascade_core.log.kept_texts import keep_text, kept_text
from cascade_core.log.schema import activations
from cascade_core.policy.document import Policy
from cascade_core.traffic.labels import labels_of_log
from cascade_core.traffic.stewardship import stewardship_of
from cascade_core.watch.learned import LearnedWatch
from cascade_core.watch.passes import LogWatch
from cascade_core.watch.shipping import promised
from cascade_core.watch.steward import Steward
from tests.core.watch.traffic import grow

HARM = 0.05


def kinds(url: str, **settings: object) -> list[str]:
    """Return what one pass of a new watch did."""
    return [event.kind for event in LogWatch(url, harm=HARM, **settings).once()]  # type: ignore[arg-type]


@pytest.fixture
def log(url: str) -> str:
    """A log with audits enough for a first candidate, which is under test."""
    grow(url, 0, 300)
    assert kinds(url) == ["frozen"]
    return url


def test_a_candidate_is_tested_on_audits_that_came_after_it_and_then_decides(log: str) -> None:
    assert kinds(log) == ["waiting"], "the audits that it was fitted to are no test"
    grow(log, 300, 300)
    assert "activated" in kinds(log)
    store = LogWatch(log, harm=HARM).store
    (promise,) = store.active().policy.promises
    assert (promise.limit, promise.confidence, promise.rows) == (HARM, 0.95, 300)
    assert "watch:" in (store.versions()[0].note or "")


def test_what_loses_too_much_is_taken_back(log: str) -> None:
    grow(log, 300, 300)
    kinds(log)
    grow(log, 600, 400, worse=0.5)
    assert "withdrawn" in kinds(log)
    store = LogWatch(log, harm=HARM).store
    assert store.active().policy.thresholds == (1.0,)
    assert [event.kind for event in store.watch_history()].count("withdrawn") == 1


def test_a_version_that_cannot_be_taken_back_is_named(
    log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error said that the database cannot be written, and not that harm goes on."""
    grow(log, 300, 300)
    kinds(log)
    grow(log, 600, 400, worse=0.5)
    watch = LogWatch(log, harm=HARM)
    disk_is_full = OperationalError("INSERT", {}, sqlite3.OperationalError("full"))
    monkeypatch.setattr(watch.store, "_save", Mock(side_effect=disk_is_full))
    with pytest.raises(ConfigurationError, match=r"cannot be written .*\? Version 1 is in use"):
        watch.once()
    monkeypatch.undo()
    assert "withdrawn" in kinds(log)


def test_a_proposal_is_saved_once_and_not_activated(log: str) -> None:
    grow(log, 300, 300)
    assert "proposed" in kinds(log, propose=True)
    assert said(log) == "600 audits read; version 1 is proposed"
    grow(log, 600, 50)
    assert said(log) == "650 audits read; version 1 is proposed"
    store = LogWatch(log, harm=HARM).store
    assert store.active_number() is None
    assert [each.active for each in store.versions()] == [False]
    grow(log, 650, 300, worse=0.5)
    assert said(log).endswith("; version 1 was proposed, and stands no longer: do not activate it")


def test_what_stays_in_use_although_it_drifted_is_named_and_learning_goes_on(log: str) -> None:
    """Each pass told of the drift anew: it forgot all audits, and gave away a share of delta."""
    grow(log, 300, 300)
    assert "proposed" in kinds(log, propose=True)
    store = LogWatch(log, harm=HARM).store
    store.activate(1)
    grow(log, 600, 150, worse=0.12)
    assert kinds(log, propose=True) == ["adopted", "drifted", "proposed"]
    grow(log, 750, 100, worse=0.12)
    kinds(log, propose=True)
    grow(log, 850, 100, worse=0.12)
    after = kinds(log, propose=True)
    history = store.watch_history()
    assert [event.version for event in history if event.kind == "drifted"] == [1], after
    assert [event.kind for event in history].count("frozen") == 2, "what was learned since drifting"
    stands = stewardship_of(log)
    assert stands is not None
    assert (
        "version 1 is in use and stands no longer: take it back; version " in [*stands.lines()][1]
    )
    assert stands.as_dict()["stands"] is False
    (waiting,) = LogWatch(log, harm=HARM, propose=True).once()
    assert "; version 1 is in use and stands no longer: take it back; version " in waiting.said
    proposed = stands.proposed
    assert proposed is not None
    store.activate(proposed)
    stands = stewardship_of(log)
    assert stands is not None
    assert (stands.stands, stands.proposed) == (True, None)


def test_a_saving_is_told_with_the_rules_that_may_take_it_away(log: str) -> None:
    store = LogWatch(log, harm=HARM).store
    rule = {"name": "all up", "match": {"input_tokens": {"over": 0}}, "then": {"bypass": True}}
    store.activate(store.save(Policy.load({"thresholds": [1.0], "rules": [rule]}))[0])
    grow(log, 300, 300)
    kinds(log)
    (event,) = (each for each in store.watch_history() if each.kind == "activated")
    assert event.said.endswith(
        "of the strongest tier's cost, less what rule 'all up' may send past the cheaper tiers"
    )


def test_a_version_of_before_the_limit_was_lowered_is_said_to_stay_until_audits_show_more(
    log: str,
) -> None:
    grow(log, 300, 300)
    assert "activated" in kinds(log)
    events = LogWatch(log, harm=HARM / 2).once()
    assert [event.kind for event in events] == ["adopted", "adopted"]
    assert events[1].said == (
        "version 1 is in use and is watched from now on: it stays until audits show that it loses "
        "more than 0.025"
    )


@pytest.mark.parametrize("propose", [False, True])
def test_a_version_whose_audits_lost_more_than_the_lowered_limit_goes(
    log: str, propose: bool
) -> None:
    """It was watched as if nothing were known of it, until new audits showed the same again."""
    grow(log, 300, 300)
    assert "activated" in kinds(log)
    store = LogWatch(log, harm=HARM).store
    promise = store.active().policy.promises[0]
    lower = promise.seen / 2
    assert lower > 0
    told = [event.said for event in LogWatch(log, harm=lower, propose=propose).once()]
    assert told[1].startswith("version 1 is in use, and audits have shown that it loses more than")
    grow(log, 600, 10)
    events = LogWatch(log, harm=lower, propose=propose).once()
    assert events[-1].kind == ("proposed" if propose else "withdrawn")
    assert store.active_number() == (1 if propose else 2)


def said(log: str) -> str:
    """Return what the one event of a pass that only proposes says."""
    (waiting,) = LogWatch(log, harm=HARM, propose=True).once()
    assert waiting.kind == "waiting"
    return waiting.said.removeprefix(f"{log}: ")


def test_what_another_watcher_has_read_meanwhile_is_not_read_again(log: str) -> None:
    grow(log, 300, 300)
    late, early = LogWatch(log, harm=HARM), LogWatch(log, harm=HARM)
    state = late.store.load()
    assert "activated" in [event.kind for event in early.once()]
    late.store.load = lambda: state  # type: ignore[method-assign]
    assert [event.kind for event in late.once()] == ["overtaken"]
    assert len(late.store.history()) == 1


def test_a_limit_that_is_changed_and_changed_back_gives_no_share_of_delta_twice(log: str) -> None:
    grow(log, 300, 300)
    assert "activated" in kinds(log)
    for harm in (2 * HARM, HARM):
        LogWatch(log, harm=harm).once()
    kept = LogWatch(log, harm=HARM).store.load().kept
    assert kept is not None
    assert [each["number"] for each in kept["steward"]["tested"]] == [3], "the third of its kind"
    assert kept["steward"]["made"] == 3


def test_a_policy_of_ones_own_is_not_tested_on_audits_that_it_may_be_fitted_to(url: str) -> None:
    grow(url, 0, 120)
    store = LogWatch(url, harm=HARM).store
    number, _ = store.save(tune(labels_of_log(url)[0], harm=0.3, force=True))
    store.activate(number)
    grow(url, 120, 20)
    rows = []
    for first in (140, 180):
        assert LogWatch(url, harm=HARM).once()
        kept = store.load().kept
        assert kept is not None
        rows.append([each["trial"]["rows"] for each in kept["steward"]["tested"]])
        grow(url, first, 40)
    assert rows == [[0], [40]]


def test_a_policy_of_ones_own_that_audits_cannot_test_stays_and_that_is_said(log: str) -> None:
    store = LogWatch(log, harm=HARM).store
    reads = {
        "score": {"kind": "signal", "signal": "other"},
        "curve": {"kind": "platt", "slope": 1.0, "intercept": 0.0},
    }
    own = Policy.load({"thresholds": [0.5], "calibrators": [reads]})
    number, _ = store.save(own)
    store.activate(number)
    grow(log, 300, 60)
    assert kinds(log) == ["adopted"]
    grow(log, 360, 60)
    (event,) = LogWatch(log, harm=HARM).once()
    assert event.kind == "waiting"
    assert "cannot be tested on audits" in event.said
    assert "other" in event.said
    assert store.active_number() == number


def test_after_harm_has_risen_a_version_still_says_what_it_was_fitted_to(log: str) -> None:
    grow(log, 300, 300)
    kinds(log)
    steward = Steward.from_dict(LogWatch(log, harm=HARM).store.load().kept["steward"])  # type: ignore[index]
    steward.learn_from = steward.seen  # as where harm has risen since
    assert steward.chosen is not None
    rows, _ = labels_of_log(log)
    policy = promised(steward, steward.chosen, rows, None)
    assert policy.tuned is not None
    assert policy.tuned.rows_fitted == 300


def test_a_state_of_which_a_number_was_changed_is_not_gone_on_with(log: str) -> None:
    """It activated what had not passed, or ended in a traceback."""
    database = LogWatch(log, harm=HARM).store._database

    def put(kept: dict[str, Any]) -> None:
        with database.writing() as connection:
            keep_text(connection, "watch", json.dumps(kept))

    with database.reading() as connection:
        kept = json.loads(kept_text(connection, "watch") or "")
    kept["steward"]["tested"][0]["trial"]["needed"] = 0.0
    put(kept)
    with pytest.raises(ConfigurationError, match="what a watch has kept there is damaged"):
        kinds(log)
    del kept["digest"]  # an earlier release wrote none
    put(kept)
    assert kinds(log) == ["waiting"]


def test_policies_need_a_database(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="keeps its versions in a database"):
        LogWatch(str(tmp_path / "decisions.jsonl"), harm=HARM)


def test_a_pass_reads_what_is_new_and_the_latest_alone(
    log: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cascade_core.watch.passes.LEARNED_FROM", 100)
    grow(log, 300, 20)
    watch = LogWatch(log, harm=HARM)
    before = watch.store.load()
    rows, fresh = watch._rows(before)
    assert fresh == [f"r{number:06}" for number in range(300, 320)]
    assert rows.ids == [f"r{number:06}" for number in range(200, 320)]
    whole, _ = labels_of_log(log)
    assert rows.tiers[0].quality.tolist() == whole.tiers[0].quality[200:].tolist()


def test_what_is_activated_no_longer_is_activated_anew(log: str) -> None:
    grow(log, 300, 300)
    assert "activated" in kinds(log)
    database = LogWatch(log, harm=HARM).store._database
    with database.writing() as connection:
        connection.execute(activations.delete())
    grow(log, 600, 50)
    assert {"adopted", "activated"} <= set(kinds(log)), "and not: what is in use stands"
    assert LogWatch(log, harm=HARM).store.active_number() is not None


def test_audits_of_another_cascade_or_that_weigh_otherwise_are_another_test(log: str) -> None:
    grow(log, 300, 50)
    assert kinds(log) == ["waiting"]
    learned = LearnedWatch(log, harm=HARM).once()
    assert learned[0].kind == "adopted"
    assert "weigh otherwise" in learned[0].said
    assert "adopted" not in [event.kind for event in LearnedWatch(log, harm=HARM).once()]
