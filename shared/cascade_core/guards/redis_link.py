"""One process's connection to the Redis server that `store=` names, and the thread that keeps it.

A server that does not answer is asked by that thread alone until it does: requests learn at once
that it is away, and none of them waits for it a second time. Whoever shares something on the server
has the thread do his part of it (`LinkUser`).
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any, Protocol, TypeVar

from cascade_core.errors import StoreDownError
from cascade_core.forks import free_in_child
from cascade_core.guards.store import RedisStore, import_redis
from cascade_core.warn import BEHIND, warn_or_log

U = TypeVar("U", bound="LinkUser")

BEATS = 30
"""How many times a lease is renewed before it would end; never more seldom than every second."""


LAST_BEATS = 4
"""Beats for which a program that ends goes on saying what the server does not take yet."""


class LinkUser(Protocol):
    """Shares something by a link."""

    @property
    def owes(self) -> bool:
        """Whether there is something that the server still has to be told."""
        ...

    def beat(self) -> None:
        """Do what is to be done about every second; called in the link's own thread.

        Raises:
            StoreDownError: The server does not answer.
        """
        ...

    def forget(self) -> None:
        """Begin anew in a forked child: what the parent holds is the parent's."""
        ...


class _Beating(threading.Thread):
    """The thread of a link."""


