"""Which tier began an answer that is being refined."""

from __future__ import annotations

import pytest

from llamaindex_cascade.llm import refining
from llamaindex_cascade.llm.refining import RefineMemory

ASKED = {"query_str": "why?"}


def again(answer: str, question: str = "why?") -> dict[str, str]:
    return {"query_str": question, "existing_answer": answer}


def test_a_stronger_tiers_answer_is_refined_by_it() -> None:
    memory = RefineMemory()
    memory.remember(2, ASKED, "because")
    assert memory.first(again(" because\n")) == 2


def test_other_questions_and_answers_are_anybodys() -> None:
    memory = RefineMemory()
    memory.remember(1, ASKED, "because")
    memory.remember(0, ASKED, "so")
    memory.remember(1, {}, "no question")
    assert memory.first(again("because", "how?")) == 0
    assert memory.first(again("so")) == 0
    assert memory.first({"query_str": "why?"}) == 0


def test_the_least_recently_written_answer_is_forgotten_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(refining, "KEPT", 2)
    memory = RefineMemory()
    for answer in ("first", "second", "first", "third"):
        memory.remember(1, ASKED, answer)
    known = [memory.first(again(answer)) for answer in ("first", "second", "third")]
    assert known == [1, 0, 1]
