"""Policies that change while a cascade runs: taken over whole, or left alone and warned of."""

import gc
import os
import pickle
import warnings
import weakref
from types import SimpleNamespace

import pytest

from cascade_core import flush_log
from cascade_core.errors import CascadeWarning, ConfigurationError
from cascade_core.log.policies import PolicyStore
from cascade_core.loop.session import Session
from cascade_core.policy.document import Policy
from cascade_core.request import Request
from cascade_core.setup import live, plan, watching
from cascade_core.setup.engine import Engine
from cascade_core.setup.settings import CascadeSettings
from cascade_core.signals import Judge
from tests.core.loop.test_session import Models
from tests.core.making import Answer, make_tiers
from tests.policies import by, fitted

OLD, NEW = {"name": "old", "thresholds": [0.2]}, {"name": "new", "thresholds": [0.9]}


def engine(policy, **settings):
    default = {name: field.default for name, field in CascadeSettings.model_fields.items()}
    return Engine(SimpleNamespace(**{**default, "policy": policy, **settings}), make_tiers(2))


@pytest.fixture(autouse=True)
def _by_hand(request, monkeypatch):
    """The process's own thread does not look as well, and files need not settle."""
    monkeypatch.setattr(live, "_SETTLE", 0)
    if "forked" not in request.node.name:
        monkeypatch.setattr(live, "look_after", lambda _: None)


class Place:
    """A policy where a cascade reads it."""

    def __init__(self, kind, folder):
        self.kind = kind
        self.path = folder / "policy.json"
        self.url = f"sqlite:///{folder / 'decisions.db'}"
        self.policy = str(self.path) if kind == "file" else self.url
        self._ages = 0
        if kind == "database":
            self.store = PolicyStore(self.url, create=True)

    def put(self, document):
        if self.kind == "file":
            self.path.write_text(
                document if isinstance(document, str) else Policy(**document).model_dump_json()
            )
            self._ages += 10  # a change long ago, that only its time tells
            os.utime(self.path, (1e9 + self._ages,) * 2)
            return None
        number, _ = self.store.save(Policy(**document))
        self.store.activate(number)
        return number


@pytest.fixture(params=["file", "database"])
def place(request, tmp_path):
    made = Place(request.param, tmp_path)
    made.put(OLD)
    return made


@pytest.fixture
def file(tmp_path):
    made = Place("file", tmp_path)
    made.put(OLD)
    return made


def look(made):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made._live.look()
    return [str(each.message) for each in caught if issubclass(each.category, CascadeWarning)]


def test_what_has_changed_is_taken_over(place):
    made = engine(place.policy)
    assert (made.plan.policy, made.plan.thresholds) == ("old", (0.2,))
    number = place.put(NEW)
    assert look(made) == []
    assert (made.plan.policy, made.plan.thresholds) == ("new", (0.9,))
    assert made.plan.policy_version == (number or Policy(**NEW).fingerprint)


def test_what_has_not_changed_is_the_same_plan(place):
    made = engine(place.policy)
    before = made.plan
    look(made)
    look(made)
    assert made.plan is before


