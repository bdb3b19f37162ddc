"""How good an answer is, in [0, 1], and who says so.

A reference, the last tier, a judge, or the caller's own function. When two
answers say the same is told in `signals.agreement`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from cascade_core.collect.case import Case, Grade, Grader
from cascade_core.collect.function import ByFunction, QualityFunction
from cascade_core.collect.requests import Requests
from cascade_core.draft import Draft
from cascade_core.effects import Steps
from cascade_core.errors import ConfigurationError
from cascade_core.request import Request
from cascade_core.setup.gates import not_empty
from cascade_core.signals.agreement import comparer, folded
from cascade_core.signals.argument_values import canonical
from cascade_core.signals.judge import Judge
from cascade_core.spoken import is_blank

REFERENCE_LABEL = "Reference answer, known to be right:"
JUDGE_INSTRUCTIONS = (
    f'Where a source part starts with "{REFERENCE_LABEL}", an answer is correct exactly if it '
    "comes to the same as that reference; other wording and further detail are no mistake."
)


def make_grader(
    quality: str | QualityFunction | None, requests: Requests, judge: Any = None
) -> Grader:
    """Read how quality is to be told.

    Args:
        quality: `exact`, `numeric`, `normalised`, `json`, `contains` (against the
            reference), `agreement` (with the last tier), `judge`, or a
            function of request, answer and reference that returns a number in
            [0, 1], or None. None is `normalised` where requests have references,
            else `agreement`.
        requests: The requests.
        judge: The model that judges, for `judge`.

    Raises:
        ConfigurationError: There is no such way, a function cannot be called that way, or the
            requests do not allow it.
    """
    if quality is None:
        quality = "normalised" if "reference" in requests.columns else "agreement"
    grader = _make(quality, judge)
    if grader.needs_reference:
        for sample in requests.samples:
            place = f"{requests.source}, line {sample.line}, column reference:"
            if sample.reference is None:
                msg = f"{place} is empty, and quality {grader.name!r} compares with it"
                raise ConfigurationError(msg)
            if quality == "json" and _json(sample.reference) is None:
                raise ConfigurationError(f"{place} is not JSON, which quality 'json' compares")
    return grader


def _make(quality: str | QualityFunction, judge: Any) -> Grader:
    if callable(quality):
        return ByFunction(quality)
    if not isinstance(quality, str):
        msg = f"quality of type {type(quality).__name__} is not known; give a name or a function"
        raise ConfigurationError(msg)
    if quality in COMPARISONS:
        return ByReference(quality)
    if quality == "agreement":
        return ByAgreement()
    if quality == "judge":
        if judge is None:
            msg = "quality 'judge' needs a judge: --judge MODEL (judge= in Python)"
            raise ConfigurationError(msg)
        return ByJudge(judge)
    known = ", ".join([*COMPARISONS, "agreement", "judge"])
    raise ConfigurationError(f"quality {quality!r} is not known; use {known}, or module:function")


class ByReference:
    """1 where an answer says the same as the reference, else 0.

    Args:
        name: One of `COMPARISONS`.
    """

    needs_reference = True
    paid = False

    def __init__(self, name: str) -> None:
        self.name = self.identity = name
        self._same = COMPARISONS[name]

    def grade(self, case: Case) -> Steps[list[Grade]]:
        """Compare every answer with the reference."""
        yield from ()
        right = Draft(text=case.reference or "")
        return [
            Grade() if d is None else Grade(float(self._same(d, right))) for _, d in case.drafts
        ]


class ByAgreement:
    """1 where an answer says the same as the last tier's, which is right by definition."""

    name = identity = "agreement"
    needs_reference = False
    paid = False

    def grade(self, case: Case) -> Steps[list[Grade]]:
        """Compare every answer with the last tier's; without that one, nothing is known."""
        yield from ()
        *others, (_, strongest) = case.drafts
        if strongest is None:
            return [Grade()] * len(case.drafts)
        same, tools = comparer("auto"), case.request.tools
        agreed = (None if d is None else float(same(d, strongest, tools)) for _, d in others)
        grades = [Grade(quality) for quality in agreed]
        return [*grades, Grade(1.0)]


class ByJudge:
    """The probability that an answer is right, according to a judge model.

    Where there is a reference the judge is shown it.

    Args:
        model: Any chat model of the framework.
    """

    needs_reference = False
    paid = True

    def __init__(self, model: Any) -> None:
        self._judge = Judge(model, instructions=JUDGE_INSTRUCTIONS, name="quality")
        self.name = self.identity = "judge"

    def grade(self, case: Case) -> Steps[list[Grade]]:
        """Ask the judge about every answer; an empty one is worth nothing unasked."""
        shown = case.request
        if case.reference is not None:
            known = f"{REFERENCE_LABEL}\n{case.reference}"
            shown = Request(lambda: case.request.turns, contexts=[*shown.contexts, known])
        grades: list[Grade] = []
        for tier, draft in case.drafts:
            if draft is None:
                grades.append(Grade())
            elif not not_empty(shown, draft):
                grades.append(Grade(0.0))
            else:
                reading, problem = yield from case.trail.read(self._judge, shown, draft, tier)
                for call in case.trail.calls[-1:] if reading is None else ():
                    if call.outcome == "failed":  # it may do better another time
                        problem = f"did not answer ({call.error})"
                grades.append(Grade(reading, problem and f"the judge {problem}"))
        return grades


def _equal_json(answer: Draft, reference: Draft) -> bool:
    value = _json(answer.text)
    return value is not None and value == _json(reference.text)


def _contains(answer: Draft, reference: Draft) -> bool:
    if is_blank(answer.text) or is_blank(reference.text):
        return False
    said, wanted = folded(answer.text), folded(reference.text)
    width = len(wanted)
    return any(said[at : at + width] == wanted for at in range(len(said) - width + 1))


def _json(text: str) -> str | None:
    """Return a JSON document so that equal values are equal text; None where it is none."""
    body = re.sub(r"^```\w*\s|```$", "", text.strip()).strip()
    try:
        return canonical(json.loads(body))
    except (ValueError, RecursionError):
        return None


COMPARISONS: dict[str, Callable[[Draft, Draft], bool]] = {
    "exact": comparer("exact"),
    "numeric": comparer("numeric"),
    "normalised": comparer("text"),
    "json": _equal_json,
    "contains": _contains,
}
"""Ways to compare an answer with its reference, by name."""
