"""What a scenario's model says when, and what came of a run: the same for both frameworks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from cascade_core.signals.verbal import QUESTION
from tests.parity.scenarios import Answer, Model

REFUSED = "this model does not support the parameter logprobs"

_DIFFERS = {"id", "at", "latency_ms", "framework", "cascade"}
"""What a record says that differs from run to run, and between the frameworks."""


class Voice:
    """Chooses what a model says by how it is asked.

    Args:
        model: The scenario's model.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self._sample = count()  # samples are taken in several threads

    def answer(self, prompt: str, options: Mapping[str, Any]) -> Answer:
        """Return what it says to a call; only samples bring a temperature along."""
        if prompt == QUESTION:
            assert self.model.stated is not None
            return self.model.stated
        if "temperature" in options:
            samples = self.model.samples
            return samples[min(next(self._sample), len(samples) - 1)]
        return self.model.draft

    def refuses(self, *, logprobs: bool) -> bool:
        """Tell whether a call is refused because it asks for logprobs."""
        return self.model.refuses_logprobs and logprobs


def call_logprobs(answer: Answer) -> dict[str, Any] | None:
    """Return the logprobs of an answer's tool calls as OpenAI's API would send them."""
    if answer.calls_p is None:
        return None
    return {"content": [{"token": "{", "logprob": math.log(answer.calls_p), "top_logprobs": []}]}


@dataclass(frozen=True)
class Outcome:
    """What came of a run.

    Attributes:
        record: The decision.
        shown: What the caller got: a text and the tools called, an object, or
            the name of what was raised.
    """

    record: dict[str, Any]
    shown: Any

    @property
    def trail(self) -> list[str]:
        """The calls as the table writes them."""
        return [
            f"{call['tier']} {call['purpose']} {call['outcome']}"
            + (f":{call['note']}" if "note" in call else "")
            for call in self.record["calls"]
        ]

    @property
    def lasting(self) -> dict[str, Any]:
        """The record without what differs from run to run: its id and all times."""
        calls = [{k: v for k, v in c.items() if k != "latency_ms"} for c in self.record["calls"]]
        same = {k: v for k, v in self.record.items() if k not in _DIFFERS}
        return {**same, "calls": calls}
