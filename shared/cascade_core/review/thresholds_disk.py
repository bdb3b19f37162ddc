"""The answers that a page from disk brings with it: there is no server to ask for them.

Each slider's, at up to a hundred places, with the others where they were.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from markupsafe import Markup

from cascade_core.files import finite
from cascade_core.review.periods import Period
from cascade_core.review.positions import SLIDER_STEPS, Positions
from cascade_core.review.thresholds_answer import WeighedAnswer, answer_of
from cascade_core.review.thresholds_view import ThresholdsView

MOST_ON_DISK = 900_000
"""Of all answers together."""
MOST_ANSWERS = 400
"""Of all sliders together: each takes up to a tenth of a second."""
_FEWEST_STEPS = 5


def answers_on_disk(
    view: ThresholdsView, sliders: Mapping[str, Sequence[float]], period: Period, target: float
) -> Markup:
    """Return the answers as JSON that can stand in a page.

    Args:
        view: What is looked at.
        sliders: The stops of each, by the name of its field.
        period: For the addresses of decisions.
        target: The harm that a promise is wanted about.
    """
    steps = min(SLIDER_STEPS, MOST_ANSWERS // max(1, len(sliders)))
    while True:
        examples: dict[str, Any] = {}
        found = {
            name: _answers(view, name, _thin(view, name, stops, steps), period, target, examples)
            for name, stops in sliders.items()
        }
        plain = finite({"sliders": found, "examples": examples})
        # "<" could end the element that holds it.
        text = json.dumps(plain, separators=(",", ":")).replace("<", "\\u003c")
        if len(text) <= MOST_ON_DISK or steps <= _FEWEST_STEPS:
            return Markup(text)  # noqa: S704 - no "<" is in it
        steps //= 2


def _answers(  # noqa: PLR0913, PLR0917 - a slider, and what its answers are worked out from
    view: ThresholdsView,
    name: str,
    stops: Sequence[float],
    period: Period,
    target: float,
    examples: dict[str, Any],
) -> dict[str, Any]:
    found = [answer_of(view, _moved(view.start, name, stop), period, target) for stop in stops]
    return {"stops": list(stops), "answers": [_short(answer, examples) for answer in found]}


def _short(answer: WeighedAnswer, examples: dict[str, Any]) -> dict[str, Any]:
    """Return what of an answer is another than the page has; its examples are kept once."""
    plain = answer.as_dict()
    for each in plain["examples"]:
        examples[each["id"]] = {name: each[name] for name in ("address", "class", "text")}
    plain["examples"] = [
        {name: each[name] for name in ("id", "confidence", "move")} for each in plain["examples"]
    ]
    plain["figures"] = {
        name: {part: text for part, text in each.items() if part.startswith(("then", "diff"))}
        for name, each in plain["figures"].items()
    }
    return plain


def _thin(view: ThresholdsView, name: str, stops: Sequence[float], steps: int) -> list[float]:
    stride = max(1, -(-len(stops) // steps))
    tier, class_name = _place(name)
    here = {each.of(class_name)[tier] for each in (view.now, view.start)}
    return sorted({*stops[::stride], stops[-1], *here})


def _moved(start: Positions, name: str, value: float) -> Positions:
    tier, class_name = _place(name)
    own = start.of(class_name)
    put = (*own[:tier], value, *own[tier + 1 :])
    if class_name is None:
        return replace(start, others=put)
    return replace(start, own={**start.own, class_name: put})


def _place(name: str) -> tuple[int, str | None]:
    """Return which tier's and which class's threshold a field holds."""
    tier, _, class_name = name.partition(".")
    return int(tier[1:]), class_name or None
