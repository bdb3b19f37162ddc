"""Runs the desk three ways – cheap only, strong only, the cascade – and measures each.

Everything goes over real HTTP through a framework's real clients, in the framework's own
way; see `asking`. Nothing here prints; see `show`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, TypeAlias

from cascade_core import collect_decisions
from cascade_core.errors import CascadeWarning
from cascade_core.policy.document import Policy
from cascade_core.setup.thresholds import DEFAULT_THRESHOLD
from cascade_demo.asking import Framework, SendTicket, open_asking
from cascade_demo.desk import Ticket, grade, tickets
from cascade_demo.estimate import HostedCalls, estimate
from cascade_demo.labels import Labels
from cascade_demo.threshold import pick_threshold

OnProgress: TypeAlias = Callable[[str, int, int], None]
"""Told of progress: what is being done, how many are done, of how many."""

Announce: TypeAlias = Callable[[Sequence[HostedCalls]], None]
"""Told what hosted models will be asked."""


@dataclass(frozen=True, slots=True)
class GradedAnswer:
    """One ticket's answer.

    Attributes:
        ticket: The ticket.
        text: What was answered.
        right: Whether that is the ticket's one right answer.
        seconds: Wall time the caller waited.
        record: The decision's record.
        passages: Titles of the passages retrieved for it, best first.
    """

    ticket: Ticket
    text: str
    right: bool
    seconds: float
    record: dict[str, Any]
    passages: tuple[str, ...] = ()

    @property
    def cost(self) -> float | None:
        """USD of every call made for it; None where unpriced."""
        cost: float | None = self.record["cost_usd"]
        return cost


@dataclass(frozen=True, slots=True)
class Report:
    """What the demo measured.

    Attributes:
        cheap: Answers of the cheap model alone.
        strong: Answers of the strong model alone.
        cascade: Answers of the cascade.
        threshold: The threshold picked on other tickets, or the policy's.
        n_tune: How many of those tickets there were; 0 where a policy was given.
        n_read: On how many of them the cheap draft's confidence could be read.
        models: The two models' names.
        prices: Where the money figures come from.
        framework: Whose way to ask it was.
        how: How tickets were answered, where there is something to say.
        policy: The policy that was given; None where a threshold was picked.
    """

    cheap: Sequence[GradedAnswer]
    strong: Sequence[GradedAnswer]
    cascade: Sequence[GradedAnswer]
    threshold: float
    n_tune: int
    n_read: int
    models: tuple[str, str]
    prices: str
    framework: str = "langchain"
    how: str = ""
    policy: Policy | None = None


def accuracy(answers: Sequence[GradedAnswer]) -> float:
    """Return the share of right answers."""
    return sum(answer.right for answer in answers) / len(answers)


def mean_cost(answers: Sequence[GradedAnswer]) -> float | None:
    """Return USD a ticket, every paid call counted; None where one is unpriced."""
    costs = [answer.cost for answer in answers]
    known = [cost for cost in costs if cost is not None]
    return sum(known) / len(known) if known and len(known) == len(costs) else None


def median_ms(answers: Sequence[GradedAnswer]) -> float | None:
    """Return the median wait in milliseconds; None for no answers."""
    return median(answer.seconds for answer in answers) * 1000 if answers else None


def escalated(answers: Sequence[GradedAnswer]) -> float:
    """Return the share of answers that came from the strong model."""
    return sum(1 for answer in answers if answer.record["tier"] > 0) / len(answers)


def run_demo(  # noqa: PLR0913 - the command's options
    *,
    n_tickets: int,
    n_tune: int,
    seed: int,
    cheap: str | None,
    strong: str | None,
    advance: OnProgress,
    framework: str = "langchain",
    labels: Path | None = None,
    policy: Path | None = None,
    announce: Announce = lambda _: None,
) -> Report:
    """Run the whole demo.

    Args:
        n_tickets: Held-out tickets to answer.
        n_tune: Tickets of another split to pick the threshold on.
        seed: Seed of both.
        cheap: A hosted model's name, or None for the embedded one.
        strong: The same.
        advance: Told of progress.
        framework: Whose way to ask; see `asking.FRAMEWORKS`.
        labels: Where the tickets that the threshold is picked on go, as a labelled
            table; None writes none.
        policy: The policy that decides, in place of a threshold picked on other tickets.
        announce: Told what hosted models will be asked, before they are; it may raise.

    Raises:
        ConfigurationError: The framework or a model's name is unknown, or not installed; or
            the policy does not fit.
        CascadeError: A model gave no answer.
    """
    given = None if policy is None else Policy.load(policy)
    with open_asking(framework, cheap, strong) as asking:
        to_answer = list(tickets("test", n_tickets, seed))
        hosted = [name is not None for name in (cheap, strong)]
        if any(hosted):
            announce(estimate(asking, hosted, to_answer, 0 if given else n_tune))
        tune = Labels(asking.models, asking.price_table)
        if given is None:
            _label(tune, asking, tickets("tune", n_tune, seed), advance)
            if labels is not None:
                tune.write(labels)
        decides = given or Policy(thresholds=(pick_threshold(tune.labelled),))
        with warnings.catch_warnings():  # one tier on its own is meant here
            warnings.simplefilter("ignore", CascadeWarning)
            alone = {"cheap": asking.alone(0), "strong": asking.alone(1)}
        ways = {**alone, "cascade": asking.cascade(decides)}
        answers: dict[str, list[GradedAnswer]] = {name: [] for name in ways}
        # In turn and not one after the other, so that a busy moment slows all three alike.
        for done, ticket in enumerate(to_answer):
            for name, ask in ways.items():
                answers[name].append(_answer(ask, ticket))
            advance("answering held-out tickets", done + 1, n_tickets)
        return Report(
            **answers,
            threshold=(decides.thresholds or [DEFAULT_THRESHOLD])[0],
            n_tune=len(tune.labelled),
            n_read=tune.n_read,
            models=asking.models,
            prices=asking.prices,
            framework=framework,
            how=asking.how,
            policy=given,
        )


def _answer(ask: SendTicket, ticket: Ticket) -> GradedAnswer:
    with collect_decisions() as seen:
        started = perf_counter()
        reply = ask(ticket.text, ticket.ticket_class)
        seconds = perf_counter() - started
    right = grade(reply.text, ticket)
    return GradedAnswer(ticket, reply.text, right, seconds, seen[0], reply.passages)


def _label(labels: Labels, asking: Framework, tune: Sequence[Ticket], advance: OnProgress) -> None:
    """Ask both models about every ticket of the tune split."""
    for done, ticket in enumerate(tune):
        labels.add(ticket, *asking.drafts(ticket.text))
        advance("picking the threshold on other tickets", done + 1, len(tune))
