"""Learns in the background: every few seconds a watch reads what is new, in a thread of its own.

Whatever goes wrong here costs no request anything: what decides goes on deciding, or the strongest
tier answers, and one warning says so.
"""

from __future__ import annotations

import atexit
import logging
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4
from weakref import WeakSet, WeakValueDictionary

from cascade_core.errors import ConfigurationError, error_name
from cascade_core.forks import free_in_child
from cascade_core.log.urls import is_url
from cascade_core.setup.learn import Learning
from cascade_core.setup.notices import Notices
from cascade_core.setup.watching import Watched, look_after

if TYPE_CHECKING:
    from cascade_core.log.learning import LearningStore

PASS_EVERY = 10.0
"""Seconds between two passes, at the least."""

_SHARE = 10.0
"""How many times as long as a pass took until the next one, at the least."""

_LEASE = 60.0
"""Seconds after which another process goes on where this one was killed."""

_logger = logging.getLogger("cascade_core")
_BAD = frozenset({"withdrawn", "drifted"})


class _Watches(Protocol):
    """What a pass is made of; see `watch.passes.LogWatch`."""

    def once(self) -> list[Any]:
        """Read what is new, and do what it carries."""
        ...


class Learner:
    """Reads a cascade's audits and has policies activated.

    Args:
        learning: How the cascade learns.
        cascade: What its records call it.
        notices: What was warned of so far.

    Attributes:
        plans: What follows the policies that are activated.
        asked: Whether there was a request to learn from in this process.
    """

    def __init__(self, learning: Learning, cascade: str, notices: Notices) -> None:
        self._learning = learning
        self._cascade = cascade
        self._notices = notices
        self.plans: WeakSet[Watched] = WeakSet()
        self._lock = Lock()
        free_in_child(self)
        self.forked()

    def forked(self) -> None:
        """Begin anew in a forked child, which is another process and has no thread."""
        self._by = str(uuid4())
        self._thread: Thread | None = None
        self._due = 0.0
        self._store: LearningStore | None = None
        self._watch: _Watches | None = None
        self._seen: int | None = None
        self._leads = False
        self._follows = False
        self.asked = False
        self._ended = False

    def look(self) -> None:
        """Begin a pass, where one is due and none is under way; never waits for it."""
        with self._lock:
            if self._ended or self._thread is not None or time.monotonic() < self._due:
                return
            self._thread = Thread(target=self._run, name="cascade-learning", daemon=True)
            try:
                self._thread.start()
            except RuntimeError:  # no more threads can be started, or the program is ending
                self._thread = None

    def _run(self) -> None:
        began = time.monotonic()
        try:
            self.once()
        finally:
            ended = time.monotonic()
            self._due = ended + max(PASS_EVERY, _SHARE * (ended - began))
            self._thread = None

    def leave(self) -> None:
        """Let another process learn from now on, for this one ends."""
        with self._lock:
            self._ended = True
        if self._leads and self._store is not None:
            with suppress(Exception):  # the lease runs out by itself
                self._store.leave(self._by)
        # A program of less than a second has begun no pass.
        if self._seen is None and not self._follows and self.asked:
            self._notices.give(
                "learning:ended",
                f"{self._cascade} ended before it had learned anything from its audits, which "
                "takes up to a minute: keep one process running, or have cascade watch learn",
            )

    def once(self) -> None:
        """Make a pass, where there is anything new and no other process does."""
        try:
            self._pass()
        except Exception as error:  # noqa: BLE001 - it is tried again
            known = isinstance(error, ConfigurationError)
            problem = str(error) if known else error_name(error)
            self._notices.give(
                f"learning:{problem}",
                f"learning has stopped, is tried again, and requests are answered as before: "
                f"{problem}",
            )

    def _pass(self) -> None:
        store = self._kept()
        self._leads = True  # maybe: the process may end before it has heard that it does
        self._leads = store.take(self._by, time.time(), _LEASE, self._cascade, lambda: self._ended)
        self._follows = not self._leads
        if self._follows:
            self._seen = None
            other = store.learns()
            if other not in {None, self._cascade}:
                self._notices.give(
                    "learning:other",
                    f"the cascade {other!r} learns in {store.shown}, and a database has one active "
                    f"policy: {self._cascade!r} goes by it, and learns nothing. Give it a database "
                    "of its own as policy=, or the same name=",
                )
            return
        found = self._found()
        if found == self._seen:
            return
        events = self._watched().once()
        if any(event.kind == "overtaken" for event in events):  # nothing was done: once more
            return
        self._seen = found
        self._tell(store, events)
        if any(event.kind != "waiting" for event in events):
            for plan in list(self.plans):
                plan.look()

    def _kept(self) -> LearningStore:
        if self._store is None:
            from cascade_core.log.learning import LearningStore  # noqa: PLC0415 - SQLAlchemy

            self._store = LearningStore(self._learning.home)
        return self._store

    def _found(self) -> int:
        """Return a number that changes with the audits of the log."""
        log = self._learning.log
        if is_url(log):
            from cascade_core.log.learning import LearningStore  # noqa: PLC0415

            same = log == self._learning.home
            return (self._kept() if same else LearningStore(log)).audits_done()
        return Path(log).stat().st_size if Path(log).exists() else 0

    def _watched(self) -> _Watches:
        if self._watch is None:
            from cascade_core.watch.learned import LearnedWatch  # noqa: PLC0415 - takes its time

            setting = self._learning.setting
            self._watch = LearnedWatch(
                self._learning.log,
                self._learning.home,
                harm=setting.harm,
                confidence=setting.confidence,
                cascade=self._cascade,
            )
        return self._watch

    def _tell(self, store: LearningStore, events: list[Any]) -> None:
        setting = self._learning.setting
        last = events[-1]
        said = {
            "cascade": self._cascade,
            "harm": setting.harm,
            "confidence": setting.confidence,
            "max_usd_per_day": setting.max_usd_per_day,
            "max_requests_per_day": self._learning.spending.most_requests,
            "audits": last.detail.get("audits"),
            "needed": last.detail.get("needed"),
            "said": last.said,
            "at": last.at,
        }
        store.tell(self._by, said)
        for event in events:
            if event.kind != "waiting":
                level = logging.WARNING if event.kind in _BAD else logging.INFO
                _logger.log(level, "%s: %s: %s", self._cascade, event.kind, event.said)


_of_this_process: WeakValueDictionary[tuple[object, ...], Learner] = WeakValueDictionary()


def learner_of(learning: Learning, cascade: str, notices: Notices, plan: Watched) -> Learner:
    """Return what learns for a cascade: one for all its copies in this process.

    Args:
        learning: How the cascade learns.
        cascade: What its records call it.
        notices: What was warned of so far.
        plan: What follows the policies that are activated.
    """
    setting = learning.setting
    key = (learning.log, learning.home, cascade, setting.harm, setting.confidence)
    found = _of_this_process.get(key)
    if found is None:
        found = _of_this_process[key] = Learner(learning, cascade, notices)
        look_after(found)
    found.plans.add(plan)
    return found


def _at_exit() -> None:
    for each in list(_of_this_process.values()):
        each.leave()


atexit.register(_at_exit)
