"""Everything the project raises.

::

    CascadeError
    ├── CascadeExhausted                        every tier failed; carries each cause
    ├── NotAskedError                           a model was not asked; says why
    │   ├── BudgetExceeded                      a budget has no room for the call
    │   ├── UnboundedCallError                  nobody can say beforehand what the call would cost
    │   ├── StoreDownError                      the server that holds the budgets does not answer
    │   ├── TierOpenError                       the tier keeps failing and is left alone
    │   └── OutOfTimeError                      the deadline leaves no time for it
    ├── CutShortError                           a model was not waited for any longer; says why
    ├── ConfigurationError (also ValueError)    you set something up in a way that cannot work
    │   ├── FileError                           a file cannot be read or written; says which line
    │   │   └── TableError                      a labelled table does not say what is needed
    │   ├── TuningError                         no policy that was asked for can be had
    │   │   └── StraightError                   one later tier alone serves better than any cascade
    │   ├── NoAuditsError                       a log has no audit, yet, that was done
    │   ├── MeanwhileError                      somebody else has changed what decides
    │   └── UnkeepableError                     an answer cannot be kept as JSON
    ├── MissingPackageError (also ModuleNotFoundError)  an extra is not installed
    ├── NothingParsedError                      an answer holds no object of the schema asked for
    ├── EmptyStreamError (also ValueError)      nothing came of a stream
    ├── FormatError (also ValueError)           an answer is not in the form its prompt asked for
    ├── UnwritableError (also TypeError)        a setting is no plain data, or may be secret
    ├── UnfitError                           a log was given what is neither record nor event
    ├── RepeatedKeyError (also ValueError)      a JSON object has a key twice
    ├── MisplacedError (also ValueError)        a document's parts do not fit together; says which
    ├── RowError                                a row of bulk work cannot be asked
    ├── RequestError                            the demo's server cannot serve a request
    ├── UnfilledError                           a demo model's answer has nothing for a field
    ├── ContextLengthError (also ValueError)    a prompt is too long for the demo's models
    └── _ClientGoneError                        the demo's client went away

    CascadeWarning (also UserWarning)           the cascade works, but not as you may expect

The upper part is what callers meet. From `FormatError` on, errors are caught where they are raised
or say why a draft was refused.

No message here quotes a prompt, an answer or a provider's error text: those
may hold personal data or keys. The original exceptions are in `causes`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self, TypeGuard

from cascade_core.kin import allocate, kin_of, packed, take_after, unpacked


class CascadeError(Exception):
    """Base of every error raised by a cascade."""


class ConfigurationError(CascadeError, ValueError):
    """A cascade, policy or signal was set up in a way that cannot work."""


class MissingPackageError(CascadeError, ModuleNotFoundError):
    """A package that an optional part of model-cascade needs is not installed."""


class CascadeWarning(UserWarning):
    """A cascade runs, but something keeps it from doing what it is for."""


class CascadeExhausted(CascadeError):
    """No tier could give an answer.

    It is an instance of the last cause's class as well, with that error's attributes
    (`status_code`, `response`, …), so that what handles the error of one model handles a
    cascade's; classes that allow no heir are left out.

    Attributes:
        causes: `(tier label, exception)` for every failure, in order.
        trail: The calls made, paid ones included.
    """

    def __new__(
        cls, causes: Sequence[tuple[str, BaseException]] = (), trail: Sequence[object] = ()
    ) -> Self:
        """Be an error of the last cause's kind."""
        del trail
        last = _last_cause(causes)
        return allocate(cls if last is None else kin_of(cls, type(last), _OWN))

    def __init__(
        self,
        causes: Sequence[tuple[str, BaseException]],
        trail: Sequence[object] = (),
    ) -> None:
        """Name every cause by tier and type, without quoting its text."""
        last = _last_cause(causes)
        if isinstance(last, Exception):
            take_after(self, last, _OWN)
        self.causes = tuple(causes)
        self.trail = tuple(trail)
        listed = "; ".join(f"{tier}: {error_name(error)}" for tier, error in self.causes)
        said = f"no tier of the cascade gave an answer ({listed or 'no tier was called'})"
        helps = dict.fromkeys(filter(None, (remedy(error) for _, error in self.causes)))
        # Past the constructor of the cause's class, which may want to know more.
        Exception.__init__(self, ": ".join(filter(None, (said, ", and ".join(helps)))))

    def __str__(self) -> str:
        """Name the causes; the words of the cause's class would quote its text."""
        return str(self.args[0])

    __repr__ = Exception.__repr__

    def __reduce__(self) -> tuple[Any, ...]:
        """Let the error cross to another process, as far as its causes can."""
        causes = tuple((tier, packed(error)) for tier, error in self.causes)
        return _again, (causes, self.trail)

    def __copy__(self) -> CascadeExhausted:
        """Make the error again; causes are told of, never changed."""
        return CascadeExhausted(self.causes, self.trail)

    def __deepcopy__(self, memo: object) -> CascadeExhausted:
        """Make the error again; see `__copy__`."""
        return self.__copy__()


class NotAskedError(CascadeError):
    """A model was not asked; nothing of it is in the trail.

    Attributes:
        reason: Why; one of the reasons of verdicts.
    """

    reason: Literal["budget", "open", "deadline"] = "budget"


