"""The page about the policy file names every error as it is."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from langchain_openai import ChatOpenAI

from cascade_core import Policy
from cascade_core.errors import CascadeWarning, ConfigurationError
from langchain_cascade import ChatCascade
from tests.docs.reference import named, page, tables

TABLES = tables("policy.md")

FILES: dict[str, tuple[str, bytes]] = {
    "cannot be read": ("gone.json", b""),
    "is empty": ("p.json", b" "),
    "is not UTF-8": ("p.json", b"\xff\xfe"),
    "Expecting ','": ("p.json", b'{"thresholds": [0.5}'),
    "stands there twice": ("p.json", b'{"name": "a", "name": "b"}'),
    "is not valid TOML": ("p.toml", b"thresholds = [0.5"),
    "is nested too deeply": ("p.json", b"[" * 100_000),
    "must be an object": ("p.json", b"[]"),
    "is the record": ("p.json", b'{"reason": "confident", "calls": []}'),
    "is a row": ("p.json", b'{"t0_quality": 1}'),
    "is what cascade tune": ("p.json", b'{"policy": "a", "replaced": null, "thresholds": []}'),
    "by its name": ("log.jsonl", b'{"id": 1}\n{"id": 2}\n'),
    "has none": ("p.json", b'{"a": 1}'),
}
LOGISTIC = {
    "kind": "logistic",
    "inputs": ["signal:a"],
    **{name: [0.0] for name in ("low", "high", "fill", "weights", "missing")},
    "intercept": 0,
}
LEAF = {
    "kind": "boosting",
    "inputs": ["signal:a"],
    "base": 0,
    "roots": [0],
    "feature": [-1],
    "threshold": [0.0],
    "missing_left": [False],
    "left": [-1],
    "right": [-1],
    "value": [0.0],
}
SIGNAL = {"kind": "signal", "signal": "judge"}
REFERENCE = {"rows": 1, "escalated": 0.5, "tiers": []}
PROMISE = {"kind": "harm", "limit": 0.1, "confidence": 0.9, "rows": 1, "seen": 0, "p_value": 0}
TUNED = {"table": "t", "objective": "o", "models": [], "choices": [], "rows_fitted": 0}


def scored(score: Mapping[str, Any], **others: Any) -> dict[str, Any]:
    return {"calibrators": [{"score": {**score, **others}}]}


def isotonic(x: list[float], y: list[float]) -> dict[str, Any]:
    return {"calibrators": [{"score": SIGNAL, "curve": {"kind": "isotonic", "x": x, "y": y}}]}


def foreseeing(score: dict[str, Any]) -> dict[str, Any]:
    foresight = {"unread": ["judge"], "price": 0.1, "spread": 1.0, "score": SIGNAL}
    return {"calibrators": [{"score": score, "foresight": [foresight]}]}


def referring(**others: Any) -> dict[str, Any]:
    figures = {"n": 1, "quality": 1, "strong_quality": 1, "escalated": 0, "harm": 0}
    return {"tuned": {**TUNED, "figures": figures, "reference": {**REFERENCE, **others}}}


def ruled(**others: Any) -> dict[str, Any]:
    return {"rules": [{"name": "long", "match": {"tag": "a"}, "then": {"pin": 0}, **others}]}


def committing(*tokens: int, score: Mapping[str, Any] | None = None) -> dict[str, Any]:
    calibrator = {"score": score or {**SIGNAL, "signal": "mean_so_far"}}
    places = [{"tokens": each, "calibrator": calibrator} for each in tokens]
    return {"commit": [{"checkpoints": places}]}


SPREAD = {"rows": 1, "unread": 0.0}
CONTENTS: dict[str, list[dict[str, Any]]] = {
    "Its content": [
        {"treshold": [0.5]},
        {"version": 2},
        {"thresholds": [85]},
        {"thresholds": [-1]},
        {"thresholds": ["0.5"]},
        {"thresholds": [float("nan")]},
        {"thresholds": 0.5},
        {"classes": ["legal"]},
        {"classes": {"legal": {}}},
        {"name": 5},
        {"tuned": {**referring()["tuned"], "seed": 0.5}},
        {"route": {"stages": []}},
        {"promises": [{**PROMISE, "method": "m", "kind": "cost"}]},
        {"defaults": {"modus": "serve"}},
        {"defaults": {"mode": "off"}},
        {"thresholds": [0.5, 0.5], "calibrators": [{"score": SIGNAL}]},
    ],
    "Its rules": [
        ruled(match={}),
        ruled(then={}),
        ruled(match={"tagg": "a"}),
        ruled(match={"regex": "(a"}),
        ruled(match={"language": "german"}),
        ruled(match={"time": {"from": "10 pm"}}),
        ruled(match={"time": {"days": "mon", "zone": "Mars"}}),
        ruled(match={"input_tokens": {"over": 5, "under": 5}}),
        ruled(then={"bypass": 0}),
        ruled(then={"escalate": True}),
        ruled(then={"pin": 0, "bypass": [0]}),
        ruled(then={"pin": 0, "thresholds": [0.5]}),
        ruled(then={"pin": 0, "audit": 0.5}),
        ruled(then={"escalate": False, "thresholds": [0.5]}),
        ruled(then={"bypass": True, "thresholds": [0.5]}),
        {**ruled(then={"pin": 2}), "thresholds": [0.5]},
        {**ruled(then={"bypass": [1]}), "thresholds": [0.5]},
        {"rules": [*ruled()["rules"], *ruled()["rules"]]},
    ],
    "Its calibrators": [
        scored({}),
        scored({"kind": "magic"}),
        scored(SIGNAL, signal=""),
        scored(LOGISTIC, inputs=["logprob"]),
        scored(LOGISTIC, inputs=["signal:a", "signal:a"]),
        scored(LOGISTIC, weights=[1.0, 1.0]),
        scored(LOGISTIC, low=[1.0]),
        scored(LOGISTIC, words={"buckets": 8, "weights": {8: 1.0}}),
        isotonic([0.1, 0.2], [0.5]),
        isotonic([0.2, 0.1], [0.5, 0.6]),
        {"calibrators": [{"score": SIGNAL, "benefit": {"weight": 0.5}}]},
        foreseeing({**SIGNAL, "signal": "sequence_logprob"}),
        foreseeing(SIGNAL),
        isotonic([0.1, 0.2], [0.6, 0.5]),
        scored(LEAF, roots=[1]),
        scored(LEAF, left=[1]),
        scored(LEAF, feature=[7]),
        scored(LEAF, feature=[0]),
    ],
    "Its commit rules": [
        committing(0),
        committing(2, 2),
        committing(2, score={**LOGISTIC, "inputs": ["draft:words"]}),
        committing(2, score={**SIGNAL, "signal": "sequence_logprob"}),
    ],
    "Its reference": [
        referring(rows=0),
        referring(escalated=1.5),
        referring(tiers=[{**SPREAD, "unread": 2.0}]),
        referring(tiers=[{**SPREAD, "values": [0.5, 0.4], "shares": [0.1, 0.2]}]),
    ],
}
UNKNOWN = scored(LOGISTIC, inputs=["request:mood"])
BESIDE: list[tuple[Any, dict[str, Any]]] = [
    (5, {}),
    ({"thresholds": [0.5, 0.5, 0.5]}, {}),
    ({"calibrators": [{"score": SIGNAL}]}, {}),
    ({"calibrators": [{"score": {**SIGNAL, "signal": "sequence_logprob"}}]}, {"combine": "mean"}),
    (UNKNOWN, {}),
    ({}, {"streaming_policy": "commit"}),
    ({"commit": [{}, {}]}, {"streaming_policy": "commit"}),
]


def refusal(source: Any, **settings: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        ChatCascade(policy=source, **settings) if settings else Policy.load(source)
    return str(caught.value)


@pytest.mark.parametrize("case", FILES)
def test_what_is_wrong_with_a_file_is_said_as_it_is_documented(tmp_path: Path, case: str) -> None:
    name, content = FILES[case]
    path = tmp_path / name
    if content:
        path.write_bytes(content)
    (shown,) = [text for text in named(TABLES["Reading the file"], "message") if case in text]
    place = r", line \d+, column \d+:"
    assert re.sub(place, "", refusal(path)) == f"policy {path} {shown}"
    if "not valid" in shown:
        assert re.match(rf"policy {path}{place} ", refusal(path))


def test_every_error_of_a_file_is_tried() -> None:
    assert len(TABLES["Reading the file"]) == len(FILES)


@pytest.mark.parametrize("heading", CONTENTS)
def test_what_is_wrong_with_a_key_is_said_as_it_is_documented(heading: str) -> None:
    said = [refusal(content).removeprefix("policy: ") for content in CONTENTS[heading]]
    at = r"^tuned\.reference[][\w.]*: (?=reference: )"  # where, before what
    assert [re.sub(at, "", text) for text in said] == named(TABLES[heading], "message")


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> list[ChatOpenAI]:
    monkeypatch.setenv("OPENAI_API_KEY", "unused")
    return [ChatOpenAI(model="gpt-4o-mini"), ChatOpenAI(model="gpt-4o")]


def test_what_does_not_fit_a_cascade_is_said_as_it_is_documented(pair: list[ChatOpenAI]) -> None:
    said = [refusal(policy, tiers=pair, **settings) for policy, settings in BESIDE]
    assert said == named(TABLES["Beside a cascade"], "message")[: len(BESIDE)]


def test_warnings_are_documented_as_they_are(pair: list[ChatOpenAI]) -> None:
    tuned = {**referring()["tuned"], "models": ["small", "gpt-4o"]}
    promised = {"thresholds": [0.5], "promises": [{**PROMISE, "method": "m"}]}
    given: list[dict[str, Any]] = [
        {"policy": {"tuned": tuned}},
        {"policy": promised, "thresholds": 0.9},
        {"policy": promised, "on_no_score": "accept"},
        {"policy": {**promised, **ruled(then={"escalate": False})}},
        {"policy": ruled(then={"thresholds": [0.5]}), "thresholds": 0.9},
    ]
    said = []
    for settings in given:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            ChatCascade(tiers=pair, **settings)
        said += [str(one.message) for one in caught if one.category is CascadeWarning]
    shown = named(TABLES["Beside a cascade"], "message")[len(BESIDE) :]
    assert said == shown


def test_no_message_of_the_policy_document_is_missing() -> None:
    """Whatever words a model of ours refuses with, one of them is shown."""
    text = page("policy.md").read_text(encoding="utf-8")
    folder = Path(Policy.__module__.replace(".", "/")).parent
    root = page("policy.md").parents[2] / "shared"
    for path in (root / folder / "document.py", root / "cascade_core/fitted/artefact.py"):
        for raised in re.findall(r'raise ValueError\(f?"([^"{]+)', path.read_text("utf-8")):
            assert raised.strip() in text
