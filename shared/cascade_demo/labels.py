"""Tickets that both models have answered: what a threshold, or a whole policy, is picked on.

Written as a labelled table they are what `cascade tune` and `cascade replay` read, so that
both can be tried without a key.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from cascade_core.commands.checks import check_writable
from cascade_core.costs.prices import Prices
from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.request import Request
from cascade_core.setup.gates import DEFAULT_GATES
from cascade_core.signals import SequenceLogprob
from cascade_core.trajectory import trajectory_cell
from cascade_demo.desk import Ticket, grade
from cascade_demo.pair import ListPrices
from cascade_demo.threshold import Labelled

_SIGNAL = SequenceLogprob()


def check_path(path: Path) -> None:
    """Check where a table is to go, before any ticket is asked about.

    Raises:
        ConfigurationError: It cannot go there, lies there already, or is of no known kind.
        ModuleNotFoundError: A Parquet file needs pyarrow.
    """
    from cascade_core.labels.read import suffix_of

    check_writable(path)
    if path.exists():  # labels of one's own cost more than these
        msg = f"{path} is there already; move it away, or give the new table another name"
        raise ConfigurationError(msg)
    if suffix_of(path) == ".parquet":
        import_module("pyarrow")


class Labels:
    """Tickets and what both models answered.

    Args:
        models: The names of the cheap and the strong model.
        price_table: USD per million tokens by model; None for published prices only.

    Attributes:
        labelled: What a threshold is picked on, one a ticket.
    """

    def __init__(self, models: tuple[str, str], price_table: ListPrices | None) -> None:
        self.labelled: list[Labelled] = []
        self._rows: list[dict[str, Any]] = []
        self._models = models
        self._prices = Prices(price_table)

    @property
    def n_read(self) -> int:
        """On how many tickets the cheap draft's confidence could be read."""
        return sum(one.confidence is not None for one in self.labelled)

    def add(self, ticket: Ticket, cheap: Draft, strong: Draft) -> None:
        """Take one ticket and both answers to it."""
        labelled = Labelled(
            confidence=_confidence(ticket, cheap),
            cheap_right=grade(cheap.text, ticket),
            strong_right=grade(strong.text, ticket),
        )
        self.labelled.append(labelled)
        self._rows.append(
            {
                "id": ticket.id,
                "request": ticket.text,
                "class": ticket.ticket_class,
                **self._tier(0, cheap, right=labelled.cheap_right),
                "t0_trajectory": _trajectory(cheap),
                f"t0_signal_{_SIGNAL.name}": labelled.confidence,
                **self._tier(1, strong, right=labelled.strong_right),
            }
        )

    def write(self, path: Path) -> None:
        """Write them as a labelled table.

        Raises:
            TableError: The file cannot be written.
        """
        from cascade_core.labels import write_table

        write_table(path, self._rows)

    def _tier(self, k: int, draft: Draft, *, right: bool) -> dict[str, Any]:
        model = draft.model or self._models[k]
        cost = self._prices.cost(model, draft.usage)
        return {
            f"t{k}_model": model,
            f"t{k}_response": draft.text,
            f"t{k}_quality": int(right),
            f"t{k}_cost_usd": None if cost is None else float(cost),
        }


def _trajectory(draft: Draft) -> str | None:
    return None if draft.logprobs is None else trajectory_cell(draft.logprobs.values)


def _confidence(ticket: Ticket, draft: Draft) -> float | None:
    if draft.logprobs is None or not draft.logprobs.values:
        return None
    # A draft that fails a gate is never accepted, however sure it reads.
    request = Request.of(ticket.text)
    passed = all(gate.passes(request, draft) for gate in DEFAULT_GATES)
    return _SIGNAL.read(draft.logprobs.values) if passed else None
