"""The settings that every cascade takes, in whichever framework.

`CascadeKeywords` is their definition: names, types and what they do. Constructors take them as
`**settings: Unpack[CascadeKeywords]`, so that editors and type checkers know them; what is said
under a key is what an editor shows of it, and `constructor.configured` writes it into docstrings.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, TypedDict, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from cascade_core.costs.prices import Prices
from cascade_core.guards.breaker import Breaker
from cascade_core.guards.budget import Budget
from cascade_core.guards.store import RedisStore
from cascade_core.log.redaction import Redact
from cascade_core.log.store import DecisionLog, LogOverflow
from cascade_core.policy.document import (
    Mode,
    OnExhausted,
    OnNoScore,
    OnToolCall,
    Policy,
    StreamingPolicy,
)
from cascade_core.setup.audit import Audit
from cascade_core.setup.gates import Check, Gate, RefusalLike
from cascade_core.setup.learn import Learn
from cascade_core.signals.make import SignalLike
from cascade_core.signals.readings import Combine
from cascade_core.telemetry.setting import Telemetry

Document: TypeAlias = Mapping[str, Any] | str | os.PathLike[str]
"""A document's content, or the path of its file."""


Hold: TypeAlias = Literal["turn", "tools", "conversation"]
"""How long a decision holds."""


class CascadeKeywords(TypedDict, total=False):
    """What every cascade takes by keyword, besides its tiers."""

    signals: Sequence[SignalLike] | None
    """What a draft is judged by: signals, functions `(request, draft) -> float | None`, or names.
    Default: `[SequenceLogprob()]`."""
    combine: Combine
    """How readings become one confidence: `"min"` (default), `"mean"`, or weights by name."""
    thresholds: Sequence[float] | float | None
    """One number in [0, 1] for every tier but the last, or one for all; accept at or above it.
    Default: the policy's, else 0.9 on raw readings."""
    gates: Sequence[Gate | Check] | None
    """Further checks `(request, draft) -> bool`, after the built-in ones."""
    refusals: Sequence[RefusalLike] | None
    """How refusals are worded besides the built-in ways of many languages: regular expressions,
    searched without regard to case where an answer begins, and functions `(text) -> bool`."""
    policy: Policy | Document | None
    """A `Policy`, a mapping, or the path of a JSON or TOML file."""
    prices: Prices | Document | None
    """USD per million tokens by model, or the path of a JSON file (also litellm's). A model is
    found by the name it answers with or the one it was set up with. It wins over genai-prices; a
    model in neither is unpriced."""
    name: str | None
    """What records and traces call the cascade; default the class's name."""
    log: DecisionLog | str | Path | None
    """The URL of a database (`"sqlite:///decisions.db"`, `"postgresql+psycopg://…"`), the path of a
    `.jsonl` file, one decision a line, or an object with `write(record)`."""
    log_content: bool
    """Whether the log also holds prompts and answers; default False."""
    redact: Redact | None
    """A function `(text) -> text` that every text goes through before it is logged."""
    log_metadata: Sequence[str]
    """Which keys of a request's metadata its record keeps; default none."""
    log_overflow: LogOverflow
    """When a database cannot keep up: `"block"` (default) lets requests wait a little before a
    record is given up, `"drop"` gives it up at once; either is counted and warned of."""
    audit: Audit | float | None
    """An `Audit`, or its rate alone: which share of the answers is compared with the strongest
    tier's, behind the requests."""
    telemetry: Telemetry | bool | None
    """Spans and metrics in OpenTelemetry. None (default): where the program has set a tracer or
    meter provider; True: the same, and an error where the packages are missing; False: never; or
    `Telemetry(…)`, which names providers or adds prompts and answers."""
    budget: Budget | Sequence[Budget] | None
    """The most that may be spent: a `Budget`, or several that all have to have room."""
    breaker: Breaker | bool | None
    """When a tier that keeps failing is left alone: by default after three failures in a row that
    are the provider's; a `Breaker(…)` has other numbers, False turns it off."""
    store: RedisStore | str | Any
    """Where budgets and breakers are kept that several processes or machines share:
    `"redis://…"`; by default each process keeps its own."""
    deadline: float | None
    """Seconds that a request may take: a draft for which there is no time is not asked for, or cut
    off. None (default) sets no limit."""
    hedge: bool | float | None
    """Whether the last tier is asked early where the draft before it is slow or unlikely to be
    accepted; a number is the share of requests in which that may be in vain (0.1 with True)."""
    hold: Hold | None
    """How long a decision holds: `"turn"` (default) for all steps of an agent's turn,
    `"tools"` for its tool calls alone, `"conversation"` from the first escalation on, None for
    one request."""
    on_handoff: Any
    """What answers instead where the last tier's answer stays below the last threshold: a model, a
    Runnable, an engine, or a function `(request, draft)`."""
    mode: Mode | Literal["learn"] | None
    """`"serve"` (default), or `"shadow"`: always serve the last tier and record what the cascade
    would have done, or `"learn"`: serve the last tier until a policy that was learned from audits
    keeps its promise, then by that."""
    learn: Learn | None
    """With `mode="learn"`: a `Learn`, which says what is promised and what learning may cost."""
    on_no_score: OnNoScore | None
    """What a draft without any reading gets: `"escalate"` (default) or `"accept"`."""
    on_tool_call: OnToolCall | None
    """Whether tool calls without a reading are accepted when every gate passes (`"gates"`,
    default) or `"escalate"`."""
    on_exhausted: OnExhausted | None
    """When every tier failed: `"raise"` (default), or return the `"best_draft"`."""
    streaming_policy: StreamingPolicy | None
    """`"abort"` (default) cuts a draft's stream off as soon as it cannot pass; `"buffer"` lets it
    finish; `"commit"` also shows it as soon as its first tokens are sure, which takes a policy that
    was tuned with `commit=True`."""


