"""The rows of the labelled table: what each column is called and holds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from cascade_core.collect.answers import keep
from cascade_core.collect.case import Grade
from cascade_core.collect.examine import Answer, Examined
from cascade_core.collect.journal import Entry
from cascade_core.collect.requests import Sample
from cascade_core.costs.rate import EXACT, in_usd
from cascade_core.signals.agreement import written
from cascade_core.signals.base import Signal


def as_entry(  # noqa: PLR0913 - what a row is made of
    sample: Sample,
    examined: Examined,
    signals: Sequence[Signal],
    columns: Collection[str],
    *,
    keys: Sequence[str] = (),
    graded_by: str = "",
    texts: bool = True,
    of_last: Sequence[Signal] = (),
) -> Entry:
    """Write one request down.

    Args:
        sample: The request.
        examined: What came of it.
        signals: The signals that were read.
        columns: Names of the file's columns; only those among `class`, `group`
            and `weight` that it has become columns of the table.
        keys: By which each tier's answers are known again.
        graded_by: How the answers were graded.
        texts: Whether the row holds the request and the answers. Where it does not, answers
            are kept outside of it for as long as one of them has no quality, or a tier gave none:
            they are paid for.
        of_last: The signals that were read of the last tier.
    """
    row: dict[str, Any] = {"id": sample.id}
    if texts:
        row["request"] = sample.text
    given = {"class": sample.class_name, "group": sample.group, "weight": sample.weight}
    row |= {name: value for name, value in given.items() if name in columns}
    last = len(examined.answers) - 1
    for index, answer in enumerate(examined.answers):
        judged = signals if index < last else of_last
        row |= _tier(answer, examined.grades[index].quality, judged, texts=texts)
    row = {name: _writable(value) for name, value in row.items()}
    errors = {a.tier.index: a.error for a in examined.answers if a.error is not None}
    kept = texts or any(
        a.error is not None or g.quality is None
        for a, g in zip(examined.answers, examined.grades, strict=True)
    )
    keys = keys or [""] * len(examined.answers)
    return Entry(
        sample.index,
        row,
        examined.cost,
        errors,
        graded_by=graded_by,
        problems=_problems(dict(enumerate(examined.grades))),
        answers=[
            keep(answer, key, judged="free" if index == last and of_last else index < last)
            for index, (answer, key) in enumerate(zip(examined.answers, keys, strict=True))
        ]
        if kept
        else None,
    )


def regraded(
    entry: Entry,
    grades: Mapping[int, Grade],
    cost: Decimal | None,
    *,
    graded_by: str = "",
    texts: bool = True,
) -> Entry:
    """Return a request's entry with other grades.

    Args:
        entry: What is known of the request.
        grades: By tier; grades of other tiers stay.
        cost: USD of the calls that grading took; None where one is unpriced.
        graded_by: How it was graded.
        texts: As for `as_entry`.
    """
    qualities = {f"t{tier}_quality": grade.quality for tier, grade in grades.items()}
    found = replace(
        entry,
        row={**entry.row, **qualities},
        cost=None if entry.cost is None or cost is None else EXACT.add(entry.cost, cost),
        graded_by=graded_by,
        problems=_problems(grades),
    )
    return replace(found, answers=None) if found.usable and not texts else found


def _problems(grades: Mapping[int, Grade]) -> dict[int, str]:
    return {tier: grade.problem for tier, grade in grades.items() if grade.problem is not None}


def _tier(
    answer: Answer, quality: float | None, signals: Sequence[Signal], *, texts: bool
) -> dict[str, Any]:
    draft, t = answer.draft, f"t{answer.tier.index}"
    row: dict[str, Any] = {
        f"{t}_model": answer.tier.model if draft is None else draft.model or answer.tier.model
    }
    if texts:
        row[f"{t}_response"] = None if draft is None else written(draft.text, draft.tool_calls)
    row[f"{t}_quality"] = quality
    row[f"{t}_cost_usd"] = in_usd(answer.cost)
    if answer.gate is not None:
        row[f"{t}_gate"] = answer.gate
    if answer.trajectory is not None:
        row[f"{t}_trajectory"] = answer.trajectory
    row |= {f"{t}_signal_{s.name}": answer.readings.get(s.name) for s in signals}
    row |= {f"{t}_paid_{s.name}_usd": in_usd(answer.paid.get(s.name)) for s in signals if s.paid}
    return row


def _writable(value: Any) -> Any:
    """Escape halves of surrogate pairs, which models write now and then and no file can hold."""
    if not isinstance(value, str) or value.isascii():
        return value
    return value.encode("utf-8", "backslashreplace").decode()
