"""Measure the shipped models and write what was found to the card.

Development only, but numpy is all it needs:

    python -m cascade_demo.training.evaluate

It answers the questions the demo stands on. How often is each model right, and on which
tickets? Does the small model's confidence tell its right answers from its wrong ones? And
how much accuracy and money does one threshold on that confidence keep and save? The
threshold is chosen on the tune split, all figures are from the test split.
"""

import argparse
import time
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cascade_demo.desk import Ticket, grade, normalise, tickets
from cascade_demo.generate import Sampling, Token, generate
from cascade_demo.model import MODEL_FILES, WEIGHTS, LanguageModel, read_model
from cascade_demo.prices import PRICES
from cascade_demo.training.card import update_card

Array = npt.NDArray[np.float64]

TUNE_MARGIN = 0.005
"""Accuracy below the large model's that the threshold may give up on the tune split."""

DEFAULT_THRESHOLD = 0.8
MOST_TOKENS = 100


@dataclass(frozen=True, slots=True)
class Answers:
    """One model's greedy answers to a list of tickets, one array element a ticket.

    Attributes:
        right: 1 if graded right, else 0.
        cost: USD at the model's list price.
        tokens: prompt and answer together.
        readings: confidence readings by name, each in [0, 1].
        ms_per_token: wall time of all answers over all answer tokens.
    """

    right: Array
    cost: Array
    tokens: Array
    readings: dict[str, Array]
    ms_per_token: float


def answer_all(model: LanguageModel, asked: list[Ticket]) -> Answers:
    """Let `model` answer all tickets."""
    price = PRICES[model.name]
    price_in, price_out = Decimal(price.input_per_million), Decimal(price.output_per_million)
    right, cost, tokens, written = [], [], [], 0
    readings: dict[str, list[float]] = {"mean": [], "min": [], "q10": []}
    started = time.perf_counter()
    for ticket in asked:
        prompt = [*model.tokenizer.encode(normalise(ticket.text)), model.tokenizer.separator]
        sampling = Sampling(temperature=0, max_tokens=MOST_TOKENS)
        pieces = [piece for step in generate(model, prompt, sampling) for piece in step]
        spoken = [piece for piece in pieces if isinstance(piece, Token)]
        logprobs = np.array([token.logprob for token in spoken] or [0.0])
        readings["mean"].append(float(np.exp(logprobs.mean())))
        readings["min"].append(float(np.exp(logprobs.min())))
        readings["q10"].append(float(np.exp(np.quantile(logprobs, 0.1))))
        right.append(grade("".join(token.text for token in spoken), ticket))
        cost.append(float(len(prompt) * price_in + len(spoken) * price_out) / 1e6)
        tokens.append(len(prompt) + len(spoken))
        written += len(spoken)
    seconds = time.perf_counter() - started
    return Answers(
        np.array(right, dtype=float),
        np.array(cost),
        np.array(tokens, dtype=float),
        {name: np.array(values) for name, values in readings.items()},
        1000 * seconds / written,
    )


def auroc(reading: Array, right: Array) -> float:
    """Chance that a right answer has the higher reading than a wrong one, ties counting half.

    This is the Mann-Whitney U statistic over the number of pairs.
    """
    _values, inverse, counts = np.unique(reading, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2  # mean rank of equal readings
    positive = right > 0
    n, m = positive.sum(), (~positive).sum()
    return float((middle[inverse][positive].sum() - n * (n + 1) / 2) / (n * m))


def cascade(cheap: Answers, strong: Answers, reading: str, threshold: float) -> dict[str, float]:
    """Measure a cascade that keeps the cheap answer when its reading is high enough."""
    keep = cheap.readings[reading] >= threshold
    accuracy = np.where(keep, cheap.right, strong.right).mean()
    cost = (cheap.cost + np.where(keep, 0.0, strong.cost)).mean()
    return {
        "threshold": float(threshold),
        "accuracy": float(accuracy),
        "accuracy_minus_strong": float(accuracy - strong.right.mean()),
        "cost_share": float(cost / strong.cost.mean()),
        "escalated": float(1 - keep.mean()),
    }


def choose_threshold(cheap: Answers, strong: Answers, reading: str) -> float:
    """Give the threshold that is cheapest while accuracy stays within `TUNE_MARGIN`."""
    candidates = np.quantile(cheap.readings[reading], np.linspace(0, 1, 201))
    results = [cascade(cheap, strong, reading, threshold) for threshold in candidates]
    fitting = [result for result in results if result["accuracy_minus_strong"] >= -TUNE_MARGIN]
    return min(fitting, key=lambda result: result["cost_share"])["threshold"]


def measure(folder: Path, n: int) -> dict[str, Any]:
    """Measure the pair of models in `folder` on `n` test tickets."""
    cheap_model, strong_model = (
        read_model(name, folder / file, folder / "vocab.json") for name, file in MODEL_FILES.items()
    )
    tune, test = tickets("tune", n), tickets("test", n)
    cheap, strong = answer_all(cheap_model, test), answer_all(strong_model, test)
    cheap_tune, strong_tune = answer_all(cheap_model, tune), answer_all(strong_model, tune)
    kinds = np.array([ticket.ticket_class for ticket in test])
    held_out = np.array([ticket.held_out for ticket in test])
    compute = [
        m.parameters * a.tokens.mean() for m, a in ((cheap_model, cheap), (strong_model, strong))
    ]

    def summary(model: LanguageModel, answers: Answers) -> dict[str, Any]:
        return {
            "parameters": model.parameters,
            "accuracy": answers.right.mean(),
            "accuracy_seen_wording": answers.right[~held_out].mean(),
            "accuracy_held_out_wording": answers.right[held_out].mean(),
            "accuracy_by_class": {
                str(kind): answers.right[kinds == kind].mean() for kind in np.unique(kinds)
            },
            "cost_usd_per_ticket": answers.cost.mean(),
            "tokens_per_ticket": answers.tokens.mean(),
            "ms_per_token": answers.ms_per_token,
        }

    return {
        "tickets": n,
        "held_out_wording_share": held_out.mean(),
        "small": summary(cheap_model, cheap),
        "large": summary(strong_model, strong),
        "small_auroc": {name: auroc(r, cheap.right) for name, r in cheap.readings.items()},
        "compute_ratio": compute[1] / compute[0],
        "cascade_tuned": {
            name: cascade(cheap, strong, name, choose_threshold(cheap_tune, strong_tune, name))
            for name in cheap.readings
        },
        "cascade_default_threshold": {
            name: cascade(cheap, strong, name, DEFAULT_THRESHOLD) for name in cheap.readings
        },
    }


def _rounded(value: Any) -> Any:
    """Round floats to four significant digits, so that a card can be read."""
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


def _print(values: dict[str, Any], indent: str = "") -> None:
    for key, value in values.items():
        if isinstance(value, dict):
            print(f"{indent}{key}")
            _print(value, indent + "  ")
        else:
            print(f"{indent}{key:28} {value}")


def main() -> None:
    """Measure, print and write the card."""
    parser = argparse.ArgumentParser(description="Measure the desk models.")
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--tickets", type=int, default=3000)
    arguments = parser.parse_args()
    measured = _rounded(measure(arguments.weights, arguments.tickets))
    _print(measured)
    update_card(arguments.weights, "measured", measured)


if __name__ == "__main__":
    main()
