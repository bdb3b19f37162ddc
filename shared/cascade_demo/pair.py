"""The two models of the demo: embedded, hosted, or one of each.

Framework-neutral: a framework says how its clients are made. The embedded server runs only
where one of the two needs it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, Protocol, TypeAlias, TypeVar

from cascade_core import CascadeError
from cascade_core.errors import error_name
from cascade_demo.prices import PRICES, price_table

Model = TypeVar("Model")
ListPrices: TypeAlias = Mapping[str, Mapping[str, str]]


class Clients(Protocol[Model]):
    """How a framework's clients are made."""

    def hosted(self, name: str, option: str) -> Model:
        """Return the client of a model of the caller's; errors name the option it came by."""
        ...

    def embedded(self, name: str, base_url: str) -> Model:
        """Return the client of an embedded model."""
        ...

    def name_of(self, model: Model) -> str:
        """Return the name that a client's model is priced by."""
        ...


@dataclass(frozen=True, slots=True)
class Pair(Generic[Model]):
    """Two models, ready to be asked.

    Attributes:
        cheap: The client of the cheap model.
        strong: The client of the strong model.
        names: Their names.
        price_table: USD per million tokens by model; None for published prices only.
        prices: Where the money figures come from.
    """

    cheap: Model
    strong: Model
    names: tuple[str, str]
    price_table: ListPrices | None
    prices: str


@contextmanager
def open_pair(
    cheap: str | None, strong: str | None, clients: Clients[Model]
) -> Iterator[Pair[Model]]:
    """Make the two models ready, with the embedded server where one of them needs it.

    Args:
        cheap: A hosted model's name, or None for the embedded one.
        strong: The same.
        clients: Makes the clients.
    """
    # First, so that a name that nobody knows is not waited for.
    first = None if cheap is None else clients.hosted(cheap, "--cheap")
    last = None if strong is None else clients.hosted(strong, "--strong")
    if first is not None and last is not None:
        yield _pair(clients, first, last, None)
        return
    from cascade_demo.server import spawn

    with spawn() as server:
        url = server.base_url
        yield _pair(
            clients,
            clients.embedded("desk-small", url) if first is None else first,
            clients.embedded("desk-large", url) if last is None else last,
            price_table(),
        )


def no_answer(model: str, error: Exception) -> CascadeError:
    """Return what is raised, from `error`, when a model could not be measured."""
    return CascadeError(f"{model} gave no answer to a ticket ({error_name(error)})")


def _pair(
    clients: Clients[Model], cheap: Model, strong: Model, table: ListPrices | None
) -> Pair[Model]:
    names = (clients.name_of(cheap), clients.name_of(strong))
    if table is None:
        return Pair(cheap, strong, names, None, "published list prices")
    prices = "; ".join(
        f"{name}: {PRICES[name].label if name in PRICES else 'published list price'}"
        for name in dict.fromkeys(names)
    )
    return Pair(cheap, strong, names, table, prices)
