"""How a cascade was set up: everything the flow needs to decide, and nothing of a request."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from cascade_core.costs.prices import Prices
from cascade_core.errors import ConfigurationError
from cascade_core.fitted.commitment import ReadyRule
from cascade_core.log.policies import PolicyVersion
from cascade_core.policy.document import (
    Mode,
    OnExhausted,
    OnNoScore,
    OnToolCall,
    Policy,
    StreamingPolicy,
    check_setting,
)
from cascade_core.policy.matching import Rulebook
from cascade_core.policy.route import Router
from cascade_core.policy.tier_counts import handoff_in
from cascade_core.request import Request
from cascade_core.ruling import UNRULED, Ruling
from cascade_core.setup.committing import read_commits
from cascade_core.setup.confidence import Confidence
from cascade_core.setup.gates import Check, Gate, RefusalLike, make_gates
from cascade_core.setup.handler import OnHandoff
from cascade_core.setup.misuse import odd_tiers, other_use
from cascade_core.setup.notices import Notices
from cascade_core.setup.rulebook import make_rulebook
from cascade_core.setup.thresholds import (
    check_last,
    handing_off,
    idle_handler,
    read_confidences,
    read_thresholds,
)
from cascade_core.signals.base import Signal
from cascade_core.signals.make import SignalLike, make_signals
from cascade_core.signals.readings import Combine, Combiner, make_combiner
from cascade_core.tier import Tier


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """A cascade's settings, checked.

    Attributes:
        tiers: Cheapest first.
        signals: Free ones first.
        combiner: Makes one number of their readings where no policy calibrates them.
        confidences: What makes a confidence of a draft's readings, one for every
            tier but the last, and one for that where its answers may be judged.
        thresholds: One for every tier but the last, in [0, 1]; one more is the last tier's, below
            which an answer is handed off.
        class_thresholds: The same for classes of requests that have their own.
        gates: Checks before any signal, in order.
        prices: Where costs come from.
        on_no_score: What a draft without any reading gets: `escalate`, or
            `accept` when every gate passed.
        on_tool_call: Whether tool calls without readings are accepted on the
            `gates` alone, or `escalate`.
        on_exhausted: `raise`, or return the `best_draft` when every later tier failed.
        streaming_policy: `abort` a draft's stream once it cannot pass, or `buffer` it
            whole; `commit` aborts, and accepts a draft by its first tokens where the policy's rule
            says so. With `best_draft` no draft is cut off: any may be needed whole.
        mode: `serve`, or `shadow`: serve the last tier and record what would have been done, or
            `learn`: serve the last tier, and have audits ask the others.
        router: Says which tiers a request had better not ask; None asks them all.
        rulebook: The policy's rules; None where it has none.
        policy: Name of the policy, for the record.
        fingerprint: A digest of the policy; None where there is none.
        policy_version: Which version of the policy this is: a number where it is kept in a
            database, else its fingerprint.
        notices: Warnings given so far.
        calibrated: Whether confidences are fitted probabilities.
        top_logprobs: How many alternatives a token the signals need.
        begins: Whether a signal asks beside others: the draft, or further models.
        reads_logprobs: Whether any signal reads token log-probabilities.
        reads_only_logprobs: Whether no signal can read a draft without them.
        custom_gates: Whether the caller has gates of their own.
        handler: What answers in the place of a draft that is handed off, if anything.
        commits: When drafts are accepted by their first tokens, one for every tier but the last
            (None = never); empty where no draft is.
    """

    tiers: tuple[Tier, ...]
    signals: tuple[Signal, ...]
    combiner: Combiner
    confidences: tuple[Confidence, ...]
    thresholds: tuple[float, ...]
    gates: tuple[Gate, ...]
    prices: Prices
    on_no_score: OnNoScore = "escalate"
    on_tool_call: OnToolCall = "gates"
    on_exhausted: OnExhausted = "raise"
    streaming_policy: StreamingPolicy = "abort"
    mode: Mode | Literal["learn"] = "serve"
    class_thresholds: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    router: Router | None = None
    rulebook: Rulebook | None = None
    policy: str | None = None
    fingerprint: str | None = None
    policy_version: str | int | None = None
    notices: Notices = field(default_factory=Notices, repr=False)
    handler: OnHandoff | None = None
    commits: tuple[ReadyRule | None, ...] = ()
    calibrated: bool = field(init=False)
    top_logprobs: int = field(init=False)
    begins: bool = field(init=False)
    reads_logprobs: bool = field(init=False)
    reads_only_logprobs: bool = field(init=False)
    custom_gates: bool = field(init=False)

    def __post_init__(self) -> None:
        """Work out once what every request asks about the signals."""
        object.__setattr__(self, "calibrated", any(c.calibrated for c in self.confidences))
        object.__setattr__(
            self, "top_logprobs", max((s.top_logprobs for s in self.signals), default=0)
        )
        object.__setattr__(self, "begins", any(getattr(s, "begins", False) for s in self.signals))
        reads = any(s.needs_logprobs for s in self.signals) or any(self.commits)
        object.__setattr__(self, "reads_logprobs", reads)
        read = {name for confidence in self.confidences for name in confidence.signals}
        # A calibrator that reads no signal goes by the texts and needs no logprobs.
        only = all(confidence.signals for confidence in self.confidences) and all(
            s.needs_logprobs for s in self.signals if s.name in read
        )
        object.__setattr__(self, "reads_only_logprobs", only)
        object.__setattr__(self, "custom_gates", not all(gate.own for gate in self.gates))

    def threshold(self, tier: Tier, request: Request) -> float:
        """Return what a tier's confidence has to reach for a request, in [0, 1]."""
        ruled = request.ruling.thresholds
        if tier.index == len(self.tiers) - 1:
            return self.handoff(request) or 0.0
        if ruled is not None:
            return ruled[tier.index]
        if self.class_thresholds:
            own = self.class_thresholds.get(request.class_name or "")
            if own is not None:
                return own[tier.index]
        return self.thresholds[tier.index]

    def handoff(self, request: Request) -> float | None:
        """Return what the last tier's confidence has to reach; None where it is not judged."""
        if len(self.confidences) < len(self.tiers):
            return None
        own = self.class_thresholds.get(request.class_name or "") if self.class_thresholds else None
        return handoff_in(len(self.tiers), request.ruling.thresholds, own, self.thresholds)

    def ruling(self, request: Request, at: datetime) -> Ruling:
        """Return what the policy's rules say of a request that is asked at a time."""
        if self.rulebook is None:
            return UNRULED
        return self.rulebook.ruling(request, at, self.notices.give)

    def warm_up(self) -> None:
        """Read and import what deciding needs on first use."""
        if self.calibrated or self.router is not None:
            import_module("cascade_core.fitted.features")
        self.skipped(Request.of(""))
        if self.rulebook is not None:
            self.rulebook.warm_up()
        for signal in self.signals:
            getattr(signal, "warm_up", int)()

    def skipped(self, request: Request) -> Collection[int]:
        """Return the tiers that are better not asked, judging by the request alone."""
        if not self.calibrated and self.router is None:
            return ()
        never = [t.index for t in self.tiers[:-1] if self._never(t, request)]
        if self.router is None:
            return never
        text = request.question if self.router.route.reads_text else ""
        left = request.left
        warm = None if left is None else {left.tier: left.share}
        (row,) = self.router.skips([text], [request.class_name], warm)
        skipped = [index for index, skip in enumerate(row) if skip]
        return skipped + never

    def _never(self, tier: Tier, request: Request) -> bool:
        """Tell whether no answer of a tier would be returned, whatever it were.

        A fitted confidence stays below 1: a threshold of 1 is how a policy says never. Answers
        without a confidence may be returned all the same, and in shadow mode all are wanted.
        """
        return (
            self.calibrated
            and self.threshold(tier, request) >= 1
            and self.mode == "serve"
            and self.on_no_score == "escalate"
            and self.on_exhausted != "best_draft"
            and (self.on_tool_call == "escalate" or not request.tools)
        )


