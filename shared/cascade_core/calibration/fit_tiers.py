"""Fits what thresholds are then picked on: each tier's confidence, and the route past tiers.

Rows are scored by models that had not seen them (cross-fitting), so thresholds can be picked on
the very rows that everything was fitted to.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from cascade_core.arrays import Array
from cascade_core.calibration.areas import Ahead
from cascade_core.calibration.benefit import WeighBenefit, blend
from cascade_core.calibration.fit import Fitted, fit_calibrator
from cascade_core.calibration.fit_route import fit_route, skipping
from cascade_core.calibration.objective import Objective, TuningError
from cascade_core.calibration.points import ACCEPT_NOTHING
from cascade_core.calibration.progress import Progress
from cascade_core.calibration.scores import Method
from cascade_core.calibration.thresholds import best_point
from cascade_core.calibration.worth import DRAWS, worth
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.scored import Scored, serve
from cascade_core.evaluation.scoring import score
from cascade_core.fitted.artefact import Calibrator
from cascade_core.fitted.merits import MeritParts
from cascade_core.labels import Table
from cascade_core.policy.document import Policy
from cascade_core.statistics.bootstrap import Resamples


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Calibrators and the rows they were fitted to, scored by models that had not seen them.

    Attributes:
        calibrators: One for every tier but the last.
        choices: How each was chosen, in one line.
        scored: The rows.
        signals: Which signals were used.
        fits: Each tier's confidence as it was fitted; empty where that was not here.
        spared: Which paid signals were not used, because they would not pay.
    """

    calibrators: tuple[Calibrator, ...]
    choices: tuple[str, ...]
    scored: Scored
    signals: tuple[str, ...] = ()
    fits: tuple[Fitted, ...] = ()
    spared: tuple[str, ...] = ()


def fit_tiers(  # noqa: PLR0913, PLR0917 - what for, of what, and how
    objective: Objective,
    rows: Table,
    signals: Sequence[str] | None,
    method: Method,
    seed: int,
    progress: Progress,
    benefit: WeighBenefit = "auto",
) -> Fit:
    """Fit every tier's confidence, with paid signals only where they are worth their price.

    Then what asking on would gain, where thresholds are to go by that too.

    Raises:
        ConfigurationError: `signals` names one twice, or one that no tier has.
    """
    fitting = TierFitting(objective, rows, method, seed, progress)
    fit = _with_worthy(fitting, objective, rows, signals)
    if is_weighed(benefit, objective):
        weigh = partial(fitting.weighed, always=benefit is True)
        fit = _with_some_read(weigh(fit), weigh, fitting, rows, objective)
    return _saying_spared(fit, rows)


def is_weighed(asked: WeighBenefit, objective: Objective) -> bool:
    """Tell whether benefits are fitted at all.

    A limit on harm counts what is lost, and not what is gained where the draft is the better
    answer: confidences alone let less harm through there.
    """
    return objective.kind != "harm" if asked == "auto" else asked


def held_signals(rows: Table) -> tuple[str, ...]:
    """Return the signals of all tiers but the last, each once, in the table's order."""
    return tuple(dict.fromkeys(name for tier in rows.tiers[:-1] for name in tier.signals))


def fits_of_a_tier(benefit: WeighBenefit, objective: Objective, rows: Table) -> int:
    """Return how many fits of a tier there are at most for one choice of signals."""
    return 1 + (3 + len(rows.paid)) * is_weighed(benefit, objective)


def _with_some_read(
    fit: Fit, weigh: Callable[[Fit], Fit], fitting: TierFitting, rows: Table, objective: Objective
) -> Fit:
    """Take paid signals in again that pay where they are read for some drafts only.

    That has to stand out: a signal that is hardly ever read makes hardly any difference.
    """
    if not fit.spared:
        return fit
    again = Resamples.draw(len(rows), groups=rows.groups, resamples=DRAWS, seed=fitting.seed)
    held = held_signals(rows)
    for name in fit.spared:
        read = {*fit.signals, name}
        fuller = weigh(fitting.with_signals([each for each in held if each in read]))
        if any(calibrator.foresight for calibrator in fuller.calibrators):
            gained = worth(objective, fuller.scored, fit.scored, again)
            if gained.gain > gained.error:
                spared = tuple(other for other in fit.spared if other != name)
                fit = replace(fuller, spared=spared)
    return fit


def _saying_spared(fit: Fit, rows: Table) -> Fit:
    if not fit.spared:
        return fit
    beside = [name for name in fit.signals if name in rows.paid]
    beside_what = f" beside {' and '.join(beside)}" if beside else ""
    said = f"; without {' and '.join(fit.spared)}, which would not pay{beside_what}"
    return replace(fit, choices=tuple(f"{choice}{said}" for choice in fit.choices))


def _asking_on(objective: Objective, scored: Scored, tier: int) -> Ahead:
    """Return what becomes of every row that a tier sends on, by the thresholds picked so far."""
    tiers = len(scored.confidences)
    thresholds = [ACCEPT_NOTHING] * tiers
    if tier + 1 < tiers:
        try:
            best = best_point(objective, scored).thresholds[0].tolist()
        except TuningError:  # nothing serves the objective: then the last tier answers
            best = thresholds
        thresholds[tier + 1 :] = best[tier + 1 :]
    served = serve(scored, thresholds)
    return Ahead(served.quality, served.cost)


