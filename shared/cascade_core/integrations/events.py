"""Events of a stream that hold an answer, or a part of one, inside of them."""

from __future__ import annotations

from typing import Any

from cascade_core.integrations.fields import Getter, field, getter

_OVER = frozenset({"response.completed", "response.incomplete", "response.failed"})
"""Events of OpenAI's Responses API that hold the answer as it stands at the end of a stream."""


def unwrapped(answer: Any) -> tuple[Any, Getter]:
    """Return an answer without the event around it, if there is one, and what reads its fields.

    Mistral's client has the chunk in `data`; of the events of the Responses API, and of Cohere's
    first, the last ones have the whole answer in `response`.
    """
    get: Getter = answer.get if type(answer) is dict else getter(answer)
    if get("choices") is not None:
        return answer, get
    kind = get("type")
    if (isinstance(kind, str) and kind in _OVER) or get("event_type") == "stream-end":
        inside = get("response")
    else:
        inside = get("data")
        if inside is not None and field(inside, "choices") is None:
            inside = None
    return (answer, get) if inside is None else (inside, getter(inside))
