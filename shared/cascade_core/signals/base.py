"""What a signal is, and how a caller's function becomes one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

from cascade_core.draft import Draft
from cascade_core.effects import Compute, Failed, Note, Steps
from cascade_core.likeness import is_secret, likeness, names_secret
from cascade_core.named_arguments import names_checked
from cascade_core.request import Request
from cascade_core.signals.readings import Reading, as_reading
from cascade_core.tier import Tier

SignalFunction: TypeAlias = Callable[[Request, Draft], Reading | Awaitable[Reading]]
"""A function of the request and the draft, sync or async, that may stand for a signal."""


@runtime_checkable
class Running(Protocol):
    """A signal's view of a stream that is still coming."""

    def feed(self, logprobs: Sequence[float]) -> float:
        """Take further tokens and return the highest reading still possible."""
        ...


@runtime_checkable
class Signal(Protocol):
    """A reading of a draft in [0, 1], higher = more trustworthy, or None.

    Attributes:
        name: What it is called in records and policies; unique in a cascade.
        paid: Whether reading it calls models.
        needs_logprobs: Whether it can read nothing without token logprobs.
        top_logprobs: How many alternatives a token it needs (0: none).
        identity: A string equal for signals that read alike; part of cache keys.
    """

    name: str
    paid: bool
    needs_logprobs: bool
    top_logprobs: int

    @property
    def identity(self) -> str:
        """A string equal for signals that read alike."""
        ...

    def measure(self, request: Request, draft: Draft, tier: Tier) -> Steps[Reading]:
        """Read a draft; a paid signal yields its own `Ask`."""
        ...

    def running(self, max_tokens: int | None) -> Running | None:
        """Return a view that bounds the reading of a stream, or None if it cannot."""
        ...


class BaseSignal:
    """The parts most signals share: free, readable without logprobs, no running view."""

    name: str = ""
    paid: bool = False
    needs_logprobs: bool = False
    top_logprobs: int = 0

    @property
    def identity(self) -> str:
        """The signal's class and public settings, and of a caller's own class all that it holds."""
        held = sorted(vars(self).items())
        public = ((name, value) for name, value in held if name[0] != "_")
        settings = [f"{n}={_spelled(n, value)}" for n, value in public if not is_secret(n, value)]
        if not type(self).__module__.startswith("cascade_core."):
            settings.append(f"#{likeness([getattr(type(self), 'measure', None), dict(held)])}")
        return f"{type(self).__name__}({', '.join(settings)})"

    def running(self, max_tokens: int | None) -> Running | None:
        """Return None: nothing can be said before the draft is whole."""
        del max_tokens
        return None

    def __repr__(self) -> str:
        """Show the settings that make it read as it does."""
        return self.identity


def _spelled(name: str, value: object) -> str:
    """Spell a setting; of an object only a digest, since a model's repr may hold keys."""
    if value is None or (isinstance(value, str | int | float) and not names_secret(name)):
        return repr(value)
    return f"{type(value).__name__}:{likeness(value)}"


@names_checked
class FunctionSignal(BaseSignal):
    """A caller's function, sync or async, as a signal.

    Args:
        function: Takes the request and the draft; returns a reading in [0, 1]
            or None. A function that raises, or returns something else, gives
            no reading and one warning.
        name: The signal's name; the function's own by default.
    """

    def __init__(self, function: SignalFunction, name: str | None = None) -> None:
        self.name = name or getattr(function, "__name__", type(function).__name__).strip("<>")
        self._function = function

    @property
    def identity(self) -> str:
        """The name, and what the function does and holds: two of one name are told apart."""
        return f"{self.name}:{likeness(self._function)}"

    def measure(self, request: Request, draft: Draft, tier: Tier) -> Steps[Reading]:
        """Call the function."""
        reply = yield Compute(self._function, (request, draft))
        if isinstance(reply, Failed):
            problem = f"raised {type(reply.error).__name__}"
        else:
            reading, odd = as_reading(reply.value)
            if odd is None:
                return reading
            problem = f"returned {odd} instead of a number in [0, 1] or None"
        yield Note(
            f"signal:{self.name}:{tier.index}",
            f"signal {self.name!r} {problem} on {tier.label}; that counts as no reading",
        )
        return None
