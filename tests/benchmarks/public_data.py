"""The public answers that `make bench-recorded` replays: where they are, and the tables made of them.

Each file is named at a commit, so that it cannot change. A table is right when its digest is that
of the table which the figures in docs/measured.md were printed from.

=====================  =========================================  ==========
table                  made of                                    licence
=====================  =========================================  ==========
`routellm_gsm8k`       lm-sys/RouteLLM, evaluation on GSM8K       Apache-2.0
`zeroeval_gsm`         WildEval/ZeroEval, greedy answers to GSM   Apache-2.0
`bplaut_arc_…`         bplaut/llm-calibration-and-correctness-…   MIT
=====================  =========================================  ==========
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

HOST = "https://raw.githubusercontent.com"

Raw = Mapping[str, Path]
"""Fetched files, by their path in their repository."""
Rows = tuple[list[str], Iterator[Sequence[object]]]
"""The columns of a table, and its rows."""


@dataclass(frozen=True)
class File:
    """A file of a repository at a commit."""

    repository: str
    commit: str
    path: str

    def url(self, host: str) -> str:
        """Return where it is."""
        quoted = "/".join(part.replace("@", "%40") for part in self.path.split("/"))
        return f"{host}/{self.repository}/{self.commit}/{quoted}"


@dataclass(frozen=True)
class Source:
    """A table, and what it is made of.

    Attributes:
        name: The table's.
        digest: SHA-256 of the table that the published figures were printed from, unpacked.
        files: What to fetch.
        build: Makes the table.
    """

    name: str
    digest: str
    files: tuple[File, ...]
    build: Callable[[Raw], Rows]

    def text(self, raw: Raw) -> bytes:
        """Return the table as CSV."""
        written = io.StringIO()
        columns, rows = self.build(raw)
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
        return written.getvalue().encode()


CHARACTERS = 4  # a token, in every estimated cost

# --- RouteLLM ---------------------------------------------------------------------------------------

_ANSWERS = "routellm/evals/gsm8k/gsm8k_responses.csv"
_CONTAMINATED = "routellm/evals/gsm8k/contaminated_prompts.jsonl"
_ROUTELLM = "lm-sys/RouteLLM"
_TWO = {"weak": ("mixtral-8x7b-instruct-v0.1", 0.24), "strong": ("gpt-4-1106-preview", 24.7)}
"""The models, and USD a million tokens on average, in and out alike, as RouteLLM's paper has it."""


def _routellm(raw: Raw) -> Rows:
    columns = ["dataset", "id", "prompt", "weak_model", "weak_response", "weak_correct"]
    columns += ["strong_model", "strong_response", "strong_correct", "weak_cost", "strong_cost"]
    lines = raw[_CONTAMINATED].read_text("utf-8").splitlines()
    seen = {json.loads(line)["eval_prompt"] for line in lines if line.strip()}
    return columns, _routellm_rows(raw[_ANSWERS], seen)


def _routellm_rows(path: Path, seen: set[str]) -> Iterator[Sequence[object]]:
    for place, row in enumerate(_csv_rows(path)):
        prompt = row["prompt"]
        if prompt in seen:
            continue
        cells: list[object] = ["routellm_gsm8k", f"gsm8k-{place}", prompt]
        costs = []
        for (model, price), shown in zip(
            _TWO.values(),
            ("mistralai/Mixtral-8x7B-Instruct-v0.1", "gpt-4-1106-preview"),
            strict=True,
        ):
            answer = row[f"{model}_response"]
            cells += [shown, answer, int(row[model] == "True")]
            costs.append((len(prompt) + len(answer)) / CHARACTERS * price / 1e6)
        yield [*cells, *costs]


# --- ZeroEval ---------------------------------------------------------------------------------------

