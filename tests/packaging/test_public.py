"""What the packages export is what the reference documents, and the other way round."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "api"

# Users' code is written against these: they stay, whatever is added.
FIXED = {
    "cascade_core": [
        "Audit",
        "Breaker",
        "Budget",
        "BudgetExceeded",
        "CascadeError",
        "Policy",
        "RedisStore",
        "Rule",
        "Runs",
        "Tier",
        "Verdict",
        "collect_decisions",
        "flush_log",
        "record_feedback",
    ],
    "cascade_core.signals": [
        "Claims",
        "Difficulty",
        "Grounding",
        "Judge",
        "SelfConsistency",
        "SequenceLogprob",
        "TokenMargin",
        "Verbalized",
    ],
    "cascade_core.calibration": ["tune"],
    "cascade_core.evaluation": ["cost_quality_curve"],
    "cascade_core.drift": ["DriftMonitor"],
    "cascade_core.scale": ["answer_rows"],
    "langchain_cascade": [
        "CascadeMiddleware",
        "ChatCascade",
        "RunnableCascade",
        "Tier",
        "parser_gate",
    ],
    "llamaindex_cascade": [
        "CascadeDecisionEvent",
        "CascadeLLM",
        "CascadeQueryEngine",
        "CascadeSynthesizer",
        "Tier",
        "parser_gate",
    ],
}

SHARED = {"Tier", "parser_gate"}
"""The same in several packages, and told of once."""


def documented() -> dict[str, dict[str, str]]:
    """Return the public names with what the reference's first page says of them, by module."""
    table = (REFERENCE / "index.md").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = {}
    for row in re.findall(r"^\| (.+) \|$", table, re.MULTILINE)[2:]:
        cell, _, said = row.partition(" |")
        assert cell.count("](") == cell.count("[`"), f"not linked: {row}"
        names = re.findall(r"`([\w.]+)`", cell)
        if cell.startswith("**"):
            names_of_module = found[names[0]] = {}
        else:
            assert not set(names) & set(names_of_module), f"twice: {row}"
            names_of_module.update(dict.fromkeys(names, said.strip()))
    return found


DOCUMENTED = documented()


def test_the_reference_has_the_modules_that_are_public() -> None:
    assert DOCUMENTED.keys() == FIXED.keys()


@pytest.mark.parametrize("module", FIXED)
def test_what_is_documented_is_what_is_exported(module: str) -> None:
    assert sorted(DOCUMENTED[module]) == sorted(importlib.import_module(module).__all__)
    assert all(DOCUMENTED[module].values())


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for module in FIXED for name in sorted({*FIXED[module], *DOCUMENTED[module]})],
)
def test_a_public_name_imports_and_is_listed(module: str, name: str) -> None:
    loaded = importlib.import_module(module)
    assert name in dir(loaded), "what is imported on use is shown before"
    assert getattr(loaded, name) is not None
    assert name in loaded.__all__


def test_every_name_stands_on_a_page_of_its_module() -> None:
    shown = {
        name
        for path in REFERENCE.glob("*.md")
        for name in re.findall(r"^::: ([\w.]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    elsewhere = {name.rpartition(".")[2] for name in shown if name.endswith(tuple(SHARED))}
    missing = [
        f"{module}.{name}"
        for module, names in DOCUMENTED.items()
        for name in names
        # The second of one name: a function in a module called the same.
        if not {f"{module}.{name}", f"{module}.{name}.{name}"} & shown and name not in elsewhere
    ]
    assert missing == []


@pytest.mark.parametrize("module", FIXED)
def test_no_name_is_listed_twice(module: str) -> None:
    exported = importlib.import_module(module).__all__
    assert len(set(exported)) == len(exported)
