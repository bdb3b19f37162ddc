"""Decides which policy decides, from audits as they come: the same for a log and for a simulation.

It has no clock, no chance and no database; its whole state is plain JSON. Each step is given the
audits that it knows and is told how many of them are new. New ones first test the versions that
were frozen before them, and only then may something be fitted to them. Nothing is fitted at every
step: after `FIRST_FIT` audits, and again whenever there are `GROWTH` times as many.

The promise: with confidence 1 − delta, no policy that it ever activates is in use while the mean
harm of that policy, over the requests since it was frozen, is above the limit. Version v gets
6 / (π² v²) of delta, which adds up to delta however many there will be, and shares it out evenly
over its policies (`trial`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.scored import thresholds_of
from cascade_core.evaluation.scoring import score
from cascade_core.labels import Table
from cascade_core.policy.document import Policy
from cascade_core.watch.fitting import MakeVersion, Version, fit_version
from cascade_core.watch.outcomes import served_by
from cascade_core.watch.tested import Goal, Tested, weights_of
from cascade_core.watch.trial import OF_LATE, RunningTest

FIRST_FIT = 150
"""Audits that the first version is fitted to, after the start and after harm has changed."""
GROWTH = 2.0
"""By how much there have to be more audits before another version is fitted."""
LEARNED_FROM = 5000
"""Audits that a version is fitted to at most: the latest."""
_BETTER = 0.1
"""How much more a new version has to save to be worth a test, as a share of what it saves now."""
_USUAL = 0.9
"""Share of the limit at which versions are compared."""
_SWITCH = 0.015
"""How much more of it another policy has to save of late to be activated instead."""
_MARGIN = 1.0
"""How much more than a policy needs to stand it has to have to be activated, in logarithms of its
capital: the next harmed audit is not to take it back again."""
_CALM, _CALM_BACK = 0.65, 0.5
"""Most that a policy may have lost of late, in limits, to be activated, and to be gone back to:
when harm has just been seen to have risen, most of what is late is from before."""
_MOST = 4
"""Versions under test at once; each costs time at every step."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which policy decides.

    Attributes:
        version: Its version's number.
        place: Which of the version's policies.
    """

    version: int
    place: int


@dataclass(frozen=True, slots=True)
class StepDone:
    """What one step did.

    Attributes:
        frozen: The version whose test began, if any.
        chosen: What decides from now on, where that has changed; None is the strongest tier alone.
        changed: Whether it has.
        dropped: Whether what decided had to go, rather than that something better passed.
        drifted: Whether audits were forgotten as harm has risen.
        needed: About how many more audits it takes until something passes; None where nobody knows.
        to_fit: How many more it takes until something is fitted anew.
        untested: Why what decided could not be tested on the new audits; None where it was.
    """

    frozen: Tested | None = None
    chosen: Chosen | None = None
    changed: bool = False
    dropped: bool = False
    drifted: bool = False
    needed: int | None = None
    to_fit: int | None = None
    untested: str | None = None


@dataclass(slots=True, eq=False)
class Steward:
    """Decides which policy decides.

    Attributes:
        goal: What is promised.
        make: Fits versions.
        seen: Audits so far.
        made: Versions frozen so far; each has spent its share of delta.
        tested: Those under test, oldest first.
        chosen: What decides; None for the strongest tier alone.
        learn_from: Audits before that are not learned from: harm has risen since.
        next_fit: How many audits there have to be for the next fit.
    """

    goal: Goal
    make: MakeVersion = fit_version
    seen: int = 0
    made: int = 0
    tested: list[Tested] = field(default_factory=list)
    chosen: Chosen | None = None
    learn_from: int = 0
    next_fit: int = FIRST_FIT

    def step(self, rows: Table | None, new: int) -> StepDone:
        """Read new audits, and do what they carry.

        Args:
            rows: The latest audits that are known, oldest first, at least `LEARNED_FROM` of
                them where there are so many; None for none.
            new: How many of them, at the end, were in no step before.
        """
        if rows is None or not new:
            return StepDone(needed=self._needed(), to_fit=self._to_fit())
        fresh = rows.take(np.arange(len(rows) - new, len(rows)))
        known = self._lost()
        untested = self._test(fresh)
        self.seen += new
        drifted = self._forget(known=known)
        chosen, dropped = self._choose()
        changed, self.chosen = chosen != self.chosen, chosen
        frozen = self._fit(rows)
        waits = self._needed(), self._to_fit()
        return StepDone(frozen, chosen, changed, dropped, drifted, *waits, untested)

    def _test(self, fresh: Table) -> str | None:
        """Test all versions; one that reads what audits do not hold cannot go on, unless given.

        Returns:
            Why the one in use was not tested, where it was not.
        """
        able, untested = [], None
        for each in self.tested:
            if each.frozen_at > self.seen:  # in the audits that this step reads
                able.append(each)
                continue
            try:
                each.read(fresh)
            except ConfigurationError as error:
                if self.chosen is not None and each.number == self.chosen.version:
                    untested = str(error)
                if not each.given:
                    continue
            able.append(each)
        self.tested = able
        return untested

    def policy_of(self, choice: Chosen) -> Policy:
        """Return a policy under test."""
        return self._of(choice.version).policies[choice.place]

    def harm_of(self, choice: Chosen) -> float:
        """Return a policy's mean harm since it was frozen; 0 where too few audits say it."""
        each = self._find(choice.version)
        return (
            0.0
            if each is None or each.trial.rows < FIRST_FIT
            else float(each.trial.mean_harm()[choice.place])
        )

    def trial_of(self, choice: Chosen) -> RunningTest:
        """Return the test of a version."""
        return self._of(choice.version).trial

    def tested_of(self, choice: Chosen) -> Tested:
        """Return the version of a policy."""
        return self._of(choice.version)

    def _of(self, number: int) -> Tested:
        return next(each for each in self.tested if each.number == number)

    def _find(self, number: int) -> Tested | None:
        return next((each for each in self.tested if each.number == number), None)

    def _lost(self) -> Tested | None:
        """Return the version in use if it has lost too much."""
        chosen = self.chosen
        now = None if chosen is None else self._find(chosen.version)
        return now if chosen and now and now.trial.dropped[chosen.place] else None

    def _forget(self, *, known: Tested | None) -> bool:
        """Drop versions that lose too much now; what was learned before is out of date as well.

        What the others have proved, they proved before harm rose: they may be gone back to and not
        be activated anew. The version in use is tested again from now on, as a new one. One that
        stays in use all the same, as nobody takes it back, tells of no further rise.

        Args:
            known: The version in use if it had lost too much before this step.
        """
        now = self._lost()
        drifted = now is not None and known is None
        if drifted and now is not None:
            self.learn_from = self.seen
            self.next_fit = self.seen + FIRST_FIT
            for each in self.tested:
                each.stale = True
            if not now.given:
                again = Version(now.policies, np.zeros(0), np.zeros(0))
                self.freeze(again, now.trial.heaviest, now.fitted)
        self.tested = [each for each in self.tested if not each.trial.dropped.all()]
        return drifted

    def _choose(self) -> tuple[Chosen | None, bool]:
        """Return the cheapest policy that stands, and whether the one in use stands no longer."""
        chosen = self.chosen
        dropped = chosen is not None and not self.stands(chosen)
        margin, calm = (0.0, _CALM_BACK) if dropped else (_MARGIN, _CALM)
        best, most = (None, 0.0) if chosen is None or dropped else (chosen, self._saving(chosen))
        for each in self.tested:
            saving = each.trial.saving()
            if each.stale and not dropped:
                continue
            fine = each.trial.standing(margin) & each.trial.calm(calm)
            for place in np.flatnonzero(fine):
                this = Chosen(each.number, int(place))
                if saving[place] > (most + _SWITCH if best == chosen else most):
                    best, most = this, float(saving[place])
        return best, dropped

    def stands(self, chosen: Chosen) -> bool:
        """Tell whether a policy may stay in use."""
        each = self._find(chosen.version)
        if each is None:
            return False
        fine = ~each.trial.dropped if each.given else each.trial.standing()
        return bool(fine[chosen.place])

    def _saving(self, chosen: Chosen) -> float:
        return float(self._of(chosen.version).trial.saving()[chosen.place])

    def _fit(self, rows: Table) -> Tested | None:
        """Freeze another version where it is time and the version is worth its test."""
        if self.seen < self.next_fit:
            return None
        many = min(self.seen - self.learn_from, LEARNED_FROM, len(rows))
        self.next_fit = self.learn_from + math.ceil((self.seen - self.learn_from) * GROWTH)
        window = rows.take(np.arange(len(rows) - many, len(rows)))
        try:
            version = self.make(window, self.goal.harm, self.made)
        except ConfigurationError:  # too few, or all alike: more audits may tell more
            return None
        if version is None or not self._pays(version, window):
            return None
        return self.freeze(version, float(weights_of(window)[-int(OF_LATE) :].max()), many)

    def adopt(self, policy: Policy, unread: int = 0) -> Tested:
        """Watch a policy that somebody activated by hand, from now on.

        Args:
            policy: It.
            unread: How many audits there are that were in no step, yet: it may have been fitted to
                them.
        """
        made = self.freeze(Version((policy,), np.array([0.5]), np.zeros(1)))
        made.given = True
        made.frozen_at += unread
        self.chosen = Chosen(made.number, 0)
        return made

    def freeze(self, version: Version, heaviest: float = 1.0, fitted: int = 0) -> Tested:
        """Begin the test of a version, on the audits from now on; see `Tested`."""
        self.made += 1
        delta = self.goal.delta_of(self.made)
        trial = RunningTest.begin(self.goal.harm, delta, len(version.policies), heaviest)
        made = Tested(self.made, version.policies, trial, self.seen, fitted=fitted)
        self.tested.append(made)
        while len(self.tested) > _MOST:
            idle = [e for e in self.tested if not self.chosen or e.number != self.chosen.version]
            self.tested.remove(next((e for e in idle if e.stale), idle[0]))
        return made

    def _pays(self, version: Version, window: Table) -> bool:
        """Tell whether a version promises more than those under test."""
        usual = version.shares <= _USUAL
        if not usual.any():
            return not self.tested
        bound, most = self.goal.harm * _USUAL, 0.0
        for each in self.tested:
            if each.stale:
                continue
            try:
                scored = score(window, each.policies[0])
            except ConfigurationError:  # earlier rows lack what it reads
                continue
            weights = scored.weights
            found = served_by(scored, [thresholds_of(policy, window) for policy in each.policies])
            strong = np.average(found.strong, weights=weights)
            saving = 1 - np.average(found.cost, axis=0, weights=weights) / strong
            fine = np.average(found.harm, axis=0, weights=weights) <= bound
            most = max(most, float(np.max(saving[fine & ~each.trial.dropped], initial=0.0)))
        return float(version.saving[usual].max()) > most * (1 + _BETTER)

    def _needed(self) -> int | None:
        if self.chosen is not None:
            return None
        trials = [each.trial for each in self.tested if not each.stale]
        return min((n for t in trials if (n := t.still_needed(_MARGIN)) is not None), default=None)

    def _to_fit(self) -> int:
        return max(0, self.next_fit - self.seen)

    def as_dict(self) -> dict[str, Any]:
        """Return the whole state as plain JSON."""
        chosen = None if self.chosen is None else [self.chosen.version, self.chosen.place]
        return {
            "harm": self.goal.harm,
            "confidence": self.goal.confidence,
            "seen": self.seen,
            "made": self.made,
            "tested": [each.as_dict() for each in self.tested],
            "chosen": chosen,
            "learn_from": self.learn_from,
            "next_fit": self.next_fit,
        }

    @classmethod
    def from_dict(cls, kept: Mapping[str, Any], make: MakeVersion = fit_version) -> Steward:
        """Go on with a state that was kept."""
        chosen = kept["chosen"]
        return cls(
            goal=Goal(kept["harm"], kept["confidence"]),
            make=make,
            seen=kept["seen"],
            made=kept["made"],
            tested=[Tested.from_dict(each) for each in kept["tested"]],
            chosen=None if chosen is None else Chosen(*chosen),
            learn_from=kept["learn_from"],
            next_fit=kept["next_fit"],
        )
