"""The decisions of a log as drift is looked for in them: whatever else stands there, and with harm.

Other programs, and other threads at a bad moment, may have written to the same file: what cannot be
read says nothing about the rest. Harm is known of those whose answer was audited; audits stand in
the log behind the decisions that they are about, so a log is read twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cascade_core.costs.names import same_model
from cascade_core.files import read_json_lines
from cascade_core.log.events import counting_audit
from cascade_core.log.reading import read_events, read_records
from cascade_core.log.upgrade import is_event
from cascade_core.log.urls import is_url

if TYPE_CHECKING:
    from cascade_core.policy.document import Policy


class Decisions:
    """The decisions in a log, oldest first.

    Args:
        log: A file of JSON lines, or a database's URL.

    Attributes:
        line: The line, or the decision, that reading has got to.
        unreadable: How many lines are no decision.
        unaudited: How many answers were picked for an audit that was not done.
    """

    def __init__(self, log: str) -> None:
        self.log = log
        self.unaudited = 0
        self.line = 0
        self.answered: Counter[tuple[str | None, int, str]] = Counter()
        self.unreadable = 0
        self._failing: Any = None
        self._first = 0
        self._torn = False

    @property
    def place(self) -> str:
        """Where reading has got to, in words."""
        return f"{'decision' if self._database else 'line'} {self.line}"

    @property
    def _database(self) -> bool:
        return is_url(self.log)

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        """Read them; audited ones with `harm` and `probability`."""
        audits = self._audits()
        for line, record in self._records():
            self.line = line
            if is_event(record):
                continue
            if _is_decision(record):
                self._count(record)
                self._failing = record.get("failing")
                yield self._with_harm(record, audits.get(record.get("id")))
            else:
                self._skip(self.line)

    def _records(self) -> Iterator[tuple[int, Any]]:
        if not self._database:
            return read_json_lines(Path(self.log), cut_off=self._cut_off, skipped=self._skip)
        return enumerate(read_records(self.log), 1)

    def _audits(self) -> dict[Any, dict[str, Any]]:
        """Return the audit that counts of every decision that has one."""
        events: Iterator[Any]
        if self._database:
            events = iter(read_events(self.log, kind="audit"))
        else:
            path = Path(self.log)
            if path.exists() and not path.is_file():  # a pipe is read once
                return {}
            events = (each for _, each in read_json_lines(path, cut_off=_ignore, skipped=_ignore))
        found: dict[Any, dict[str, Any]] = {}
        for event in events:
            if is_event(event) and _is_audit(event):
                decision = event["decision"]
                found[decision] = counting_audit(found.get(decision), event)
        return found

    def _with_harm(
        self, record: Mapping[str, Any], audit: Mapping[str, Any] | None
    ) -> Mapping[str, Any]:
        """Return a record with the harm that its audit found; one that has its own keeps it."""
        harm = None if audit is None else _harm(record, audit)
        if audit is not None and harm is not None:
            return {**record, "harm": harm, "probability": audit["probability"]}
        picked = record.get("audit")
        decided = record.get("shadow") or record
        kept = decided["accepted"] and "sent_on" not in record  # not the last tier's own
        if kept and isinstance(picked, dict) and picked.get("picked"):
            self.unaudited += record["reason"] != "pinned"
        return record

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
            yield f"{which} no record of a decision (the first: line {self._first}) and left out"
        if self._torn:
            yield "its last line is cut off and left out"
        if self.unaudited:
            yield (
                f"{self.unaudited:,} accepted answers were picked for an audit that was not done; "
                "they count as harmless here, so that harm may be higher"
            )

    def _skip(self, line: int) -> None:
        self._first = self._first or line
        self.unreadable += 1

    def other_models(self, policy: Policy) -> Iterator[str]:
        """Say which tiers have answered as other models than the policy was tuned with."""
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


def _ignore(*_: Any) -> None:
    """Pass over what the second reading counts."""


def _is_audit(event: Mapping[str, Any]) -> bool:
    """Tell whether an audit has what is read of it."""
    return (
        event["event"] == "audit"
        and isinstance(event.get("decision"), str)
        and _is_share(event.get("harm"), None)
        and _is_share(event.get("probability"), _SHARES["probability"])
        and isinstance(event.get("tiers"), list)
        and isinstance(event.get("status"), str)
    )


def _harm(record: Mapping[str, Any], audit: Mapping[str, Any]) -> float | None:
    """Return the quality lost by the answer that counts, which in shadow mode was not given."""
    if audit["status"] != "done":
        return None
    shadow = record.get("shadow")
    if shadow is None:
        harm: float | None = audit["harm"]
        return harm
    tiers = [tier for tier in audit["tiers"] if isinstance(tier, dict)]
    qualities = {tier.get("tier"): tier.get("quality") for tier in tiers}
    own, strong = qualities.get(shadow["tier"]), audit.get("strong_quality")
    if own is None or strong is None or not (_is_share(own, None) and _is_share(strong, None)):
        return None
    return max(0.0, float(strong) - float(own))


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
_SHARES: Mapping[str, float | None] = {
    **dict.fromkeys(("confidence", "merit", "harm")),
    "probability": 5e-324,
}
"""Numbers that a record may have, each at most 1, and the least they may be.

None: 0, and they may also be null.
"""


def _is_share(value: object, least: float | None) -> bool:
    if value is None or value != value:  # noqa: PLR0124 - NaN is no reading either
        return least is None
    return isinstance(value, int | float) and (least or 0) <= value <= 1
