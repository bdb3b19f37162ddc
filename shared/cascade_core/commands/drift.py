"""`cascade drift`: has the traffic moved from what the policy was tuned on?"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cascade_core.errors import ConfigurationError
from cascade_core.files import FileError, read_json_lines
from cascade_core.log.upgrade import is_event
from cascade_core.visible import visible

if TYPE_CHECKING:
    from cascade_core.drift.log import DriftReport
    from cascade_core.policy.document import Policy
    from cascade_core.policy.reference import Reference


def drift(
    log: Annotated[Path, typer.Argument(help="Decision log, one JSON record a line.")],
    *,
    policy: Annotated[Path, typer.Option(help="The tuned policy that decided.")],
    alpha: Annotated[
        float, typer.Option(help="Chance of an alarm, ever, where nothing has moved.")
    ] = 0.01,
    tolerance: Annotated[
        float, typer.Option(help="Change of a share that is not worth tuning again for.")
    ] = 0.02,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Say whether escalations, confidences or audited harm have moved since the policy was tuned.

    Reads the log of decisions from its first line. Exit status 1 where something has moved.

    Harm is watched where records tell it: give those that you audited "harm", the quality lost by
    not asking the last tier, in [0, 1], and "probability", the chance with which you picked
    them.

    Example: cascade drift decisions.jsonl --policy policy.json
    """
    from cascade_core.drift.log import watch
    from cascade_core.policy.document import Policy

    document = Policy.load(policy)
    if document.tuned is None:
        msg = f"{policy} was not tuned, so there is nothing to compare with; cascade tune writes it"
        raise ConfigurationError(msg)
    decisions = _Decisions(log)
    try:
        found = watch(
            decisions,
            document.tuned.reference,
            policy=document.name,
            thresholds=_thresholds(document),
            alpha=alpha,
            tolerance=tolerance,
        )
    except ConfigurationError as error:
        if isinstance(error, FileError) or not decisions.line:
            raise
        raise FileError(str(log), str(error), f"line {decisions.line}") from None
    if not found.rows:
        raise ConfigurationError(_said_of_none(log, found, document, decisions.unreadable))
    for text in (*decisions.other_models(document), *decisions.failing()):
        typer.echo(f"cascade: {visible(str(text))}", err=True)
    for said in decisions.left_out():
        typer.echo(visible(f"cascade: {log}: {said} left out"), err=True)
    if decisions.unreadable:
        found = replace(found, skipped={**found.skipped, "unreadable": decisions.unreadable})
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2))
    else:
        _print(found, document.tuned.reference)
    if found.alarms:
        raise typer.Exit(1)


def _said_of_none(log: Path, found: DriftReport, policy: Policy, unreadable: int) -> str:
    """Say why no decision counts."""
    left, others = sum(found.skipped.values()), found.skipped.get("policy", 0)
    if unreadable and not left:
        return f"{log}: none of its lines is a record of a decision"
    if not left:
        return f"{log} holds no decision yet; a cascade with log= writes them"
    if left == others:
        return (
            f"{log}: none of its {left:,} decisions was made by the policy {policy.name!r}; "
            "give the log of a cascade that has it as policy="
        )
    listed = ", ".join(f"{name} {n:,}" for name, n in found.skipped.items() if name != "policy")
    return (
        f"{log}: none of its {left:,} decisions was made by a threshold of the policy "
        f"{policy.name!r} ({listed}; of other policies {others:,})"
    )


def _print(found: DriftReport, reference: Reference) -> None:
    skipped = sum(found.skipped.values())
    typer.echo(f"{found.rows:,} decisions of this policy read, {skipped:,} others left out.")
    if found.escalated is not None:
        seen, was = 100 * found.escalated, 100 * reference.escalated
        typer.echo(f"escalated: {seen:.1f} %, when tuned {was:.1f} %")
    for alarm in found.alarms:
        typer.echo(f"moved: {visible(alarm.text)}")
    if not found.alarms:
        typer.echo("Nothing has moved, as far as these can tell.")


