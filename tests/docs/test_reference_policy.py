"""The page about the policy file has every key that there is, and nothing else."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterator
from typing import Any, get_args, get_type_hints

import pytest
from pydantic import BaseModel

from cascade_core import Policy
from cascade_core.fitted.artefact import (
    Benefit,
    Calibrator,
    CurvedScore,
    ExtraCost,
    Foresight,
    Isotonic,
    Platt,
)
from cascade_core.fitted.commitment import Checkpoint, CommitRule
from cascade_core.fitted.score_forms import Boosting, Logistic, Mean, SignalScore, Words
from cascade_core.policy.document import SETTINGS, ClassRule
from cascade_core.policy.evidence import Figures, Promise, ShownEarly, Tuned
from cascade_core.policy.reference import Reference, Spread
from cascade_core.policy.route import Route, Stage
from cascade_core.policy.rule_parts import Hours, Size
from cascade_core.policy.rules import Action, Match, Rule
from tests.docs.reference import named, page, tables

SECTIONS: dict[str, Any] = {
    "The document": Policy,
    "A rule": Rule,
    "A match": Match,
    "Input tokens": Size,
    "Hours": Hours,
    "An action": Action,
    "A class": ClassRule,
    "A calibrator": Calibrator,
    "A benefit": Benefit,
    "A score and its curve": CurvedScore,
    "An extra cost": ExtraCost,
    "A foresight": Foresight,
    "Score: a signal": SignalScore,
    "Score: logistic": Logistic,
    "Words": Words,
    "Score: boosting": Boosting,
    "Score: mean": Mean,
    "Curve: Platt": Platt,
    "Curve: isotonic": Isotonic,
    "A commit rule": CommitRule,
    "A checkpoint": Checkpoint,
    "The route": Route,
    "A stage": Stage,
    "A promise": Promise,
    "Where it came from": Tuned,
    "Figures": Figures,
    "Shown": ShownEarly,
    "Reference": Reference,
    "Spread": Spread,
}
TABLES = tables("policy.md")


def parts(annotation: Any) -> Iterator[Any]:
    """Find the models within an annotation."""
    if isinstance(annotation, type) and (
        issubclass(annotation, BaseModel) or dataclasses.is_dataclass(annotation)
    ):
        yield annotation
    for argument in get_args(annotation):
        yield from parts(argument)


def keys(model: Any) -> dict[str, bool]:
    """Return a model's keys, and whether each is required."""
    if issubclass(model, BaseModel):
        told = {"kind"} & set(model.model_fields) if "kind" in model.model_fields else set()
        return {
            field.alias or name: field.is_required() or name in told
            for name, field in model.model_fields.items()
        }
    return {field.name: field.default is dataclasses.MISSING for field in dataclasses.fields(model)}


def all_models(model: Any, seen: dict[Any, None]) -> dict[Any, None]:
    if model not in seen:
        seen[model] = None
        hints = get_type_hints(model, include_extras=True)
        for name in getattr(model, "model_fields", keys(model)):
            for part in parts(hints[name]):
                all_models(part, seen)
    return seen


def test_every_part_of_a_policy_has_a_section() -> None:
    assert set(all_models(Policy, {})) == set(SECTIONS.values())


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_key_is_documented_and_nothing_else(heading: str) -> None:
    rows, model = TABLES[heading], SECTIONS[heading]
    assert named(rows, "key") == list(keys(model))
    required = {row["key"].strip("`") for row in rows if row["left out"] == "required"}
    assert required == {name for name, needed in keys(model).items() if needed}


def test_every_setting_and_every_word_it_takes_is_documented() -> None:
    rows = TABLES["Defaults"]
    assert named(rows, "key") == list(SETTINGS)
    for row, choices in zip(rows, SETTINGS.values(), strict=True):
        assert all(f"`{choice}`" in row["what it holds"] for choice in choices)
        assert row["left out"].strip("`") == choices[0]


def test_the_complete_example_has_every_key() -> None:
    text = page("policy.md").read_text(encoding="utf-8")
    source = text.partition('title="complete.toml"\n')[2].partition("```")[0]
    Policy.load(tomllib.loads(source))
    used: dict[Any, set[str]] = {}

    def look(part: Any) -> None:
        model = type(part)
        if isinstance(part, BaseModel):
            named = {model.model_fields[name].alias or name for name in part.model_fields_set}
            used.setdefault(model, set()).update(named)
            for name in model.model_fields:
                look(getattr(part, name))
        elif dataclasses.is_dataclass(part):
            named = {f.name for f in dataclasses.fields(part) if getattr(part, f.name) != f.default}
            used.setdefault(model, set()).update(named)
            for field in dataclasses.fields(part):
                look(getattr(part, field.name))
        elif isinstance(part, dict):
            for each in part.values():
                look(each)
        elif isinstance(part, tuple):
            for each in part:
                look(each)

    look(Policy.load(tomllib.loads(source)))
    assert {model: keys(model).keys() - used.get(model, set()) for model in SECTIONS.values()} == {
        model: set() for model in SECTIONS.values()
    }
