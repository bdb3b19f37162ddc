"""`cascade explain`: which rule fires, which tiers are asked, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.policies import DEAR, LONG_IS_HARD, WEIGHS, by, fitted
from tests.running import Run

POLICY = """
thresholds = [0.85]
[classes.dispute]
thresholds = [0.97]
[[rules]]
name = "disputes"
match.regex = "(?i)charge|dispute"
then.class = "dispute"
[[rules]]
name = "legal"
match.tag = "legal"
then.bypass = true
[[rules]]
name = "local"
match.metadata.tenant = "acme"
then = { pin = 0, log_content = false }
[[rules]]
name = "night"
match.time = { from = "22:00", to = "06:00" }
then = { escalate = false, audit = 0.5 }
[[rules]]
name = "refunds"
match.tool = "refund"
then.thresholds = [0.99]
"""
NOON = ("--at", "2026-11-27T12:00")


@pytest.fixture(autouse=True)
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.toml").write_text(POLICY, encoding="utf-8")


def told(cascade: Run, text: str, *options: str, policy: str = "p.toml") -> dict[str, Any]:
    ran = cascade("explain", text, "--policy", policy, *options, "--json")
    assert (ran.status, ran.err) == (0, "")
    found: dict[str, Any] = json.loads(ran.out)
    assert list(found)[:5] == ["rule", "class", "tiers", "thresholds", "why"]
    return found


@pytest.mark.parametrize(
    ("text", "options", "rule", "class_name", "tiers", "thresholds", "why"),
    [
        ("hello", NOON, None, None, [0, 1], [0.85], "none of its 5 rules matches"),
        ("I dispute it", NOON, "disputes", "dispute", [0, 1], [0.97], "those of the class"),
        ("hello", (*NOON, "--class", "dispute"), None, "dispute", [0, 1], [0.97], "caller names"),
        (
            "hello",
            (*NOON, "--tag", "a", "--tag", "legal"),
            "legal",
            None,
            [1],
            [0.85],
            "(bypassed)",
        ),
        ("hello", (*NOON, "--metadata", "tenant=acme"), "local", None, [0], [0.85], "(pinned)"),
        ("hello", ("--at", "2026-11-27T23:30"), "night", None, [0, 1], [0.85], "(kept)"),
        ("hello", ("--at", "2026-11-28T00:30+01:00"), "night", None, [0, 1], [0.85], "(kept)"),
        ("hello", (*NOON, "--tool", "refund"), "refunds", None, [0, 1], [0.99], "the rule's"),
        ("a charge", (*NOON, "--tag", "legal"), "legal", "dispute", [1], [0.97], "an earlier rule"),
    ],
)
def test_what_a_policy_would_do_is_told(
    cascade: Run,
    text: str,
    options: tuple[str, ...],
    rule: str | None,
    class_name: str | None,
    tiers: list[int],
    thresholds: list[float],
    why: str,
) -> None:
    found = told(cascade, text, *options)
    assert (found["rule"], found["class"]) == (rule, class_name)
    assert (found["tiers"], found["thresholds"]) == (tiers, thresholds)
    assert any(why in line for line in found["why"])


def test_people_read_lines(cascade: Run) -> None:
    ran = cascade("explain", "I dispute it", "--policy", "p.toml", *NOON)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines()[:4] == [
        "rule:       disputes",
        "class:      dispute",
        "tiers:      0 → 1",
        "thresholds: 0.97 for tier 0",
    ]


def test_what_the_route_leaves_out_is_told(cascade: Run) -> None:
    Path("p.json").write_text(json.dumps(fitted(route=DEAR)), encoding="utf-8")
    found = told(cascade, "hello", policy="p.json")
    assert (found["tiers"], found["skipped"]) == ([1], {"0": "difficult"})
    assert found["why"][0] == "the policy has no rules"
    assert "(difficult)" in found["why"][1]


def test_a_threshold_that_no_confidence_reaches_is_told(cascade: Run) -> None:
    document = fitted(1.0, calibrators=[LONG_IS_HARD])
    Path("p.json").write_text(json.dumps(document), encoding="utf-8")
    found = told(cascade, "hello", policy="p.json")
    assert found["tiers"] == [1]
    assert "no draft reaches a threshold of 1" in found["why"][1]


def test_the_number_of_tiers_may_be_said(cascade: Run) -> None:
    rules = [{"name": "a", "match": {"tag": "a"}, "then": {"bypass": True}}]
    Path("p.json").write_text(json.dumps({"rules": rules}), encoding="utf-8")
    assert told(cascade, "x", "--tag", "a", policy="p.json")["tiers"] == [1]
    found = told(cascade, "x", "--tag", "a", "--tiers", "3", policy="p.json")
    assert (found["tiers"], found["thresholds"]) == ([2], [0.9, 0.9])


def test_a_pattern_that_takes_too_long_is_warned_of(cascade: Run) -> None:
    rules = [{"name": "a", "match": {"regex": "(a+)+$"}, "then": {"bypass": True}}]
    Path("p.json").write_text(json.dumps({"rules": rules}), encoding="utf-8")
    ran = cascade("explain", "a" * 5_000 + "b", "--policy", "p.json", "--json")
    assert ran.status == 0
    assert ran.err.startswith("cascade: rule 'a' has a pattern that took too long")
    assert json.loads(ran.out)["rule"] is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--metadata", "acme"), "--metadata acme: give a key and its value, as in tenant=acme"),
        (("--at", "noon"), "--at noon: give a time as in 2026-11-27T22:30"),
        (("--tiers", "3"), "the policy is for 2 tiers, not 3"),
    ],
)
def test_what_cannot_be_meant_is_one_line(
    cascade: Run, options: tuple[str, ...], said: str
) -> None:
    ran = cascade("explain", "secret", "--policy", "p.toml", *options)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith(f"cascade: {said}")
    assert "secret" not in ran.err


def test_a_broken_policy_names_the_line(cascade: Run) -> None:
    Path("p.toml").write_text(POLICY.replace("bypass = true", "bypass = 1"), encoding="utf-8")
    ran = cascade("explain", "x", "--policy", "p.toml")
    assert ran.status == 2
    assert ran.err.startswith("cascade: policy p.toml, line 12, column 1: rules[1].then.bypass: ")


@pytest.mark.parametrize(
    ("text", "options", "thresholds"),
    [
        ("hello", (), [0.85, 0.6]),
        ("I dispute it", (), [0.97, 0.6]),
        ("I want it back", ("--tag", "own"), [0.5, 0.3]),
        ("I want it back", ("--tag", "never"), [0.5]),
    ],
)
def test_the_last_tiers_threshold_is_told(
    cascade: Run, text: str, options: tuple[str, ...], thresholds: list[float]
) -> None:
    Path("h.toml").write_text(
        """