_ZEROEVAL = "WildEval/ZeroEval"
_COMMITS = {
    "gpt-4o-mini-2024-07-18": "76dfc35c1e547706fe42adab87bdc558a7207566",
    "gpt-4o-2024-08-06": "b4c9f2c6cbe2b493d4a7c5291fed3ff1b5431291",
    "gpt-3.5-turbo-0125": "bb8bf9000bfb0ed08230447919739e56e9410d43",
    "claude-3-haiku-20240307": "7c1db45b2f2d6094fc2209ff683a82afb39db31d",
    "Meta-Llama-3.1-8B-Instruct": "d291522c1d30c73021a7582e92e44536ce2a7467",
    "Llama-3.1-405B-Inst@sambanova": "89f58e036eeb3b9a2ac03e966c0d9556cbafd8b8",
    "gemini-1.5-flash": "7c1db45b2f2d6094fc2209ff683a82afb39db31d",
    "gemma-2-9b-it": "cbfbc4e38c8854d9475e9de531ecad02a4102ae8",
    "Qwen2-7B-Instruct": "cbfbc4e38c8854d9475e9de531ecad02a4102ae8",
    "Mixtral-8x7B-Instruct-v0.1": "43d7919b1fe6fbb83033762b8735baa77bd468cd",
}
_SONNET = "claude-3-5-sonnet-20241022"
_PRICES = {  # USD a million tokens in and out, list price
    "gpt-4o-mini-2024-07-18": (0.15, 0.6),
    "gpt-4o-2024-08-06": (2.5, 10.0),
    "gpt-3.5-turbo-0125": (0.5, 1.5),
    "claude-3-haiku-20240307": (0.25, 1.25),
    _SONNET: (3.0, 15.0),
    "Meta-Llama-3.1-8B-Instruct": (0.2, 0.2),
    "Llama-3.1-405B-Inst@sambanova": (3.0, 3.0),
}
_PAIRS = (
    ("gpt-4o-mini-2024-07-18", "gpt-4o-2024-08-06"),
    ("gpt-3.5-turbo-0125", "gpt-4o-2024-08-06"),
    ("claude-3-haiku-20240307", _SONNET),
    ("Meta-Llama-3.1-8B-Instruct", "Llama-3.1-405B-Inst@sambanova"),
)
_OTHERS = (
    "gpt-3.5-turbo-0125",
    "claude-3-haiku-20240307",
    "Meta-Llama-3.1-8B-Instruct",
    "gemini-1.5-flash",
    "gemma-2-9b-it",
    "Qwen2-7B-Instruct",
    "Mixtral-8x7B-Instruct-v0.1",
)
_AROUND = 400  # characters of the instructions around a question
_FIELD = re.compile(r'"answer"\s*:\s*')
_FRACTION = re.compile(r"\s*(-?\d+)\s*/\s*(\d+)\s*")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def _answers_of(model: str) -> str:
    return f"result_dirs/gsm/{model}.json"


def answered(text: str) -> float | str | None:
    """Read the number in an answer's field `answer`.

    Returns:
        The number; "None" where the field has none, and None where there is no such field.
    """
    *_, said = _FIELD.split(text)
    if said == text:
        return None
    if said.startswith("{"):
        said = said.partition("}")[0]
    else:
        said = re.split(r'["\n}]', said.removeprefix('"'), maxsplit=1)[0]
    if (whole := _FRACTION.fullmatch(said)) and int(whole[2]):
        return int(whole[1]) / int(whole[2])
    number = _NUMBER.search(said.replace(",", "").replace("$", ""))
    return float(number[0]) if number else "None"


def _zeroeval(raw: Raw) -> Rows:
    columns = ["dataset", "id", "prompt", "gold", "weak_model", "weak_response", "weak_answer"]
    columns += ["weak_correct", "strong_model", "strong_answer", "strong_correct"]
    columns += ["weak_cost", "strong_cost", *(f"aux_answer__{name}" for name in _OTHERS)]
    return columns, _zeroeval_rows({Path(p).stem: _by_id(file) for p, file in raw.items()})


def _zeroeval_rows(models: Mapping[str, Mapping[str, Any]]) -> Iterator[Sequence[object]]:
    for weak, strong in _PAIRS:
        for name in sorted(models[weak]):
            asked, other = models[weak][name], models[strong][name]
            prompt, gold = asked["question"], asked["answer"]
            right = float(gold.removeprefix("# ").replace(",", ""))
            one, two = asked["output"][0], other["output"][0]
            cells: list[object] = ["zeroeval_gsm", name, prompt, gold]
            cells += [weak, one, answered(one), _is(answered(one), right)]
            cells += [strong, answered(two), _is(answered(two), right)]
            cells += [_price(weak, prompt, one), _price(strong, prompt, two)]
            for model in _OTHERS:
                same = model == weak
                cells.append(None if same else answered(models[model][name]["output"][0]))
            yield cells


