"""A forked child finds every lock free, whoever held it in its parent."""

import os
import signal
import threading
from types import ModuleType

import pytest

from cascade_core.costs import catalogue, encodings
from cascade_core.costs.prices import Prices
from cascade_core.forks import free_in_child
from cascade_core.log import JsonlLog
from cascade_core.setup.notices import Notices
from cascade_core.tier import FailureStreak, LogprobMemory
from cascade_core.usage import Usage

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork"),
    # Newer Pythons warn of exactly what is tried here.
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]


def in_child(function):
    """Run a function in a forked child; tell whether it came to its end."""
    child = os.fork()
    if not child:
        signal.alarm(10)  # a child that waits for a lock dies of it
        status = 1
        try:
            function()
            status = 0
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1] == 0


class Held:
    """Holds a lock in another thread, as somebody does who is just writing."""

    def __init__(self, lock):
        self._lock = lock
        self._taken, self._free = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._hold, daemon=True)

    def _hold(self):
        with self._lock:
            self._taken.set()
            self._free.wait()

    def __enter__(self):
        self._thread.start()
        self._taken.wait()

    def __exit__(self, *_):
        self._free.set()
        self._thread.join()


@pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")
@pytest.mark.parametrize(
    ("make", "use"),
    [
        (Notices, lambda notices: notices.give("key", "text")),
        (LogprobMemory, lambda memory: memory.saw(given=False)),
        (FailureStreak, lambda streak: streak.failed("ProviderError")),
        (Prices, lambda prices: prices.cost("m0", Usage(1, 1))),
    ],
    ids=lambda each: getattr(each, "__name__", "use"),
)
def test_what_the_requests_of_a_cascade_share_works_in_a_child(make, use):
    shared = make()
    with Held(shared._lock):
        assert in_child(lambda: use(shared))


def test_a_child_writes_to_the_log_of_its_parent(tmp_path):
    log = JsonlLog(tmp_path / "log.jsonl")
    with Held(log._lock):
        assert in_child(lambda: log.write({"id": "1"}))
    assert log.path.read_text() == '{"id": "1"}\n'


@pytest.mark.parametrize(
    ("module", "name", "use"),
    [
        (encodings, "_lock", lambda: encodings.encoding_for("gpt-4o")),
        (catalogue, "_loading", lambda: catalogue.find("gpt-4o")),
    ],
)
def test_what_is_read_once_can_be_read_in_a_child(module, name, use, monkeypatch):
    monkeypatch.setattr(encodings, "_loaded", {})
    monkeypatch.setattr(encodings, "_load", lambda encoding: None)
    with Held(getattr(module, name)):
        assert in_child(use)


def test_a_lock_that_its_owner_may_take_twice_stays_one():
    holder = ModuleType("holder")
    holder._lock = threading.RLock()
    free_in_child(holder)

    def twice():
        with holder._lock, holder._lock:
            pass

    with Held(holder._lock):
        assert in_child(twice)