def make_plan(  # noqa: PLR0913 - the one place where all settings meet
    tiers: Sequence[Tier],
    notices: Notices | None = None,
    *,
    signals: Sequence[SignalLike] | None = None,
    combine: Combine = "min",
    thresholds: Sequence[float | None] | float | None = None,
    gates: Sequence[Gate | Check] | None = None,
    refusals: Sequence[RefusalLike] | None = None,
    prices: Any = None,
    policy: Any = None,
    file: Path | None = None,
    running: bool = False,
    handler: OnHandoff | None = None,
    **choices: str | None,
) -> Plan:
    """Check a cascade's settings and put them together.

    Args:
        tiers: Cheapest first, at least one.
        notices: Warnings given so far.
        signals: See `make_signals`.
        combine: See `make_combiner`.
        thresholds: One for each tier but the last, or one number for all of
            them; one more is the last tier's. None takes the policy's, else `DEFAULT_THRESHOLD`.
        gates: Further checks, after the default ones.
        refusals: Further words of refusing; see `read_refusals`.
        prices: A `Prices`, or what `Prices` takes.
        policy: A `Policy`, a mapping, or the path of one (JSON or TOML).
        file: The file that the policy was read from, if any, for errors.
        running: Whether requests are answered already, by an earlier version of the policy: then
            what it is warned of is never an error.
        handler: What answers in the place of a draft that is handed off.
        choices: `on_no_score`, `on_tool_call`, `on_exhausted`,
            `streaming_policy`, `mode`; None takes the policy's or the default.

    Raises:
        ConfigurationError: A setting cannot work; the message says which and why.
    """
    if not tiers:
        msg = "tiers=[] is empty: give at least a cheap and a strong model"
        raise ConfigurationError(msg)
    document = Policy.load(policy)
    made = _read_signals(make_signals(signals), document)
    settings: dict[str, Any] = dict(document.defaults)
    for name, choice in choices.items():
        check_setting(name, choice, ("learn",) if name == "mode" else ())
        if choice is not None:
            settings[name] = choice
    combiner = make_combiner(combine, [signal.name for signal in made])
    prices = prices if isinstance(prices, Prices) else Prices(prices)
    plan = Plan(
        tiers=tuple(tiers),
        signals=made,
        combiner=combiner,
        confidences=read_confidences(document, combiner, made, len(tiers)),
        thresholds=(
            read_thresholds(document.thresholds, len(tiers), "the policy's thresholds")
            if thresholds is None
            else read_thresholds(thresholds, len(tiers), "thresholds=")
        ),
        # Thresholds that the caller gives are for every request.
        class_thresholds=(
            {
                name: read_thresholds(rule.thresholds, len(tiers), f"the policy's class {name!r}")
                for name, rule in document.classes.items()
            }
            if thresholds is None
            else {}
        ),
        gates=make_gates(gates, refusals),
        prices=prices,
        router=_router(document, len(tiers)),
        rulebook=make_rulebook(document, tiers, file),
        policy=document.name,
        fingerprint=None if policy is None else document.fingerprint,
        policy_version=None if policy is None else document.fingerprint,
        notices=notices or Notices(),
        handler=handler,
        commits=read_commits(document, settings.get("streaming_policy"), len(tiers)),
        **settings,
    )
    lists = {"thresholds": plan.thresholds}
    lists.update({f"classes.{name}": own for name, own in plan.class_thresholds.items()})
    handing = handing_off(len(tiers), lists, document)
    alone = len(tiers) == 1  # which hands off what it is not sure of
    check_last(len(plan.confidences), len(tiers), handing)
    for text in (
        *other_use(document, thresholds, settings, tiers, made),
        *(() if alone and handing else odd_tiers(tiers, prices)),
        *idle_handler(handler, handing),
    ):
        plan.notices.give_of_setup(text, running=running)
    return plan


