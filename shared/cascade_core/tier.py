"""One model, chain or engine of a cascade, as the core sees it.

The core never calls a tier; it hands one back to the port in an effect. What
is learned about a tier while it runs is kept in `LogprobMemory` and
`FailureStreak`, the only state here that outlives a request.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import RLock
from typing import Any

from cascade_core.abilities import NOTHING_KNOWN, Abilities
from cascade_core.blame import logprobs_blamed
from cascade_core.forks import free_in_child

SILENT_ANSWERS = 3
"""Text answers in a row without asked-for logprobs before a tier counts as giving none."""

VAGUE_REFUSALS = 2
"""Failures in a row that only mention logprobs, each followed by an answer to the same request
without, before a tier counts as refusing them; one that names them as what is wrong will do."""

RETRIED_AFTER = 100
"""Requests after which a tier that has shown no logprobs is tried with them once more."""


class LogprobMemory:
    """What a tier has shown about log-probabilities, shared by all requests.

    Args:
        known: True where the integration returns them, False where it cannot,
            None where only trying tells.
    """

    __slots__ = (
        "__weakref__",
        "_doubts",
        "_known",
        "_lock",
        "_passed",
        "_silent",
        "refused",
        "unmarked",
    )

    def __init__(self, known: bool | None = None) -> None:  # noqa: FBT001
        self._known = known
        self._silent = 0
        self._lock = RLock()  # a stream collected as garbage may come from in here
        free_in_child(self)
        self._doubts = 0
        self._passed = 0
        self.refused = False
        self.unmarked = False

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy what is known from the start; a copy learns for itself."""
        return type(self), (self._known,)

    @property
    def asked(self) -> bool:
        """Whether to ask the tier for logprobs."""
        return self._known is not False and not self.refused

    @property
    def absent(self) -> bool:
        """Whether the tier is known to give none."""
        return self._known is False or self.refused or self._silent >= SILENT_ANSWERS

    def refuse(self) -> None:
        """Remember that the provider refuses requests that ask for logprobs."""
        self.refused = True

    def failed_with(self, error: BaseException, *, answers_without: bool) -> None:
        """Note a failure that mentions logprobs.

        Args:
            error: What was raised; see `refuses_logprobs`.
            answers_without: Whether the same request succeeds where it does not ask for them.
        """
        blamed = logprobs_blamed(error)
        if not answers_without and blamed != "clearly":
            return  # something else is wrong with the request, and the text quotes it
        with self._lock:
            self._doubts = VAGUE_REFUSALS if blamed else self._doubts + 1
            self.refused = self._doubts >= VAGUE_REFUSALS

    def gave_answer(self) -> None:
        """Note that a request which asked for logprobs was answered."""
        if self._doubts:
            with self._lock:
                self._doubts = 0

    def retry(self) -> bool:
        """Count a request to a tier known to give none; tell whether to try it once more.

        Providers change: what they refused they may take some day. Then one more refusal, or
        silent answer, is enough to conclude the same again.
        """
        if self._known is False:
            return False
        with self._lock:
            self._passed += 1
            if self._passed < RETRIED_AFTER:
                return False
            self._passed, self._doubts = 0, VAGUE_REFUSALS - 1
            self._silent = min(self._silent, SILENT_ANSWERS - 1)
            self.refused = False
        return True

    def saw(self, given: bool, *, unmarked: bool = False) -> None:  # noqa: FBT001
        """Note whether a plain text answer came with logprobs.

        Args:
            given: Whether it did.
            unmarked: Whether it began with a thought that only its end shows: those of the
                thought can be told from the answer's when all has come, and not before.

        One answer without them proves nothing (a cache may have served it), so
        only several in a row do.
        """
        if unmarked:
            self.unmarked = True
        if given and not self._silent:
            return
        with self._lock:
            self._silent = 0 if given else self._silent + 1


FAILURES_IN_A_ROW = 3
"""Failed calls in a row before a tier counts as failing."""


