"""Ask other models the same: do they say what the draft says?

Models of different makers make different mistakes, so two that agree are seldom both wrong; the
same model asked again repeats its own (`consistency`). Deciding by the disagreement of several
models is query by committee of Seung et al. (COLT 1992). What counts as agreement is in
`agreement`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from cascade_core.draft import Draft
from cascade_core.effects import Ask, Begin, Drafts, Note, Steps
from cascade_core.errors import ConfigurationError
from cascade_core.named_arguments import names_checked
from cascade_core.request import Request, ToolSpec
from cascade_core.signals.agreement import AgreementKind, comparer, label_of, written_alike
from cascade_core.signals.asking import model_id, why_unanswered
from cascade_core.signals.base import BaseSignal
from cascade_core.signals.readings import Reading, as_reading
from cascade_core.tier import Tier


@names_checked
class Agreement(BaseSignal):
    """The share of other models that give the same answer as the draft.

    Paid: every reading asks each model once, all at the same time, with exactly what the tier was
    asked. With one model the reading is 1 or 0. With several it is the share of those that
    answered: above 1/2 the draft says what most say. A model that fails is left out of the share,
    and so is one whose answer is empty, cut off, or withheld by its provider; with none left there
    is no reading.

    Give it models that cost little beside the last tier, best of another maker than the tier that
    they are compared with. None may be a tier of the cascade: asking that is what escalating does.

    Args:
        models: One or more models, as the cascade takes them for tiers: chat models, LLMs,
            runnables, engines; where it takes names, such as `"openai:gpt-4o-mini"`, those too.
        agreement: `auto`, `exact`, `numeric`, `text`, or a function of the draft's and the other
            answer's text that returns whether they agree, or how much in [0, 1]; see
            `agreement.comparer`. A function that raises gives no reading and one warning.
        eager: Whether to ask them together with the draft. The answer is then there as soon as
            the draft is, and every draft costs them, also one that fails a gate or that the
            signals without a price have settled.
        name: The signal's name in records and policies.

    Raises:
        ConfigurationError: An argument is not one of the above.
    """

    paid = True

    def __init__(
        self,
        *models: Any,
        agreement: AgreementKind | Callable[[str, str], bool | float] = "auto",
        eager: bool = False,
        name: str = "agreement",
    ) -> None:
        if not models or any(model is None for model in models):
            msg = "Agreement(…): give the models to ask, such as Agreement(another_cheap_model)"
            raise ConfigurationError(msg)
        if any(isinstance(model, list | tuple) for model in models):
            msg = "Agreement([…]): give the models one by one, Agreement(one, another)"
            raise ConfigurationError(msg)
        if any(one is other for i, one in enumerate(models) for other in models[:i]):
            msg = (
                "Agreement(…) is given one model twice: an answer that is asked for again "
                "is what SelfConsistency compares"
            )
            raise ConfigurationError(msg)
        if not isinstance(eager, bool):
            msg = f"Agreement(eager={eager!r}): give True or False"
            raise ConfigurationError(msg)
        self._agree = _measure(agreement)
        self.name = name
        self.partners = models
        self.agreement = label_of(agreement)
        self.eager = eager

    @property
    def identity(self) -> str:
        """The settings, and the models' classes and names: their reprs may hold keys."""
        return (
            f"Agreement(agreement={self.agreement!r}, "
            f"models={[model_id(model) for model in self.partners]!r}, name={self.name!r})"
        )

    @property
    def begins(self) -> bool:
        """Whether it asks beside other calls."""
        return self.eager or len(self.partners) > 1

    def asks(self, request: Request) -> list[Ask]:
        """Return what it asks: every model what the tiers are asked."""
        return [Ask(model, request, purpose="agree") for model in self.partners]

    def measure(self, request: Request, draft: Draft, tier: Tier) -> Steps[Reading]:
        """Ask the models and compare."""
        asks = self.asks(request)
        for ask in asks[1:]:
            yield Begin(ask, tier)
        others: list[Draft] = []
        for ask in asks:
            reply = yield ask
            if isinstance(reply, Drafts) and reply.drafts and not reply.drafts[0].missing:
                others.append(reply.drafts[0])
            else:
                yield self._note(tier, ask.target, reply)
        if not others:
            return None
        try:
            return sum(self._agree(draft, other, request.tools) for other in others) / len(others)
        except Exception as error:  # noqa: BLE001 - a caller's function may raise anything
            yield Note(
                f"signal:{self.name}:{tier.index}",
                f"signal {self.name!r} on {tier.label}: its agreement function raised "
                f"{type(error).__name__}; that counts as no reading",
            )
        return None

    def _note(self, tier: Tier, model: object, reply: object) -> Note:
        problem = f"did not answer{why_unanswered(reply)}"
        if isinstance(reply, Drafts) and reply.drafts:
            problem = f"gave an answer that {reply.drafts[0].missing}"
        return Note(
            f"signal:{self.name}:{tier.index}:{self.partners.index(model)}",
            f"signal {self.name!r} on {tier.label}: {model_id(model)} {problem}; "
            "it counts neither for the draft nor against it",
        )


def _measure(
    agreement: AgreementKind | Callable[[str, str], bool | float],
) -> Callable[..., float]:
    """Return what says how much two drafts agree, in [0, 1]."""
    agree = comparer(agreement)  # type: ignore[arg-type] # which says what cannot be one
    return partial(_by_degree, agreement) if callable(agreement) else agree


def _by_degree(
    function: Callable[[str, str], bool | float],
    draft: Draft,
    other: Draft,
    tools: Sequence[ToolSpec],
) -> float:
    del tools  # it knows its own
    degree, odd = as_reading(function(*written_alike(draft, other)))
    if degree is None:
        msg = f"an agreement function returns True, False or a number in [0, 1], not {odd}"
        raise TypeError(msg)
    return degree