def _is(said: float | str | None, right: float) -> float:
    return float(isinstance(said, float) and abs(said - right) < 1e-6)


def _price(model: str, prompt: str, answer: str) -> float:
    into, out = _PRICES[model]
    return ((len(prompt) + _AROUND) * into + len(answer) * out) / (CHARACTERS * 1e6)


def _by_id(path: Path) -> Mapping[str, Any]:
    return {row["id"]: row for row in json.loads(path.read_text("utf-8"))}


# --- multiple choice --------------------------------------------------------------------------------

_CHOICES = "bplaut/llm-calibration-and-correctness-prediction"
_TRIOS = (("gpt-3.5-turbo", "gpt-4-turbo"), ("Llama3-8b", "Llama3-70b"), ("Mistral", "Mixtral"))
_QUESTIONS = {"arc": 2590, "hellaswag": 6000}
_STEP = 500


def _ranges(questions: int) -> Iterator[str]:
    for start in range(0, questions, _STEP):
        yield f"q{start}to{min(questions, start + _STEP)}"


def _read_choices(dataset: str, model: str, prompt: str) -> list[str]:
    return [
        f"main_results/{dataset}_{model}-{asked}_no_abst_norm_logits_{prompt}_prompt.txt"
        for asked in _ranges(_QUESTIONS[dataset])
    ]


def _choice_paths() -> Iterator[str]:
    for dataset in _QUESTIONS:
        for weak, strong in _TRIOS:
            yield from _read_choices(dataset, weak, "first")
            yield from _read_choices(dataset, weak, "second")
            yield from _read_choices(dataset, strong, "first")


def _choices(raw: Raw) -> Rows:
    columns = ["dataset", "id", "weak_correct", "strong_correct", "weak_conf"]
    columns += ["weak_conf_prompt2", "weak_correct_prompt2", "strong_conf"]
    columns += ["weak_model", "strong_model"]
    return columns, _choice_rows(raw)


def _choice_rows(raw: Raw) -> Iterator[Sequence[object]]:
    for dataset in _QUESTIONS:
        for weak, strong in _TRIOS:
            columns = [
                [
                    graded
                    for path in _read_choices(dataset, model, prompt)
                    for graded in _graded(raw[path])
                ]
                for model, prompt in ((weak, "first"), (weak, "second"), (strong, "first"))
            ]
            for place, (one, again, other) in enumerate(zip(*columns, strict=True)):
                cells = [one[0], other[0], one[1], again[1], again[0], other[1]]
                yield [f"bplaut_{dataset}", place, *cells, weak, strong]


def _graded(path: Path) -> Iterator[tuple[int, str]]:
    """Read whether each answer was right, and the largest probability of a choice."""
    for line in path.read_text("utf-8").splitlines()[1:]:
        grade, confidence, *_ = line.split()
        yield int(grade == "Correct"), str(np.float32(confidence))


def _csv_rows(path: Path) -> Iterator[dict[str, str]]:
    csv.field_size_limit(1 << 24)
    with path.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


SOURCES = (
    Source(
        "routellm_gsm8k",
        "472c421c586705796263a1256f4e555cfdb8cb9a361c23e58b9b47a05e20da1f",
        (
            File(_ROUTELLM, "c2ad69388688796a93a4424e7a0dc9072ea372d2", _ANSWERS),
            File(_ROUTELLM, "2c3f0472cf968ff98966dc14928e2482fcfcc26a", _CONTAMINATED),
        ),
        _routellm,
    ),
    Source(
        "zeroeval_gsm",
        "92531e276e75b3d670e8f889a43ec38a57a92f8d4bb47a42e9ef132b72ae26e9",
        (
            *(File(_ZEROEVAL, commit, _answers_of(name)) for name, commit in _COMMITS.items()),
            # In a copy of that repository.
            File(
                "ruxiliang/ZeroEval",
                "7a0513848438b87e179b3110be63925e9e57455a",
                _answers_of(_SONNET),
            ),
        ),
        _zeroeval,
    ),
    Source(
        "bplaut_arc_hellaswag",
        "a0fab1647d26c42ab78a5e48f298061fd871d04db8e796639d3286c8bdb7f00b",
        tuple(
            File(_CHOICES, "c176fdd333ed3915c14c031e8ac3baf30698be22", path)
            for path in _choice_paths()
        ),
        _choices,
    ),
)
