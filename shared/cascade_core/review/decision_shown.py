"""A decision as its page shows it: what a record says, put in words, whatever is in it.

Records come from any release, and from other programs: what is not there, or of another kind than
it should be, is left out.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cascade_core.log.record import Record
from cascade_core.log.upgrade import merit_of, upgraded
from cascade_core.moments import seconds_of
from cascade_core.report.reasons import IN_WORDS
from cascade_core.review.evidence_shown import committed_in_words, evidence_in_words
from cascade_core.review.fetching import WholeDecision
from cascade_core.review.word_diff import WordDiff, word_diff

_HIGHEST = sys.float_info.max  # an integer may have more digits than any float

PURPOSES = {
    "draft": "to be returned",
    "sample": "to be compared with the draft",
    "agree": "another model's, to be compared with the draft",
    "judge": "to judge the draft",
    "verbalize": "to state a confidence in the draft",
    "audit": "to be compared with an answer that is out",
}
OUTCOMES = {
    "accepted": "returned, for it passed",
    "rejected": "judged, and not returned",
    "returned": "returned without a threshold",
    "aborted": "cut off, for it could no longer pass",
    "failed": "failed",
    "used": "used",
}
COUNTED = {
    "provider": "counted by the provider",
    "tiktoken": "counted here with the model's encoding",
    "estimate": "estimated: characters divided by 4",
}
BASIS = {
    "asked": "the last tier was asked: what its drafts cost",
    "asked_cold": "the last tier was asked, of a conversation that no cache of its provider held",
    "tokens": "estimated: another tier's tokens at the last tier's prices",
    "tokens_cached": "estimated: another tier's tokens, as cached as they were, at the last tier's "
    "prices",
    "at_most": "at the most: another tier's tokens at the last tier's full prices",
}


@dataclass(frozen=True, slots=True)
class DraftShown:
    """A draft and how it was judged.

    Attributes:
        tier: Whose it is.
        model: The model that wrote it.
        reason: Why it was accepted or not, in a word of the record's.
        words: The same in words.
        confidence: In [0, 1]; None for no reading.
        merit: What was held against the threshold: the confidence, or more than that.
        threshold: It.
        signals: Each signal and its reading; None for no reading.
        evidence: What readings rest on, in words.
    """

    tier: int | None
    model: str | None
    reason: str
    words: str
    confidence: float | None
    merit: float | None
    threshold: float | None
    signals: list[tuple[str, float | None]]
    evidence: list[str]


@dataclass(frozen=True, slots=True)
class CallShown:
    """A call of a model.

    Attributes:
        tier: The tier that was called.
        model: The model that answered.
        purpose: What for.
        tokens: Kinds of tokens and how many; empty where nobody knows.
        counted: Who counted them.
        cost: USD; None for no known price.
        latency: Milliseconds.
        outcome: What became of it.
        more: What else there is to say.
    """

    tier: int | None
    model: str | None
    purpose: str
    tokens: list[tuple[str, float]]
    counted: str
    cost: float | None
    latency: float | None
    outcome: str
    more: list[str]


@dataclass(frozen=True, slots=True)
class AnswerCompared:
    """An answer that an audit compared with the one that was given.

    Attributes:
        tier: Whose it is.
        model: The model that wrote it.
        text: The answer.
        diff: It beside the one that was given.
    """

    tier: int | None
    model: str | None
    text: str
    diff: WordDiff


@dataclass(frozen=True, slots=True)
class DecisionShown:
    """A decision, to be shown.

    Attributes:
        record: Its record, of this release's form.
        at: When it was asked, in seconds since 1970.
        turns: Who said what; None where that is not logged.
        answer: What was answered; None where that is not logged.
        route: What sent it its way before any draft was judged, a sentence each.
        drafts: The drafts that were judged, in order.
        calls: Every call.
        unpriced: How many of them have no known price.
        committed: What was accepted by its first tokens; None where nothing was.
        shadow: What would have become of it; None where it was no trial.
        compared: Answers of an audit beside the one given.
    """

    record: Record
    at: float | None
    turns: list[tuple[str, str]] | None
    answer: str | None
    route: list[str]
    drafts: list[DraftShown]
    calls: list[CallShown]
    unpriced: int
    committed: str | None
    shadow: str | None
    compared: list[AnswerCompared]


def decision_shown(found: WholeDecision) -> DecisionShown:
    """Put a decision in words."""
    record = _fit(found.record)
    answer = record.get("response")
    calls = [_call(each) for each in record["calls"]]
    return DecisionShown(
        record=record,
        at=seconds_of(record.get("at")),
        turns=_turns(record.get("request")),
        answer=answer if isinstance(answer, str) else None,
        route=_route(record),
        drafts=[_draft(each) for each in record["judged"]],
        calls=calls,
        unpriced=sum(each.cost is None for each in calls),
        committed=committed_in_words(record.get("committed")),
        shadow=_shadow(record.get("shadow")),
        compared=_compared(found, answer) if isinstance(answer, str) else [],
    )


def reason_in_words(reason: Any) -> str:
    """Return a reason in words; one that is unknown as it is."""
    known: Mapping[str, str] = dict(IN_WORDS.items())
    return known.get(reason, reason) if isinstance(reason, str) else "not said"


def number_in(value: Any) -> float | None:
    """Return a number of a record; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if -_HIGHEST <= value <= _HIGHEST else None


