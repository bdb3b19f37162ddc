"""`cascade replay`: its figures by hand, its page, and everything that can be wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cascade_core.policy import Policy
from cascade_core.policy.file import what_else
from tests.core.commands.bad import BAD
from tests.core.commands.making import BY_A, FIVE, RAW, SECRET, ladder, write, write_policy
from tests.running import Ran, Run

KEYS = ["n", "quality", "strong_quality", "cost_usd", "strong_cost_usd", "escalated", "harm"]


def figures(ran: Ran) -> dict[str, Any]:
    assert (ran.status, ran.err) == (0, "")
    found: dict[str, Any] = json.loads(ran.out)
    told = what_else(found, Policy.model_fields)  # if somebody takes it for a policy
    assert told is not None
    assert re.match("is what cascade (tune|replay|drift) --json printed", told)
    return found


def refused(ran: Ran) -> str:
    assert (ran.status, ran.out) == (2, "")
    assert re.fullmatch(r"cascade: [^\n]+\n", ran.err)
    assert "hunter2" not in ran.err
    assert "Traceback" not in ran.err
    return ran.err


def replayed(cascade: Run, columns: Any = FIVE, policy: Any = RAW) -> list[float]:
    found = figures(cascade("replay", write(columns), "--policy", write_policy(policy), "--json"))
    assert list(found)[:7] == KEYS
    return [found[key] for key in KEYS]


def test_the_figures_are_means_a_request(cascade: Run) -> None:
    # a: accepted, right. b: accepted, wrong where the strong tier is right. c, d, e: sent on,
    # and the cheap draft is paid for too.
    by_hand = [5, (1 + 0 + 1 + 0 + 0.75) / 5, 3.75 / 5, (2 * 0.001 + 3 * 0.011) / 5, 0.01, 0.6, 0.2]
    assert replayed(cascade) == pytest.approx(by_hand)


def test_a_calibrated_policy_decides_by_its_calibrator(cascade: Run) -> None:
    harsh = {**BY_A, "curve": {"kind": "isotonic", "x": [0.0, 1.0], "y": [0.0, 0.6]}}
    policy = {"calibrators": [harsh], "thresholds": [0.5]}  # accepts from a reading of 0.83 on
    by_hand = [5, (1 + 1 + 1 + 0 + 0.75) / 5, 0.75, (0.001 + 4 * 0.011) / 5, 0.01, 0.8, 0.0]
    assert replayed(cascade, policy=policy) == pytest.approx(by_hand)


def test_a_paid_signal_is_paid_for_wherever_it_was_read(cascade: Run) -> None:
    paid = {**FIVE, "t0_paid_a_usd": [0.0005] * 4 + [""]}
    assert replayed(cascade, paid)[3] == pytest.approx((2 * 0.0015 + 2 * 0.0115 + 0.011) / 5)


def test_rows_count_by_their_weight(cascade: Run) -> None:
    weighted = replayed(cascade, {**FIVE, "weight": [3, 1, 1, 1, 1]})
    assert weighted == pytest.approx([5, 4.75 / 7, 5.75 / 7, 0.037 / 7, 0.01, 3 / 7, 1 / 7])


def test_a_tier_that_the_route_skips_costs_nothing(cascade: Run) -> None:
    stages = [
        {"cost_usd": 1.0, "quality": 0.9, "accepted": 0.05},
        {"cost_usd": 10.0, "quality": 0.95},
    ]
    found = replayed(cascade, policy={**RAW, "route": {"stages": stages}})
    assert found == pytest.approx([5, 0.75, 0.75, 0.01, 0.01, 1.0, 0.0])


def test_a_class_has_thresholds_of_its_own(cascade: Run) -> None:
    columns = {**FIVE, "class": ["x", "y", "x", "x", "x"]}
    policy = {**RAW, "classes": {"y": {"thresholds": [0.85]}}}
    assert replayed(cascade, columns, policy)[5] == pytest.approx(0.8)


def test_three_tiers_are_climbed_one_by_one(cascade: Run) -> None:
    columns = {
        **FIVE,
        "t1_signal_a": [0.9, 0.9, 0.9, 0.2, 0.2],
        "t2_quality": [1, 1, 1, 1, 0.25],
        "t2_cost_usd": [0.1] * 5,
    }
    # a, b by tier 0; c by tier 1; d, e by tier 2.
    by_hand = [5, (1 + 0 + 1 + 1 + 0.25) / 5, 0.85, (2 * 0.001 + 0.011 + 2 * 0.111) / 5, 0.1]
    found = replayed(cascade, columns, {"thresholds": [0.5, 0.5]})
    assert found == pytest.approx([*by_hand, 0.6, 0.2])


THREE = {
    **FIVE,
    "t1_signal_a": [0.1] * 5,
    "t2_quality": [1] * 5,
    "t2_cost_usd": [0.1] * 5,
}
"""Nothing is ever answered by tier 1 where it takes a confidence of 0.5."""


def test_the_share_that_leaves_tier_0_is_not_said_to_reach_the_last(cascade: Run) -> None:
    policy = write_policy({"thresholds": [1.0, 0.1]})  # all of it stops at tier 1
    out = cascade("replay", write(THREE), "--policy", policy).out
    assert re.search(r"answered beyond tier 0 +100\.0 %", out)
    assert re.search(r"answered by tier 1 +100\.0 %", out)
    assert re.search(r"answered by tier 2 +0\.0 %", out)
    assert "sent to strong" not in out
    assert "straight to tier 2; the policy itself does not" in out


def test_a_price_of_nothing_is_a_known_price(cascade: Run) -> None:
    free = {**FIVE, "t0_cost_usd": [0] * 5, "t1_cost_usd": [0] * 5}
    out = cascade("replay", write(free), "--policy", write_policy()).out
    assert "unpriced" not in out
    assert "the last tier costs $0" in out
    assert re.search(r"cost axis +– +strong − cheap ≤ 0", out)


def test_a_strong_tier_that_is_cheaper_has_no_cost_axis_and_no_interval_on_it(cascade: Run) -> None:
    cheaper = {**FIVE, "t0_cost_usd": [0.1] * 5}
    ran = cascade("replay", write(cheaper), "--policy", write_policy())
    assert re.search(r"cost axis +– +strong − cheap ≤ 0", ran.out)
    assert ran.err.startswith("cascade: labels.csv: tier 0 costs more than tier 1 (USD 0.1 ")


def test_unpriced_calls_are_said_to_be(cascade: Run) -> None:
    unpriced = {**FIVE, "t1_cost_usd": [""] * 5}
    out = cascade("replay", write(unpriced), "--policy", write_policy()).out
    assert "some calls are unpriced" in out
    assert re.search(r"cost axis +– +unpriced", out)


def test_a_promise_is_not_made_surer_than_it_is(cascade: Run) -> None:
    promise = {"kind": "harm", "limit": 0.5, "confidence": 0.9999999, "rows": 9, "seen": 0.1}
    policy = {**RAW, "promises": [{**promise, "p_value": 1e-9, "method": "binomial"}]}
    out = cascade("replay", write(FIVE), "--policy", write_policy(policy)).out
    assert "harm ≤ 50 % with 99.99999 % confidence" in out


def test_each_abbreviation_is_explained_once(cascade: Run) -> None:
    out = cascade("replay", write(FIVE), "--policy", write_policy()).out
    for begins in ("harm:", "cost axis:", "share axis:", "APGR:", "CPT50:", "AUROC:", "ECE:"):
        assert out.count(f"\n{begins}") == 1


def test_rows_that_cannot_be_used_are_left_out_and_counted(cascade: Run) -> None:
    columns = {**FIVE, "t1_quality": [1, 1, 1, 0, ""]}
    write(columns)
    write_policy()
    found = figures(cascade("replay", "labels.csv", "--policy", "policy.json", "--json"))
    assert found["n"] == 4
    assert found["unused"] == {"t1_quality is empty": 1}


def test_without_json_it_is_for_people(cascade: Run) -> None:
    ran = cascade("replay", write(FIVE), "--policy", write_policy())
    assert (ran.status, ran.err) == (0, "")
    assert "5 requests: quality 0.550 against the last tier's 0.750 (73.3 %)" in ran.out
    assert "cost axis" in ran.out


def test_jsonl_and_toml_do_as_well(cascade: Run) -> None:
    rows = [dict(zip(FIVE, row, strict=True)) for row in zip(*FIVE.values(), strict=True)]
    rows[-1]["t0_signal_a"] = None
    Path("labels.jsonl").write_text("\n".join(map(json.dumps, rows)))
    Path("policy.toml").write_text("thresholds = [0.5]\n")
    found = figures(cascade("replay", "labels.jsonl", "--policy", "policy.toml", "--json"))
    assert found["quality"] == pytest.approx(0.55)


def test_the_page_needs_no_network(cascade: Run) -> None:
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    write(ladder(60, 20) | {"request": [SECRET] * 60})
    page = Path("replay.html")
    ran = cascade("replay", "labels.csv", "--policy", write_policy(), "--html", page, "--json")
    assert figures(ran)["n"] == 60
    text = page.read_text()
    assert "<svg" in text
    links = set(re.findall(r"https?://[^\s\"'<>)]*", text))
    assert links <= {"http://www.w3.org/1999/xlink", "http://www.w3.org/2000/svg"}
    assert not re.search(r"<(script|link|img|iframe)\b|@import|url\((?!#)", text)
    assert "hunter2" not in text
    assert sorted(p.name for p in Path().iterdir()) == ["labels.csv", "policy.json", "replay.html"]


def test_page_and_terminal_name_the_models_and_what_costs_are_in_dollars(cascade: Run) -> None:
    write(FIVE | {"t0_model": ["small-1"] * 5, "t1_model": ["large-2"] * 5})
    arguments = ["replay", "labels.csv", "--policy", write_policy(), "--html", "page.html"]
    ran = cascade(*arguments)
    page = Path("page.html").read_text()
    named = "tier 0 (the cheapest): small-1, tier 1 (the last): large-2"
    for shown in (ran.out, page):
        assert named in shown
    assert "USD per 1,000 requests" in page
    assert "the cheap model alone ($0.00100 a request), 1 the strong model alone ($0.0100 a" in page
    assert figures(cascade(*arguments, "--json"))["models"] == ["small-1", "large-2"]


def test_every_number_on_the_page_has_its_name_beside_it_for_narrow_screens(cascade: Run) -> None:
    write(FIVE | {"class": ["x", "x", "y", "y", "y"]})
    cascade("replay", "labels.csv", "--policy", write_policy(), "--html", "page.html")
    body = Path("page.html").read_text().partition("<body>")[2]
    cells = re.findall(r"<td([^>]*)>", body)
    assert [cell for cell in cells if "data-label=" not in cell and "note" not in cell] == []


def test_a_class_that_loses_more_than_is_promised_for_all_is_marked(cascade: Run) -> None:
    write(FIVE | {"class": ["calm", "rough", "calm", "calm", "calm"]})
    promise = {"kind": "harm", "limit": 0.25, "confidence": 0.9, "rows": 100}
    promise |= {"seen": 0.2, "p_value": 0.05, "method": "binomial"}
    policy = write_policy({**RAW, "promises": [promise]})
    ran = cascade("replay", "labels.csv", "--policy", policy, "--html", "page.html")
    said = "loses 100.0 %, above the 25 % promised for all requests together"
    assert f"(!) class rough {said}" in ran.out
    assert f"(!) rough {said}" in Path("page.html").read_text()
    assert "(!) class calm" not in ran.out
    warned = figures(cascade("replay", "labels.csv", "--policy", policy, "--json"))["warnings"]
    assert warned == [f"class 'rough' {said}"]


def test_a_cascade_that_costs_more_than_the_last_tier_is_warned_of(cascade: Run) -> None:
    write({**FIVE, "t0_cost_usd": [0.009] * 5})
    said = "this cascade costs more than always asking the last tier: $0.0150 a request"
    ran = cascade("replay", "labels.csv", "--policy", write_policy(), "--html", "page.html")
    assert said in ran.out
    assert said in Path("page.html").read_text()
    warned = json.loads(cascade("replay", "labels.csv", "--policy", "policy.json", "--json").out)
    assert said in warned["warnings"][0]


def test_a_page_says_what_it_means_in_any_script_and_without_a_warning(cascade: Run) -> None:
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    table = write({**THREE, "class": ["退款申请", "배송", "退款申请", "배송", "請求"]})
    policy = write_policy({"thresholds": [0.5, 0.5]})
    ran = cascade("replay", table, "--policy", policy, "--html", "page.HTM")
    assert (ran.status, ran.err) == (0, "")
    text = Path("page.HTM").read_text(encoding="utf-8")
    for said in ("退款申请</text>", "answered beyond tier 0", "APGR:", "ECE:"):
        assert said in text
    assert "sent to the strong" not in text


@pytest.mark.parametrize("case", list(BAD))
def test_a_bad_table_is_one_line_that_names_the_place(cascade: Run, case: str) -> None:
    columns, said = BAD[case]
    page = Path("page.html")
    page.write_text("old")
    ran = cascade("replay", write(columns), "--policy", write_policy(), "--html", page)
    assert f"labels.csv{':' if said.startswith(('is', 'holds')) else ','} {said}" in refused(ran)
    assert page.read_text() == "old"


POLICIES: dict[str, tuple[Any, str]] = {
    "no JSON": (f'{{"{SECRET}', "policy policy.json, line 1, column 2: is not valid JSON"),
    "no UTF-8": (b"\xff\xfe", "policy policy.json is not UTF-8 text"),
    "JSON without end": ("[" * 100_000, "policy policy.json is nested too deeply"),
    "no policy": ([], "policy policy.json must be an object"),
    "an unknown field": ({"treshold": [0.5]}, "policy policy.json, line 1, column 2: treshold"),
    "a threshold out of range": (
        {"thresholds": [7]},
        "policy policy.json, line 1, column 17: thresholds[0]",
    ),
    "no thresholds": ({"name": "x"}, "policy policy.json has no thresholds"),
    "other tiers": (
        {"thresholds": [0.5, 0.5, 0.5]},
        "the policy's thresholds fit 3 or 4 tiers, but labels.csv has 2",
    ),
    "an absent signal": (
        {"calibrators": [{"score": {"kind": "signal", "signal": "b"}}], "thresholds": [0.5]},
        "labels.csv has no column t0_signal_b, which the policy reads",
    ),
}


@pytest.mark.parametrize("case", list(POLICIES))
def test_a_bad_policy_is_one_line(cascade: Run, case: str) -> None:
    document, said = POLICIES[case]
    if isinstance(document, bytes):
        Path("policy.json").write_bytes(document)
    elif isinstance(document, str):
        Path("policy.json").write_text(document)
    else:
        write_policy(document)
    assert said in refused(cascade("replay", write(FIVE), "--policy", "policy.json"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.csv", "--policy", "policy.json"], "gone.csv: does not exist"),
        (["labels.csv", "--policy", "gone.json"], "policy gone.json cannot be read"),
        (["labels.csv", "--policy", "."], "policy . cannot be read"),
        (["labels.csv"], "'--policy'"),
        (["labels.csv", "--policy", "policy.json", "--seed", "-1"], "--seed"),
        (
            ["labels.csv", "--policy", "policy.json", "--html", "gone/page.html"],
            "there is no directory gone",
        ),
        (["labels.csv", "--policy", "policy.json", "--html", "."], "is a directory"),
        (["labels.csv", "--policy", "policy.json", "--html", "x.pdf"], "ends in .html"),
        (
            ["labels.csv", "--policy", "policy.json", "--html", "./labels.csv"],
            "is the labelled table itself",
        ),
    ],
)
def test_bad_arguments_are_one_line(cascade: Run, arguments: list[str], said: str) -> None:
    write(FIVE)
    write_policy()
    before = Path("labels.csv").read_text()
    assert said in refused(cascade("replay", *arguments))
    assert Path("labels.csv").read_text() == before
    assert sorted(p.name for p in Path().iterdir()) == ["labels.csv", "policy.json"]


def test_figures_on_rows_that_the_policy_was_fitted_to_come_with_a_warning(cascade: Run) -> None:
    write(ladder(40, bad=10))
    write(ladder(50, bad=12), "fresh.csv")
    cascade("tune", "labels.csv", "--quality", 0.9, "--method", "signal", "--out", "p.json")
    assert "fitted to are among these" in cascade("replay", "labels.csv", "--policy", "p.json").out
    assert "fitted to" not in cascade("replay", "fresh.csv", "--policy", "p.json").out
