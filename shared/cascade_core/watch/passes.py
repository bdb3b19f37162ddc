"""A watch over a log: reads its audits, has the steward decide, and writes down what it did."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from cascade_core.errors import ConfigurationError
from cascade_core.labels import Table, usable
from cascade_core.log.audited_records import audited_ids
from cascade_core.log.learning import lease_holds
from cascade_core.log.policies import MeanwhileError
from cascade_core.log.reading import read_events
from cascade_core.log.urls import is_url, refuse_bare_database, shown_source
from cascade_core.log.watch_store import (
    ABOUT_WHAT_IS_SAVED,
    KeptEvent,
    ToSave,
    WatchState,
    WatchStore,
)
from cascade_core.policy.document import Policy
from cascade_core.traffic.labels import NoAuditsError, labels_of_log
from cascade_core.watch.events import WatchEvent, WatchKind, naming_harmful
from cascade_core.watch.shipping import promised, strongest
from cascade_core.watch.standing import STRONG, Standing, called_of, promising, waits
from cascade_core.watch.steward import LEARNED_FROM, Chosen, StepDone, Steward
from cascade_core.watch.tested import Goal


class LogWatch:
    """Watches a log, and the policies of a database.

    Any number of them may watch at once, in any processes: what one does is one transaction, and
    what was decided on an older state is dropped (`overtaken`). All it knows is in the database, so
    that it may be ended at any time.

    Args:
        log: The log that audits are read from: a file, or a database's URL.
        policy: The URL of the database whose active version cascades go by; None is the log's.
        harm: The most quality that may be lost by not asking the strongest tier, per request.
        confidence: Chance, at the least, that no version which it activates ever passes that.
        propose: Whether to save what passes without activating it.
        cascade: The cascade whose decisions are read, where several write to the log.

    Raises:
        ConfigurationError: An argument is out of range, or the home of policies is no database.
    """

    weighs_by_time: ClassVar[bool] = False
    """Whether an audit weighs by how much less likely than others of its time it was picked."""

    def __init__(  # noqa: PLR0913 - what it watches, and what for
        self,
        log: str,
        policy: str | None = None,
        *,
        harm: float,
        confidence: float = 0.95,
        propose: bool = False,
        cascade: str | None = None,
    ) -> None:
        self.goal = Goal(harm, confidence)
        home = log if policy is None else policy
        for given in (log, home):
            refuse_bare_database(given)
        if not is_url(home):
            msg = (
                f"{home}: a watch keeps its versions in a database: give its URL as --policy "
                "(policy=), such as sqlite:///decisions.db"
            )
            raise ConfigurationError(msg)
        self.log, self.propose, self.cascade = log, propose, cascade
        self._makes = policy not in {None, log}
        self.store = WatchStore(home, named="", create=self._makes)

    def once(self, at: float | None = None) -> list[WatchEvent]:
        """Read what is new, and do what it carries.

        Without any audits in the log it waits and says so (`waiting`); it never raises for that.

        Args:
            at: Now, in seconds since 1970; the clock's by default.

        Returns:
            What happened, at least one event. The version that decides afterwards is the
            database's active one; before a first promise holds there may be none.

        Raises:
            ConfigurationError: The log cannot be read, or the database not written; what was kept
                there is damaged; or a cascade learns there by itself.
        """
        now = time.time() if at is None else at
        if self._makes:  # a log that is not there is no reason to make a database
            next(iter(read_events(self.log, "audit", only=[])), None)
            self._makes = False
        before = self.store.load()
        if lease_holds(before.until, now) and not self.weighs_by_time:
            raise ConfigurationError(
                f"{self.store.shown}: the cascade {before.learns!r} learns there by itself "
                "(mode='learn'), which does all that a watch does: end it first, or leave it to it"
            )
        try:
            rows, fresh = self._rows(before)
        except NoAuditsError as none:
            return [WatchEvent("waiting", now, str(none), detail={"audits": 0})]
        one = _Pass(self, before, rows, now)
        try:
            return one.run(fresh)
        except MeanwhileError as error:
            return [WatchEvent("overtaken", now, f"{error}: nothing of this pass was written")]

    def _rows(self, before: WatchState) -> tuple[Table, list[str]]:
        """Return the latest audits in the order in which they are read, and the ids of the new."""
        only = self._to_read(before)
        table, _ = labels_of_log(
            self.log, cascade=self.cascade, only=only, by_time=self.weighs_by_time
        )
        mask, unused = usable(table)
        if not mask.any():
            listed = ", ".join(f"{why} ({n:,} rows)" for why, n in unused.items())
            raise NoAuditsError(f"{table.source}: no audit can be used: {listed}")
        table = table.take(mask)
        ids = list(table.ids or ())
        known = sorted(
            (before.places[name], row) for row, name in enumerate(ids) if name in before.places
        )
        new = [row for row, name in enumerate(ids) if name not in before.places]
        order = [row for _, row in known[-LEARNED_FROM:]] + new
        return table.take(np.array(order, dtype=np.int64)), [ids[row] for row in new]

    def _to_read(self, before: WatchState) -> list[str] | None:
        """Return which audits of a database are read: the latest, and the new; None for all."""
        if not is_url(self.log) or not before.places:
            return None
        oldest = max(before.places.values()) - LEARNED_FROM
        ids = audited_ids(self.log, self.cascade)
        found = [each for each in ids if before.places.get(each, _NEW) > oldest]
        return found or None


_NEW = sys.maxsize


@dataclass
class _Pass:
    """One pass."""

    watch: LogWatch
    before: WatchState
    rows: Table
    now: float
    events: list[WatchEvent] = field(default_factory=list)
    loses: bool = False  # what is in use, by the audits of before the limit was changed

    def run(self, fresh: list[str]) -> list[WatchEvent]:
        """Decide, and write it down."""
        kept = self.before.kept
        goal, store = self.watch.goal, self.watch.store
        steward = Steward(goal)
        numbers: dict[str, int] = {}
        if kept is not None:
            steward, numbers = self._go_on(kept)
            if why := self._other(steward, kept):
                steward = self._anew(steward, why)
        self._by_hand(steward, numbers, kept, len(fresh))
        was = steward.chosen
        happened = steward.step(self.rows, len(fresh))
        self._tell(steward, happened)
        save = self._saved(steward, happened, was)
        if save is not None and not save.activate:
            steward.chosen = was
        proposed = (self.before.kept or {}).get("proposed")
        if save is not None:
            proposed = None if save.activate else save.called
        standing = Standing.of(steward, self.before.active, proposed, numbers)
        written = {
            "steward": steward.as_dict(),
            "numbers": numbers,
            "proposed": proposed,
            "stands": standing.stands,
            "offered": standing.offered,
            "cascade": self.watch.cascade,
            "by_time": self.watch.weighs_by_time,
        }
        if not self.events:
            waits_for = waits(steward, happened, standing, name=shown_source(self.watch.log))
            needed = happened.to_fit if happened.needed is None else happened.needed
            needed = None if steward.chosen else needed
            self._say("waiting", waits_for, audits=steward.seen, needed=needed)
            if not fresh and kept is not None:  # nothing at all is new
                return self.events
        told = [
            KeptEvent(e.at, e.kind, e.said, e.version, e.detail)
            for e in self.events
            if e.kind != "waiting"
        ]
        with naming_harmful(self.before.active if happened.dropped else None, goal.harm):
            number = store.write(self.before, written, read=fresh, save=save, events=told)
        return [
            WatchEvent(
                e.kind, e.at, e.said, e.version if e.version is not None else number, e.detail
            )
            if e.kind in ABOUT_WHAT_IS_SAVED
            else e
            for e in self.events
        ]

    def _go_on(self, kept: dict[str, Any]) -> tuple[Steward, dict[str, int]]:
        try:
            return Steward.from_dict(kept["steward"]), dict(kept["numbers"])
        except ConfigurationError as error:
            raise self.watch.store.damaged(f" ({error})") from None
        except (KeyError, TypeError, ValueError, AttributeError):
            raise self.watch.store.damaged() from None

    def _other(self, steward: Steward, kept: dict[str, Any]) -> str | None:
        """Say what has changed in what is promised; tests of before say nothing of it."""
        goal, cascade = self.watch.goal, kept.get("cascade")
        if steward.goal != goal:
            return f"the limit is now {goal.harm:g} at confidence {goal.confidence:g}"
        if None not in {cascade, self.watch.cascade} and cascade != self.watch.cascade:
            return f"audits are now of {self.watch.cascade!r}, and were of {cascade!r}"
        by_time = self.watch.weighs_by_time
        if kept.get("by_time", by_time) != by_time:
            return "audits of several times weigh otherwise now (mode='learn', or a watch)"
        return None

    def _anew(self, steward: Steward, why: str) -> Steward:
        """Begin again for another promise."""
        goal = self.watch.goal
        used = steward.chosen
        if used is not None and steward.goal != goal:
            stands, lower = steward.stands(used), goal.harm <= steward.goal.harm
            self.loses = (lower and not stands) or steward.harm_of(used) > goal.harm
        self._say("adopted", f"{why}: tests begin again")
        # Numbers go on: those of before have spent their shares of delta, also where a limit comes
        # back, and saved versions are known by them.
        return Steward(goal, seen=steward.seen, made=steward.made, next_fit=steward.seen)

    def _by_hand(
        self, steward: Steward, numbers: dict[str, int], kept: dict[str, Any] | None, unread: int
    ) -> None:
        """Watch what somebody else has activated."""
        active = self.before.active
        known = None if kept is None else kept["active"]
        if active is None and known is not None and steward.chosen is not None:
            self._say("adopted", f"version {known} was in use, and nothing is any more")
            steward.chosen = None
        if active is None or (active == known and not self.events):
            return
        own = {number: name for name, number in numbers.items()}.get(active)
        if own == STRONG:
            steward.chosen = None
            return
        if own is not None:
            version, place = map(int, own.split("."))
            if any(each.number == version for each in steward.tested):
                steward.chosen = Chosen(version, place)
                self._say("adopted", f"version {active} was activated by hand", active)
                return
        policy = self.watch.store.read(active).policy
        if policy.thresholds is None:
            self._say("adopted", f"version {active} has no thresholds to be watched", active)
            return
        adopted = steward.adopt(policy, unread)
        said = f"version {active} is in use and is watched from now on"
        if self.loses and active == known:
            adopted.trial.dropped[:] = True
            said = f"version {active} is in use, and audits have shown that it loses more than "
            said += f"{steward.goal.harm:g}: it goes with the next audits"
        elif own is not None:  # what a watch had tested, for another promise
            said += f": it stays until audits show that it loses more than {steward.goal.harm:g}"
        self._say("adopted", said, active)

    def _tell(self, steward: Steward, happened: StepDone) -> None:
        goal = steward.goal
        if happened.drifted:
            self._say(
                "drifted",
                f"harm has risen above {goal.harm:g}: audits so far ({steward.seen:,}) are no "
                "longer learned from",
                self.before.active,
                audits=steward.seen,
            )
        if happened.frozen is not None:
            made = happened.frozen
            self._say(
                "frozen",
                f"candidate {made.number} was fitted to {made.fitted:,} "
                "audits; its test on audits from now on has begun, with "
                f"{goal.delta_of(made.number):.2g} of the {1 - goal.confidence:.2g} that may go "
                "wrong",
                candidate=made.number,
                delta=goal.delta_of(made.number),
            )

    def _saved(self, steward: Steward, happened: StepDone, was: Chosen | None) -> ToSave | None:
        """Return what is to be saved, and tell of it."""
        if not happened.changed:
            return None
        chosen, activate = happened.chosen, not self.watch.propose
        called = called_of(chosen)
        if not activate and (self.before.kept or {}).get("proposed") == called:
            steward.chosen = was
            return None
        before = self._active()
        if chosen is None:
            policy = strongest(before, len(self.rows.tiers))
        else:
            policy = promised(steward, chosen, self.rows, before)
        said = promising(steward, chosen, before)
        kind: WatchKind = "withdrawn" if happened.dropped else "activated"
        if happened.dropped:
            why = (
                f"may lose more than {steward.goal.harm:g}"
                if happened.untested is None
                else f"cannot be tested any longer ({happened.untested})"
            )
            said = (
                f"what was in use {why}; instead, {said}"
                if activate
                else f"in place of version {self.before.active}, which {why}: {said}"
            )
        note = f"watch: {said}"  # stays true when somebody activates it
        if not activate:
            kind, said = "proposed", f"{said} (proposed, not activated)"
        self._say(kind, said, candidate=called)
        return ToSave(policy, note, activate, called)

    def _active(self) -> Policy | None:
        active = self.before.active
        return None if active is None else self.watch.store.read(active).policy

    def _say(self, kind: WatchKind, said: str, version: int | None = None, **detail: Any) -> None:
        self.events.append(WatchEvent(kind, self.now, said, version, detail))
