"""What cascades remember of turns and conversations, where processes share it on a Redis server.

Read before a request that this process knows nothing of, in one step; written behind the answer, in
the link's own thread, so that no answer waits for it. There are digests and numbers on the server,
and no text. Where it does not answer, each process goes by what it remembers itself.
"""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from hashlib import blake2b
from threading import RLock
from typing import Any

from cascade_core.errors import StoreDownError
from cascade_core.forks import free_in_child
from cascade_core.guards.holds import Stay
from cascade_core.guards.redis_link import RedisLink, link_of
from cascade_core.guards.redis_scripts import GET_HOLDS, PUT_HOLDS
from cascade_core.guards.store import RedisStore
from cascade_core.usage import Usage

MOST_NEWS = 8192
"""Keys that wait to be written; while a server is away, those that came first are forgotten."""

_AT_ONCE = 500


class SharedHolds:
    """What the cascades of this process share; one for each link.

    Args:
        link: This process's link to the server.
    """

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._lock = RLock()  # a stream collected as garbage may come from in here
        free_in_child(self)
        self.forget()

    def forget(self) -> None:
        """Begin anew in a forked child; see `LinkUser`."""
        self._news: OrderedDict[str, tuple[str, float]] = OrderedDict()  # until when it holds
        self._writing = False

    @property
    def owes(self) -> bool:
        """Whether there is something that other processes do not know of yet."""
        return self._writing or bool(self._news)

    def get(self, names: Sequence[str]) -> list[Stay | None]:
        """Return what is known on the server under each of some names.

        Raises:
            StoreDownError: The server does not answer.
        """
        return [_read(said) for said in self._link.call(GET_HOLDS, ("holds",), names)]

    def put(self, names: Iterable[str], kept: Stay, seconds: float) -> None:
        """Have an answer remembered for some time under several names."""
        said, until = _written(kept), time.monotonic() + seconds
        with self._lock:
            for name in names:
                self._news.pop(name, None)
                self._news[name] = said, until
            while len(self._news) > MOST_NEWS:
                self._news.popitem(last=False)
        self._link.begin()
        self._link.wake()

    def beat(self) -> None:
        """Write what is new; see `LinkUser`."""
        while True:
            with self._lock:
                taken = [self._news.popitem(last=False) for _ in range(self._some())]
                self._writing = bool(taken)
            if not taken:
                return
            try:
                self._link.call(PUT_HOLDS, ("holds",), _left(taken))
            except BaseException:
                with self._lock:
                    self._writing = False
                    for name, news in reversed(taken):
                        if name not in self._news:
                            self._news[name] = news
                            self._news.move_to_end(name, last=False)
                raise

    def _some(self) -> int:
        return min(_AT_ONCE, len(self._news))


def _left(taken: Iterable[tuple[str, tuple[str, float]]]) -> list[Any]:
    args: list[Any] = []
    now = time.monotonic()
    for name, (said, until) in taken:
        if until > now:
            args += [name, said, max(1, round((until - now) * 1000))]
    return args


class CascadeHolds:
    """What one cascade shares with those of the same name and tiers in other processes.

    Args:
        shared: What its process shares.
        name: The cascade's name and its tiers.
    """

    def __init__(self, shared: SharedHolds, name: str) -> None:
        self._shared = shared
        self._base = name.encode(errors="replace")

    def get(self, keys: Sequence[bytes]) -> list[Stay | None]:
        """Return what others know under each of some keys; nothing where the server is away."""
        try:
            return self._shared.get([self._name(key) for key in keys])
        except StoreDownError:  # the link has warned of it
            return [None] * len(keys)

    def put(self, keys: Iterable[bytes], kept: Stay, seconds: float) -> None:
        """Have others know of an answer for some time."""
        self._shared.put([self._name(key) for key in keys], kept, seconds)

    def _name(self, key: bytes) -> str:
        return blake2b(key + self._base, digest_size=16).hexdigest()


def shared_holds(store: RedisStore, name: str) -> CascadeHolds:
    """Return what a cascade shares on a store."""
    return CascadeHolds(link_of(store).user("holds", SharedHolds), name)


def _written(kept: Stay) -> str:
    usage = None if kept.usage is None else asdict(kept.usage)
    return json.dumps([kept.tier, kept.since, kept.at, usage])


def _read(said: Any) -> Stay | None:
    """Read what is on the server; what is not of ours, or of another version, says nothing."""
    if not said:
        return None
    try:
        tier, since, at, usage = json.loads(said)
        read = None if usage is None else Usage(**usage)
        return Stay(int(tier), since, float(at), read)
    except (ValueError, TypeError):
        return None
