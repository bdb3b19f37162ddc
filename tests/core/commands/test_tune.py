"""`cascade tune`: the fixed commands as written, and everything that can be wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cascade_core.log.policies import PolicyStore
from cascade_core.policy import Policy
from cascade_core.watch.shipping import strongest
from tests.core.calibration.labels import columns
from tests.core.commands.bad import BAD
from tests.core.commands.making import BY_A, FIVE, SECRET, ladder, write, write_policy
from tests.core.commands.test_replay import POLICIES, figures, refused
from tests.core.log.traffic import served
from tests.core.traffic.storing import store
from tests.running import Run

FROZEN = {"calibrators": [BY_A]}
"""With its calibrators kept nothing is fitted, so thresholds can be worked out by hand."""

WEIGHED = {**BY_A, "benefit": {"keep": BY_A, "weight": 1.0}}

FIXED: list[list[Any]] = [
    ["--quality", 0.98],
    ["--harm", 0.02, "--confidence", 0.95],
    ["--max-cost", 0.0004],
]
"""As the design writes them."""


@pytest.mark.parametrize("asked", FIXED, ids=lambda asked: asked[0])
def test_the_fixed_commands_write_a_policy_that_replay_reads(cascade: Run, asked: Any) -> None:
    pytest.importorskip("sklearn")
    table = columns(1500, sharp=20.0)
    for tier, cost in ((0, 0.0001), (1, 0.001)):
        table[f"t{tier}_cost_usd"] = [cost] * 1500
    ran = cascade("tune", write(table), *asked, "--out", "policy.json")
    assert (ran.status, ran.err) == (0, "")
    assert "policy.json written" in ran.out
    policy = Policy.load("policy.json")
    assert policy.name == "policy"
    assert policy.tuned is not None
    assert policy.tuned.figures.escalated < 1
    assert len(policy.promises) == ("--harm" in asked)
    found = figures(cascade("replay", "labels.csv", "--policy", "policy.json", "--json"))
    assert found["cost_usd"] < found["strong_cost_usd"]
    if "--quality" in asked:
        assert found["quality"] >= 0.96 * found["strong_quality"]
    elif "--harm" in asked:
        assert found["harm"] <= 0.02
        assert "promised: harm ≤ 2 % with 95 % confidence" in ran.out
    else:
        assert found["cost_usd"] == pytest.approx(0.0004, rel=0.1)


def test_what_a_threshold_is_held_against_is_said_by_its_name(cascade: Run) -> None:
    write(ladder(20, bad=10))
    for calibrator, name in ((BY_A, "confidence"), (WEIGHED, "merit")):
        kept = write_policy({"calibrators": [calibrator]}, "kept.json")
        ran = cascade("tune", "labels.csv", "--quality", 0.9, "--policy", kept, "--out", "p.json")
        assert ran.status == 0, ran.err
        assert f"accept at {name} ≥ " in ran.out
        assert ("merit: what" in ran.out) == (name == "merit")
        ran = cascade("replay", "labels.csv", "--policy", "p.json")
        assert f"its {name}, over all thresholds" in ran.out


def test_a_last_tier_that_is_graded_worse_is_looked_at(cascade: Run) -> None:
    table = ladder(60, bad=10)
    for good, said in (([1] * 60, False), ([0] * 60, True)):
        write({**table, "t1_quality": good})
        ran = cascade("tune", "labels.csv", "--max-escalated", 0.1, "--out", "p.json")
        assert ran.status == 0, ran.err
        assert ("own answers are graded worse" in " ".join(ran.out.split())) == said


@pytest.mark.parametrize(
    ("asked", "escalated", "quality"),
    [
        (["--quality", 0.9], 0.4, 0.9),  # two of the ten wrong drafts may be accepted
        (["--max-cost", 0.0031], 0.2, 0.7),  # 0.001 + 0.2 × 0.01
        (["--max-escalated", 0.25], 0.25, 0.75),
    ],
    ids=lambda asked: asked[0] if isinstance(asked, list) else "",
)
def test_the_thresholds_are_those_one_finds_by_hand(
    cascade: Run, asked: list[Any], escalated: float, quality: float
) -> None:
    write(ladder(20, bad=10))
    kept = write_policy(FROZEN, "kept.json")
    found = figures(
        cascade("tune", "labels.csv", *asked, "--policy", kept, "--out", "p.json", "--json")
    )
    assert found["policy"] == "p.json"
    assert found["n"] == 20
    assert found["escalated"] == pytest.approx(escalated)
    assert found["quality"] == pytest.approx(quality)
    assert found["cost_usd"] == pytest.approx(0.001 + escalated * 0.01)
    assert found["promises"] == []
    replayed = figures(cascade("replay", "labels.csv", "--policy", "p.json", "--json"))
    for key in ("n", "quality", "strong_quality", "cost_usd", "escalated", "harm"):
        assert replayed[key] == pytest.approx(found[key])


def test_a_promise_is_the_exact_test_of_the_rows(cascade: Run) -> None:
    write(ladder(200, bad=100))
    kept = write_policy(FROZEN, "kept.json")
    asked = ["--harm", 0.02, "--confidence", 0.95, "--policy", kept]
    found = figures(cascade("tune", "labels.csv", *asked, "--out", "p.json", "--json"))
    (promise,) = found["promises"]
    # One harmed request of 200 has a chance of 9 % where harm is 2 %; none has 1.8 %.
    assert promise["p_value"] == pytest.approx(0.98**200)
    assert (promise["rows"], promise["seen"], found["escalated"]) == (200, 0.0, 0.5)


def test_a_promise_that_the_rows_do_not_carry_is_refused(cascade: Run) -> None:
    write(ladder(100, bad=50))
    kept = write_policy(FROZEN, "kept.json")
    said = refused(
        cascade("tune", "labels.csv", "--harm", 0.02, "--policy", kept, "--out", "p.json")
    )
    assert "cannot be promised" in said
    assert any(word.strip(",;.").isdigit() for word in said.split())
    assert not Path("p.json").exists()


def test_rows_that_a_policy_was_fitted_to_cannot_test_it(cascade: Run) -> None:
    write(ladder(200, bad=40))
    cascade("tune", "labels.csv", "--quality", 0.9, "--method", "signal", "--out", "a.json")
    again = ["--policy", "a.json", "--harm", 0.1, "--out", "b.json"]
    assert "rows it has not seen" in refused(cascade("tune", "labels.csv", *again))
    # A file's name says nothing about its rows.
    write(ladder(200, bad=40), "renamed.csv")
    assert "rows it has not seen" in refused(cascade("tune", "renamed.csv", *again))
    Path("elsewhere").mkdir()
    assert cascade("tune", write(ladder(210, bad=40), "elsewhere/labels.csv"), *again).status == 0
    # Nor can they once other rows have tested it; where nothing is promised, they may be used.
    third = ["--policy", "b.json", "--out", "c.json"]
    assert "rows it has not seen" in refused(cascade("tune", "labels.csv", *third, "--harm", 0.1))
    assert cascade("tune", "labels.csv", *third, "--max-escalated", 0.5).status == 0


def test_a_policy_is_written_as_json_and_nothing_else(cascade: Run) -> None:
    write(ladder(40, bad=10))
    said = refused(cascade("tune", "labels.csv", "--quality", 0.9, "--out", "p.toml"))
    assert "ends in .json" in said


def test_a_policy_is_replaced_whole_or_not_at_all(cascade: Run) -> None:
    write(ladder(40, bad=10))
    kept = write_policy(FROZEN, "kept.json")
    Path("p.json").write_text("old")
    arguments = ["tune", "labels.csv", "--policy", kept, "--out", "p.json"]
    refused(cascade(*arguments, "--max-cost", 1e-9))
    assert Path("p.json").read_text() == "old"
    assert cascade(*arguments, "--quality", 0.9, "--name", "desk").status == 0
    assert Policy.load("p.json").name == "desk"
    assert Path("p.json.bak").read_text() == "old"
    names = ["kept.json", "labels.csv", "p.json", "p.json.bak"]
    assert sorted(p.name for p in Path().iterdir()) == names
    again = cascade(*arguments, "--quality", 0.9)
    assert "it replaces a file that is now p.json.bak" in again.out
    assert Policy.load("p.json.bak").name == "desk"


@pytest.mark.parametrize("case", list(BAD))
def test_a_bad_table_is_one_line_and_nothing_is_written(cascade: Run, case: str) -> None:
    bad, said = BAD[case]
    write(bad)
    out = Path("policy.json")
    out.write_text("old")
    ran = cascade("tune", "labels.csv", "--quality", 0.98, "--out", out)
    assert f"labels.csv{':' if said.startswith(('is', 'holds')) else ','} {said}" in refused(ran)
    assert out.read_text() == "old"
    assert sorted(p.name for p in Path().iterdir()) == ["labels.csv", "policy.json"]


@pytest.mark.parametrize("case", [case for case in POLICIES if case != "no thresholds"])
def test_a_bad_policy_to_keep_is_one_line(cascade: Run, case: str) -> None:
    document, said = POLICIES[case]
    if isinstance(document, bytes):
        Path("policy.json").write_bytes(document)
    elif isinstance(document, str):
        Path("policy.json").write_text(document)
    else:
        write_policy(document)
    write(ladder(40, bad=10))
    asked = ["--quality", 0.9, "--policy", "policy.json", "--out", "p.json"]
    assert said in refused(cascade("tune", "labels.csv", *asked))
    assert not Path("p.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.csv", "--quality", 0.9, "--out", "p.json"], "gone.csv: does not exist"),
        (["labels.csv", "--quality", 0.9], "'--out'"),
        (["labels.csv", "--quality", 0.9, "--out", "gone/p.json"], "there is no directory gone"),
        (["labels.csv", "--quality", 0.9, "--out", "."], "is a directory"),
        (["labels.csv", "--quality", 0.9, "--out", "labels.csv"], "the labelled table itself"),
        (["labels.csv", "--out", "p.json"], "given: none"),
        (["labels.csv", "--quality", 0.9, "--harm", 0.1, "--out", "p.json"], "quality and harm"),
        (["labels.csv", "--quality", "much", "--out", "p.json"], "--quality"),
        (["labels.csv", "--quality", "nan", "--out", "p.json"], "quality=nan"),
        (["labels.csv", "--harm", 2, "--out", "p.json"], "harm=2"),
        (["labels.csv", "--harm", 0.1, "--confidence", 1, "--out", "p.json"], "confidence=1"),
        (["labels.csv", "--max-cost", 0, "--out", "p.json"], "max_cost=0"),
        (["labels.csv", "--quality", 0.9, "--method", "magic", "--out", "p.json"], "--method"),
        (["labels.csv", "--quality", 0.9, "--signals", "b", "--out", "p.json"], "no signal 'b'"),
        (["labels.csv", "--quality", 0.9, "--seed", "-1", "--out", "p.json"], "--seed"),
        (["labels.csv", "--quality", 0.9, "--per-class", "--out", "p.json"], "no column class"),
        (["labels.csv", "--quality", 0.9, "--policy", "gone", "--out", "p.json"], "policy gone"),
        (
            ["labels.csv", "--quality", 0.9, "--signals", ",", "--out", "p.json"],
            "--signals is empty",
        ),
    ],
)
def test_bad_arguments_are_one_line(cascade: Run, arguments: list[Any], said: str) -> None:
    table = write(ladder(40, bad=10) | {"request": [SECRET] * 40})
    before = table.read_text()
    assert said in refused(cascade("tune", *arguments))
    assert table.read_text() == before
    assert [p.name for p in Path().iterdir()] == ["labels.csv"]


def test_options_that_a_kept_policy_has_no_use_for_are_refused(cascade: Run) -> None:
    write(ladder(40, bad=10))
    kept = write_policy(FROZEN, "kept.json")
    asked = ["tune", "labels.csv", "--quality", 0.9, "--policy", kept, "--out", "p.json"]
    for more in (["--signals", "a"], ["--method", "logistic"]):
        assert "whose calibrators are kept" in refused(cascade(*asked, *more))
    assert not Path("p.json").exists()


def test_without_a_promise_it_is_said_that_there_is_none(cascade: Run) -> None:
    write(ladder(400, bad=40))
    asked = ["tune", "labels.csv", "--quality", 0.9, "--method", "signal", "--out", "p.json"]
    assert "no promise: thresholds were picked on these very rows" in cascade(*asked).out
    assert "no promise" not in cascade(*asked, "--confidence", 0.9).out


@pytest.mark.parametrize("tiers", [2, 3, 4])
def test_who_answers_is_said_where_there_are_more_than_two_tiers(cascade: Run, tiers: int) -> None:
    rows = ladder(200, bad=100)
    for tier in range(1, tiers):
        rows |= {f"t{tier}_quality": rows["t0_quality"], f"t{tier}_cost_usd": [10.0**tier] * 200}
        rows[f"t{tier}_signal_a"] = rows["t0_signal_a"]
    rows[f"t{tiers - 1}_quality"] = [1] * 200
    write(rows)
    kept = write_policy({"calibrators": [BY_A] * (tiers - 1)}, "kept.json")
    asked = ["--quality", 0.9, "--policy", kept, "--out", "p.json"]
    out = cascade("tune", "labels.csv", *asked).out
    shares = dict(re.findall(r"answered by (tier [0-9]) +([0-9.]+) %", out))
    named = [f"tier {tier}" for tier in range(tiers)] if tiers > 2 else []
    assert list(shares) == named
    assert not shares or sum(map(float, shares.values())) == pytest.approx(100, abs=0.2)
    found = figures(cascade("replay", "labels.csv", "--policy", "p.json", "--json"))
    for tier in (0, tiers - 1) if shares else ():
        assert float(shares[f"tier {tier}"]) == pytest.approx(100 * found["by_tier"][tier], abs=0.1)


def test_too_few_rows_are_named(cascade: Run) -> None:
    said = refused(cascade("tune", write(FIVE), "--quality", 0.9, "--out", "p.json"))
    assert "labels.csv: 5 usable rows; at least 20 are needed" in said


def test_no_prompt_text_is_kept_in_the_policy(cascade: Run) -> None:
    pytest.importorskip("sklearn")
    table = columns(120, texts=True)
    table["request"] = [f"{SECRET} {text}" for text in table["request"]]
    ran = cascade("tune", write(table), "--quality", 0.95, "--out", "policy.json")
    assert ran.status == 0
    for text in (ran.out, ran.err, Path("policy.json").read_text()):
        assert "hunter2" not in text


def test_help_shows_an_example(cascade: Run) -> None:
    for command in ("tune", "replay", "drift"):
        assert f"Example: cascade {command}" in cascade(command, "--help").out


def test_json_is_nothing_but_json(cascade: Run) -> None:
    write(ladder(240, bad=60) | {"class": ["x", "y"] * 120})
    kept = write_policy(FROZEN, "kept.json")
    asked = ["--quality", 0.9, "--policy", kept, "--per-class", "--out", "p.json", "--json"]
    found = json.loads(cascade("tune", "labels.csv", *asked).out)
    assert set(found["classes"]) <= {"x", "y"}  # thresholds of their own only where they pay
    assert {"policy", "thresholds", "promises", "n", "quality", "cost_usd"} <= set(found)


RULES = [{"name": "stays here", "match": {"class": "acme"}, "then": {"pin": 0}}]
OTHER = [{"name": "goes up", "match": {"tag": "vip"}, "then": {"bypass": True}}]
LOG = "sqlite:///decisions.db"
TUNED = ["tune", "labels.csv", "--quality", 0.9, "--out", "p.json"]


def active(*documents: Any) -> None:
    policies = PolicyStore(LOG, create=True)
    for document in documents:
        number, _ = policies.save(Policy.load(document))
        policies.activate(number)


def carried(out: str = "p.json") -> list[str]:
    return [rule.name for rule in Policy.load(out).rules]


@pytest.mark.parametrize("source", ["rules.json", LOG])
def test_rules_are_taken_along_from_a_file_or_a_logs_active_policy(
    cascade: Run, source: str
) -> None:
    write(ladder(40, bad=10))
    kept = ["--policy", write_policy({**FROZEN, "rules": OTHER}, "kept.json")]
    write_policy({"rules": RULES}, "rules.json")
    active({"rules": OTHER}, {"rules": RULES})
    ran = cascade(*TUNED, *kept, "--rules", source)
    assert (ran.status, ran.err, carried()) == (0, "", ["stays here"])
    number = ", version 2" if source == LOG else ""
    assert f"1 rule ('stays here') carried over from {source}{number}\n" in ran.out
    made = Policy.load("p.json")
    assert made.thresholds is not None
    assert made.tuned is not None
    told = figures(cascade(*TUNED, *kept, "--rules", source, "--json"))
    assert told["rules"] == ["stays here"]


def test_rules_of_the_policy_that_is_kept_are_carried_unless_left_out(cascade: Run) -> None:
    write(ladder(40, bad=10))
    kept = ["--policy", write_policy({**FROZEN, "rules": RULES}, "kept.json")]
    ran = cascade(*TUNED, *kept)
    assert carried() == ["stays here"]
    assert "carried over from kept.json; --no-rules leaves them out" in ran.out
    ran = cascade(*TUNED, *kept, "--no-rules")
    assert (ran.err, carried()) == ("", [])
    assert "carried" not in ran.out


def test_rules_of_a_logs_active_policy_are_carried_when_it_is_tuned_on(cascade: Run) -> None:
    records, events = served(columns(300), rate=1.0)
    store([*records, *events], LOG)
    active({"thresholds": [0.7], "rules": RULES})
    asked = ["tune", LOG, "--quality", 0.9, "--method", "signal", "--out", "p.json"]
    ran = cascade(*asked)
    assert (ran.status, carried()) == (0, ["stays here"])
    assert f"from {LOG}, version 1; --no-rules leaves them out" in ran.out
    assert cascade(*asked, "--no-rules").status == 0
    assert carried() == []


def test_what_a_watch_withdrew_is_no_rule_of_a_policy_that_is_tuned_anew(cascade: Run) -> None:
    """It was carried over, and the new policy sent every request to the strongest tier."""
    records, events = served(columns(300), rate=1.0)
    store([*records, *events], LOG)
    before = Policy.load({"thresholds": [0.7], "rules": RULES})
    active(before.model_dump(mode="json", exclude_none=True), strongest(before, 2))
    ran = cascade("tune", LOG, "--quality", 0.9, "--method", "signal", "--out", "p.json")
    assert (ran.status, carried()) == (0, ["stays here"])
    active(strongest(None, 2))
    cascade("tune", LOG, "--quality", 0.9, "--method", "signal", "--out", "q.json")
    assert carried("q.json") == []
    assert cascade("policy", LOG, "save", "q.json", "--activate").err == "", "nothing is lost"


def test_the_active_policy_of_a_log_is_replayed_by_its_address_and_its_calibrators_kept(
    cascade: Run,
) -> None:
    write(ladder(40, bad=10))
    kept = {**FROZEN, "thresholds": [0.5]}
    active(kept)
    write_policy(kept, "kept.json")
    for asked in (["replay", "labels.csv", "--json"], [*TUNED, "--no-rules", "--json"]):
        found = [figures(cascade(*asked, "--policy", given)) for given in ("kept.json", LOG)]
        assert {**found[0], "replaced": None} == {**found[1], "replaced": None}
    for command in ("replay", "drift", "report"):
        ran = cascade(
            command, LOG if command != "replay" else "labels.csv", "--policy", "decisions.db"
        )
        assert ran.status == 2
    assert (
        "give its address: sqlite:///decisions.db"
        in cascade("drift", LOG, "--policy", "decisions.db").err
    )
    assert f"{LOG} was not tuned" in cascade("drift", LOG, "--policy", LOG).err


def test_a_file_whose_rules_would_get_lost_is_named(cascade: Run) -> None:
    write(ladder(40, bad=10))
    kept = ["--policy", write_policy(FROZEN, "kept.json")]
    write_policy({"rules": RULES}, "p.json")
    ran = cascade(*TUNED, *kept)
    assert ran.status == 0
    assert "p.json had 1 rule ('stays here')" in ran.err
    assert "--rules p.json.bak takes them along" in ran.err
    assert cascade(*TUNED, *kept, "--rules", "p.json.bak").err == ""
    assert carried() == ["stays here"]
    assert cascade(*TUNED, *kept, "--no-rules").err == ""


@pytest.mark.parametrize(
    ("rules", "more", "said"),
    [
        (RULES, ["--no-rules"], "do not go together"),
        ([], [], "has no rules"),
        ([{**RULES[0], "then": {"pin": 2}}], [], "there is no tier 2"),
    ],
)
def test_rules_that_cannot_be_carried_are_refused_before_any_work(
    cascade: Run, rules: Any, more: list[str], said: str
) -> None:
    write(ladder(40, bad=10))
    kept = ["--policy", write_policy(FROZEN, "kept.json")]
    given = write_policy({"rules": rules}, "rules.json")
    assert said in refused(cascade(*TUNED, *kept, "--rules", given, *more))
    assert not Path("p.json").exists()


def agreeing() -> dict[str, Any]:
    table = columns(600, sharp=3.0)
    readings = [float(each > 0.5) for each in table["t0_quality"]]
    return table | {"t0_signal_agreement": readings, "t0_paid_agreement_usd": [1e-6] * 600}


def test_suggest_says_what_pays_and_writes_nothing(cascade: Run) -> None:
    ran = cascade("tune", write(agreeing()), "--suggest", "--method", "logistic")
    assert (ran.status, ran.err) == (0, "")
    assert "agreement: pays: it costs" in ran.out
    assert "self_consistency, not in the table" in ran.out
    assert sorted(path.name for path in Path().iterdir()) == ["labels.csv"]


def test_suggest_prints_json_and_nothing_else(cascade: Run) -> None:
    ran = cascade("tune", write(agreeing()), "--suggest", "--harm", 0.02, "--json")
    found = json.loads(ran.out)
    assert found["objective"].startswith("cheapest at harm ≤ 0.02")
    (agreement,) = [each for each in found["signals"] if each["name"] == "agreement"]
    assert agreement["verdict"] == "pays"
    assert agreement["gain"] > 1.96 * agreement["error"] > 0


@pytest.mark.parametrize(
    "option",
    [
        *(["--out", "policy.json"], ["--signals", "a"], ["--name", "x"], ["--benefit", "always"]),
        *(["--force"], ["--per-class"], ["--commit"], ["--no-skip"], ["--no-rules"]),
    ],
)
def test_what_has_no_use_beside_suggest_is_refused(cascade: Run, option: list[str]) -> None:
    ran = cascade("tune", write(agreeing()), "--suggest", *option)
    assert ran.status == 2
    assert f"{option[0]} has no use beside --suggest" in ran.err


def test_without_out_nothing_is_tuned(cascade: Run) -> None:
    ran = cascade("tune", write(agreeing()), "--quality", 0.98)
    assert ran.status == 2
    assert "--out policy.json" in ran.err
