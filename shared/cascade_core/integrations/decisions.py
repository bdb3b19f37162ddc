"""Decision models: they write nothing and answer typed questions with probabilities.

LangChain has an interface for them since langchain-core 1.8, and one integration that came before
it. Both are known here by the class, so that nothing of a framework is imported: whoever holds such
a model has imported what belongs to it.
"""

from __future__ import annotations

import sys
from time import perf_counter
from typing import Any, NamedTuple

from cascade_core.abilities import Abilities
from cascade_core.decision import Decision
from cascade_core.draft import Draft
from cascade_core.effects import Ask
from cascade_core.integrations.fields import field, getter
from cascade_core.integrations.usage import read_langchain
from cascade_core.tier import Tier
from cascade_core.usage import Usage

QUESTION_ID = "question"
"""The id of the one question that is asked."""

WRITTEN_TOKENS = 256
"""Tokens that a budget sets aside for what a decision model is billed as its output: a few for each
probability. No interface says a limit."""

NO_TIER = "it answers with probabilities and writes nothing: give it to Judge or Difficulty"
"""What is said of a decision model in a place where a model has to write."""

_QUESTIONS = {
    ("langchain_core.decisions.base", "BaseDecisionModel"): "langchain_core.decisions.types",
    ("langchain_typesafe.classifier", "TypeSafeClassifier"): "langchain_typesafe.types",
}
"""By a class, the module that has the questions for it; the interface before those it replaces."""

_INSIDE = ("bound", "runnable", "default")
"""Where LangChain's wrappings keep what they wrap: a binding or retry, fallbacks, alternatives."""

_KINDS = {"noul": "Noul", "choice": "Choice", "score": "Score"}


class _Found(NamedTuple):
    """A decision model inside all wrapping, and the module of its questions."""

    model: Any
    questions: str


def decision_model(given: object) -> Any | None:
    """Return the decision model inside a wrapping, or None where there is none."""
    found = _find(given)
    return None if found is None else found.model


def decision_tier(given: object) -> Tier | None:
    """Return a decision model as if it were a tier, for its price and its limits."""
    model = decision_model(given)
    if model is None:
        return None
    answered, *others = _price_names(model, None)
    return Tier(
        0,
        model=answered,
        native=given,
        names=tuple(name for name in others if name),
        abilities=Abilities(max_output_tokens=WRITTEN_TOKENS),
    )


def have_decided(effect: Ask, config: Any = None) -> Draft:
    """Put a question to a decision model and wait.

    Args:
        effect: The question.
        config: LangChain's configuration of the call.
    """
    started = perf_counter()
    target: Any = effect.target
    response = target.invoke(_written(effect), config)
    return _read(effect, response, perf_counter() - started)


async def ahave_decided(effect: Ask, config: Any = None) -> Draft:
    """Put a question to a decision model and wait; see `have_decided`."""
    started = perf_counter()
    target: Any = effect.target
    response = await target.ainvoke(_written(effect), config)
    return _read(effect, response, perf_counter() - started)


def _find(given: Any) -> _Found | None:
    while given is not None:
        classes = {(cls.__module__, cls.__name__) for cls in type(given).__mro__}
        known = (questions for cls, questions in _QUESTIONS.items() if cls in classes)
        if (questions := next(known, None)) is not None:
            return _Found(given, questions)
        # Only what is a field: others make a model up where they are asked for an attribute.
        fields = getattr(type(given), "model_fields", None) or {}
        given = next((getattr(given, name) for name in _INSIDE if name in fields), None)
    return None


def _written(effect: Ask) -> dict[str, Any]:
    found, asked = _find(effect.target), effect.decision
    assert found is not None  # noqa: S101 - only such a model is asked to decide
    assert asked is not None  # noqa: S101
    kinds = sys.modules[found.questions]
    return {"state": dict(asked.state), "questions": {QUESTION_ID: _question(kinds, asked)}}


def _question(kinds: Any, asked: Decision) -> Any:
    criteria: Any = asked.criteria
    criteria = dict(criteria) if isinstance(criteria, dict) else list(criteria)
    if asked.kind == "noul":
        criteria = kinds.NoulCriteria(**criteria)
    kind = getattr(kinds, _KINDS[asked.kind])
    return kind(instructions=asked.instructions, criteria=criteria)


def _read(effect: Ask, response: Any, seconds: float) -> Draft:
    answered = field(response, "model")
    answered = answered if isinstance(answered, str) and answered else None
    names = _price_names(decision_model(effect.target), answered)
    return Draft(
        usage=_usage(field(response, "usage")),
        model=answered or names[0],
        names=names,
        seconds=seconds,
        native=response,
    )


def _price_names(model: Any, answered: str | None) -> tuple[str, ...]:
    """Return the names that a decision model is priced by: bare, then as its provider's."""
    asked = getattr(model, "model", None)
    bare = [name for name in (answered, asked) if isinstance(name, str) and name]
    provider = getattr(model, "_provider", None)
    whole = [f"{provider}/{name}" for name in bare] if isinstance(provider, str) else []
    return tuple(dict.fromkeys([*bare, *whole])) or (type(model).__name__,)


def _usage(report: Any) -> Usage | None:
    get = getter(report)
    counts = {name: get(name) for name in ("input_tokens", "total_tokens", "input_token_details")}
    return read_langchain({**counts, "output_tokens": get("output_tokens") or 0})