def _thresholds(policy: Policy) -> set[float] | None:
    """Return every threshold that the policy decides by."""
    if policy.thresholds is None:
        return None
    rules = (rule.thresholds for rule in policy.classes.values())
    return {threshold for own in (policy.thresholds, *rules) for threshold in own}


class _Decisions:
    """The decisions in a log, oldest first, the line that reading has got to, and what is none.

    Other programs, and other threads at a bad moment, may have written to the same file: what
    cannot be read says nothing about the rest.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self.line = 0
        self.answered: Counter[tuple[str | None, int, str]] = Counter()
        self.unreadable = 0
        self._failing: Any = None
        self._first = 0
        self._torn = False

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        lines = read_json_lines(self.log, cut_off=self._cut_off, skipped=self._skip)
        for self.line, record in lines:
            if is_event(record):  # feedback or an audit, which says nothing of the thresholds
                continue
            if _is_decision(record):
                self._count(record)
                self._failing = record.get("failing")
                yield record
            else:
                self._skip(self.line)

    def failing(self) -> Iterator[str]:
        """Say which tiers had failed again and again when the log ended."""
        for each in self._failing if isinstance(self._failing, list) else ():
            if isinstance(each, dict) and type(each.get("failures")) is int:
                yield (
                    f"tier {each.get('tier')} ({each.get('model')}) had failed "
                    f"{each['failures']:,} times in a row when the log ended: {each.get('error')}"
                )

    def left_out(self) -> Iterator[str]:
        """Say what was left out, and where."""
        if self.unreadable:
            which = f"{self.unreadable:,} lines are" if self.unreadable > 1 else "a line is"
            yield f"{which} no record of a decision (the first: line {self._first}) and"
        if self._torn:
            yield "its last line is cut off and"

    def _skip(self, line: int) -> None:
        self._first = self._first or line
        self.unreadable += 1

    def other_models(self, policy: Policy) -> Iterator[str]:
        """Say which tiers have answered as other models than the policy was tuned with."""
        from cascade_core.costs.names import same_model

        tuned = () if policy.tuned is None else policy.tuned.models
        for (name, tier, model), count in self.answered.most_common():
            known = tuned[tier] if tier < len(tuned) else None
            if name == policy.name and known is not None and not same_model([model], [known]):
                yield (
                    f"tier {tier} answered as {model} {count:,} times, and the policy was tuned "
                    f"with {known}: it says nothing of another model's answers; tune one for it"
                )

    def _count(self, record: Mapping[str, Any]) -> None:
        """Count the models that drafts came from, unless a tier made them of several calls."""
        drafts = [call for call in record["calls"] if call["purpose"] == "draft"]
        tiers = Counter(call["tier"] for call in drafts)
        for call in drafts:
            model, tier = call.get("model"), call["tier"]
            if isinstance(model, str) and type(tier) is int and tiers[tier] == 1:
                self.answered[record.get("policy"), tier, model] += 1

    def _cut_off(self) -> None:
        self._torn = True


def _is_decision(record: Any) -> bool:
    """Tell whether a record has what is read of it; other programs may write to the same file."""
    if not (isinstance(record, dict) and isinstance(record.get("calls"), list)):
        return False
    shadow = record.get("shadow")
    decided = record if shadow is None else shadow
    return (
        isinstance(record.get("reason"), str)
        and isinstance(decided, dict)
        and {"reason", "accepted", "tier"} <= decided.keys()
        and (not decided["accepted"] or type(decided["tier"]) is int)
        and all(isinstance(call, dict) and call.keys() >= _CALL for call in record["calls"])
        and all(_is_share(record.get(name, 0.5), least) for name, least in _SHARES.items())
        and isinstance(record.get("threshold"), int | float | None)
        and isinstance(decided["reason"], str)
    )


_CALL = {"tier", "purpose", "outcome"}
_SHARES: Mapping[str, float | None] = {"confidence": None, "harm": None, "probability": 5e-324}
"""Numbers that a record may have, each at most 1, and the least they may be.

None: 0, and they may also be null.
"""


def _is_share(value: object, least: float | None) -> bool:
    if value is None or value != value:  # noqa: PLR0124 - NaN is no reading either
        return least is None
    return isinstance(value, int | float) and (least or 0) <= value <= 1
