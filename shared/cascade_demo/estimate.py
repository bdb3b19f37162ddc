"""What a run of the demo on hosted models will ask and cost, said before anything is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from cascade_core.costs.prices import Prices
from cascade_core.costs.tokens import estimate_usage
from cascade_core.usage import Usage
from cascade_demo.asking import Framework
from cascade_demo.desk import Ticket

SAMPLE = 20
"""Tickets whose tokens are counted; they are much alike."""


@dataclass(frozen=True, slots=True)
class HostedCalls:
    """What one hosted model will be asked.

    Attributes:
        model: Its name.
        fewest: Calls, where no ticket escalates.
        most: Calls, where every ticket does.
        usd: For each of these numbers of calls; None where the model is unpriced.
    """

    model: str
    fewest: int
    most: int
    usd: tuple[Decimal, Decimal] | None


def estimate(
    asking: Framework, hosted: Sequence[bool], tickets: Sequence[Ticket], n_tune: int
) -> list[HostedCalls]:
    """Return what each hosted model will be asked.

    Args:
        asking: The framework's way to ask.
        hosted: Whether the cheap and the strong model are hosted; embedded ones cost nothing.
        tickets: The tickets to answer.
        n_tune: How many others a threshold is picked on; 0 for none.
    """
    n, prices = len(tickets), Prices(asking.price_table)
    # Alone and in the cascade; the strong model only for what escalates.
    calls = ((n_tune + 2 * n,) * 2, (n_tune + n, n_tune + 2 * n))
    shares = []
    for model, wanted, (fewest, most) in zip(asking.models, hosted, calls, strict=True):
        if wanted:
            sample = [_usage(asking, model, ticket) for ticket in tickets[:SAMPLE]]
            costs = [cost for usage in sample if (cost := prices.cost(model, usage)) is not None]
            mean = sum(costs, Decimal(0)) / len(costs) if costs else None
            usd = None if mean is None else (mean * fewest, mean * most)
            shares.append(HostedCalls(model, fewest, most, usd))
    return shares


def in_words(shares: Sequence[HostedCalls]) -> str:
    """Return an estimate as a sentence."""
    asked = " and ".join(
        f"{share.model} {_range(share.fewest, share.most)} times" for share in shares
    )
    known = [share.usd for share in shares if share.usd is not None]
    if len(known) < len(shares):
        names = " and ".join(share.model for share in shares if share.usd is None)
        return f"This asks {asked}; what that costs is not known, as {names} has no known price."
    low, high = (sum((usd[end] for usd in known), Decimal(0)) for end in (0, 1))
    cost = f"{low:.2f}" if f"{low:.2f}" == f"{high:.2f}" else f"{low:.2f} to {high:.2f}"
    return f"This asks {asked}, for about USD {cost}."


def _range(fewest: int, most: int) -> str:
    return f"{most:,}" if fewest == most else f"{fewest:,} to {most:,}"


def _usage(asking: Framework, model: str, ticket: Ticket) -> Usage:
    return estimate_usage(asking.prompt(ticket.text), ticket.reference, model)
