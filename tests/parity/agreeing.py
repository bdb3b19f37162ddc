"""The rows of the table in which other models are asked the same as the tiers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cascade_core.signals import Agreement, SequenceLogprob
from tests.parity.scenarios import (
    BAD_TICKET,
    DOWN,
    LONG,
    MUTE,
    ORDER,
    STRONG_ORDER,
    STRONG_TICKET,
    SURE,
    TICKET,
    UNSURE,
    Answer,
    Make,
    Model,
    Scenario,
    three,
    two,
)

SAME, OTHER = Answer("it ships on monday morning", p=None), Answer("Never.", p=None)


def asks(*answers: Answer, first: Any = None, **settings: Any) -> Callable[[Make], list[Any]]:
    free = [] if first is None else [first]
    return lambda make: [*free, Agreement(*(make(Model(each)) for each in answers), **settings)]


def lazy_and_eager(name: str, trail: list[str], *answers: Answer, **row: Any) -> list[Scenario]:
    """Rows that are the same whenever the models are asked."""
    row.setdefault("models", two(MUTE))
    return [
        Scenario(
            f"{name}{', asked with the draft' if eager else ''}",
            trail=trail,
            signals=asks(*answers, eager=eager),
            **row,
        )
        for eager in (False, True)
    ]


ESCALATED: dict[str, Any] = {"reason": "low_confidence", "tier": 1}
CONFIDENT: dict[str, Any] = {"reason": "confident", "accepted": True}

AGREEING = [
    *lazy_and_eager(
        "another model agrees", ["0 draft accepted", "0 agree used"], SAME, **CONFIDENT
    ),
    *lazy_and_eager(
        "another model disagrees",
        ["0 draft rejected:low_confidence", "0 agree used", "1 draft returned"],
        OTHER,
        **ESCALATED,
    ),
    *lazy_and_eager(
        "two of three models agree",
        ["0 draft accepted", *["0 agree used"] * 3],
        SAME,
        OTHER,
        SAME,
        settings={"thresholds": 0.6},
        **CONFIDENT,
    ),
    *lazy_and_eager(
        "of two models one is down",
        ["0 draft accepted", "0 agree failed", "0 agree used"],
        DOWN,
        SAME,
        **CONFIDENT,
    ),
    *lazy_and_eager(
        "the only other model is down",
        ["0 draft rejected:no_reading", "0 agree failed", "1 draft returned"],
        DOWN,
        reason="no_reading",
        tier=1,
    ),
    *lazy_and_eager(
        "another model calls the same tool",
        ["0 draft accepted", "0 agree used"],
        ORDER,
        models=two(ORDER, STRONG_ORDER),
        kind="tools",
        **CONFIDENT,
    ),
    *lazy_and_eager(
        "another model calls the tool otherwise",
        ["0 draft rejected:low_confidence", "0 agree used", "1 draft returned"],
        Answer("", p=None, calls=[("find_order", {"number": 8})]),
        models=two(ORDER, STRONG_ORDER),
        kind="tools",
        **ESCALATED,
    ),
    *lazy_and_eager(
        "another model makes the same object",
        ["0 draft accepted", "0 agree used"],
        TICKET,
        models=two(TICKET, STRONG_TICKET),
        kind="object_by_tool",
        **CONFIDENT,
    ),
    *lazy_and_eager(
        "another model makes another object",
        ["0 draft rejected:low_confidence", "0 agree used", "1 draft returned"],
        Answer("", p=None, calls=[("Ticket", {"title": "late order", "urgency": 1})]),
        models=two(TICKET, STRONG_TICKET),
        kind="object_by_tool",
        **ESCALATED,
    ),
    Scenario(
        "no other model is asked about what fails a gate",
        two(Answer("")),
        ["0 draft rejected:gate_empty", "1 draft returned"],
        "gate_empty",
        tier=1,
        signals=asks(SAME),
    ),
    Scenario(
        "one that is asked with the draft is paid for where that fails a gate",
        two(Answer("")),
        ["0 draft rejected:gate_empty", "1 draft returned", "0 agree used"],
        "gate_empty",
        tier=1,
        signals=asks(SAME, eager=True),
    ),
    Scenario(
        "no other model is asked about what is too unsure already",
        two(UNSURE),
        ["0 draft rejected:low_confidence", "1 draft returned"],
        "low_confidence",
        tier=1,
        signals=asks(SAME, first=SequenceLogprob()),
    ),
    Scenario(
        "one that is asked with the draft is paid for where that is too unsure",
        two(Model(LONG, max_tokens=20)),
        ["0 draft rejected:low_confidence", "1 draft returned", "0 agree used"],
        "low_confidence",
        tier=1,
        signals=asks(SAME, first=SequenceLogprob(), eager=True),
        streamed_trail=["0 draft aborted:low_confidence", "1 draft returned", "0 agree used"],
    ),
    Scenario(
        "one that is asked with the draft is paid for where that is sure enough",
        two(SURE),
        ["0 draft accepted", "0 agree used"],
        "confident",
        accepted=True,
        signals=asks(OTHER, first=SequenceLogprob(), eager=True),
        settings={"combine": {"sequence_logprob": 99, "agreement": 1}},
    ),
    Scenario(
        "one that is asked with the draft is paid for where that fails",
        two(DOWN),
        ["0 draft failed", "1 draft returned", "0 agree used"],
        "failed",
        tier=1,
        signals=asks(SAME, eager=True),
    ),
    Scenario(
        "another model is asked once for the drafts of two tiers",
        three(MUTE, MUTE),
        [
            "0 draft rejected:low_confidence",
            "0 agree used",
            "1 draft rejected:low_confidence",
            "2 draft returned",
        ],
        "low_confidence",
        tier=2,
        signals=asks(OTHER),
    ),
    Scenario(
        "another model's object does not fit",
        two(TICKET, STRONG_TICKET),
        ["0 draft rejected:low_confidence", "0 agree used", "1 draft returned"],
        "low_confidence",
        tier=1,
        kind="object_by_tool",
        signals=asks(BAD_TICKET),
    ),
    *(
        Scenario(
            f"shadow of a draft that another model agrees with, {when}",
            two(MUTE),
            ["1 draft returned", "0 draft rejected:shadow", "0 agree used"],
            "shadow",
            tier=1,
            settings={"mode": "shadow"},
            signals=asks(SAME, eager=eager),
        )
        for when, eager in (("asked after it", False), ("asked with it", True))
    ),
]
