"""Policies in a log's database: numbered, never overwritten, one of them active."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.log.policies import MeanwhileError, PolicyStore, load_policy
from cascade_core.policy.document import Policy


@pytest.fixture
def store(url):
    return PolicyStore(url, create=True)


def policy(threshold, name="desk"):
    return Policy(name=name, thresholds=[threshold])


def test_versions_are_numbered_and_listed(store):
    assert store.save(policy(0.1), "first") == (1, True)
    assert store.save(policy(0.2)) == (2, True)
    assert store.active_number() is None
    assert store.activate(2) is None
    assert store.activate(1) == 2
    listed = store.versions()
    assert [(v.number, v.name, v.note, v.active) for v in listed] == [
        (1, "desk", "first", True),
        (2, "desk", None, False),
    ]
    assert all(v.activated_at is not None for v in listed)
    assert store.read(2).policy == policy(0.2)
    assert store.active().policy == policy(0.1)


def test_the_same_document_is_kept_once(store):
    assert store.save(policy(0.1)) == (1, True)
    assert store.save(policy(0.1)) == (1, False)
    # Another name decides alike and is another document.
    assert store.save(policy(0.1, "other")) == (2, True)


def test_activating_the_active_one_changes_nothing(store):
    store.save(policy(0.1))
    store.activate(1)
    store.activate(1)
    assert len(store.history()) == 1


def test_a_version_is_activated_in_the_place_of_the_one_that_was_seen(store):
    for threshold in (0.1, 0.2, 0.3):
        store.save(policy(threshold))
    assert store.activate(1, instead_of=None) is None
    assert store.activate(2, instead_of=1) == 1
    for seen in (None, 1, 3):
        with pytest.raises(MeanwhileError, match="version 2 has been activated meanwhile"):
            store.activate(3, instead_of=seen)
    assert store.active_number() == 2


@pytest.mark.parametrize("isolation", [None, "repeatable read", "serializable"])
def test_of_many_who_have_seen_the_same_one_activates(store, url, isolation):
    if isolation is not None:
        if url.startswith("sqlite"):
            pytest.skip("has no such setting")
        with store._database.writing() as connection:
            name = connection.exec_driver_sql("SELECT current_database()").scalar()
            connection.exec_driver_sql(
                f"ALTER DATABASE {name} SET default_transaction_isolation = '{isolation}'"
            )
    for threshold in range(9):
        store.save(policy(threshold / 10))
    store.activate(1)

    def activate(number):
        try:
            return store.activate(number, instead_of=1)
        except MeanwhileError:
            return None

    with ThreadPoolExecutor(8) as pool:
        assert sorted(map(str, pool.map(activate, range(2, 10)))) == ["1", *["None"] * 7]
    assert len(store.history()) == 2


def test_many_may_save_at_once(store):
    store.save(policy(0.0))
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda k: store.save(policy(k / 100))[0], range(1, 17)))
    assert sorted(numbers) == list(range(2, 18))
    for number in numbers:
        assert store.read(number).number == number


def test_many_that_save_the_same_document_at_once_keep_it_once(store, url):
    store.versions()
    start = Barrier(8)

    def save(_):
        own = PolicyStore(url)
        own.versions()  # it is open, so that all that is left to do is done at once
        start.wait()
        return own.save(policy(0.1))

    with ThreadPoolExecutor(8) as pool:
        saved = list(pool.map(save, range(8)))
    assert len(store.versions()) == 1
    assert {number for number, _ in saved} == {store.versions()[0].number}
    assert sum(is_new for _, is_new in saved) == 1


@pytest.mark.parametrize("call", ["read", "activate"])
def test_a_version_that_is_not_there_is_named(store, call):
    store.save(policy(0.1))
    with pytest.raises(ConfigurationError, match=r"no policy of number 7: it holds 1 version"):
        getattr(store, call)(7)
    assert store.history() == []


def test_a_policy_is_loaded_from_wherever_it_is(store, url, tmp_path):
    store.save(policy(0.1))
    store.activate(1)
    found = load_policy(url)
    assert (found.number, found.policy) == (1, policy(0.1))
    policy(0.3).save(tmp_path / "p.json")
    assert load_policy(tmp_path / "p.json").policy == policy(0.3)
    assert load_policy(policy(0.4)).policy == policy(0.4)


def test_a_database_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(ConfigurationError, match="there is no file"):
        PolicyStore(f"sqlite:///{tmp_path / 'no.db'}").active()
    assert not (tmp_path / "no.db").exists()
