"""The recorded answers as labelled tables: what every benchmark of the promise replays.

The files are in `$CASCADE_DATA`, where `make data` puts them, or in `../shared/data` beside the
repository. Nothing of the strong model's answer and no reference answer becomes a
signal; columns that tell whether an answer was right are only ever the quality.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from cascade_core.arrays import Array
from cascade_core.labels import Table, TierColumns

FILES = ("routellm_gsm8k.csv.gz", "zeroeval_gsm.csv.gz", "bplaut_arc_hellaswag.csv.gz")

PRICES = {  # USD a million tokens of a prompt, list price
    "gpt-3.5-turbo": 0.5, "gpt-4-turbo": 10.0,
    "Llama3-8b": 0.05, "Llama3-70b": 0.59, "Mistral": 0.15, "Mixtral": 0.24,
}  # fmt: skip
CHOICE_TOKENS = 100  # of a multiple-choice question, whose text was not recorded
ESTIMATED = {  # USD a million tokens in and out, for answers whose cost was not recorded
    "Mixtral-8x7B-Instruct-v0.1": (0.24, 0.24),
    "gemini-1.5-flash": (0.075, 0.30),
}
CHARACTERS = 4e6  # in a million tokens, as in the files' own costs

PARTNERS = (
    "claude-3-haiku-20240307",
    "gemini-1.5-flash",
    "Meta-Llama-3.1-8B-Instruct",
    "Mixtral-8x7B-Instruct-v0.1",
)
"""Cheap models whose answers may be compared with gpt-3.5's."""

Row = Mapping[str, str]

_NUMBER = re.compile(r"-?(?:\d[\d,]*(?:\.\d+)?|\.\d+)")


FETCHED = Path(__file__).resolve().parents[2] / ".data"
"""Where `make data` puts them."""


def data_dir() -> Path:
    """Return where the recorded files should be."""
    if given := os.environ.get("CASCADE_DATA"):
        return Path(given)
    beside = FETCHED.parents[1] / "shared" / "data"
    return FETCHED if (FETCHED / FILES[0]).is_file() or not beside.is_dir() else beside


def absent() -> str | None:
    """Return why nothing can be replayed, or None if everything is there."""
    missing = [name for name in FILES if not (data_dir() / name).is_file()]
    if not missing:
        return None
    return (
        f"recorded answers not found: {', '.join(missing)} in {data_dir()} (make data fetches them)"
    )


def workloads() -> Mapping[str, Callable[[], Table]]:
    """Return every recorded cascade by name; calling one reads its table, once.

    The first six carry bars; the others are more models on the same questions.
    """
    return {
        "gsm8k": gsm8k,
        "gsm8k-agreement": gsm8k_agreement,
        "zeroeval": lambda: zeroeval("gpt-3.5-turbo-0125"),
        "zeroeval-gemini": lambda: zeroeval("gpt-3.5-turbo-0125", "gemini-1.5-flash"),
        "arc": lambda: choices("bplaut_arc", "gpt-3.5-turbo"),
        "hellaswag": lambda: choices("bplaut_hellaswag", "gpt-3.5-turbo"),
        "zeroeval-llama": lambda: zeroeval("Meta-Llama-3.1-8B-Instruct"),
        "zeroeval-haiku": lambda: zeroeval("claude-3-haiku-20240307", "gemini-1.5-flash"),
        "zeroeval-4o-mini": lambda: zeroeval("gpt-4o-mini-2024-07-18"),
        "arc-llama": lambda: choices("bplaut_arc", "Llama3-8b"),
        "arc-mistral": lambda: choices("bplaut_arc", "Mistral"),
        "hellaswag-llama": lambda: choices("bplaut_hellaswag", "Llama3-8b"),
        "hellaswag-mistral": lambda: choices("bplaut_hellaswag", "Mistral"),
    }


@cache
def gsm8k() -> Table:
    """School maths, Mixtral → GPT-4, with the texts and no signal at all."""
    return _with_texts(_rows(FILES[0]), FILES[0], {}, {})


@cache
def gsm8k_agreement() -> Table:
    """The same with one more answer of Mixtral's, from elsewhere: does its number agree?"""
    second = "Mixtral-8x7B-Instruct-v0.1"
    rows = _rows(FILES[0])
    other = {row["prompt"]: _number(row[f"aux_answer__{second}"]) for row in _rows(FILES[1])}
    agrees = [
        _same(final_number(row["weak_response"]), other.get(row["prompt"], np.nan)) for row in rows
    ]
    paid = _estimated(rows, second)
    return _with_texts(rows, FILES[0], {"agreement": agrees}, {"agreement": paid})


@cache
def zeroeval(weak: str, second: str = "claude-3-haiku-20240307") -> Table:
    """School maths again, newer models, and whether a second cheap one comes to the same number."""
    rows = [row for row in _rows(FILES[1]) if row["weak_model"] == weak]
    agrees = [
        _same(_number(row["weak_answer"]), _number(row[f"aux_answer__{second}"])) for row in rows
    ]
    paid = _estimated(rows, second) if second in ESTIMATED else _recorded(rows, second)
    return _with_texts(rows, FILES[1], {"agreement": agrees}, {"agreement": paid})


