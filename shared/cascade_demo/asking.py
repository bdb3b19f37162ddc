"""What the demo needs of a framework, and where each one is looked up.

The measurements in `measure` are the same for all. A framework's own way to ask is one
module, imported only when it is chosen: `asking_langchain`, `asking_llamaindex`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, TypeAlias, cast

from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.policy.document import Policy
from cascade_demo.pair import ListPrices

EXTRAS = {"langchain": "demo", "llamaindex": "demo-llamaindex"}
"""What brings a framework with all that its demo needs."""
FRAMEWORKS = tuple(EXTRAS)


@dataclass(frozen=True, slots=True)
class TicketAnswer:
    """What came back for a ticket.

    Attributes:
        text: The answer.
        passages: Titles of the passages that were retrieved for it, best first;
            none where nothing is retrieved.
    """

    text: str
    passages: tuple[str, ...] = ()


class SendTicket(Protocol):
    """Sends one ticket on its way and waits."""

    def __call__(self, ticket: str, class_name: str | None = None) -> TicketAnswer:
        """Ask about a ticket's text, saying of which class it is where that is known."""
        ...


class Framework(Protocol):
    """A framework's way to ask a cheap model, a strong one, and their cascade."""

    @property
    def models(self) -> tuple[str, str]:
        """The names of the cheap and the strong model."""
        ...

    @property
    def prices(self) -> str:
        """Where the money figures come from."""
        ...

    @property
    def price_table(self) -> ListPrices | None:
        """USD per million tokens by model; None for published prices only."""
        ...

    @property
    def how(self) -> str:
        """How tickets are answered, as a sentence; empty where there is nothing to say."""
        ...

    def prompt(self, ticket: str) -> Sequence[str]:
        """Return the texts that a model is sent for a ticket."""
        ...

    def drafts(self, ticket: str) -> tuple[Draft, Draft]:
        """Ask both models, the cheap one as a cascade asks for a draft.

        Raises:
            CascadeError: A model gave no answer.
        """
        ...

    def alone(self, tier: int) -> SendTicket:
        """Return the way to one model: a cascade of one tier, so that it is recorded alike."""
        ...

    def cascade(self, policy: Policy) -> SendTicket:
        """Return the way to the cascade of both, which decides by a policy.

        Raises:
            ConfigurationError: The policy does not fit it.
        """
        ...


OpenFramework: TypeAlias = Callable[[str | None, str | None], AbstractContextManager[Framework]]


def open_asking(
    framework: str, cheap: str | None, strong: str | None
) -> AbstractContextManager[Framework]:
    """Make a framework's way to ask ready, for a `with` block.

    Args:
        framework: One of `FRAMEWORKS`.
        cheap: A hosted model's name, such as ``openai:gpt-4o-mini``, or None for
            the embedded one.
        strong: The same.

    Raises:
        ConfigurationError: The framework is unknown or not installed.
    """
    if framework not in FRAMEWORKS:
        known = " or ".join(FRAMEWORKS)
        raise ConfigurationError(f"unknown --framework {framework!r}: use {known}")
    try:
        module = import_module(f"cascade_demo.asking_{framework}")
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"cascade demo --framework {framework} needs: "
            f"pip install 'model-cascade[{EXTRAS[framework]}]'"
        ) from error
    return cast("OpenFramework", module.opened)(cheap, strong)