def _fit(record: Record) -> Record:
    """Return a record of this release's form, of whatever is in it."""
    calls = _objects(record.get("calls"))
    try:
        known = upgraded({**record, "calls": calls})
    except (KeyError, TypeError, AttributeError, ValueError):  # calls of another program
        known = {**upgraded({**record, "calls": calls, "judged": []})}
    known["judged"] = _objects(known["judged"])
    for name in ("signals", "metadata"):
        if not isinstance(known[name], Mapping):
            known[name] = {}
    tags = known["tags"]
    known["tags"] = [str(tag) for tag in tags] if isinstance(tags, list) else []
    for name in ("cost_usd", "strong_cost_usd", "latency_ms", "confidence", "threshold"):
        known[name] = number_in(known[name])
    for name in ("reason", "model", "class", "rule", "policy", "digest", "thread", "cascade"):
        known[name] = _name(known[name])
    known["tier"] = _whole(known["tier"])
    return known


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _turns(request: Any) -> list[tuple[str, str]] | None:
    if request is None:
        return None
    if not isinstance(request, list):
        return [("user", str(request))]
    return [(str(turn.get("role")), str(turn.get("text"))) for turn in _objects(request)]


def _whole(value: Any) -> int | None:
    found = number_in(value)
    return None if found is None else int(found)


def _name(value: Any) -> str | None:
    return None if value is None else str(value)


def _draft(judged: Mapping[str, Any]) -> DraftShown:
    signals = judged.get("signals")
    return DraftShown(
        tier=_whole(judged.get("tier")),
        model=_name(judged.get("model")),
        reason=str(judged.get("reason")),
        words=reason_in_words(judged.get("reason")),
        confidence=number_in(judged.get("confidence")),
        merit=number_in(merit_of(judged)),
        threshold=number_in(judged.get("threshold")),
        signals=[(str(name), number_in(reading)) for name, reading in signals.items()]
        if isinstance(signals, Mapping)
        else [],
        evidence=evidence_in_words(judged),
    )


def _call(call: Mapping[str, Any]) -> CallShown:
    usage = call.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    tokens = [
        (str(name).removesuffix("_tokens").replace("_", " "), count)
        for name, value in usage.items()
        if (count := number_in(value)) is not None
    ]
    more = []
    if call.get("note") is not None:
        more.append(reason_in_words(call["note"]))
    if call.get("error") is not None:
        more.append(str(call["error"]))
    saved = number_in(call.get("tokens_saved"))
    if saved is not None:
        more.append(f"saved {saved:,.0f} output tokens at the most")
    purpose, outcome, source = (str(call.get(n)) for n in ("purpose", "outcome", "tokens_source"))
    return CallShown(
        tier=_whole(call.get("tier")),
        model=_name(call.get("model")),
        purpose=f"{purpose}: {PURPOSES[purpose]}" if purpose in PURPOSES else purpose,
        tokens=tokens,
        counted=COUNTED.get(source, source) if usage else "",
        cost=number_in(call.get("cost_usd")),
        latency=number_in(call.get("latency_ms")),
        outcome=OUTCOMES.get(outcome, outcome),
        more=more,
    )


def _route(record: Record) -> list[str]:
    """Say what sent a request its way before any draft was judged."""
    said = []
    if record["rule"] is not None:
        said.append(f"The rule “{record['rule']}” fired.")
    if record["reason"] in {"bypassed", "pinned", "kept", "difficult", "sticky", "cached", "held"}:
        said.append(f"{IN_WORDS[record['reason']].capitalize()}.")
    void = record.get("promise") == "void"
    so = ": the answer met no threshold, and no promise holds for it" if void else ""
    if isinstance(budget := record.get("budget"), str):
        said.append(f"The budget “{budget}” had no room{so}.")
    elif void:
        said.append(f"There was no time for a later tier{so}.")
    if record.get("handoff") is True:
        to = record.get("handed_to")
        by = "returned all the same" if to is None else f"replaced by what “{to}” gave"
        said.append(f"The last tier's answer was handed off: it was {by}.")
    said += _held(record.get("held"))
    for each in _objects(record.get("unable")):
        missing = each.get("missing")
        lacks = ", ".join(map(str, missing)) if isinstance(missing, list) else str(missing)
        said.append(f"Tier {each.get('tier')} was passed over: it lacks {lacks}.")
    return said + [
        f"Tier {each.get('tier')} ({each.get('model')}) had failed {each.get('failures')} times in "
        f"a row{', and was left alone' if each.get('open') is True else ''}: {each.get('error')}."
        for each in _objects(record.get("failing"))
    ]


def _held(held: Any) -> list[str]:
    """Say what earlier steps had decided on."""
    if not isinstance(held, Mapping):
        return []
    since = held.get("since")
    begun = "" if since is None else f", since decision {since}"
    tools = held.get("by") == "tools"
    what = "tool calls of the turn" if tools else held.get("by")
    return [f"Tier {held.get('tier')} was held to for the {what}{begun}."]


def _shadow(shadow: Any) -> str | None:
    """Say what would have become of a request in shadow mode."""
    if not isinstance(shadow, Mapping):
        return None
    cost, who = number_in(shadow.get("cost_usd")), shadow.get("tier")
    said = f"Tier {who} would have answered" if who is not None else "Nobody would have answered"
    said += f": {reason_in_words(shadow.get('reason'))}."
    if cost is not None:
        said += f" It would have cost ${cost:.6g}."
    if shadow.get("error") is not None:
        said += f" Asking the cheaper tiers broke off: {shadow['error']}."
    return said


def _compared(found: WholeDecision, answer: str) -> list[AnswerCompared]:
    """Return the answers of the audit that counts beside the one that was given."""
    return [
        AnswerCompared(
            _whole(tier.get("tier")),
            _name(tier.get("model")),
            tier["response"],
            word_diff(answer, tier["response"]),
        )
        for tier in _objects((found.audit or {}).get("tiers"))
        if isinstance(tier.get("response"), str)
    ]