@pytest.mark.parametrize("log", ["decisions.jsonl", "sqlite:///decisions.db"])
def test_a_log_that_a_later_rule_puts_content_into_is_its_owners_alone(
    file, log, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    flush_log()  # what other tests' logs have lost is said once
    made = engine(file.policy, log=log)
    some = {"name": "some", "match": {"class": "x"}, "then": {"log_content": True}}
    for rules in ([], [some]):
        file.put({**NEW, "rules": rules})
        look(made)
        Session(made, Request.of("Where is my order?"), Models(Answer(probs=[1.0]), Answer())).run()
        assert flush_log()
        modes = [each.stat().st_mode for each in tmp_path.glob("decisions*")]
        assert any(mode & 0o007 for mode in modes) is not bool(rules)


def test_a_request_is_judged_by_the_policy_that_it_began_with(place):
    made = engine(place.policy)
    models = Models(Answer(probs=[0.5] * 4), Answer())
    begun = Session(made, Request.of("Where is my order?"), models)
    place.put(NEW)
    look(made)
    assert begun.run().record["policy"] == "old"
    assert Session(made, Request.of("Where is my order?"), models).run().record["policy"] == "new"


def test_other_forms_of_the_tiers_follow_too(place):
    made = engine(place.policy)
    other = made.with_tiers(make_tiers(2, streams=True))
    assert (other.plan.policy, other.plan.tiers[0].streams) == ("old", True)
    place.put(NEW)
    look(made)
    assert (other.plan.policy, other.plan.tiers[0].streams) == ("new", True)
    assert other.plan is other.plan


def test_going_back_is_one_activation(tmp_path):
    place = Place("database", tmp_path)
    first, second = place.put(OLD), place.put(NEW)
    made = engine(place.policy)
    assert made.plan.policy_version == second
    place.store.activate(first)
    look(made)
    assert (made.plan.policy_version, made.plan.policy) == (first, "old")
    assert [number for number, _ in place.store.history()] == [first, second, first]


BROKEN = {
    "cut off": ('{"thresholds": [0.', "is not valid JSON"),
    "another number of tiers": ('{"thresholds": [0.1, 0.2, 0.3]}', "3 given, but 2 tiers need 1"),
    "another policy's key": ('{"threshold": 0.3}', "threshold"),
    "empty": ("", "is empty"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_leaves_the_policy_and_is_warned_of_once_it_stays_broken(file, case):
    made = engine(file.policy)
    text, said = BROKEN[case]
    file.put(text)
    assert look(made) == []  # it may be half written
    (warned,) = look(made)
    assert said in warned
    assert "as before" in warned
    assert look(made) == []
    assert made.plan.policy == "old"
    file.put(NEW)
    assert look(made) == []
    assert made.plan.policy == "new"


def test_a_file_that_is_gone_for_a_moment_is_not_warned_of(file):
    made = engine(file.policy)
    file.path.unlink()
    assert look(made) == []
    file.put(NEW)
    assert look(made) == []
    assert made.plan.policy == "new"
    file.path.unlink()
    look(made)
    (warned,) = look(made)
    assert "cannot be read" in warned
    assert made.plan.policy == "new"


def test_a_change_that_leaves_time_and_size_as_they_were_is_seen(file):
    made = engine(file.policy)
    file.path.write_text(Policy(**OLD).model_dump_json())
    look(made)
    found = file.path.stat()
    file.path.write_text(Policy(**OLD).model_dump_json().replace("0.2", "0.3"))
    os.utime(file.path, ns=(found.st_atime_ns, found.st_mtime_ns))
    look(made)
    assert made.plan.thresholds == (0.3,)


def test_a_relative_path_is_followed_wherever_the_program_goes(file, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    made = engine("policy.json")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    file.put(NEW)
    look(made)
    assert made.plan.policy == "new"


def test_a_judge_that_only_a_later_policy_reads_is_known_from_the_start(file):
    judge = Judge(object())
    made = engine(file.policy, signals=["sequence_logprob", judge])
    assert judge in made.asking
    assert made.plan.thresholds == (0.2,)


def test_a_database_without_an_active_policy_says_what_to_do(tmp_path):
    url = f"sqlite:///{tmp_path / 'decisions.db'}"
    PolicyStore(url, create=True).save(Policy(**OLD))
    with pytest.raises(ConfigurationError, match=r"save policy.json.*activate 1"):
        engine(url)


def test_a_database_that_is_gone_leaves_the_policy(tmp_path):
    place = Place("database", tmp_path)
    number = place.put(OLD)
    made = engine(place.policy)
    (tmp_path / "decisions.db").rename(tmp_path / "away.db")
    look(made)
    (warned,) = look(made)
    assert "decided as before" in warned
    assert made.plan.policy_version == number
    (tmp_path / "away.db").rename(tmp_path / "decisions.db")
    place.put(NEW)
    assert look(made) == []
    assert made.plan.policy == "new"


def test_policies_given_as_they_are_are_not_watched():
    assert live.source_of(Policy(**OLD)) is None
    assert live.source_of(OLD) is None
    assert live.source_of(None) is None


def test_nothing_is_kept_alive_by_being_watched(file):
    made = engine(file.policy)
    gone = weakref.ref(made._live)
    del made
    gc.collect()
    assert gone() is None


@pytest.fixture
def watcher(monkeypatch):
    monkeypatch.setattr(watching, "EVERY", 0.01)
    return watching.Watcher()


class Counting:
    """Is looked after a few times."""

    def __init__(self, enough):
        self.left = enough

    def look(self):
        self.left -= 1
        raise RuntimeError("whoever is watched says itself what went wrong")


def wait_until(true):
    from time import sleep

    while not true():  # the suite's own limit ends what never comes
        sleep(0.005)


def test_the_thread_looks_until_there_is_nothing_to_look_after(watcher):
    kept = [Counting(3)]
    watcher.add(kept[0])
    wait_until(lambda: kept[0].left <= 0)
    thread = watcher._thread
    kept.clear()
    wait_until(lambda: not thread.is_alive())
    again = Counting(1)
    watcher.add(again)
    wait_until(lambda: again.left <= 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_looks_as_well(file):
    made = engine(file.policy)
    child = os.fork()
    if not child:
        import signal

        signal.alarm(60)
        try:
            wait_until(lambda: made.plan.policy == "new")
        finally:
            os._exit(0 if made.plan.policy == "new" else 1)
    file.put(NEW)
    assert os.waitpid(child, 0)[1] == 0


def test_a_version_is_pickled_with_its_policy(tmp_path):
    place = Place("database", tmp_path)
    place.put(OLD)
    version = place.store.active()
    assert pickle.loads(pickle.dumps(version)) == version


# --- what editors and scripts do to a file --------------------------------------------------------


@pytest.fixture
def toml(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text('name = "old"\nthresholds = [0.2]\n')
    return path


def test_a_toml_file_that_is_empty_for_a_moment_is_not_taken_over(toml):
    made = engine(toml)
    toml.write_text("")
    assert look(made) == []
    (warned,) = look(made)
    assert f"policy {toml} is empty" in warned
    assert made.plan.policy == "old"


def test_half_a_toml_file_is_not_taken_over_while_it_is_written(toml, monkeypatch):
    made = engine(toml)
    toml.write_text('name = "new"\n')  # a policy too, as far as it goes
    whole = 'name = "new"\nthresholds = [0.9]\n'
    monkeypatch.setattr(live, "sleep", lambda _: toml.write_text(whole))
    look(made)
    assert made.plan.policy == "old"
    look(made)
    assert (made.plan.policy, made.plan.thresholds) == ("new", (0.9,))


def test_a_file_put_in_the_place_of_another_is_taken_over(file, tmp_path):
    made = engine(file.policy)
    (tmp_path / "next").write_text(Policy(**NEW).model_dump_json())
    (tmp_path / "next").replace(file.path)
    look(made)
    assert made.plan.policy == "new"


def test_what_cannot_fit_is_named_with_the_policy_it_is_in(place):
    made = engine(place.policy)
    place.put({"thresholds": [0.1, 0.2, 0.3]})
    look(made)
    (warned,) = look(made)
    assert place.policy in warned
    assert made.plan.policy == "old"


def test_a_signal_that_is_missing_is_named(file):
    made = engine(file.policy)
    file.put(fitted(calibrators=[by("own")]))
    look(made)
    (warned,) = look(made)
    assert "'own', which this cascade does not have" in warned
    assert made.plan.policy == "old"


def test_a_policy_to_be_warned_of_is_taken_over_where_warnings_are_errors(file, monkeypatch):
    made = engine(file.policy)
    file.put(NEW)
    monkeypatch.setattr(plan, "odd_tiers", lambda *_: ["odd"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made._live.look()
    assert made.plan.policy == "new"


def test_a_price_table_is_not_read_again_with_the_policy(file):
    made = engine(file.policy, prices={"m0": {"input": 1, "output": 2}})
    before = made.plan.prices
    file.put(NEW)
    look(made)
    assert made.plan.prices is before