thresholds = [0.85, 0.6]
[classes.dispute]
thresholds = [0.97]
[[rules]]
name = "disputes"
match.regex = "(?i)dispute"
then.class = "dispute"
[[rules]]
name = "own"
match.tag = "own"
then.thresholds = [0.5, 0.3]
[[rules]]
name = "never"
match.tag = "never"
then.thresholds = [0.5, 0]
""",
        encoding="utf-8",
    )
    found = told(cascade, text, "--tiers", "2", *options, policy="h.toml")
    assert found["thresholds"] == thresholds
    assert found["skipped"] == {}
    handed = [line for line in found["why"] if "handed off" in line]
    said = [f"tier 1's answer is handed off below {last:g}" for last in thresholds[1:]]
    assert [line.partition(":")[0] for line in handed] == said
    ran = cascade("explain", text, "--policy", "h.toml", "--tiers", "2", *options)
    assert (f"{thresholds[-1]:g} for tier {len(thresholds) - 1}") in ran.out


def test_what_a_threshold_is_held_against_and_an_early_commit_are_told(cascade: Run) -> None:
    Path("w.json").write_text(json.dumps(fitted(calibrators=[WEIGHS])), encoding="utf-8")
    assert any("by its merit" in line for line in told(cascade, "hello", policy="w.json")["why"])
    sure = by("mean_so_far")
    rule = {"checkpoints": [{"tokens": n, "calibrator": sure} for n in (2, 8)]}
    policy = fitted(commit=[rule], defaults={"streaming_policy": "commit"})
    Path("c.json").write_text(json.dumps(policy), encoding="utf-8")
    why = told(cascade, "hello", policy="c.json")["why"]
    assert not any("merit" in line for line in why)
    assert any("by its first tokens, after 2, 8 of them" in line for line in why)
    ran = cascade("explain", "hello", "--policy", "c.json", "--tool", "refund")
    assert "first tokens" not in ran.out, "a request with tools is never committed to"
