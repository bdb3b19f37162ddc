"""What the requests of one cascade share: its plan, its log, and what is told of them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime
from functools import partial
from importlib import import_module
from typing import Any, ClassVar, Self

from cascade_core.costs import catalogue, encodings
from cascade_core.guards.breaker import read_breaker
from cascade_core.guards.breakers import LocalBreaker
from cascade_core.guards.budget import read_budgets
from cascade_core.guards.guards import Guards
from cascade_core.guards.holding import Holding
from cascade_core.guards.latency import Latencies
from cascade_core.guards.permits import Breakers
from cascade_core.guards.store import RedisStore, open_store
from cascade_core.integrations.decisions import decision_tier
from cascade_core.likeness import likeness
from cascade_core.log import DecisionLog, open_log
from cascade_core.log.policies import PolicyVersion
from cascade_core.log.redaction import Redact, check_keys, check_redact
from cascade_core.log.registry import RegisteredLog, register
from cascade_core.refusals.languages import LANGUAGES
from cascade_core.request import Request
from cascade_core.setup.audit import Audit, by_chance, pick, read_audit
from cascade_core.setup.gates import NoneOfThese
from cascade_core.setup.handler import OnHandoff
from cascade_core.setup.learn import decides, home_of, read_learning, wants_to_learn
from cascade_core.setup.learner import Learner, learner_of
from cascade_core.setup.live import LearnedPolicy, LivePlan
from cascade_core.setup.notices import Notices
from cascade_core.setup.partners import MakePartner, Partners
from cascade_core.setup.plan import Plan, plan_of
from cascade_core.setup.settings import DECIDING
from cascade_core.setup.shared import breakers_in, holds_in, ledger_in
from cascade_core.setup.timing import read_deadline, read_hedge, warn_of_deadline
from cascade_core.setup.worth import Worth
from cascade_core.signals.judge import Judge
from cascade_core.signals.make import make_signals
from cascade_core.telemetry.setting import read_telemetry
from cascade_core.telemetry.watch import TelemetryWatch
from cascade_core.tier import Tier

_logger = logging.getLogger("cascade_core")

_ON_USE = (
    "cascade_core.costs.price_table",
    "jsonschema.validators",
    "referencing.jsonschema",
)
"""What a request imports where it needs it."""


class Engine:
    """A cascade's checked settings and the few things its requests share.

    Args:
        settings: The caller's settings.
        tiers: The tiers as the core sees them.
        notices: What was warned of in an earlier engine of the same cascade.
        handler: What answers in the place of a draft that is handed off.
        make_partner: Makes a tier of a model that a signal asks what the tiers are asked, with an
            index; by default `make_partner` of the engine.

    Attributes:
        framework: Whose cascade it is; each adapter's engine says so.
        name: What records call the cascade.
        log: Where records are kept, if anywhere.
        registered: The same log as its registry has it, for feedback, with the key of its digests.
        log_content: Whether prompts and answers are kept there too.
        redact: Takes out of prompts and answers what must not be kept.
        log_metadata: Which of the caller's metadata records keep.
        learning: How it learns in service, if it does.
        learner: Does so in the background.
        audit: Which answers are compared with the strongest tier's, if any.
        telemetry: Tells OpenTelemetry of requests, where anybody listens; None where it must not.
        partners: The models that signals ask what the tiers are asked, as tiers.
        guards: Asked before every call.
        deadline: Seconds that a request may take; None where nothing limits it.
        hedge: Share of requests that may ask the last tier early in vain.
        latencies: How long the tiers take.
        holding: Knows which tier earlier steps of a turn have decided on.
        chance: Draws the numbers that say which requests are audited.
        hooks: Told of every request; see `loop.hooks.Hook`.
        worth: What requests have paid, beside what the last tier alone would have cost.
        warm: Whether everything that requests may need has been read.

    Raises:
        ConfigurationError: A setting cannot work.
    """

    framework: ClassVar[str | None] = None

    def __init__(
        self,
        settings: Any,
        tiers: Sequence[Tier],
        notices: Notices | None = None,
        handler: OnHandoff | None = None,
        make_partner: MakePartner | None = None,
    ) -> None:
        self.name: str = settings.name or type(settings).__name__
        deciding = {name: getattr(settings, name) for name in DECIDING}
        # Made once: a later policy may read one that this one does not, and its judge is known.
        self._signals = deciding["signals"] = make_signals(deciding["signals"])
        given = deciding.pop("policy")
        deciding["handler"] = handler
        known = notices or Notices()
        learns = wants_to_learn(settings)
        home = home_of(settings, len(tiers)) if learns else ""
        if learns:
            deciding["mode"] = None
            given = LearnedPolicy(home)

        def make(version: PolicyVersion | None, running: bool) -> Plan:  # noqa: FBT001
            plan = plan_of(version, tuple(tiers), known, deciding, running=running)
            return replace(plan, mode="learn") if learns and not decides(version) else plan

        self._live = LivePlan(given, make)
        deciding["prices"] = self._live.plan.prices  # read once, with all that is known of models
        self._tiers: tuple[Tier, ...] | None = None
        self._own: tuple[Plan, Plan] | None = None
        self._handler: OnHandoff | None = None
        self.log_content = bool(settings.log_content)
        private = self.log_content or _logs_content(self.plan)
        self.log: DecisionLog | None = open_log(
            settings.log, private=private, overflow=settings.log_overflow
        )
        self.redact: Redact | None = check_redact(settings.redact)
        self.registered: RegisteredLog | None = register(self.log, self.redact)
        if self.registered is not None:
            self._live.prepare = partial(_make_private, self.registered)
        self.log_metadata = check_keys(settings.log_metadata)
        self.learning = read_learning(settings, self.log, home, known) if learns else None
        self.audit: Audit | None = (
            read_audit(settings.audit, self.log) if self.learning is None else self.learning.audit
        )
        self.learner: Learner | None = (
            None
            if self.learning is None
            else learner_of(self.learning, self.name, known, self._live)
        )
        self.telemetry = _watch(settings.telemetry, self.name, self.audit, self._live)
        self.partners = Partners(self._signals, tiers, make_partner or self.make_partner)
        store = open_store(settings.store)
        self.guards = Guards(
            read_budgets(settings.budget),
            ledger_in(store),
            self._breakers(settings.breaker, tiers, store),
            as_tier=self.as_tier,
        )
        for tier, why in self.guards.unbounded(tiers, self.plan.prices):
            self.plan.notices.give(f"unbounded:{tier.index}", why)
        shared = (
            None if store is None or settings.hold is None else holds_in(store, self.name, tiers)
        )
        labels = [tier.label for tier in tiers]
        self.holding = Holding(settings.hold, self.name, len(tiers), shared, labels)
        self.deadline = read_deadline(settings.deadline)
        warn_of_deadline(self.deadline, "deadline", self.plan.notices)
        self.hedge = read_hedge(settings.hedge)
        self.latencies = Latencies(len(tiers))
        self.chance = by_chance
        self.hooks: list[Any] = []
        self.worth = Worth()
        self.warm = False

    def _breakers(
        self, given: Any, tiers: Sequence[Tier], store: RedisStore | None
    ) -> Breakers | None:
        setting = read_breaker(given)
        if setting is None:
            return None
        sharing = None if store is None else breakers_in(store)

        def make(label: str, tier: Tier | None) -> LocalBreaker:
            changed = partial(self._breaker_changed, label)
            if sharing is None:
                return LocalBreaker(setting, changed)
            return sharing.make(setting, tier, changed)

        return Breakers(make, tiers, None if sharing is None else sharing.begin)

    def _breaker_changed(self, label: str, wait: float | None) -> None:
        """Say in the program's log that a tier is left alone, or back in service."""
        if wait is None:
            _logger.info("%s: %s answers again", self.name, label)
        else:
            _logger.warning("%s: %s keeps failing, left alone for %.3g s", self.name, label, wait)

    @property
    def plan(self) -> Plan:
        """What decides requests that begin now; a request takes it once."""
        plan = self._live.plan
        if self._tiers is None:
            return plan
        own = self._own
        if own is None or own[0] is not plan:
            changed = replace(plan, tiers=self._tiers, handler=self._handler)
            own = self._own = plan, changed
        return own[1]

    @property
    def asking(self) -> Sequence[Any]:
        """What may ask models of its own: the signals, and a judge that audits answers."""
        compare = None if self.audit is None else self.audit.compare
        return (*self._signals, *([compare] if isinstance(compare, Judge) else ()))

    @property
    def cold(self) -> bool:
        """Whether there is something to read from the disk in `warm_up`."""
        return (
            (self.registered is not None and self.registered.cold)
            or any(module not in sys.modules for module in self._modules())
            or not catalogue.is_read()
            or any(encodings.is_unread(tier.model) for tier in self.plan.tiers)
        )

    def warm_up(self) -> None:
        """Read and import what requests need on first use; no event loop may wait for it."""
        for module in self._modules():
            import_module(module)
        self._read_key()
        catalogue.find("")  # where the caller's own prices cover the tiers, judges may need it
        plan = self.plan
        for tier in plan.tiers:
            plan.prices.rate(tier.price_names(None))
            encodings.encoding_for(tier.model)
        plan.warm_up()
        self.warm = True

    def _read_key(self) -> None:
        if self.registered is not None:
            self.registered.key()

    def _modules(self) -> Iterator[str]:
        yield from _ON_USE
        yield from (f"cascade_core.refusals.languages.{code}" for code in LANGUAGES)
        if self.plan.calibrated or self.plan.router is not None:
            yield "cascade_core.fitted.features"

    def as_tier(self, model: Any) -> Tier | None:
        """Return a model that a signal asks as if it were a tier, for its price and its limits."""
        return self.partners.get(model) or decision_tier(model) or self.as_judge(model)

    def as_judge(self, model: Any) -> Tier | None:
        """Return a judge as if it were a tier; None where nobody can."""
        del model
        return None

    def make_partner(self, model: Any, index: int) -> Tier | None:
        """Return a model that a signal asks what the tiers are asked as a tier."""
        del model, index
        return None

    @property
    def read_spent(self) -> Callable[[datetime], Any] | None:
        """What reads from the log what a day's audits have cost; None where it cannot tell."""
        if self.learning is not None:
            return self.learning.read_spent
        return getattr(self.log, "audit_cost", None)

    def pick(self, request: Request, plan: Plan) -> dict[str, Any] | None:
        """Choose whether a request is audited; see `audit.pick`.

        Args:
            request: The request.
            plan: What decides it.
        """
        if self.audit is None:
            if request.ruling.audit:
                self.plan.notices.give(
                    "audit:none",
                    "a rule of the policy sets an audit rate, and this cascade audits nothing: "
                    "give it audit=Audit(rate=…) and a log",
                )
            return None
        if self.learning is not None and self.learner is not None:
            self.learner.asked = True
            return self.learning.pick(plan, request.ruling, self.chance)
        return pick(self.audit.rate, request.ruling, self.chance)

    def with_tiers(
        self,
        tiers: Sequence[Tier],
        handler: OnHandoff | None = None,
        make_partner: MakePartner | None = None,
    ) -> Self:
        """Return the same engine for other forms of the same tiers; all it shares stays shared.

        Args:
            tiers: The tiers.
            handler: What answers in the place of a draft that is handed off, in the same form.
            make_partner: Makes a partner in the same form; see the class.
        """
        engine = copy(self)
        engine._tiers, engine._own = tuple(tiers), None  # noqa: SLF001 - it is ours
        engine._handler = handler or self.plan.handler  # noqa: SLF001
        if make_partner is not None:
            engine.partners = Partners(self._signals, tiers, make_partner)
        return engine

    def identity(self) -> dict[str, Any]:
        """Return what makes this cascade decide as it does, as plain JSON without secrets."""
        plan = self.plan
        return {
            "signals": [signal.identity for signal in plan.signals],
            "combine": plan.combiner.identity,
            "thresholds": list(plan.thresholds),
            "gates": [f"{g.reason}:{likeness(g.passes)}" for g in plan.gates if not g.own],
            "refusals": [
                words
                for gate in plan.gates
                if isinstance(gate.passes, NoneOfThese)
                for words in gate.passes.identity
            ],
            "takes": [tier.abilities.identity for tier in plan.tiers],
            "mode": plan.mode,
            "on_no_score": plan.on_no_score,
            "on_tool_call": plan.on_tool_call,
            "on_exhausted": plan.on_exhausted,
            **({} if plan.handler is None else {"on_handoff": plan.handler.identity}),
            "policy": plan.policy,
            "policy_fingerprint": plan.fingerprint,
        }


def _watch(given: Any, name: str, audit: Audit | None, live: LivePlan) -> TelemetryWatch | None:
    setting = read_telemetry(given)
    if setting is None:
        return None
    return TelemetryWatch(setting, name, audit and audit.spending, live)


def _logs_content(plan: Plan) -> bool:
    return plan.rulebook is not None and plan.rulebook.logs_content


def _make_private(registered: RegisteredLog, plan: Plan) -> None:
    """Let nobody but its owner read a log that a rule of a later policy puts content into."""
    if _logs_content(plan):
        registered.make_private()
