"""Logged requests to audit later: which ones chance picks, and each as the core sees it.

Chance is a digest of a seed and the decision's id: a second run over the same log picks the same
requests, and so goes on where the first one stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Any

from cascade_core.abilities import Missing
from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.log import LogEvent, Record
from cascade_core.log.record import calls_of
from cascade_core.log.upgrade import upgraded
from cascade_core.loop.trail import total
from cascade_core.request import Request, Turn
from cascade_core.verdict import Judgement, Verdict

_ANSWERED = {"system", "user", "assistant"}
"""Roles of turns that are written down whole; results of tools belong to calls that are not."""

_NOBODYS = {"cached", "cancelled", "exhausted"}
"""Reasons of records that no tier answered."""

_PAID = {
    "judge": ("judge", "claims"),
    "sample": ("self_consistency",),
    "agree": ("agreement",),
    "verbalize": ("verbalized",),
}
"""The signals that calls of a purpose are made for, by their usual names."""

_OVER = {"pinned", "content"}
"""Why an audit was skipped that would be skipped again."""


@dataclass(slots=True)
class Logged:
    """One logged request that is picked.

    Attributes:
        record: Its record, with what the log keeps of its content.
        probability: With which it was picked.
        drawn: Whether it was picked later, and not when it was answered.
    """

    record: Record
    probability: float
    drawn: bool

    @property
    def id(self) -> str:
        """The decision's id."""
        return str(self.record["id"])

    @property
    def unfit(self) -> str | None:
        """Why it cannot be audited; None where it can."""
        if self.record["reason"] == "pinned":
            return "pinned"
        turns, answer = self.record.get("request"), self.record.get("response")
        if self.record.get("handed_to") is not None:  # the answer that is kept is no tier's
            return "content"
        if not turns or not answer or not isinstance(answer, str):
            return "content"
        return None if all(turn.get("role") in _ANSWERED for turn in turns) else "content"

    @property
    def messages(self) -> list[dict[str, str]]:
        """The conversation, as messages of a role and a content."""
        return [{"role": t["role"], "content": t["text"]} for t in self.record["request"]]

    def request(self) -> Request:
        """Return what was asked, for those who do not call models with it."""
        return Request([Turn(turn["role"], turn["text"]) for turn in self.record["request"]])

    def verdict(self) -> Verdict:
        """Return what was answered, as far as the record tells: only the given draft is kept."""
        record = self.record
        draft = Draft(record["response"], model=record["model"])
        judged = [_judgement(record, each, draft) for each in record["judged"]]
        calls = calls_of(record)
        cost = None if record["cost_usd"] is None else Decimal(str(record["cost_usd"]))
        return Verdict(
            tier=record["tier"],
            draft=draft,
            reason=record["reason"],
            accepted=record["accepted"],
            judged=judged[-1] if judged else Judgement("only_tier"),
            calls=calls,
            cost=cost,
            strong_cost=None,
            strong_cost_exact=False,
            class_name=record["class"],
            unable={each["tier"]: _lacks(each) for each in record.get("unable", ())},
            judgements=judged,
        )


def _lacks(unable: Mapping[str, Any]) -> Sequence[Missing]:
    missing: Sequence[Missing] = unable["missing"]
    return missing


def _judgement(record: Record, judged: Mapping[str, Any], answer: Draft) -> Judgement:
    given = judged["tier"] == record["tier"]
    return Judgement(
        reason=judged["reason"],
        accepted=given and record["accepted"],
        draft=answer if given else None,
        confidence=judged["confidence"],
        threshold=judged["threshold"],
        signals=judged["signals"],
        merit=judged["merit"],
        benefit=judged["benefit"],
        tier=judged["tier"],
        model=judged["model"],
        paid=_paid(record, judged) if given else {},
    )


