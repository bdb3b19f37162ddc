"""What signals that ask models of their own have in common: which models, and their names."""

from __future__ import annotations

from typing import Any

from cascade_core.effects import Failed
from cascade_core.errors import why_failed
from cascade_core.integrations.classes import model_name
from cascade_core.integrations.decisions import decision_model


def models_asked(signal: object) -> tuple[Any, ...]:
    """Return the models that a signal asks something of the cascade's own, such as a judge."""
    model = getattr(signal, "model", None)
    return () if model is None else (model,)


def partners_of(signal: object) -> tuple[Any, ...]:
    """Return the models that a signal asks what the tiers are asked."""
    partners = getattr(signal, "partners", None)
    return partners if isinstance(partners, tuple) else ()


def model_id(model: object) -> str:
    """Name a model by its class and its own name: its repr may hold keys."""
    if isinstance(model, str):
        return model
    named = name_asked(model)
    return type(decision_model(model) or model).__name__ + (f":{named}" if named else "")


def name_asked(model: object) -> str | None:
    """Return a model's own name, as far as it is known before it has answered."""
    return model_name(decision_model(model) or model)


def why_unanswered(reply: object) -> str:
    """Return why a call failed, in brackets to stand behind a verb; nothing for another reply."""
    return f" ({why_failed(reply.error)})" if isinstance(reply, Failed) else ""