class FailureStreak:
    """How often a tier has failed since it last answered, shared by all requests.

    It says what callers are told: any failure of a draft counts. Whether the tier is asked is
    decided by its breaker (`guards.breakers`), of every call, by failures of the provider alone.

    Attributes:
        count: Failures in a row.
        error: The last one's type and status.
    """

    __slots__ = ("__weakref__", "_lasting", "_lock", "_streaks", "count", "error")

    def __init__(self) -> None:
        self.count = 0
        self.error: str | None = None
        self._streaks = 0
        self._lasting = False
        self._lock = RLock()  # a stream collected as garbage may come from in here
        free_in_child(self)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave out the lock, and the failures: a copy begins anew."""
        return type(self), ()

    @property
    def long(self) -> bool:
        """Whether the tier counts as failing."""
        return self.count >= FAILURES_IN_A_ROW or self._lasting

    def failed(self, error: str, *, lasting: bool = False) -> int | None:
        """Note a failure.

        Args:
            error: Its type and status; never its text.
            lasting: Whether it will hardly pass by itself, so that once is enough.

        Returns:
            The number of the streak, where this failure is the one that makes it long.
        """
        with self._lock:
            was_long = self.long
            self.count += 1
            self._lasting = self._lasting or lasting
            self.error = error
            if was_long or not self.long:
                return None
            self._streaks += 1
            return self._streaks

    def answered(self) -> None:
        """Note an answer, which ends a streak."""
        if self.count:
            with self._lock:
                self.count = 0
                self.error = None
                self._lasting = False


_THINKERS = re.compile(r"thinking|reason|(?<![a-z0-9])r1(?![a-z0-9])|qwq", re.IGNORECASE)
"""Names of models that begin their answers with a thought, as far as names tell."""


@dataclass(frozen=True, slots=True, eq=False)
class Tier:
    """One tier.

    Attributes:
        index: Its place; 0 is the cheapest.
        model: The model's name as far as it is known before a call, for prices.
        names: Further names that the caller gave it (a deployment, a base model), for prices.
        provider: Who hosts the model, where that is not who made it: prices differ.
        native: The framework's own object.
        logprobs: What is known of its log-probabilities.
        failures: How often it has failed in a row.
        abilities: What it can take.
        max_tokens: The most tokens it may write, where the caller set a limit.
        streams: Whether a draft of it can be streamed and cut off.
        streams_logprobs: Whether its streams have log-probabilities where its whole answers do.
        streams_calls: Whether its streams have the calls of tools whole, as its whole answers do.
        output_schema: JSON schema that its answers are to fit by its own setting, if any.
        setup: Gives all that makes it answer as it does, to tell whether two tiers are one.
        tool_only: Whether it always answers by calling a tool, or by an object it is made to make.
        composite: Whether it may call several models: a chain, an engine, another cascade.
        beside: Tokens at the most that it sends with every prompt, such as tools bound to it.
        answers: How many answers it gives to one request, all of which are paid for.
    """

    index: int
    model: str | None = None
    native: Any = field(default=None, repr=False)
    names: tuple[str, ...] = ()
    provider: str | None = None
    logprobs: LogprobMemory = field(default_factory=LogprobMemory, repr=False)
    failures: FailureStreak = field(default_factory=FailureStreak, repr=False)
    abilities: Abilities = NOTHING_KNOWN
    max_tokens: int | None = None
    streams: bool = False
    streams_logprobs: bool = True
    streams_calls: bool = True
    tool_only: bool = False
    composite: bool = False
    beside: int = 0
    answers: int = 1
    output_schema: Mapping[str, Any] | None = field(default=None, repr=False)
    setup: Callable[[], object] | None = field(default=None, repr=False)

    @property
    def label(self) -> str:
        """How errors and warnings name the tier."""
        return f"tier {self.index}" + (f" ({self.model})" if self.model else "")

    @property
    def thinks_unmarked(self) -> bool:
        """Whether its answers begin, or may by its name, with a thought that has no mark."""
        return self.logprobs.unmarked or bool(self.model and _THINKERS.search(self.model))

    def price_names(self, answered: str | None) -> tuple[str | None, ...]:
        """Return the names that a model of this tier is priced by, the best first.

        Args:
            answered: The model that answered, as its provider names it.
        """
        return hosted(self.provider, answered, self.model, *self.names)


def hosted(provider: str | None, *names: str | None) -> tuple[str | None, ...]:
    """Return a model's names with who hosts it before them, where that is not its maker."""
    if provider is None:
        return names
    return tuple(name and f"{provider}/{name}" for name in names)