def zeroeval_with(second: str) -> Table:
    """Return gpt-3.5's answers with another cheap model's agreement."""
    return zeroeval("gpt-3.5-turbo-0125", second)


def zeroeval_several(*seconds: str, as_one: bool) -> Table:
    """Return gpt-3.5's answers with the agreement of several cheap models.

    Args:
        seconds: The models.
        as_one: Whether as one signal, the share that agrees; else each as a signal of its own.
    """
    tables = {name: zeroeval_with(name) for name in seconds}
    first = next(iter(tables.values()))
    readings = {name: table.tiers[0].signals["agreement"] for name, table in tables.items()}
    paid = {name: table.tiers[0].paid["agreement"] for name, table in tables.items()}
    if as_one:
        readings = {"agreement": np.mean(list(readings.values()), axis=0)}
        paid = {"agreement": np.sum(list(paid.values()), axis=0)}
    cheap = replace(first.tiers[0], signals=readings, paid=paid)
    return replace(first, tiers=(cheap, *first.tiers[1:]))


@cache
def choices(dataset: str, weak: str) -> Table:
    """Multiple choice: the largest probability of a choice, and the same under a second prompt."""
    rows = [
        row for row in _rows(FILES[2]) if (row["dataset"], row["weak_model"]) == (dataset, weak)
    ]
    price = [PRICES[weak] * 1e-6 * CHOICE_TOKENS] * len(rows)
    signals = {
        "probability": [_number(row["weak_conf"]) for row in rows],
        "second_prompt": [_number(row["weak_conf_prompt2"]) for row in rows],
    }
    strong = rows[0]["strong_model"]
    return Table(
        source=FILES[2],
        tiers=(
            _tier(weak, rows, "weak", price, signals, {"second_prompt": price}),
            _tier(strong, rows, "strong", [PRICES[strong] * 1e-6 * CHOICE_TOKENS] * len(rows)),
        ),
        ids=[row["id"] for row in rows],
    )


def final_number(text: str) -> float:
    """Return the last number of an answer; NaN if it has none."""
    found = _NUMBER.findall(text)
    return float(found[-1].replace(",", "")) if found else np.nan


def _recorded(rows: Sequence[Row], model: str) -> list[float]:
    """Return what a model's answers to the rows' questions cost: it was a weak model itself."""
    prices = {r["id"]: _number(r["weak_cost"]) for r in _rows(FILES[1]) if r["weak_model"] == model}
    return [prices[row["id"]] for row in rows]


def _estimated(rows: Sequence[Row], model: str) -> list[float]:
    """Price answers that were not kept: as long as the recorded models' to the same question."""
    lengths: dict[str, list[int]] = {}
    for row in _rows(FILES[1]):
        lengths.setdefault(row["prompt"], []).append(len(row["weak_response"]))
    into, out = ESTIMATED[model]
    return [
        (into * len(row["prompt"]) + out * float(np.mean(lengths[row["prompt"]]))) / CHARACTERS
        for row in rows
    ]


def _same(one: float, other: float) -> float:
    """Read an agreement: an answer without a number agrees with nothing."""
    return float(abs(one - other) <= 1e-6 * max(1.0, abs(one)))


def _with_texts(
    rows: Sequence[Row],
    source: str,
    signals: Mapping[str, Sequence[float]],
    paid: Mapping[str, Sequence[float]],
) -> Table:
    weak = [_number(row["weak_cost"]) for row in rows]
    strong = [_number(row["strong_cost"]) for row in rows]
    drafts = [row["weak_response"] for row in rows]
    return Table(
        source=source,
        tiers=(
            _tier(rows[0]["weak_model"], rows, "weak", weak, signals, paid, drafts),
            _tier(rows[0]["strong_model"], rows, "strong", strong),
        ),
        ids=[row["id"] for row in rows],
        requests=[row["prompt"] for row in rows],
    )


def _tier(
    model: str,
    rows: Sequence[Row],
    which: str,
    cost: Sequence[float],
    signals: Mapping[str, Sequence[float]] | None = None,
    paid: Mapping[str, Sequence[float]] | None = None,
    drafts: Sequence[str] | None = None,
) -> TierColumns:
    return TierColumns(
        model=model,
        quality=_array([_number(row[f"{which}_correct"]) for row in rows]),
        cost=_array(cost),
        signals={name: _array(values) for name, values in (signals or {}).items()},
        paid={name: _array(values) for name, values in (paid or {}).items()},
        responses=drafts,
    )


def _number(cell: str) -> float:
    return float(cell) if cell not in {"", "None"} else np.nan


def _array(values: Sequence[float]) -> Array:
    return np.asarray(values, dtype=np.float64)


@cache
def _rows(name: str) -> list[dict[str, str]]:
    with gzip.open(data_dir() / name, "rt", encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def one_or_more(text: str) -> int:
    """Read how often something is done."""
    if not text.isdecimal() or int(text) < 1:
        msg = f"{text!r}: give a whole number from 1"
        raise argparse.ArgumentTypeError(msg)
    return int(text)
