"""Tiers, answers and ports for tests: everything a flow needs but a framework."""

import inspect
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from cascade_core.abilities import NOTHING_KNOWN
from cascade_core.costs.prices import Prices
from cascade_core.draft import Draft
from cascade_core.effects import (
    Adopt,
    Ask,
    Chunk,
    Close,
    Compute,
    Computed,
    Done,
    Drafts,
    Emit,
    Failed,
    Open,
    Pull,
)
from cascade_core.log import Asked
from cascade_core.logprobs import Logprobs
from cascade_core.loop import drivers
from cascade_core.loop.flow import cascade
from cascade_core.request import Request
from cascade_core.setup.plan import make_plan
from cascade_core.signals import BaseSignal
from cascade_core.tier import Tier
from cascade_core.usage import Usage

PRICES = Prices({f"m{k}": {"input": 10**k, "output": 2 * 10**k} for k in range(4)})
REQUEST = Request.of("Where is my order?")
ASKED = Asked(datetime(2026, 1, 2, tzinfo=UTC), 12.0)
PLAIN_TOKENS = 3  # of an answer without logprobs


class ProviderError(Exception):
    """What a provider's client raises."""

    def __init__(self, text="sk-secret is in this text", status=500):
        super().__init__(text)
        self.status_code = status


class StopEverythingError(Exception):
    """How a framework steers; no failure of a tier."""


@dataclass
class Answer:
    """What a model does when it is called; with `error`, it breaks after `arrived` chunks."""

    text: str = "Your order ships on Monday."
    probs: Sequence[float] | None = None
    values: Sequence[float] | None = None
    error: Exception | None = None
    arrived: int = 0
    size: int = 1  # tokens a chunk
    fields: Mapping[str, Any] = field(default_factory=dict)

    def tokens(self):
        if self.values is not None:
            return list(self.values)
        if self.probs is not None:
            return [math.log(p) if p else -math.inf for p in self.probs]
        return None

    def length(self):
        tokens = self.tokens()
        return PLAIN_TOKENS if tokens is None else len(tokens)

    def draft(self, model, upto=None, logprobs=True):
        tokens = self.tokens()
        usage = Usage(100, self.length() if upto is None else upto)
        given = Logprobs(tokens[:upto]) if tokens and logprobs and upto != 0 else None
        made = {"logprobs": given, "usage": usage, "model": model, "native": (model, "whole")}
        return Draft(self.text, **{**made, **self.fields})

    def chunks(self, model, logprobs=True):
        tokens = self.tokens()
        given = tokens is not None and logprobs
        return [
            Chunk((model, place), tokens[start : start + self.size] if given else ())
            for place, start in enumerate(range(0, self.length(), self.size))
        ]


def sure(p=0.9, n=3, **settings):
    return Answer(probs=[p] * n, **settings)


def mute(text="Your order ships on Monday.", **fields):
    """An answer without logprobs."""
    return Answer(text, fields=fields)


def broken(error=None, arrived=0, **settings):
    return Answer(error=error or ProviderError(), arrived=arrived, **settings)


class Reads(BaseSignal):
    """A signal that reads what it is told, and counts how often it is asked."""

    def __init__(self, reading, name="reads", paid=False):
        self.name = name
        self.paid = paid
        self._reading = reading
        self.count = 0

    def measure(self, request, draft, tier):
        self.count += 1
        if isinstance(self._reading, Exception):
            raise self._reading
        return self._reading
        yield


