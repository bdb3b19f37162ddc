"""When two objects are the same, however the models that made them wrote them.

One provider has an object written as JSON, the next has a tool called with it, a third has both
ways: what a caller gets of each is an object of the class that was asked for. Those are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cascade_core.draft import Draft
from cascade_core.integrations.schemas import schema_of
from cascade_core.signals.tool_arguments import same_values

_MADE = (Mapping, list, tuple)


def same_objects(a: Draft, b: Draft) -> bool | None:
    """Tell whether two drafts hold the same object.

    Args:
        a: A draft.
        b: Another.

    Returns:
        Whether they do, arguments compared as those of tools are; None where not both are such.
    """
    mine, theirs = json_values(a.made), json_values(b.made)
    if mine is None or theirs is None:
        return None
    return same_values(mine, theirs, schema_of(type(a.made)) or {})


def json_values(made: Any) -> Any:
    """Return an object as plain JSON values; None where it is none, or cannot be written so."""
    dump = getattr(made, "model_dump", None)
    if dump is None:
        return made if isinstance(made, _MADE) else None
    try:
        return dump(mode="json", by_alias=True)
    except Exception:  # noqa: BLE001 - serializers of the caller's class may raise anything
        return None
