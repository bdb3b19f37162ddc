"""The two shipped models are as unlike as the demo needs: one often right, one nearly always."""

import json
from typing import Any

import numpy as np
import pytest

from cascade_demo.desk import Ticket, grade, normalise, tickets
from cascade_demo.generate import Sampling, Token, generate
from cascade_demo.model import WEIGHTS, LanguageModel

TICKETS = tickets("test", 150, seed=5)


def answer(model: LanguageModel, ticket: Ticket) -> tuple[bool, float]:
    """Tell whether the model is right, and its mean token probability."""
    prompt = [*model.tokenizer.encode(normalise(ticket.text)), model.tokenizer.separator]
    steps = generate(model, prompt, Sampling(temperature=0, max_tokens=100))
    tokens = [piece for step in steps for piece in step if isinstance(piece, Token)]
    text = "".join(token.text for token in tokens)
    return grade(text, ticket), float(np.exp(np.mean([token.logprob for token in tokens])))


def test_the_small_model_is_often_right_and_knows_when(small: LanguageModel) -> None:
    right, confidence = map(np.array, zip(*(answer(small, t) for t in TICKETS), strict=True))
    assert 0.55 < right.mean() < 0.85
    assert confidence[right].mean() > confidence[~right].mean() + 0.08


def test_the_large_model_is_nearly_always_right(large: LanguageModel) -> None:
    # It takes eight times as long as the small one: fewer tickets tell as much of it.
    assert np.mean([answer(large, ticket)[0] for ticket in TICKETS[:60]]) > 0.88


@pytest.fixture(scope="module")
def measured() -> dict[str, Any]:
    card: dict[str, Any] = json.loads((WEIGHTS / "card.json").read_text())["measured"]
    return card


def test_the_card_tells_of_the_models_it_lies_beside(
    measured: dict[str, Any], small: LanguageModel, large: LanguageModel
) -> None:
    assert measured["small"]["parameters"] == small.parameters
    assert measured["large"]["parameters"] == large.parameters
    assert measured["compute_ratio"] >= 5


def test_a_cascade_keeps_the_accuracy_for_six_tenths_of_the_cost(measured: dict[str, Any]) -> None:
    for reading in ("mean", "min"):
        result = measured["cascade_tuned"][reading]
        assert result["accuracy_minus_strong"] >= -0.01
        assert result["cost_share"] <= 0.6
