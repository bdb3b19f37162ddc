"""A decision model that says what a test tells it to."""

from __future__ import annotations

from typing import Any

import pytest

decisions = pytest.importorskip("langchain_core.decisions", reason="langchain-core is before 1.8")

USAGE = {"input_tokens": 100, "output_tokens": 2}


class Scripted(decisions.BaseDecisionModel):  # type: ignore[name-defined,misc]
    """Answers a Noul with a probability, or with the fields of a whole answer.

    Attributes:
        answer: The probability; or an answer, or an error to be raised.
        usage: What it reports.
        asked: What it was asked, each a state and a question.
    """

    model: str = "m3"
    answer: Any = 0.9
    usage: Any = USAGE
    asked: list[Any] = []  # noqa: RUF012 - pydantic copies it

    @property
    def _provider(self) -> str:
        return "scripted"

    def _classify(self, state: Any, questions: Any) -> Any:
        ((name, question),) = questions.items()
        self.asked.append((state, question))
        if isinstance(self.answer, Exception):
            raise self.answer
        answer = self.answer
        if not isinstance(answer, dict):
            answer = {"type": "noul", "noul": answer}
        return decisions.ClassifierResponse(
            model=self.model, answers={name: answer} if answer else {}, usage=self.usage
        )