GUARDING = ("budget", "breaker", "store", "deadline", "hedge", "hold", "on_handoff")
"""Settings of what stands between the loop and its calls."""

RECORDING = (
    "name",
    "log",
    "log_content",
    "redact",
    "log_metadata",
    "log_overflow",
    "audit",
    "learn",
    "telemetry",
)
"""Settings of what is kept of requests, which change no decision."""

DECIDING = tuple(
    name for name in CascadeKeywords.__annotations__ if name not in {*RECORDING, *GUARDING}
)
"""Settings that make the plan; see `plan.make_plan`."""


if TYPE_CHECKING:
    Value = TypeVar("Value")
    Unread = Annotated[Value, "pydantic lets it pass; the plan says what is wrong with it"]
else:

    class Unread:
        """A field of a type that pydantic does not look at: the plan's own words are plainer."""

        def __class_getitem__(cls, kind: object) -> Any:
            """Return what pydantic sees."""
            return Any


class CascadeSettings(BaseModel):
    """The settings as fields, with their defaults; for cascades that are pydantic models."""

    model_config = ConfigDict(defer_build=True)  # importing stays quick

    tiers: Any
    signals: Unread[Sequence[SignalLike] | None] = None
    combine: Unread[Combine] = "min"
    thresholds: Unread[Sequence[float] | float | None] = None
    gates: Unread[Sequence[Gate | Check] | None] = None
    refusals: Unread[Sequence[RefusalLike] | None] = None
    policy: Unread[Policy | Document | None] = None
    prices: Unread[Prices | Document | None] = Field(default=None, repr=False)
    name: str | None = None
    log: Unread[DecisionLog | str | Path | None] = None
    log_content: bool = False
    redact: Unread[Redact | None] = None
    log_metadata: Unread[Sequence[str]] = ()
    log_overflow: Unread[LogOverflow] = "block"
    audit: Unread[Audit | float | None] = None
    telemetry: Unread[Telemetry | bool | None] = None
    budget: Unread[Budget | Sequence[Budget] | None] = None
    breaker: Unread[Breaker | bool | None] = None
    store: Unread[RedisStore | str | Any] = Field(default=None, repr=False)
    deadline: Unread[float | None] = None
    hedge: Unread[bool | float | None] = None
    hold: Unread[Hold | None] = "turn"
    on_handoff: Any = Field(default=None, repr=False)
    mode: str | None = None
    learn: Unread[Learn | None] = None
    on_no_score: str | None = None
    on_tool_call: str | None = None
    on_exhausted: str | None = None
    streaming_policy: str | None = None


def called(settings: Mapping[str, Any], owner: type) -> dict[str, Any]:
    """Return settings that name the cascade: as its caller does, else by its class."""
    return {**settings, "name": settings.get("name") or owner.__name__}
