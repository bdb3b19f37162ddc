"""Breakers that know of each other through a Redis server: one process finds out, all leave alone.

The server has, for each model at its address, until when it is left alone. It is read and written
behind the requests, about every second and at once where a breaker opens or closes; no request
waits for it. After that time the first process whose requests want the tier may try it, and the
time is set anew for all others: so there is one probe at a time. Where the server does not answer,
each process goes by its own breaker. Where no request has wanted the tier for an interval, the next
request of each process may try it, so that as many probes as there are idle processes can meet.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from hashlib import blake2b
from threading import RLock
from typing import Any
from weakref import WeakSet

from cascade_core.forks import free_in_child
from cascade_core.guards.breaker import Breaker
from cascade_core.guards.breakers import LeftAlone, LocalBreaker, Permit
from cascade_core.guards.redis_link import RedisLink, link_of
from cascade_core.guards.redis_scripts import SYNC
from cascade_core.guards.store import RedisStore
from cascade_core.tier import Tier

Changed = Callable[[float | None], None]
"""Told of an opening, with the seconds until the next probe, and of a closing, with None."""

SILENCE = 3
"""Beats without a word from the server after which a process goes by its own breaker again."""


class SharedBreaker(LocalBreaker):
    """A breaker that takes in what other processes have found out.

    Args:
        setting: Its numbers.
        changed: Told of openings and closings that this process has found out.
        heard: Told of those that others have.
        tries: Called when a request begins to try a tier that is left alone.
    """

    __slots__ = ("_heard", "_tries", "_wanted")

    def __init__(
        self, setting: Breaker, changed: Changed, heard: Changed, tries: Callable[[], None]
    ) -> None:
        super().__init__(setting, changed)
        self._heard, self._tries, self._wanted = heard, tries, False

    @property
    def probe_every(self) -> float:
        """Seconds between two probes."""
        return self._setting.probe_every

    @property
    def may_probe(self) -> bool:
        """Whether the tier is left alone, and the next request may try it."""
        until = self._open_until
        return until is not None and until <= time.monotonic()

    def enter(self, *, last: bool = False) -> Permit | LeftAlone:
        """Ask whether the tier may be called now; see `TierBreaker`."""
        entered = super().enter(last=last)
        if isinstance(entered, LeftAlone):
            self._wanted = True
        elif entered.probe:
            self._tries()
        return entered

    def take_wanted(self) -> bool:
        """Tell whether a request was turned away since this was asked last."""
        wanted, self._wanted = self._wanted, False
        return wanted

    def told(self, seconds: float | None) -> None:
        """Take in what another process has found out.

        Args:
            seconds: How long until a request may try; None where the tier answers again.
        """
        with self._lock:
            before = self._open_until is not None
            if seconds is not None and before:
                self._open_until = time.monotonic() + seconds
            elif seconds is not None:
                self._open(time.monotonic(), seconds)
            elif before:
                self._open_until, self._supposed = None, False
        if before != (seconds is not None):
            self._heard(seconds)


class SharedBreakers:
    """The breakers of this process, as the server and other processes know them.

    Args:
        link: This process's link to the server.
    """

    owes = False  # what a program that ends did not say, others find out

    def __init__(self, link: RedisLink) -> None:
        self._link = link
        self._lock = RLock()  # a stream collected as garbage may come from in here
        free_in_child(self)
        self._breakers: dict[str, WeakSet[SharedBreaker]] = {}
        self.forget()

    def forget(self) -> None:
        """Begin anew in a forked child; see `LinkUser`."""
        self._news: dict[str, float | None] = {}  # when a breaker opened closes, or None
        self._granted: dict[str, float] = {}  # until when a probe may begin here

    def begin(self) -> None:
        """See that the server is read in this process."""
        self._link.begin()

    def make(self, setting: Breaker, tier: Tier | None, changed: Changed) -> LocalBreaker:
        """Return a breaker that is shared, where it is known which model it is of.

        Args:
            setting: Its numbers.
            tier: The tier, or a judge as if it were one; None where nobody knows its model.
            changed: Told of its openings and closings, whoever found out.
        """
        name = breaker_name(tier)
        if name is None:
            return LocalBreaker(setting, changed)

        def publish(seconds: float | None) -> None:
            with self._lock:
                self._news[name] = None if seconds is None else time.monotonic() + seconds
            self._link.wake()
            changed(seconds)

        breaker = SharedBreaker(
            setting, publish, changed, lambda: self._tries(name, setting.probe_every)
        )
        with self._lock:
            self._breakers.setdefault(name, WeakSet()).add(breaker)
        return breaker

    def _tries(self, name: str, every: float) -> None:
        self._granted.pop(name, None)
        with self._lock:
            self._news.setdefault(name, time.monotonic() + every)
        self._link.wake()

    def beat(self) -> None:
        """Say what is new, and hear what others have found out; see `LinkUser`."""
        with self._lock:
            alive = {name: list(found) for name, found in self._breakers.items()}
            alive = {name: found for name, found in alive.items() if found}
            news, self._news = self._news, {}
        if not alive:
            return
        args: list[Any] = []
        first: dict[str, SharedBreaker] = {}  # whose requests want it
        for name, found in alive.items():
            wanting = [each for each in found if each.take_wanted()]
            first[name] = (wanting or found)[0]
            says: Any = "-"
            if name in news:
                until = news[name]
                says = 0 if until is None else _ms(until - time.monotonic())
            args += [name, says, int(bool(wanting)), _ms(found[0].probe_every)]
        try:
            said = self._link.call(SYNC, ("breakers",), args)
        except BaseException:
            with self._lock:
                self._news = {**news, **self._news}
            raise
        for (name, found), left in zip(alive.items(), said, strict=True):
            if name in self._news:
                continue  # what this process found out meanwhile is newer
            if left == _MAY_TRY:
                self._granted[name] = time.monotonic() + found[0].probe_every
            for breaker in found:
                self._hear(name, breaker, left, chosen=breaker is first[name])

    def _hear(self, name: str, breaker: SharedBreaker, left: int, *, chosen: bool) -> None:
        if left == _CLOSED:
            breaker.told(None)
        elif left == _FREE or (left == _MAY_TRY and chosen):
            breaker.told(0.0)
        elif not (breaker.may_probe and time.monotonic() < self._granted.get(name, 0.0)):
            # Later than the server says, for the server says who may try.
            breaker.told(left / 1000 + SILENCE * self._link.every)


_CLOSED, _MAY_TRY, _FREE = -1, 0, -2
"""What the server says in place of the milliseconds that are left."""


def sharing_of(store: RedisStore) -> SharedBreakers:
    """Return this process's shared breakers on a store."""
    return link_of(store).user("breakers", SharedBreakers)


_ADDRESSES = ("openai_api_base", "api_base", "base_url", "azure_endpoint", "endpoint", "api_url")
"""What integrations call the address of a model's server."""


def breaker_name(tier: Tier | None) -> str | None:
    """Return what a tier is called among all processes; None where its model is not known."""
    if tier is None or tier.model is None:
        return None
    address = ""
    for holder in (
        tier.native,
        getattr(tier.native, "inner", None),
        getattr(tier.native, "llm", None),
    ):
        for field in _ADDRESSES:
            value = getattr(holder, field, None)
            if isinstance(value, str) and "//api.openai.com" not in value:
                address = address or value.rstrip("/")
    said = "\0".join((tier.provider or "", tier.model, *tier.names, address))
    return blake2b(said.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