def plan_of(
    version: PolicyVersion | None,
    tiers: Sequence[Tier],
    notices: Notices,
    settings: Mapping[str, Any],
    *,
    running: bool = False,
) -> Plan:
    """Put a cascade's settings together with one version of its policy; see `make_plan`."""
    if version is None:
        return make_plan(tiers, notices, **settings)
    given = {**settings, "policy": version.policy, "file": version.file, "running": running}
    plan = make_plan(tiers, notices, **given)
    return plan if version.number is None else replace(plan, policy_version=version.number)


def _read_signals(signals: tuple[Signal, ...], document: Policy) -> tuple[Signal, ...]:
    """Return the signals to read: a calibrated policy has no use for other paid ones."""
    if document.signals is None:
        return signals
    here = {signal.name for signal in signals}
    missing = [name for name in document.signals if name not in here]
    if missing:
        msg = (
            f"the policy reads {', '.join(map(repr, missing))}, which this cascade does not have "
            f"(it has {', '.join(map(repr, sorted(here)))}): add it to signals=, "
            "or tune a policy without it"
        )
        raise ConfigurationError(msg)
    return tuple(s for s in signals if not s.paid or s.name in document.signals)


def _router(document: Policy, tiers: int) -> Router | None:
    if document.route is None:
        return None
    if len(document.route.stages) != tiers:
        msg = f"the policy's route is for {len(document.route.stages)} tiers, and there are {tiers}"
        raise ConfigurationError(msg)
    return Router(document.route)
