"""Turns a labelled table into a policy: `tune`.

The order of work: use what can be used, fit each tier's confidence, find out which requests
had better skip a tier, then pick thresholds. Where something is promised the rows are split
first: everything is fitted on one part, and the promise is tested on the other with exactly
the policy that ships.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cascade_core.calibration.benefit import WeighBenefit
from cascade_core.calibration.fit_commit import (
    benefit_beside,
    committing,
    shown_of,
    with_commit,
)
from cascade_core.calibration.fit_tiers import fit_tiers, fits_of_a_tier, with_route
from cascade_core.calibration.handing import asked_answered, hold_out
from cascade_core.calibration.kept import kept_fit, load_kept
from cascade_core.calibration.measure import count_reference, measure
from cascade_core.calibration.objective import TuningError, make_objective
from cascade_core.calibration.pick import check_straight, pick_thresholds
from cascade_core.calibration.progress import OnStep, Progress, silent
from cascade_core.calibration.rows import heaviest_weight, rows_to_tune, split_rows
from cascade_core.calibration.scores import Method
from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.scored import serve, thresholds_of
from cascade_core.evaluation.scoring import score
from cascade_core.fitted.texts import texts_read_once
from cascade_core.labels import Table, read_table
from cascade_core.labels.fingerprints import fingerprints
from cascade_core.labels.order import odd_order
from cascade_core.policy.document import ClassRule, Policy
from cascade_core.policy.evidence import Tuned
from cascade_core.warn import warn


@texts_read_once()
def tune(  # noqa: PLR0913 - one argument for each thing that can be asked for
    table: Table | str | Path | Mapping[str, Any] | Sequence[Mapping[str, Any]],
    *,
    quality: float | None = None,
    harm: float | None = None,
    max_cost: float | None = None,
    max_escalated: float | None = None,
    confidence: float | None = None,
    answered: float | None = None,
    answered_error: float | None = None,
    signals: Sequence[str] | None = None,
    method: Method = "auto",
    per_class: bool | None = None,
    skip: bool = True,
    benefit: WeighBenefit = "auto",
    commit: bool = False,
    policy: Policy | Mapping[str, Any] | str | Path | None = None,
    heaviest: float | None = None,
    name: str | None = None,
    seed: int = 0,
    force: bool = False,
    advance: OnStep = silent,
) -> Policy:
    """Make a policy of labelled rows.

    Going straight to a later tier, for all requests or for a class, is always among what it
    chooses from: where that serves the objective best, for all, there is no use for a cascade.

    Args:
        table: A labelled table, or where to read one.
        quality: Cheapest policy with at least this share of the last tier's quality. With
            `confidence` it is a promise, else what the rows say.
        harm: Cheapest policy that loses at most this much quality per request by not asking the
            last tier, in (0, 1). Always a promise; `confidence` is 0.95 by default.
        max_cost: Best quality at a mean of at most this many USD per request.
        max_escalated: Best quality with at most this share of the requests escalated.
        confidence: How sure a promise is, in (0, 1).
        answered: Give the last tier a threshold too, so that this share of the requests is answered
            and the least sure answers of the last tier are handed off, in (0, 1). It is what the
            rows say, and not promised; what else is asked for is picked first, without it.
        answered_error: Promise that the answers which are not handed off lack at most this much
            of quality 1 on average (where quality is 0 or 1: are wrong at most this often), in
            (0, 1). A third of the rows is kept for its test and used for nothing else. It holds
            with `confidence`, or 0.95, as each promise does on its own.
        signals: Signals to use, each by the tiers that have it; None takes all in the table, paid
            ones where they are worth their price.
        method: How readings are combined; see `fit_calibrator`.
        per_class: Whether each class gets thresholds of its own. Where something is promised,
            they come with a promise for each class; else None (the default) gives them where
            they pay.
        skip: Whether to learn which requests had better go straight to a later tier.
        benefit: Whether thresholds go by what asking on would gain as well as by how good a draft
            probably is: `"auto"` where that serves better out of fold, though never for `harm`;
            True always, False never.
        commit: Whether drafts may be accepted by their first tokens, and then be shown as they are
            written. What is promised is tested of that rule as a whole, and no benefit is weighed.
            The table has to say how drafts went (`t0_trajectory`).
        policy: A policy whose calibrators and route are kept as they are; then every row tests
            the thresholds, so none of them may have been used to fit that policy.
        heaviest: The most that a row can weigh, in this table or any like it; with groups, a
            whole group. A promise on weighted or grouped rows rests on it. None takes the most
            that one weighs here: too little where heavier ones are rare and bad.
        name: How records refer to the policy.
        seed: Of the random splits.
        force: Whether to make a cascade where the last tier alone costs less.
        advance: Told of progress: steps done, of how many, and the step at hand in words.

    Returns:
        The policy, with what was promised and where it came from in `promises` and `tuned`.

    Raises:
        TableError: The table is bad; the message names line and column.
        TuningError: The rows do not carry what was asked for; the message says what would.
        StraightError: One later tier alone serves the objective better than any cascade.
        ConfigurationError: Arguments that do not go together.
    """
    benefit = benefit_beside(benefit, commit=commit, kept=policy is not None)
    objective = make_objective(
        quality=quality,
        harm=harm,
        max_cost=max_cost,
        max_escalated=max_escalated,
        confidence=confidence,
    )
    handing = asked_answered(answered, answered_error, objective.confidence or confidence)
    Policy(name=name)  # a name that could not be saved is refused before any work
    labelled = read_table(table)
    for odd in odd_order(labelled):
        warn(odd)
    rows, unused = rows_to_tune(labelled, per_class=per_class)
    promised = objective.confidence is not None or handing.error is not None
    kept = None if policy is None else load_kept(policy, rows, promised=promised)
    if heaviest is not None and not promised:
        msg = "heaviest= goes with a promise: harm=, or quality= with confidence="
        raise ConfigurationError(msg)
    heaviest = heaviest_weight(rows, heaviest) if promised else None
    rows, held_rows = (rows, None) if handing.error is None else hold_out(rows, seed)
    fitted_rows, tested_rows = split_rows(rows, objective, seed, kept=kept is not None)
    fits = (1 + len(rows.paid)) * fits_of_a_tier(benefit, objective, rows)
    parts = fits + bool(skip) + bool(commit)
    progress = Progress(advance, 2 + (0 if kept else len(rows.tiers[:-1]) * parts))
    if kept is None:
        fit = fit_tiers(objective, fitted_rows, signals, method, seed, progress, benefit)
        document = Policy(calibrators=fit.calibrators)
        if skip:
            document, fit = with_route(document, fit, fitted_rows, objective, seed, progress)
        if commit:
            document, fit = with_commit(document, fit, fitted_rows, method, seed, progress)
    else:
        fit = kept_fit(kept, fitted_rows)
        document = Policy(calibrators=fit.calibrators, route=kept.route, **committing(kept.early))
    progress.part("picking thresholds")
    tested = fit.scored if tested_rows is fitted_rows else score(tested_rows, document)
    try:
        picked = pick_thresholds(
            objective,
            fit.scored,
            tested,
            fitted_rows,
            tested_rows,
            seed=seed,
            per_class=per_class,
            heaviest=None if objective.confidence is None else heaviest,
            kept=tested_rows is fitted_rows,
            force=force,
        )
    except TuningError as refused:
        if tested_rows is fitted_rows:
            raise
        share = f"of {len(rows):,} labelled rows, {len(tested_rows):,} were for the test"
        raise TuningError(f"{refused} ({share})") from None
    if not force:
        check_straight(objective, tested, picked, tested_rows)
    document = document.model_copy(
        update={
            "name": name,
            "thresholds": picked.thresholds,
            "classes": {c: ClassRule(thresholds=t) for c, t in picked.classes.items()},
            "promises": picked.promises,
        }
    )
    progress.part("measuring")
    thresholds = thresholds_of(document, tested_rows)
    served, groups = serve(tested, thresholds), tested_rows.groups
    own = serve(fit.scored, thresholds_of(document, fitted_rows))
    document, choices = handing.into(document, fitted_rows, own, method, seed)
    if held_rows is not None:
        document = handing.promised(document, held_rows, heaviest)
    tuned = Tuned(
        table=rows.source,
        objective=str(objective) + handing.said(),
        models=tuple(tier.model for tier in rows.tiers),
        paid=tuple(signal for signal in document.signals or () if signal in rows.paid),
        choices=(*fit.choices, *choices),
        **_origin(fitted_rows, kept),
        rows_unused=unused,
        refused=dict(picked.refused),
        straight=dict(picked.straight),
        figures=measure(tested, served, groups, seed),
        shown=shown_of(tested, served, thresholds, tested_rows),
        reference=count_reference(tested, thresholds, served, picked.promises, groups),
        seed=seed,
    )
    progress.end()
    return document.model_copy(update={"tuned": tuned})


def _origin(fitted: Table, kept: Policy | None) -> dict[str, Any]:
    """Say which rows the calibrators were fitted to: these, or those that a kept policy names."""
    if kept is None:
        return {
            "rows_fitted": len(fitted),
            "fitted_table": fitted.source,
            "fitted_marks": fingerprints(fitted),
        }
    if kept.tuned is None:
        return {"rows_fitted": 0}
    return {
        "rows_fitted": 0,
        "fitted_table": kept.tuned.fitted_table,
        "fitted_marks": kept.tuned.fitted_marks,
    }