def _with_worthy(
    fitting: TierFitting, objective: Objective, rows: Table, signals: Sequence[str] | None
) -> Fit:
    """Fit the confidences, with paid signals only where they are worth their price."""
    held = held_signals(rows)
    wanted = held if signals is None else _checked(signals, held, rows.source)
    fit = fitting.with_signals(wanted)
    if signals is not None or not fit.scored.priced:
        return fit
    spared = []
    for name in [name for name in wanted if name in rows.paid]:
        kept = tuple(other for other in wanted if other != name)
        try:
            without = fitting.with_signals(kept)
            if not _serves_better(objective, fit.scored, without.scored):
                fit, wanted = without, kept
                spared.append(name)
        except ConfigurationError:  # nothing else to read, or nothing that serves the objective
            continue
    return replace(fit, spared=tuple(spared))


class TierFitting:
    """Fits the tiers of one table with different signals; each tier once for the same ones.

    Args:
        objective: What for.
        rows: The table.
        method: How readings are combined.
        seed: Of the folds.
        progress: Told of it.
    """

    def __init__(
        self, objective: Objective, rows: Table, method: Method, seed: int, progress: Progress
    ) -> None:
        self._objective = objective
        self._rows = rows
        self._progress = progress
        self.seed = seed
        self._method = method
        self._known: dict[tuple[int, tuple[str, ...]], Fitted] = {}
        self._how = partial(
            fit_calibrator,
            fine=objective.confidence is not None,
            benefit=False,
            seed=seed,
        )

    def with_signals(self, signals: Sequence[str]) -> Fit:
        """Fit every tier with these signals, as far as it has them, and score all rows.

        Raises:
            ConfigurationError: There is nothing to read.
        """
        fits = [
            self._tier(k, tuple(name for name in signals if name in tier.signals))
            for k, tier in enumerate(self._rows.tiers[:-1])
        ]
        calibrators = tuple(fit.calibrator for fit in fits)
        # Out of fold: what a calibrator says of rows it was fitted to is too good to be true.
        honest = tuple(MeritParts(fit.placed) for fit in fits)
        scored = score(self._rows, Policy(calibrators=calibrators), parts=honest)
        choices = tuple(fit.choice for fit in fits)
        return Fit(calibrators, choices, scored, tuple(signals), tuple(fits))

    def weighed(self, fit: Fit, *, always: bool = False) -> Fit:
        """Weigh in what asking on would gain, from every tier but the last, the later ones first.

        Args:
            fit: As `with_signals` returns it.
            always: Whether a benefit is weighed in, better than the confidence alone or not.
        """
        calibrators, choices = list(fit.calibrators), list(fit.choices)
        parts = [MeritParts(own.placed) for own in fit.fits]
        scored = fit.scored
        for k in reversed(range(len(calibrators))):
            found = blend(
                self._rows,
                k,
                fit.fits[k],
                _asking_on(self._objective, scored, k),
                partial(self.target, k, fit.signals),
                by_cost=self._objective.kind != "max_escalated",
                always=always,
                seed=self.seed,
            )
            if found.choice:
                choices[k] += f"; {found.choice}"
            if found.calibrator is not calibrators[k]:
                calibrators[k], parts[k] = found.calibrator, found.parts
                scored = score(self._rows, Policy(calibrators=tuple(calibrators)), parts=parts)
        return replace(fit, calibrators=tuple(calibrators), choices=tuple(choices), scored=scored)

    def target(  # noqa: PLR0913, PLR0917 - of what, to what, and how
        self,
        k: int,
        signals: Sequence[str],
        target: Array,
        method: Method | None,
        what: str,
        without: Collection[str] = (),
    ) -> Fitted:
        """Fit something else than the quality of a tier's drafts; see `FitTarget`."""
        told = self._progress.part(f"fitting {what} from tier {k}")
        held = set(self._rows.tiers[k].signals) - set(without)
        own = tuple(name for name in signals if name in held)
        like = None if method or without else self._tier(k, own).won
        method = method or self._method
        return self._how(
            self._rows, k, signals=own, method=method, target=target, like=like, told=told
        )

    def _tier(self, k: int, signals: tuple[str, ...]) -> Fitted:
        if (k, signals) not in self._known:
            told = self._progress.part(f"fitting the confidence in tier {k}")
            self._known[k, signals] = self._how(
                self._rows, k, signals=signals, method=self._method, told=told
            )
        return self._known[k, signals]


def _checked(signals: Sequence[str], held: Sequence[str], source: str) -> tuple[str, ...]:
    if isinstance(signals, str):
        msg = f"signals={signals!r}: give a list of names, e.g. [{signals!r}]"
        raise ConfigurationError(msg)
    for place, name in enumerate(signals):
        if name not in held:
            known = ", ".join(held) or "none"
            msg = f"{source} has no signal {name!r} for any tier; it has: {known}"
            raise ConfigurationError(msg)
        if name in signals[:place]:
            msg = f"signals names {name!r} twice; name each once"
            raise ConfigurationError(msg)
    return tuple(signals)


def _serves_better(objective: Objective, one: Scored, other: Scored) -> bool:
    """Tell whether the first serves an objective better on the same rows."""
    found = (best_point(objective, scored) for scored in (one, other))
    first, second = (objective.value(float(of.quality[0]), float(of.cost[0])) for of in found)
    return first > second


def with_route(  # noqa: PLR0913, PLR0917 - what there is, and what for
    document: Policy, fit: Fit, rows: Table, objective: Objective, seed: int, progress: Progress
) -> tuple[Policy, Fit]:
    """Add a route where it serves the objective on the rows it was fitted to, out of fold."""
    if rows.requests is None:
        return document, fit
    thresholds = best_point(objective, fit.scored).thresholds[0]
    learned = fit_route(rows, fit.scored, list(thresholds), seed=seed, progress=progress)
    if learned is None:
        return document, fit
    route, skipped = learned
    scored = skipping(fit.scored, skipped)
    if not _serves_better(objective, scored, fit.scored):
        return document, fit
    return document.model_copy(update={"route": route}), replace(fit, scored=scored)