def _paid(record: Record, judged: Mapping[str, Any]) -> dict[str, Decimal | None]:
    """Return what a draft's paid signals cost, of those that go by their usual names.

    Where two are paid for by calls of one purpose, nobody can tell which is whose.
    """
    calls = [call for call in calls_of(record) if call.tier == judged["tier"]]
    paid: dict[str, Decimal | None] = {}
    for purpose in sorted({call.purpose for call in calls} & set(_PAID)):
        read = [name for name in _PAID[purpose] if name in judged["signals"]]
        cost = total(call for call in calls if call.purpose == purpose)
        paid |= dict.fromkeys(read, cost if len(read) == 1 else None)
    return paid


@dataclass(slots=True)
class Drawn:
    """What chance has picked of a log.

    Attributes:
        todo: What is to be audited, oldest first.
        requests: Answered requests that were looked at.
        picked: How many of them are picked, those audited before included.
        done: How many of those are audited already.
    """

    todo: list[Logged] = field(default_factory=list)
    requests: int = 0
    picked: int = 0
    done: int = 0


def draw(  # noqa: PLR0913 - what is in the log, and how to pick
    records: Iterable[Record],
    events: Iterable[LogEvent],
    *,
    rate: float,
    seed: int,
    tiers: int,
    cascade: str | None = None,
) -> Drawn:
    """Pick requests of a log.

    A request that was picked when it was answered, and whose audit was not done, is picked with
    the probability that its record says; one that was not picked then has had its chance.

    Args:
        records: The log's decisions, oldest first.
        events: Its events.
        rate: Probability that a request is picked which had no chance yet, in (0, 1].
        seed: Chooses which.
        tiers: How many tiers there are.
        cascade: Only the decisions of the cascade of this name.

    Raises:
        ConfigurationError: The log is of a cascade of more tiers, or was audited at another rate.
    """
    audits = [event for event in events if event["event"] == "audit"]
    _check_rate(audits, rate, seed)
    over = {event["decision"] for event in audits if _is_over(event)}
    found, names = Drawn(), set()
    for raw in records:
        record = upgraded(raw)
        if cascade is not None and record["cascade"] != cascade:
            continue
        if record["tier"] is None or record["reason"] in _NOBODYS:
            continue
        names.add(record["cascade"])
        _check_tiers(record, tiers)
        found.requests += 1
        chance = record.get("audit")
        if chance is not None and not chance["picked"]:
            continue
        if chance is None and not is_drawn(record["id"], rate, seed):
            continue
        found.picked += 1
        if record["id"] in over:
            found.done += 1
            continue
        probability = rate if chance is None else chance["probability"]
        found.todo.append(Logged(record, probability, drawn=chance is None))
    found.todo.sort(key=lambda logged: logged.record["at"] or "")
    if len(names) > 1:
        listed = ", ".join(sorted(repr(name) for name in names))
        raise ConfigurationError(f"the log has several cascades ({listed}): name one by --cascade")
    return found


def is_drawn(decision: str, rate: float, seed: int) -> bool:
    """Tell whether chance picks a decision."""
    digest = sha256(f"{seed}:{decision}".encode()).digest()
    return int.from_bytes(digest[:8], "big") < rate * 2**64


def _is_over(event: LogEvent) -> bool:
    return event["status"] == "done" or (event["status"] == "skipped" and event["why"] in _OVER)


def _check_rate(audits: Iterable[LogEvent], rate: float, seed: int) -> None:
    for event in audits:
        drawn = event.get("drawn_later")
        if drawn is not None and (drawn["rate"], drawn["seed"]) != (rate, seed):
            msg = (
                f"the log was audited with --rate {drawn['rate']:g} --seed {drawn['seed']} before: "
                "go on with these, or the probabilities that are logged would be wrong"
            )
            raise ConfigurationError(msg)


def _check_tiers(record: Record, tiers: int) -> None:
    most = max([record["tier"], *(call["tier"] or 0 for call in record["calls"])])
    if most >= tiers:
        msg = (
            f"decision {record['id']} of the log asked tier {most}, and {tiers} tiers are given: "
            "give every tier of the cascade, cheapest first"
        )
        raise ConfigurationError(msg)