class RedisLink:
    """Calls scripts on the server of a store.

    Args:
        store: The store.

    Attributes:
        store: The same.
        every: Seconds between two beats.
    """

    def __init__(self, store: RedisStore) -> None:
        self.store = store
        self.every = min(1.0, store.lease / BEATS)
        self._users: dict[str, Any] = {}
        self._lock = Lock()
        free_in_child(self)
        self._fresh()
        atexit.register(self._finish)

    def _fresh(self) -> None:
        self._pid = os.getpid()
        self._client: Any = None
        self._scripts: dict[str, Any] = {}
        self._thread: threading.Thread | None = None
        # Not an event: a stream that is collected as garbage may wake from inside of one.
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._down = False
        self._why: str | None = None
        self._beat_lock = Lock()  # a child's is its own

    def user(self, kind: str, make: Callable[[RedisLink], U]) -> U:
        """Return the link's one user of a kind, made where there is none."""
        with self._lock:
            found: U | None = self._users.get(kind)
            if found is None:
                found = self._users[kind] = make(self)
            return found

    @property
    def prefix(self) -> str:
        """What all keys begin with."""
        return f"{{{self.store.prefix}}}:"

    @property
    def down(self) -> bool:
        """Whether the server did not answer the last time."""
        return self._down

    def begin(self) -> None:
        """See that this process has a thread of its own; after a fork, begin anew."""
        if self._pid == os.getpid() and self._thread is not None and self._thread.is_alive():
            return
        with self._lock:
            if self._pid != os.getpid():
                self._fresh()
                for user in list(self._users.values()):
                    user.forget()
            if self._thread is None or not self._thread.is_alive():
                self._thread = _Beating(target=self._run, name=f"{BEHIND}store", daemon=True)
                with suppress(RuntimeError):  # the interpreter is on its way out
                    self._thread.start()

    def wake(self) -> None:
        """Have the next beat now."""
        self._wake.put(None)

    def call(self, source: str, keys: Sequence[str], args: Sequence[Any]) -> list[Any]:
        """Run a script.

        Args:
            source: Its text.
            keys: Its keys, without the prefix.
            args: Its arguments.

        Raises:
            StoreDownError: The server does not answer.
        """
        if not isinstance(threading.current_thread(), _Beating):
            self.begin()
            if self._down:
                raise self._down_error()
        redis = import_redis()
        try:
            said: list[Any] = self._script(source)(
                keys=[self.prefix + key for key in keys], args=[self.prefix, *args]
            )
        except (redis.RedisError, OSError) as error:
            self._went(down=True, error=error)
            self._why = type(error).__name__ if _is_refusal(error) else None
            raise self._down_error() from error
        if self._down:
            self._went(down=False)
        return said

    def look(self) -> None:
        """Warn of a server that may lose sums unnoticed; called once it has answered."""
        redis = import_redis()
        shown = f"store={self.store.shown}"
        try:
            memory = self._client.info("memory")
        except redis.ResponseError:
            warn_or_log(
                f"{shown} may not be asked for INFO, so that nobody can tell whether it was"
                " restarted with older data, or drops keys: allow its user +info"
            )
            return
        except (redis.RedisError, OSError):
            return
        policy = memory.get("maxmemory_policy", "noeviction")
        if memory.get("maxmemory") and policy != "noeviction":
            warn_or_log(
                f"{shown} drops keys when it is full (maxmemory-policy {policy}), and with them"
                " what was set aside and spent: set noeviction"
            )

    def _down_error(self) -> StoreDownError:
        why = "does not answer" if self._why is None else f"refuses commands ({self._why})"
        return StoreDownError(
            f"store={self.store.shown} {why}: no call can be paid for until that ends"
            " (when_down='allow' lets each process go on alone)"
        )

    def _script(self, source: str) -> Any:
        found = self._scripts.get(source)
        if found is None:
            with self._lock:
                if self._client is None:
                    self._client = self.store.connect()
                found = self._scripts[source] = self._client.register_script(source)
        return found

    def _went(self, *, down: bool, error: BaseException | None = None) -> None:
        with self._lock:
            before, self._down = self._down, down
        if down and not before:
            then = (
                "calls under a budget are refused until it does"
                if self.store.when_down == "refuse"
                else "every process goes on alone, within what it knows to be left, until it does"
            )
            what = "refuses commands" if _is_refusal(error) else "does not answer"
            warn_or_log(f"store={self.store.shown} {what} ({type(error).__name__}): {then}")

    def _run(self) -> None:
        thread, wake = self._thread, self._wake
        while True:
            with suppress(Empty):
                wake.get(timeout=self.every / 4 if self._down else self.every)
            if thread is not self._thread:
                return
            while not wake.empty():  # nobody else takes any
                wake.get()
            self.beat()

    def beat(self) -> None:
        """Have every user's part done."""
        with self._beat_lock:  # at the end of the program, another thread comes here too
            for user in list(self._users.values()):
                try:
                    user.beat()
                except StoreDownError:
                    return  # the next beat tries again
                except Exception as error:  # noqa: BLE001 - nobody waits here; the rest goes on
                    kind = type(error).__name__
                    warn_or_log(f"store={self.store.shown}: {kind} in the background")

    def close(self) -> None:
        """End the thread and the connections; the next call begins anew."""
        thread, self._thread = self._thread, None
        self._wake.put(None)
        if thread is not None:
            thread.join()
        if self._client is not None and isinstance(self.store.address, str):
            self._client.close()
        atexit.unregister(self._finish)

    def _finish(self) -> None:
        """Say what is still to be said when the program ends; wait for no server that is away."""
        if self._pid != os.getpid() or self._thread is None:
            return
        until = time.monotonic() + LAST_BEATS * self.every
        while not self._down and time.monotonic() < until:
            self.beat()
            if not any(user.owes for user in self._users.values()):
                return
            time.sleep(self.every / 4)


def _is_refusal(error: BaseException | None) -> bool:
    """Tell whether a server is there and will not do what it is asked: no rights, no memory."""
    redis = import_redis()
    return isinstance(error, redis.ResponseError | redis.AuthenticationError)


_links: dict[Any, RedisLink] = {}
_links_lock = Lock()
free_in_child(sys.modules[__name__], "_links_lock")


def link_of(store: RedisStore) -> RedisLink:
    """Return this process's link to a store: one for each address, so one pool of connections."""
    key = store if isinstance(store.address, str) else id(store.address)
    with _links_lock:
        found = _links.get(key)
        if found is None:
            found = _links[key] = RedisLink(store)
        return found
