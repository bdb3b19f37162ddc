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
from cascade_core.evaluation.scored import serve, thresholds_of
from cascade_core.evaluation.scoring import score
from cascade_core.labels import Table
from cascade_core.policy.document import Policy
from cascade_core.watch.fitting import MakeVersion, Version, fit_version
from cascade_core.watch.tested import Goal, Tested, weights_of
from cascade_core.watch.trial import RunningTest

FIRST_FIT = 200
"""Audits that the first version is fitted to, after the start and after harm has changed."""
GROWTH = 1.6
"""By how much there have to be more audits before another version is fitted."""
LEARNED_FROM = 8000
"""Audits that a version is fitted to at most: the latest."""
_BETTER = 0.03
"""How much more of the strongest tier's cost a new version has to save to be worth a test."""
_SWITCH = 0.01
"""How much more of it another policy has to save of late to be activated instead."""
_MARGIN = 1.0
"""How much more than a policy needs to stand it has to have to be activated, in logarithms of its
capital: the next harmed audit is not to take it back again."""
_MOST = 6
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
    """

    frozen: Tested | None = None
    chosen: Chosen | None = None
    changed: bool = False
    dropped: bool = False
    drifted: bool = False
    needed: int | None = None


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
            return StepDone(needed=self._needed())
        fresh = rows.take(np.arange(len(rows) - new, len(rows)))
        self._test(fresh)
        self.seen += new
        drifted = self._forget()
        chosen, dropped = self._choose()
        changed, self.chosen = chosen != self.chosen, chosen
        frozen = self._fit(rows)
        return StepDone(frozen, chosen, changed, dropped, drifted, self._needed())

    def _test(self, fresh: Table) -> None:
        """Test all versions; one that reads what audits no longer hold cannot go on."""
        able = []
        for each in self.tested:
            try:
                each.read(fresh)
            except ConfigurationError:
                continue
            able.append(each)
        self.tested = able

    def policy_of(self, choice: Chosen) -> Policy:
        """Return a policy under test."""
        return self._of(choice.version).policies[choice.place]

    def trial_of(self, choice: Chosen) -> RunningTest:
        """Return the test of a version."""
        return self._of(choice.version).trial

    def frozen_at(self, choice: Chosen) -> int:
        """Return how many audits there had been when a version was frozen."""
        return self._of(choice.version).frozen_at

    def _of(self, number: int) -> Tested:
        return next(each for each in self.tested if each.number == number)

    def _forget(self) -> bool:
        """Drop versions that lose too much now; what was learned before is out of date as well."""
        drifted = False
        for each in self.tested:
            if self.chosen is not None and each.number == self.chosen.version:
                drifted = bool(each.trial.dropped[self.chosen.place])
        if drifted:
            self.learn_from = self.seen
            self.next_fit = self.seen + FIRST_FIT
        self.tested = [each for each in self.tested if not each.trial.dropped.all()]
        return drifted

    def _choose(self) -> tuple[Chosen | None, bool]:
        """Return the cheapest policy that stands, and whether the one in use stands no longer."""
        best: Chosen | None = None
        most, own = 0.0, None
        for each in self.tested:
            saving, sure = each.trial.saving(), each.trial.standing(_MARGIN)
            stands = each.trial.standing()
            if each.given and self.chosen == Chosen(each.number, 0):
                stands |= ~each.trial.dropped
            for place in np.flatnonzero(stands):
                this = Chosen(each.number, int(place))
                if this == self.chosen:
                    own = float(saving[place])
                if sure[place] and saving[place] > most:
                    best, most = this, float(saving[place])
        dropped = self.chosen is not None and own is None
        if own is not None and own > 0 and most < own + _SWITCH:
            return self.chosen, False
        return best, dropped

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
        return self.freeze(version, float(weights_of(window).max()))

    def adopt(self, policy: Policy) -> Tested:
        """Watch a policy that somebody activated by hand, from now on."""
        made = self.freeze(Version((policy,), np.array([0.5]), np.zeros(1)))
        made.given = True
        self.chosen = Chosen(made.number, 0)
        return made

    def freeze(self, version: Version, heaviest: float = 1.0) -> Tested:
        """Begin the test of a version, on the audits from now on."""
        self.made += 1
        delta = self.goal.delta_of(self.made)
        trial = RunningTest.begin(self.goal.harm, delta, version.shares, heaviest)
        made = Tested(self.made, version.policies, trial, self.seen)
        self.tested.append(made)
        while len(self.tested) > _MOST:
            idle = [e for e in self.tested if not self.chosen or e.number != self.chosen.version]
            self.tested.remove(idle[0])
        return made

    def _pays(self, version: Version, window: Table) -> bool:
        """Tell whether a version promises more than those under test."""
        bound = self.goal.harm * float(version.shares.max())
        most = 0.0
        for each in self.tested:
            try:
                scored = score(window, each.policies[0])
            except ConfigurationError:  # earlier rows lack what it reads
                continue
            weights = scored.weights
            strong = np.average(scored.costs[-1], weights=weights)
            for place, policy in enumerate(each.policies):
                served = serve(scored, thresholds_of(policy, window))
                if each.trial.dropped[place] or np.average(served.harm, weights=weights) > bound:
                    continue
                most = max(most, 1 - float(np.average(served.cost, weights=weights) / strong))
        return float(version.saving.max()) > most + _BETTER

    def _needed(self) -> int | None:
        if self.chosen is not None:
            return None
        found = [n for each in self.tested if (n := each.trial.still_needed()) is not None]
        to_fit = max(0, self.next_fit - self.seen) if not self.tested else None
        return min(found) if found else to_fit

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