class BudgetExceeded(NotAskedError):
    """A budget has no room for a call.

    Attributes:
        budget: What the budget is called.
        window: How long it lasts: `day`, `hour` or `run`.
        frees_at: When its window ends, in UTC; None where it is a run's.
        when_short: What the budget says is to become of such requests.
        hopeless: Whether the call can cost more than the whole budget, so that waiting is in vain.
    """

    def __init__(
        self,
        budget: str,
        window: str,
        frees_at: datetime | None,
        when_short: str = "cheapest",
        hopeless: bool = False,  # noqa: FBT001, FBT002 - an exception's arguments go by place
    ) -> None:
        """Name the budget, its window and when it frees."""
        self.budget, self.window, self.frees_at = budget, window, frees_at
        self.when_short, self.hopeless = when_short, hopeless
        frees = "" if frees_at is None else f"; it frees at {frees_at:%Y-%m-%d %H:%M} UTC"
        never = " (one call may take more than all of it)" if hopeless and frees_at else ""
        super().__init__(f"the budget {budget!r} has no room left for this {window}{frees}{never}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Let the error cross to another process."""
        args = self.budget, self.window, self.frees_at, self.when_short, self.hopeless
        return type(self), args


class UnboundedCallError(NotAskedError):
    """Nobody can say beforehand what a call would cost, so no budget can hold it."""


class StoreDownError(NotAskedError):
    """The server that holds the budgets does not answer, so no call can be paid for."""


class TierOpenError(NotAskedError):
    """A tier keeps failing and is left alone for a while.

    Attributes:
        tier: Its index; None where it is no tier, but a model that signals or audits ask.
        again_in: Seconds until a request may try it again.
        again_at: When that is, in UTC.
    """

    reason = "open"

    def __init__(
        self, label: str, again_in: float, tier: int | None = None, again_at: datetime | None = None
    ) -> None:
        """Name the tier, and when it is tried again."""
        self.label, self.again_in, self.tier = label, again_in, tier
        now = datetime.fromtimestamp(time.time(), UTC)
        self.again_at = again_at or now + timedelta(seconds=again_in)
        at = f"{self.again_at:%H:%M:%S} UTC"
        super().__init__(f"{label} keeps failing and is left alone until {at}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Let the error cross to another process."""
        return type(self), (self.label, self.again_in, self.tier, self.again_at)


class OutOfTimeError(NotAskedError):
    """The deadline leaves no time for a call."""

    reason = "deadline"


class EmptyStreamError(CascadeError, ValueError):
    """A stream has ended, and nothing had come of it; that is the provider's failure."""

    def __init__(self, text: str = "the stream ended without a chunk") -> None:
        super().__init__(text)


class CutShortError(CascadeError):
    """A call was not waited for any longer; it may be paid for all the same.

    Attributes:
        reason: `deadline` where it took too long, `overtaken` where a later tier answered first.
    """

    def __init__(self, reason: Literal["deadline", "overtaken"] = "deadline") -> None:
        """Say why."""
        self.reason = reason
        said = "took longer than it may" if reason == "deadline" else "was overtaken by the next"
        super().__init__(f"the call {said}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Let the error cross to another process."""
        return type(self), (self.reason,)


_OWN = ("causes", "trail")


def _last_cause(causes: Sequence[tuple[str, BaseException]]) -> BaseException | None:
    """Return what made the last tier fail; of a cascade in a cascade, what made that one fail."""
    error = causes[-1][1] if causes else None
    while isinstance(error, CascadeExhausted):
        error = error.causes[-1][1] if error.causes else None
    return error


def _again(causes: Sequence[tuple[str, Any]], trail: Sequence[object]) -> CascadeExhausted:
    return CascadeExhausted([(tier, unpacked(error)) for tier, error in causes], trail)


def error_name(error: BaseException) -> str:
    """Name an error by its type and, for HTTP errors, its status; never by its text."""
    status = http_status(error)
    return type(error).__name__ + (f" (HTTP {status})" if status else "")


def why_failed(error: BaseException) -> str:
    """Name an error as `error_name` does, and say what is likely to help where that is known."""
    helps = remedy(error)
    return error_name(error) + (f": {helps}" if helps else "")


def remedy(error: BaseException) -> str | None:
    """Say what is likely to help, as far as the kind of an error tells; None where it does not."""
    if isinstance(error, NotAskedError):
        return str(error)  # ours, and says why
    status = http_status(error)
    if status in _DENIED:
        return "check the API key"
    if status == _NOT_FOUND:
        return "check the model's name and the address"
    if status is not None:
        return None
    # The text is looked at, and never repeated.
    if _NO_KEY.search(str(error)) or "authentication" in type(error).__name__.lower():
        return "check the API key"
    if isinstance(error, ConnectionError) or "Connect" in type(error).__name__:
        return "check that the server runs, and its address"
    return None


def is_lasting(error: BaseException) -> bool:
    """Tell whether an error will hardly pass by itself: no key, no right, or no such model."""
    return http_status(error) in {*_DENIED, _NOT_FOUND}


_DENIED = frozenset({401, 403})
_NOT_FOUND = 404
_NO_KEY = re.compile(r"api_key|API key|_API_KEY|authentication method")


def http_status(error: BaseException) -> int | None:
    """Return the HTTP status a client's exception carries, or None."""
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):  # botocore
        response = response.get("ResponseMetadata")
        status = response.get("HTTPStatusCode") if isinstance(response, Mapping) else None
        return status if isinstance(status, int) else None
    for holder in (error, response):
        status = getattr(holder, "status_code", None)
        if isinstance(status, int):
            return status
    for name in ("status", "code"):  # aiohttp, Google's clients
        status = getattr(error, name, None)
        if isinstance(status, int) and 400 <= status < 600:  # noqa: PLR2004
            return int(status)
    return None


def never_asked(error: BaseException) -> TypeGuard[NotAskedError]:
    """Tell whether an error says that a model was not called, so that nothing of it is paid for.

    A cascade inside a tier that was exhausted for such a reason had called others before.
    """
    return isinstance(error, NotAskedError) and not isinstance(error, CascadeExhausted)