class Models:
    """Replies to effects; `answers[k]` is what tier k says, or a list of what it says in turn.

    Answers to anything that is not a tier (a judge) are under its own key.
    """

    def __init__(self, *answers, others=None):
        self._answers = dict(enumerate(answers)) | dict(others or {})
        self._turn = defaultdict(int)
        self._running = None
        self.asked = []
        self.opened = []
        self.closed = []
        self.notes = {}

    def _next(self, target):
        key = target.index if isinstance(target, Tier) else target
        found = self._answers[key]
        if isinstance(found, Answer):
            return found, key
        turn = self._turn[key]
        self._turn[key] += 1
        return found[min(turn, len(found) - 1)], key

    def ask(self, effect):
        answers = [self._next(effect.target) for _ in range(effect.n)]
        self.asked.append((answers[0][1], effect.purpose))
        drafts, failures = [], []
        for answer, key in answers:
            model = f"m{key}" if isinstance(key, int) else key
            if answer.error is not None:
                failures.append(Failed(answer.error, 0.5))
            else:
                drafts.append(answer.draft(model))
        return Drafts(drafts, failures) if drafts else failures[0]

    def open(self, effect):
        self.close()
        answer, key = self._next(effect.tier)
        self.asked.append((key, "draft"))
        self.opened.append(key)
        self._running = (key, answer, iter(answer.chunks(f"m{key}")), [0])
        return self.pull()

    def pull(self):
        key, answer, chunks, arrived = self._running
        if answer.error is not None and arrived[0] >= answer.arrived:
            draft = answer.draft(f"m{key}", arrived[0] * answer.size) if arrived[0] else None
            return Failed(answer.error, 0.5, draft)
        chunk = next(chunks, None)
        if chunk is None:
            return Done(answer.draft(f"m{key}"))
        arrived[0] += 1
        return chunk

    def close(self):
        running, self._running = self._running, None
        if running is None:
            return None
        key, answer, _, arrived = running
        self.closed.append(key)
        return Done(answer.draft(f"m{key}", min(answer.length(), arrived[0] * answer.size)))

    def adopt(self, effect):
        return Draft(effect.value, native=("given", effect.value))

    def __call__(self, effect):
        if isinstance(effect, Ask):
            return self.ask(effect)
        if isinstance(effect, Open):
            return self.open(effect)
        if isinstance(effect, Pull):
            return self.pull()
        if isinstance(effect, Close):
            return self.close()
        if isinstance(effect, Compute):
            try:
                value = effect.function(*effect.args)
                return Computed(no_waiting(value) if inspect.iscoroutine(value) else value)
            except Exception as error:  # noqa: BLE001 - as the drivers do
                return Failed(error)
        if isinstance(effect, Adopt):
            return Drafts((self.adopt(effect),))
        if not isinstance(effect, Emit):
            self.notes[effect.key] = effect.text
        return None


class FakePort(Models):
    """The same models behind a port; errors are raised, as clients do."""

    fatal = (StopEverythingError,)

    def ask(self, effect):
        return _raised(super().ask(effect))

    def open(self, effect):
        return _raised(super().open(effect))

    def emit(self, effect):
        return effect.chunk

    def note(self, effect):
        self.notes[effect.key] = effect.text


class AsyncFakePort:
    """The same, awaited."""

    fatal = (StopEverythingError,)

    def __init__(self, *answers, **settings):
        self.sync = FakePort(*answers, **settings)

    async def ask(self, effect):
        return self.sync.ask(effect)

    async def open(self, effect):
        return self.sync.open(effect)

    async def pull(self):
        return self.sync.pull()

    async def close(self):
        return self.sync.close()

    async def emit(self, effect):
        return effect.chunk

    def note(self, effect):
        self.sync.note(effect)


def _raised(reply):
    if isinstance(reply, Failed) and reply.draft is None:
        raise reply.error
    return reply


def no_waiting(coroutine):
    """Run a coroutine that never really waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("the coroutine waited")


def make_tiers(count=2, **settings):
    """Tiers m0, m1, …; a setting is one value for all, or a dict by index."""
    return tuple(
        Tier(
            index=k,
            model=f"m{k}",
            **{
                name: value.get(k, _DEFAULTS.get(name)) if isinstance(value, dict) else value
                for name, value in settings.items()
            },
        )
        for k in range(count)
    )


_DEFAULTS = {"streams": False, "tool_only": False, "abilities": NOTHING_KNOWN}


THRESHOLD = {"thresholds": 0.8}  # so that no test here rests on the default


def plan_for(count=2, *, tiers=None, **settings):
    return make_plan(tiers or make_tiers(count), **{"prices": PRICES, **THRESHOLD, **settings})


def play(plan, *answers, request=REQUEST, streamed=False, others=None):
    """Run a cascade over models that answer so; return verdict, effects and the models."""
    models = Models(*answers, others=others)
    verdict, effects = drivers.play(cascade(plan, request, streamed=streamed), models)
    return verdict, effects, models


def emitted(effects):
    return [effect.chunk for effect in effects if isinstance(effect, Emit)]


def outcomes(verdict):
    return [(call.tier, call.outcome) for call in verdict.calls]
