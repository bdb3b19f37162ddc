"""How hard a request looks before anything has been asked.

The reading is the fitted probability that a tier's draft is good, from the request's text and
class alone. As a signal it stands beside others; where a policy holds a route, requests that are
too hard skip the tier altogether (see `policy.route`), with or without this signal.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from cascade_core.decision import Decision
from cascade_core.draft import Draft
from cascade_core.effects import Steps
from cascade_core.errors import ConfigurationError
from cascade_core.fitted.artefact import Calibrator
from cascade_core.integrations.decisions import decision_model
from cascade_core.invalid import first_problem, spell
from cascade_core.named_arguments import names_checked
from cascade_core.policy.document import Policy
from cascade_core.request import Request
from cascade_core.signals.asking import model_id
from cascade_core.signals.base import BaseSignal
from cascade_core.signals.deciding import (
    DATA,
    check_criteria,
    decision_kind,
    put,
)
from cascade_core.signals.fenced import SHORTEST_MAX_CHARS, exchange, fit
from cascade_core.signals.readings import Reading, as_reading
from cascade_core.tier import Tier

if TYPE_CHECKING:
    from cascade_core.fitted.scorer import Scorer

_NEEDS = (
    "Does the request at the end of the state need a strong language model, because a small and "
    "cheap one is likely to answer it wrongly or badly?"
)
_HOW_HARD = "How hard is the request at the end of the state for a small and cheap language model?"
_YES_NO = {
    "true": "a small model is likely to fail at it",
    "false": "a small model is likely to answer it well",
}


@names_checked
class Difficulty(BaseSignal):
    """The probability, from the request alone, that a tier's draft is good.

    Free where it was learned, paid where a decision model is asked: one call a reading. Read
    without logprobs. High = easy.

    Args:
        source: A policy with a route (or its path, as JSON or TOML): each tier is read by what
            the policy learned of it. Or a calibrator that reads nothing but the request, as
            `Difficulty.fit` makes one; it is used for every tier. Or a decision model (a
            `BaseDecisionModel` of LangChain's), asked for the probability that the request needs
            the strong model; the reading is 1 minus that.
        instructions: For a decision model, what is hard for your cheap model, in your own words:
            put no user's text in them.
        criteria: For a decision model, levels of difficulty in place of yes and no, the easiest
            first; asked as a `Score`, of which the reading is 1 at the first and 0 at the last.
        max_chars: For a decision model, the most characters of the request it is shown.
        name: The signal's name in records and policies.

    Raises:
        ConfigurationError: The policy has no route that was learned, the calibrator reads more
            than the request, or an argument needs a decision model.
    """

    model: Any

    def __init__(
        self,
        source: Any,
        *,
        instructions: str | None = None,
        criteria: Sequence[str] | None = None,
        max_chars: int = 24_000,
        name: str = "difficulty",
    ) -> None:
        self.name = name
        self._asked: tuple[str | None, Sequence[str] | None, int] | None = None
        self._calibrators: tuple[Calibrator | None, ...] = ()
        if decision_model(source) is None:
            if instructions is not None or criteria is not None:
                msg = "Difficulty(instructions=…, criteria=…) are for a decision model"
                raise ConfigurationError(msg)
            self._calibrators = _calibrators(source)
            return
        if isinstance(criteria, Mapping):
            raise ConfigurationError("Difficulty(criteria=…): give a list, the easiest level first")
        if instructions is not None and not (
            isinstance(instructions, str) and instructions.strip()
        ):
            raise ConfigurationError("Difficulty(instructions=…): give a text, or leave it out")
        check_criteria(criteria, (), "Difficulty")
        if type(max_chars) is not int or max_chars < SHORTEST_MAX_CHARS:
            least = f"give a whole number from {SHORTEST_MAX_CHARS}"
            msg = f"Difficulty(max_chars={max_chars!r}): {least}"
            raise ConfigurationError(msg)
        self.model, self.paid = source, True
        self._asked = instructions, criteria, max_chars

    @classmethod
    def fit(
        cls, table: Any, *, tier: int = 0, name: str = "difficulty", seed: int = 0
    ) -> Difficulty:
        """Learn from labelled requests which drafts of a tier will be good.

        Args:
            table: A labelled table with requests, or where to read one.
            tier: Whose drafts.
            name: The signal's name.
            seed: Of the folds.

        Raises:
            TableError: The table is bad.
            ConfigurationError: It has no requests, or no such tier.
            ModuleNotFoundError: scikit-learn is not installed.
        """
        from cascade_core.calibration.fit_route import fit_from_request  # noqa: PLC0415
        from cascade_core.labels import check_learnable, read_table, usable  # noqa: PLC0415

        rows = read_table(table)
        mask, _ = usable(rows)
        rows = rows.take(mask)
        if rows.requests is None:
            msg = f"{rows.source} has no column request, from which difficulty could be learned"
            raise ConfigurationError(msg)
        if not 0 <= tier < len(rows.tiers):
            msg = f"tier={tier}: {rows.source} has tiers 0 to {len(rows.tiers) - 1}"
            raise ConfigurationError(msg)
        check_learnable(rows)
        fitted = fit_from_request(rows, tier, rows.tiers[tier].quality, seed=seed)
        return cls(fitted.calibrator, name=name)

    @property
    def identity(self) -> str:
        """The name, and a digest of what was learned, or the model that is asked and how."""
        if self._asked is not None:
            return f"{self.name}:{model_id(self.model)}{self._asked!r}"
        learned = json.dumps([None if c is None else c.model_dump() for c in self._calibrators])
        return f"{self.name}:{hashlib.sha256(learned.encode()).hexdigest()[:16]}"

    def measure(self, request: Request, draft: Draft, tier: Tier) -> Steps[Reading]:
        """Read the request; the draft is not looked at."""
        del draft
        if self._asked is not None:
            hard = yield from put(self.model, self._decision(request), self.name)
            return None if hard is None else 1 - hard
        scorers = self._scorers
        scorer = scorers[tier.index if len(scorers) > 1 else 0] if scorers else None
        if scorer is None:
            return None
        reading, _ = as_reading(scorer.one({}, request.question, "", request.class_name))
        return reading

    def _decision(self, request: Request) -> Decision:
        assert self._asked is not None  # noqa: S101 - else a calibrator is read
        instructions, criteria, max_chars = self._asked
        asked = _NEEDS if criteria is None else _HOW_HARD
        if instructions:
            asked += f"\n\nWhat is hard here:\n{instructions}"
        parts = fit(exchange(request), max_chars)
        state = {"exchange": [{label: text} for label, text in parts]}
        kind, meant = decision_kind(criteria), _YES_NO if criteria is None else criteria
        return Decision(kind, f"{asked}\n\n{DATA}", meant, state)

    def warm_up(self) -> None:
        """Make ready what was learned, which reads modules from the disk."""
        _ = self._scorers

    @cached_property
    def _scorers(self) -> list[Scorer | None]:
        from cascade_core.fitted.scorer import Scorer  # noqa: PLC0415 - brings numpy

        return [None if c is None else Scorer(c) for c in self._calibrators]


def _calibrators(source: Any) -> tuple[Calibrator | None, ...]:
    if isinstance(source, Calibrator):
        found: tuple[Calibrator | None, ...] = (source,)
    elif isinstance(source, Mapping) and "score" in source:
        try:
            found = (Calibrator.model_validate(source),)
        except ValidationError as error:
            path, problem = first_problem(error, source)
            msg = f"Difficulty: {spell(path) or 'the calibrator'}: {problem}"
            raise ConfigurationError(msg) from None
    else:
        if not isinstance(source, Policy | Mapping | str | Path):
            msg = (
                f"Difficulty({type(source).__name__}) is given neither a policy with a route, a "
                "calibrator, nor a decision model; a chat model judges drafts: Judge(model)"
            )
            raise ConfigurationError(msg)
        if isinstance(source, str) and _MODEL.fullmatch(source) and not Path(source).exists():
            msg = (
                f"Difficulty({source!r}) is given a model's name; it takes a policy with a route, "
                f"its path, or a decision model; a chat model judges drafts: Judge({source!r})"
            )
            raise ConfigurationError(msg)
        policy = Policy.load(source)
        found = tuple(stage.accepts for stage in policy.route.stages) if policy.route else ()
        if not any(found):
            msg = (
                "Difficulty: this policy has learned nothing from requests alone; "
                "Difficulty.fit(table) does"
            )
            raise ConfigurationError(msg)
    for calibrator in found:
        more = [] if calibrator is None else [i for i in calibrator.inputs if i[:6] in _DRAFTED]
        if more:
            msg = f"Difficulty reads the request alone, but this calibrator reads {more[0]}"
            raise ConfigurationError(msg)
    return found


_MODEL = re.compile(r"[a-z][a-z0-9_-]+:(?!.*\.(?:json|toml)$)[^/\\\s][^\\\s]*")
"""A provider and a model; neither an address nor a path, and no drive's letter."""

_DRAFTED = {"signal", "draft:", "logit:"}
