"""What the demo's two models are said to cost, so that it can speak of money.

The demo's models run on your machine and cost nothing; each borrows the list price of the
hosted model whose place it takes.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Price:
    """A price list entry.

    Attributes:
        input_per_million: USD per 1M prompt tokens, a decimal string.
        output_per_million: USD per 1M completion tokens, a decimal string.
        label: whose price this is.
    """

    input_per_million: str
    output_per_million: str
    label: str


PRICES = {
    "desk-small": Price("0.15", "0.60", "list price of gpt-4o-mini, per 1M tokens"),
    "desk-large": Price("2.50", "10.00", "list price of gpt-4o, per 1M tokens"),
}


def price_table() -> dict[str, dict[str, str]]:
    """Return the prices as a cascade takes them: `ChatCascade(…, prices=price_table())`."""
    return {
        name: {"input": price.input_per_million, "output": price.output_per_million}
        for name, price in PRICES.items()
    }
