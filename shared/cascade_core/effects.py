"""What a cascade may ask for, and what it gets back.

The flow yields one of the effects below and is sent one of the replies. It
never calls a model itself, so the same flow runs sync, async, streamed, or
with no model at all (`drivers.play`).

======================  ===========================================
effect                  reply
======================  ===========================================
`Ask`                   `Drafts`, or `Failed` when every call failed
`Open`, `Pull`          `Chunk`, `Done` or `Failed`
`Close`                 `Done` with what had arrived
`Emit`, `Note`          None
`Compute`               `Computed` or `Failed`
`Adopt`                 `Drafts` or `Failed`
`Reserve`               a `Grant`, or `Failed` with a `NotAskedError`
`Settle`                None
`Now`                   a time, as `perf_counter` has it
`Begin`                 None
`Race`                  what its call gets, `Failed` with a `CutShortError`, or `StillRunning`
`Drop`                  what was known of a call that was begun
======================  ===========================================

Failures are values here, not exceptions: a failed tier is one more reason to
escalate.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import field
from typing import Any, TypeAlias, TypeVar

from cascade_core.call import Call, Purpose
from cascade_core.decision import Decision
from cascade_core.draft import Draft
from cascade_core.frozen import frozen
from cascade_core.request import Request
from cascade_core.tier import Tier

T = TypeVar("T")


@frozen
class Ask:
    """Call a model and wait for its whole answer.

    Attributes:
        target: A tier, or any model the port understands (a judge).
        request: What to ask. A request with a `native` payload is passed on
            untouched; one without is written out from its turns.
        purpose: What the answer is for.
        n: How many independent answers, asked for concurrently.
        options: Sampling options for these calls only, such as `temperature`.
        logprobs: Whether to ask for token log-probabilities.
        top_logprobs: How many alternatives a token to ask for.
        decision: What a decision model is asked, in place of the request, which says the same in
            words; None for any other model.
    """

    target: Tier | Any
    request: Request
    purpose: Purpose = "draft"
    n: int = 1
    options: Mapping[str, Any] = field(default_factory=dict)
    logprobs: bool = False
    top_logprobs: int = 0
    decision: Decision | None = None


@frozen
class Open:
    """Start a tier's stream. At most one stream is open; opening closes the last.

    Attributes:
        tier: The tier.
        request: What to ask.
        live: Whether its chunks reach the caller as they come.
        logprobs: Whether to ask for token log-probabilities.
        top_logprobs: How many alternatives a token to ask for.
    """

    tier: Tier
    request: Request
    live: bool
    logprobs: bool = False
    top_logprobs: int = 0


@frozen
class Pull:
    """Take the next chunk of the running stream."""


@frozen
class Close:
    """Cut the running stream off; its connection closes."""


@frozen
class Emit:
    """Show a chunk to the caller.

    Attributes:
        chunk: A chunk of a stream, or a whole native answer that was not streamed.
        whole_of: The tier whose whole answer it is; None for a chunk of a stream.
    """

    chunk: Any = field(repr=False)
    whole_of: Tier | None = None


@frozen
class Compute:
    """Run a caller's function, which may be a coroutine function.

    Attributes:
        function: The function.
        args: Its arguments.
        blocks: Whether it may take long: then no event loop waits for it.
    """

    function: Callable[..., Any]
    args: tuple[Any, ...] = field(repr=False)
    blocks: bool = False


@frozen
class Adopt:
    """Take what a caller's function returned as an answer, in the framework's shape.

    Attributes:
        value: A text, or an answer of the framework's.
        request: What was asked.
        tier: The last tier, in whose place it answers.
        draft: The answer that was handed off.
    """

    value: Any = field(repr=False)
    request: Request
    tier: Tier
    draft: Draft = field(repr=False)


@frozen
class Note:
    """Tell the caller, once, that something keeps the cascade from its job.

    Attributes:
        key: Notes with the same key are shown once.
        text: What is wrong and what to do.
    """

    key: str
    text: str


@frozen
class Now:
    """Look at the clock."""


@frozen
class Reserve:
    """Ask whether a call may be made, and set aside what it can cost.

    Attributes:
        call: The call.
        waits: Whether to wait where a budget that is short says so. What is started beside another
            call does not: room may come from that one alone.
        until: Until when to wait, as `perf_counter` has it; None sets no limit.
    """

    call: Ask | Open
    waits: bool = True
    until: float | None = None


@frozen
class Grant:
    """A call that may be made.

    Attributes:
        call: The call.
        lease: What budgets have set aside for it; None where nothing limits it.
        breaker: A permit, whose breaker is told how it ended; None where there is none.
    """

    call: Ask | Open
    lease: Any = None
    breaker: Any = None


@frozen
class Settle:
    """Say what became of a call that was allowed.

    Attributes:
        grant: What was returned for it.
        reply: What came back; None where the call was cut off.
        calls: What the trail has of it.
    """

    grant: Grant
    reply: Reply
    calls: Sequence[Call]


@frozen
class Begin:
    """Start a call beside whatever comes next; nothing is waited for.

    It stays with the port: a later `Race` for the same call joins it, `Drop` ends it. A flow that
    nobody runs against the clock is not heeded: what it asks for later is asked then.

    Attributes:
        call: The call.
        judges: Whose draft it is to judge, where it is a signal's.
    """

    call: Ask | Open
    judges: Tier | None = None


@frozen
class Race:
    """Make a call, or go on waiting for it, against the clock and against another call.

    Attributes:
        call: The call; None goes on waiting for the one that runs.
        until: Until when to wait, as `perf_counter` has it; None waits for ever.
        cuts: Whether the call is cut off then; else the reply is `StillRunning`.
        rival: A call that was begun: this one is cut off once that has an answer, or the first
            chunk of one.
    """

    call: Ask | Open | Pull | Close | None
    until: float | None = None
    cuts: bool = True
    rival: Ask | Open | None = None


@frozen
class StillRunning:
    """A call of a `Race` has not come back, and goes on."""


@frozen
class Drop:
    """End a call that was begun: it is not needed.

    Attributes:
        call: The call.
    """

    call: Ask | Open


@frozen
class Failed:
    """A call that gave no answer.

    Attributes:
        error: What was raised.
        seconds: Wall time spent.
        draft: What had arrived before a stream broke, so that it is paid for.
        began: When the call began, as `perf_counter` has it; drivers say so.
    """

    error: Exception = field(repr=False)
    seconds: float = 0.0
    draft: Draft | None = None
    began: float | None = field(default=None, compare=False, repr=False)


@frozen
class Drafts:
    """The answers to an `Ask`.

    Attributes:
        drafts: At least one answer.
        failures: The calls of the same `Ask` that failed.
    """

    drafts: Sequence[Draft]
    failures: Sequence[Failed] = ()


@frozen
class Chunk:
    """A piece of a stream.

    Attributes:
        native: The framework's chunk.
        logprobs: Log-probabilities of the tokens in it, where they were given.
    """

    native: Any = field(repr=False)
    logprobs: Sequence[float] = field(default=(), repr=False)


@frozen
class Done:
    """A stream's end, with everything that had arrived put together."""

    draft: Draft


@frozen
class Computed:
    """What a caller's function returned."""

    value: Any


Effect: TypeAlias = (
    Ask
    | Open
    | Pull
    | Close
    | Emit
    | Compute
    | Adopt
    | Note
    | Now
    | Reserve
    | Settle
    | Begin
    | Race
    | Drop
)
Reply: TypeAlias = Drafts | Chunk | Done | Failed | Computed | Grant | StillRunning | float | None
Steps: TypeAlias = Generator[Effect, Any, T]
