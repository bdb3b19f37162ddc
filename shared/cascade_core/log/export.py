"""Makes a labelled table of a log's audits.

A row is a request whose audit was done: every tier whose answer is known has its quality, its cost
and its readings, and the row weighs 1 / the probability with which the request was picked, so that
the table stands for all requests that could have been. Audits that were not done are no rows, and
nothing stands for them; they are counted. Feedback that people volunteer is never a row: who gives
it is not known, so that no weight would be right.

Texts become a column only where every row has them. A text that is missing where content was not
kept would look like an empty one, and whatever learns from texts would learn that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from cascade_core.errors import ConfigurationError
from cascade_core.labels import Table
from cascade_core.labels.build import build
from cascade_core.labels.memory import read_rows
from cascade_core.log.audited_records import AuditedRecords, Counted
from cascade_core.log.events import LogEvent
from cascade_core.log.known_audits import (
    KnownAnswer,
    KnownAudit,
    audits_by_decision,
    plain_text,
    shared_name,
)
from cascade_core.log.record import Record

Row: TypeAlias = dict[str, Any]
_NAMED, _LONGEST = 10, 60  # names of cascades in an error, and characters of each
_NEVER = {"pinned", "cached", "held"}
"""Reasons of answers that say nothing of thresholds: a rule keeps the request from other tiers, no
tier was asked, or an earlier step had decided and nobody judged them."""


@dataclass(slots=True)
class Exported:
    """The rows of a table, and what became of everything else in the log.

    Attributes:
        rows: One a covered audit, in the order of the decisions.
        decisions: Requests in the log.
        picked: Requests that were picked for an audit.
        ineligible: Requests that could not be picked; no row stands for them.
        left_out: Requests that were picked and are no rows, by why.
        feedback: How often feedback was given.
        undecided: Rows in which what compared the answers could not tell, and took them to differ.
        comparators: What compared, and how often.
        unasked: By tier, rows without its answer.
        models: By tier, the models that have answered, and how often.
        columns: Columns that were left out, with why.
        unreadable: Lines of a file that could not be read.
    """

    rows: list[Row] = field(default_factory=list)
    decisions: int = 0
    picked: int = 0
    ineligible: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    feedback: int = 0
    undecided: int = 0
    comparators: Counter[str] = field(default_factory=Counter)
    unasked: dict[int, int] = field(default_factory=dict)
    models: dict[int, Counter[str]] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    unreadable: int = 0

    @property
    def tiers(self) -> int:
        """How many tiers the rows tell of."""
        return len(self.unasked)

    def as_table(self, source: str) -> Table:
        """Return the rows as a labelled table.

        Args:
            source: What errors, and a policy that is tuned on it, call it.
        """
        return build(source, "row", read_rows(source, self.rows))

    def as_dict(self) -> dict[str, Any]:
        """Return the figures as plain JSON."""
        return {
            "rows": len(self.rows),
            "decisions": self.decisions,
            "picked": self.picked,
            "ineligible": self.ineligible,
            "left_out": dict(self.left_out),
            "feedback": self.feedback,
            "undecided": self.undecided,
            "said": self.said(),
        }

    def said(self) -> list[str]:
        """Say what is not in the table, and what makes it doubtful, a sentence each."""
        return [*self._not_in_it(), *self._doubts()]

    def _not_in_it(self) -> Iterator[str]:
        if self.ineligible:
            yield (
                f"{self.ineligible:,} of {self.decisions:,} answered requests could not be audited "
                "(before audit=, by a rule, pinned, cached, held); the table says nothing of them"
            )
        if self.left_out:
            missing = sum(self.left_out.values())
            yield (
                f"{missing:,} of {self.picked:,} audits were not done ({_listed(self.left_out)}); "
                "the table takes those requests to be like the others"
            )
        for tier, rows in self.unasked.items():
            if rows:
                yield (
                    f"tier {tier} was not asked in {rows:,} of {len(self.rows):,} rows; its cells "
                    "are empty there"
                )
        for name, why in self.columns.items():
            yield f"the column {name} is left out: {why}"
        if self.unreadable:
            yield f"{self.unreadable:,} lines could not be read and are left out"
        if self.feedback:
            often = "once" if self.feedback == 1 else f"{self.feedback:,} times"
            yield f"feedback, given {often}, is no row: it is no random sample"

    def _doubts(self) -> Iterator[str]:
        if self.undecided:
            yield (
                f"in {self.undecided:,} of {len(self.rows):,} rows it could not be told whether "
                "the answers agree; they count as different, which overstates harm"
            )
        if len(self.comparators) > 1:
            yield f"qualities come from several comparisons: {_listed(self.comparators)}"
        for tier, models in self.models.items():
            if len(models) > 1:
                yield (
                    f"tier {tier} answered as several models ({_listed(models)}): one table should "
                    "tell of one; cascade export --since takes what came after a change"
                )


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{what} {n:,}" for what, n in counts.most_common())


def export(  # noqa: PLR0913 - which decisions, and how they weigh
    records: Iterable[Record] | AuditedRecords,
    events: Iterable[LogEvent],
    *,
    cascade: str | None = None,
    policy_version: str | None = None,
    source: str = "the log",
    by_time: bool = False,
) -> Exported:
    """Make the rows of a labelled table.

    Args:
        records: The log's decisions, oldest first.
        events: Its audits and feedback, oldest first.
        cascade: Only the decisions of the cascade of this name.
        policy_version: Only those that this version of the policy made.
        source: What errors call the log.
        by_time: See `audits_by_decision`.

    Raises:
        ConfigurationError: Several cascades have written to the log, and none was chosen.
    """
    audits, feedback = audits_by_decision(events, by_time=by_time)
    sorting = _Sorting(Exported(), audits)
    cascades: Counter[str | None] = Counter()
    for each in _counted(records, sorting):
        record = each.record
        if record.get("tier") is None:  # nobody answered: there was nothing to audit
            continue
        if cascade is not None and record.get("cascade") != cascade:
            continue
        if policy_version is not None and str(record.get("policy_version")) != policy_version:
            continue
        cascades[record.get("cascade")] += each.n
        sorting.found.decisions += each.n
        given = feedback[record["id"]] if each.feedback is None else each.feedback
        sorting.found.feedback += given
        sorting.read(each)
    if len(cascades) > 1:
        shown = [repr(name)[:_LONGEST] for name, _ in cascades.most_common(_NAMED)]
        names = ", ".join([*shown, "…"] if len(cascades) > _NAMED else shown)
        raise ConfigurationError(
            f"{source}: decisions of several cascades ({names}) do not make one table; "
            "--cascade NAME (cascade export, cascade watch) takes those of one"
        )
    return sorting.whole()


def _counted(records: Iterable[Record] | AuditedRecords, sorting: _Sorting) -> Iterable[Counted]:
    if isinstance(records, AuditedRecords):
        return records.counted(lambda: sorting.drawn_later)
    return map(Counted, records)


class _Kept(NamedTuple):
    """A decision that becomes a row."""

    id: str
    tier: int | None  # whose `response` is
    request: str | None
    response: str | None
    class_name: str | None
    thread: str | None
    digest: str | None
    audit: KnownAudit


@dataclass(slots=True)
class _Sorting:
    """Sorts decisions: those that are rows, and those that are none, by why.

    Attributes:
        found: What was counted.
        audits: The audit that counts, by decision.
        kept: Those that become rows.
        chanceless: Requests so far that had no chance to be picked, unless a later one was drawn
            after it was answered: then chance has been asked of all that came before.
        drawn_later: The id of the last that was drawn after it was answered.
    """

    found: Exported
    audits: Mapping[str, KnownAudit]
    kept: list[_Kept] = field(default_factory=list)
    chanceless: int = 0
    drawn_later: str | None = None

    def read(self, counted: Counted) -> None:
        """Sort one answered request, or several that are alike."""
        record, n = counted.record, counted.n
        audit, chance = self.audits.get(record.get("id", "")), record.get("audit")
        if record["reason"] in _NEVER:
            self.found.ineligible += n
        elif audit is not None:
            self._picked(record, audit)
        elif not chance:
            self.chanceless += 0 if counted.past else n
        elif not chance["probability"]:
            self.found.ineligible += n
        elif chance["picked"]:
            self.found.picked += n
            self.found.left_out["not yet done"] += n

    def _picked(self, record: Record, audit: KnownAudit) -> None:
        if audit.drawn_later:
            self.chanceless = 0
            self.drawn_later = record["id"]
        self.found.picked += 1
        if audit.status == "done":
            thread = record.get("thread")
            self.kept.append(
                _Kept(
                    id=record["id"],
                    tier=None if "handed_to" in record else record["tier"],
                    request=plain_text(_asked(record.get("request"))),
                    response=plain_text(record.get("response")),
                    class_name=plain_text(record.get("class")),
                    thread=None if thread is None else plain_text(str(thread)),
                    digest=record.get("digest"),
                    audit=audit,
                )
            )
        else:
            self.found.left_out[f"{audit.status}: {audit.why or 'unknown'}"] += 1

    def whole(self) -> Exported:
        """Return the rows and the counts."""
        self.found.ineligible += self.chanceless
        _fill(self.found, self.kept)
        return self.found


def _fill(found: Exported, kept: list[_Kept]) -> None:
    """Make the rows, and count what they lack."""
    tiers = 1 + max((tier for each in kept for tier in each.audit.tiers), default=-1)
    digests = Counter(each.digest for each in kept)
    found.unasked = dict.fromkeys(range(tiers), 0)
    found.models = {k: Counter() for k in range(tiers)}
    for each in kept:
        audit = each.audit
        found.undecided += audit.why == "undecided"
        found.comparators[audit.compare] += 1
        row: Row = {
            "id": each.id,
            "request": each.request,
            "class": each.class_name,
            "group": _group(each, digests),
            "weight": audit.weight,
        }
        for k in range(tiers):
            answer = audit.tiers.get(k)
            if answer is None:
                found.unasked[k] += 1
                row |= {shared_name(f"t{k}_quality"): None, shared_name(f"t{k}_cost_usd"): None}
                continue
            if answer.model is not None:
                found.models[k][answer.model] += 1
            _add_cells(row, k, answer, last=k == tiers - 1)
            given = each.response if k == each.tier else answer.response
            row[shared_name(f"t{k}_response")] = given
            if k < tiers - 1 and (answer.reason or "").startswith("gate_"):
                row[shared_name(f"t{k}_gate")] = answer.reason
        found.rows.append(row)
    _drop_partial_texts(found)


def _add_cells(row: Row, k: int, answer: KnownAnswer, *, last: bool) -> None:
    """Add what is known of one tier's answer."""
    row[shared_name(f"t{k}_model")] = answer.model
    row[shared_name(f"t{k}_quality")] = answer.quality
    row[shared_name(f"t{k}_cost_usd")] = answer.cost_usd
    if not last:  # the last tier's readings decide nothing
        for name, reading in answer.signals.items():
            row[shared_name(f"t{k}_signal_{name}")] = reading
        for name, usd in answer.paid.items():
            row[shared_name(f"t{k}_paid_{name}_usd")] = usd


def _group(each: _Kept, digests: Counter[str | None]) -> str | None:
    """Return what a row belongs with: its conversation, else others that ask the very same."""
    if each.thread is not None:
        return each.thread
    return each.digest if each.digest is not None and digests[each.digest] > 1 else None


def _drop_partial_texts(found: Exported) -> None:
    """Take out columns of texts that some rows have and others have not."""
    names = ["request", *(f"t{k}_response" for k in range(found.tiers))]
    for name in names:
        rows = [row for row in found.rows if row.get(name) is not None]
        if len(rows) < len(found.rows):
            for row in found.rows:
                row.pop(name, None)
            if rows and name == "request":  # answers are kept of some audits, and not of others
                found.columns[name] = f"only {len(rows):,} of {len(found.rows):,} rows have it"


def _asked(request: Any) -> str | None:
    """Return what a confidence reads of a request that was kept: the last thing the user said."""
    if request is None or isinstance(request, str):
        return request
    return next((turn["text"] for turn in reversed(request) if turn["role"] == "user"), "")
