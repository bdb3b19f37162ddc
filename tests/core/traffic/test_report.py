"""`cascade report`: its figures by hand, of a file and of a database alike."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.core.log.databases import KINDS, database
from tests.core.traffic.making import (
    audit,
    decision,
    nobody,
    said,
    sent_on,
    straight,
    write_lines,
)
from tests.core.traffic.storing import store
from tests.running import Ran, Run

CHANCE = {"audit": {"probability": 0.5, "picked": True}}
NO_CHANCE = {"audit": {"probability": 0.5, "picked": False}}

LOG = [
    decision("a", 1, **CHANCE, tags=["web", "vip"]),
    audit("a", 0.5),
    decision("b", 1, **NO_CHANCE, tags=["web"], latency_ms=300.0),
    decision("c", 2, **NO_CHANCE, **{"class": "refund"}),
    sent_on("d", 2, **CHANCE, tags=["vip"]),
    audit("d", 0.0),
    straight("e", 3, **NO_CHANCE),
    nobody("f", 3),
    said("b", 0.25, corrected="no"),
    said("b", 0.75),
]
"""Three kept, one sent on, one sent straight, one unanswered."""


def figures(ran: Ran) -> dict[str, Any]:
    assert (ran.status, ran.err) == (0, "")
    found: dict[str, Any] = json.loads(ran.out)
    return found


def refused(ran: Ran) -> str:
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.count("\n") == 1
    assert "Traceback" not in ran.err
    return ran.err


@pytest.fixture(params=["lines", *KINDS])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The log above, in a file of lines and in every database there is."""
    if request.param == "lines":
        yield str(write_lines(LOG, tmp_path / "log.jsonl"))
        return
    with database(request.param, tmp_path) as url:
        yield store(LOG, url)


def test_who_answered_and_what_it_cost(cascade: Run, log: str) -> None:
    found = figures(cascade("report", log, "--json"))
    assert found["requests"] == 6
    assert found["by_tier"] == {"0": 3, "1": 2}
    assert found["models"] == {"0": {"small": 3}, "1": {"large": 2}}
    assert found["escalated"] == pytest.approx(2 / 5)
    assert (found["sent_on"], found["straight"], found["exhausted"]) == (1, 1, 1)
    assert found["reasons"] == {
        "confident": 3, "low_confidence": 1, "bypassed": 1, "exhausted": 1,
    }  # fmt: skip
    answers, audits = 3 * 0.001 + 0.011 + 0.01, 2 * 0.012
    assert found["strong_cost_usd"] == pytest.approx(5 * 0.01)
    assert found["cost_usd"] == pytest.approx(answers + audits)
    assert found["saved_usd"] == pytest.approx(0.05 - answers - audits)
    assert found["costs"]["estimated"] == pytest.approx(3 / 5)
    assert (found["costs"]["incomparable"], found["costs"]["unpriced"]) == (1, 0)
    assert found["costs"]["incomparable_usd"] == pytest.approx(0.001)


def test_the_break_even_point_is_where_savings_pay_for_escalations_and_audits(
    cascade: Run,
    log: str,
) -> None:
    found = figures(cascade("report", log, "--json"))["break_even"]
    # A kept answer saves 0.009, one that is sent on costs 0.001 more, and two audits cost 0.006
    # for each of these four.
    assert (found["kept"], found["escalated"], found["now"]) == (3, 1, 0.75)
    assert found["gain_usd"] == pytest.approx(0.009)
    assert found["loss_usd"] == pytest.approx(0.001)
    assert found["audit_usd"] == pytest.approx(0.006)
    assert found["share"] == pytest.approx(0.7)
    share = found["share"]
    assert share * 0.009 - (1 - share) * 0.001 == pytest.approx(0.006)


def test_latency_is_told_of_those_who_waited_for_one_model_and_for_two(
    cascade: Run,
    log: str,
) -> None:
    found = figures(cascade("report", log, "--json"))["latency"]
    assert found["accepted"]["n"] == 3
    assert found["accepted"]["p50_ms"] == pytest.approx(100)
    assert found["accepted"]["p95_ms"] == pytest.approx(100 + 0.9 * 200)
    assert found["escalated"] == {"n": 1, "p50_ms": 900, "p95_ms": 900}
    assert found["straight"]["p50_ms"] == 800


def test_audits_tell_quality_and_harm_and_feedback_stands_beside(
    cascade: Run,
    log: str,
) -> None:
    found = figures(cascade("report", log, "--json"))
    audits = found["audits"]
    assert (audits["n"], audits["picked"], audits["eligible"]) == (2, 2, 5)
    assert audits["quality"] == pytest.approx((0.5 + 1) / 2)
    assert audits["harm"] == pytest.approx(0.5 * 3 / 5)  # of those that stayed, and 3 of 5 did
    low, high = audits["interval"]
    assert low < audits["harm"] < high
    assert audits["few"]
    assert found["feedback"] == {"n": 2, "decisions": 1, "quality": 0.5, "corrected": 1}


def test_a_pinned_request_is_counted_once_among_those_that_cannot_be_audited(
    cascade: Run, tmp_path: Path
) -> None:
    entries = [
        *LOG,
        decision("g", 3, reason="pinned", **CHANCE),
        audit("g", None, status="skipped", why="pinned"),
        decision("h", 3, **CHANCE),
        audit("h", None, status="skipped", why="budget"),
    ]
    log = str(write_lines(entries, tmp_path / "log.jsonl"))
    told = figures(cascade("report", log, "--json"))["audits"]
    assert (told["eligible"], told["missing"]) == (6, {"skipped: budget": 1})
    shown = cascade("report", log).out
    assert "Audits not done: skipped: budget 1." in shown
    assert "pinned" not in shown.partition("Audits not done")[2].partition("\n")[0]


def test_answers_that_could_not_be_compared_are_counted(cascade: Run, tmp_path: Path) -> None:
    entries = [
        *LOG,
        decision("g", 3, **CHANCE),
        audit("g", 1.0, why="undecided"),
        decision("h", 3, **CHANCE),
        audit("h", None, status="failed", why="undecided"),
    ]
    log = str(write_lines(entries, tmp_path / "log.jsonl"))
    assert figures(cascade("report", log, "--json"))["audits"]["undecided"] == 1
    shown = " ".join(cascade("report", log).out.split())
    assert "In 1 of these it could not be told whether they say the same" in shown
    assert (
        "could not be told"
        not in cascade("report", str(write_lines(LOG, tmp_path / "b.jsonl"))).out
    )


def test_a_part_of_the_time_has_its_own_figures(cascade: Run, log: str) -> None:
    found = figures(
        cascade("report", log, "--since", "2026-03-02", "--until", "2026-03-03", "--json")
    )
    assert (found["requests"], found["audits"]["n"]) == (2, 1)
    assert found["first"] == found["last"] == "2026-03-02T12:00:00+00:00"
    assert found["feedback"]["n"] == 0


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("class", {"billing": 5, "refund": 1}),
        ("tag", {"web": 2, "vip": 2, "no tag": 3}),
        ("reason", {"confident": 3, "low_confidence": 1, "bypassed": 1, "exhausted": 1}),
        ("model", {"small": 3, "large": 2, "nobody": 1}),
        ("day", {"2026-03-01": 2, "2026-03-02": 2, "2026-03-03": 2}),
        ("rule", {"no rule": 5, "legal": 1}),
        ("policy", {"p, version 1": 6}),
        ("cascade", {"desk": 6}),
    ],
)
def test_groups_have_their_own_figures(
    cascade: Run,
    log: str,
    by: str,
    groups: dict[str, int],
) -> None:
    found = figures(cascade("report", log, "--by", by, "--json"))
    assert {each["name"]: each["requests"] for each in found["groups"]} == groups
    if by == "day":
        assert [each["name"] for each in found["groups"]] == list(groups)
    if by == "model":
        costs = {each["name"]: each["cost_usd"] for each in found["groups"]}
        assert costs["small"] == pytest.approx(0.003 + 0.012)
        assert costs["large"] == pytest.approx(0.021 + 0.012)
        assert costs["nobody"] is None


def test_rules_and_policies_that_decided_are_listed(cascade: Run, log: str) -> None:
    found = figures(cascade("report", log, "--json"))
    assert [(each["name"], each["requests"]) for each in found["rules"]] == [("legal", 1)]
    assert [(each["name"], each["requests"]) for each in found["policies"]] == [("p, version 1", 6)]


def test_what_failed_and_fails_now_is_told(cascade: Run, tmp_path: Path) -> None:
    failing = [{"tier": 1, "model": "large", "failures": 4, "error": "APITimeoutError"}]
    log = write_lines([decision("a"), nobody("b", failing=failing)], tmp_path / "log.jsonl")
    found = figures(cascade("report", log, "--json"))
    assert (found["failed_calls"], found["failed_requests"], found["exhausted"]) == (1, 1, 1)
    assert found["errors"] == {"tier 1: APITimeoutError": 1}
    assert found["failing"] == failing
    shown = cascade("report", log).out
    assert "tier 1 (large) had failed 4 times in a row" in " ".join(shown.split())
    assert "1 request had no answer from any tier" in shown


def test_an_unknown_price_is_never_nothing(cascade: Run, tmp_path: Path) -> None:
    log = write_lines(
        [decision("a", cost_usd=None), decision("b"), decision("c", strong_cost_usd=None)],
        tmp_path / "log.jsonl",
    )
    found = figures(cascade("report", log, "--json"))
    assert (found["cost_usd"], found["strong_cost_usd"]) == (0.001, 0.01)
    costs = found["costs"]
    assert (costs["requests"], costs["unpriced"], costs["incomparable"]) == (1, 1, 1)
    write_lines([decision("a", cost_usd=None)], log)
    found = figures(cascade("report", log, "--json"))
    assert found["cost_usd"] is found["strong_cost_usd"] is found["saved_usd"] is None
    assert "no request has known costs" in cascade("report", log).out
    write_lines([decision("a", **CHANCE), audit("a", cost_usd=None)], log)
    found = figures(cascade("report", log, "--json"))
    assert (found["saved_usd"], found["costs"]["audits_usd"]) == (None, None)
    assert found["costs"]["answers_usd"] == 0.001


def test_a_cascade_that_costs_more_than_the_strong_model_is_warned_of(
    cascade: Run,
    tmp_path: Path,
) -> None:
    entries = [sent_on(f"d{i}") for i in range(30)] + [decision("a")]
    shown = cascade("report", write_lines(entries, tmp_path / "log.jsonl")).out
    assert "(!) this cascade costs more than going straight to the last tier" in shown
    assert "it pays from 10.0 % kept answers on; now 3.2 %" in " ".join(shown.split())
    cheap = write_lines([sent_on("a"), decision("b")], tmp_path / "cheap.jsonl")
    assert "costs more" not in cascade("report", cheap).out


def test_in_shadow_mode_it_is_said_why_it_costs_more(cascade: Run, tmp_path: Path) -> None:
    log = write_lines([sent_on("a", reason="shadow")], tmp_path / "log.jsonl")
    shown = " ".join(cascade("report", log).out.split())
    assert "as it must in shadow mode" in shown
    assert "1 request in shadow mode" in shown
    assert figures(cascade("report", log, "--json"))["sent_on"] == 0


def test_while_it_learns_nobody_is_told_to_audit_less(cascade: Run, tmp_path: Path) -> None:
    learned = straight("a", **CHANCE, reason="learning")
    entries = [learned, audit("a", 0.5), decision("b"), straight("c", reason="learning")]
    shown = " ".join(
        cascade("report", write_lines(entries[:2], tmp_path / "all.jsonl")).out.split()
    )
    assert "as it must while the last tier answers all and the first is learned of" in shown
    dear = write_lines([*entries, audit("c", cost_usd=0.02)], tmp_path / "most.jsonl")
    shown = " ".join(cascade("report", dear).out.split())
    assert "by which it learned in 2 of 3 requests, it would cost less" in shown
    assert "audit fewer" not in shown


def test_few_requests_are_counted_and_not_put_in_percent(cascade: Run, tmp_path: Path) -> None:
    entries = [decision("a"), sent_on("b", **{"class": "rare"})]
    entries += [decision(f"d{i}") for i in range(30)]
    shown = cascade("report", write_lines(entries, tmp_path / "log.jsonl"), "--by", "class").out
    (line,) = (line for line in shown.splitlines() if line.strip().startswith("rare"))
    assert "1 of 1" in line
    assert "%" not in line
    two = cascade("report", write_lines(entries[:2], tmp_path / "two.jsonl")).out
    assert "1 of 2" in two


def test_records_of_version_1_are_read(cascade: Run, tmp_path: Path) -> None:
    new = ("version", "at", "latency_ms", "cascade", "framework", "thread", "tags", "metadata",
           "input_tokens", "digest", "rule", "policy_version", "judged")  # fmt: skip
    old = [
        {key: value for key, value in entry.items() if key not in new}
        for entry in (decision("a"), sent_on("b"))
    ]
    log = write_lines(old, tmp_path / "log.jsonl")
    found = figures(cascade("report", log, "--json", "--by", "day"))
    assert (found["requests"], found["by_tier"]) == (2, {"0": 1, "1": 1})
    assert (found["first"], found["latency"]["all"]["p50_ms"]) == (None, None)
    assert [each["name"] for each in found["groups"]] == ["time not known"]
    assert refused(cascade("report", log, "--since", "7d"))


def test_lines_of_others_are_counted(cascade: Run, tmp_path: Path) -> None:
    log = write_lines([decision("a"), {"what": "else"}], tmp_path / "log.jsonl")
    with log.open("a", encoding="utf-8") as file:
        file.write('{"cut')
    assert figures(cascade("report", log, "--json"))["unreadable"] == 2


def test_an_answer_from_a_cache_went_past_no_tier(cascade: Run, tmp_path: Path) -> None:
    kept: dict[str, Any] = {"reason": "cached", "calls": [], "cost_usd": 0.0}
    entries = [decision("a"), decision("b", **kept), straight("c"), straight("d", **kept)]
    found = figures(cascade("report", write_lines(entries, tmp_path / "log.jsonl"), "--json"))
    assert (found["by_tier"], found["straight"], found["sent_on"]) == ({"0": 2, "1": 2}, 1, 0)
    assert [found["latency"][way]["n"] for way in ("all", "accepted", "straight")] == [4, 1, 1]


def test_audits_drawn_later_have_given_all_before_a_chance(
    cascade: Run,
    tmp_path: Path,
) -> None:
    entries = [decision(name) for name in "abcd"] + [audit("c", 0.0, probability=0.25)]
    found = figures(cascade("report", write_lines(entries, tmp_path / "log.jsonl"), "--json"))
    assert (found["audits"]["eligible"], found["audits"]["picked"]) == (3, 1)


@pytest.mark.parametrize(
    "never",
    [
        {"reason": "cached", "calls": [], "cost_usd": 0.0},
        {"audit": {"probability": 0.0, "picked": False}},
        {"cascade": "another"},
        {"reason": "pinned"},
    ],
)
def test_audits_drawn_later_gave_no_chance_to_what_is_never_drawn(
    cascade: Run, tmp_path: Path, never: dict[str, Any]
) -> None:
    entries = [decision("a"), decision("b", **never), decision("c"), audit("c", 0.5)]
    found = figures(cascade("report", write_lines(entries, tmp_path / "log.jsonl"), "--json"))
    assert (found["audits"]["eligible"], found["audits"]["picked"]) == (2, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone.jsonl"], "gone.jsonl cannot be read: No such file"),
        (["empty.jsonl"], "empty.jsonl holds no decision yet; a cascade with log= writes them"),
        (["other.jsonl"], "other.jsonl: none of its lines is a record of a decision; give what"),
        (["log.jsonl", "--since", "yesterday"], "--since 'yesterday'"),
        (["log.jsonl", "--until", "soon"], "--until 'soon'"),
        (["log.jsonl", "--since", "2027-01-01"], "holds no decision since 2027-01-01"),
        (["log.jsonl", "--since", "2026-03-02", "--until", "2026-03-01"], "is not before --until"),
        (["log.jsonl", "--by", "weather"], "--by 'weather' is not known; give one of class, tag"),
        (["log.jsonl", "--html", "page.txt"], "name a file that ends in .html"),
        (["log.jsonl", "--html", "log.jsonl"], "log.jsonl is the log itself; name another file"),
        (["mysql://me:hunter2@host/db"], "does not know mysql://"),
        (["sqlite:///gone.db"], "gone.db"),
    ],
)
def test_bad_input_is_one_line_that_says_what_to_do(
    cascade: Run,
    arguments: list[str],
    said: str,
) -> None:
    write_lines(LOG, "log.jsonl")
    Path("empty.jsonl").touch()
    write_lines([{"what": "else"}], "other.jsonl")
    told = refused(cascade("report", *arguments))
    assert said in told
    assert "hunter2" not in told


@pytest.mark.parametrize("by", ["class", "day"])
def test_eighty_columns_are_enough(
    cascade: Run,
    log: str,
    by: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    ran = cascade("report", log, "--by", by)
    assert (ran.status, ran.err) == (0, "")
    assert max(map(len, ran.out.splitlines())) <= 80
    assert "\x1b" not in ran.out


def test_the_page_says_the_same_and_escapes_names(cascade: Run, tmp_path: Path) -> None:
    pytest.importorskip("jinja2")
    entries = [decision(f"d{i}", 1 + i % 5, **{"class": "<b>bold</b>"}) for i in range(40)]
    log = write_lines([*entries, sent_on("e"), nobody("f")], tmp_path / "log.jsonl")
    ran = cascade("report", log, "--by", "class", "--html", "page.html")
    assert (ran.status, ran.err) == (0, "")
    page = Path("page.html").read_text(encoding="utf-8")
    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "<b>bold" not in page
    assert page.count("<svg") == 2
    assert "http" not in page.replace("http://www.w3.org", "").replace("https://www.w3.org", "")
    for words in ("Who answered", "the draft met its threshold", "Break-even", "By class"):
        assert words in page


VOID = {"accepted": False, "promise": "void"}
SHORT = decision("short", reason="budget", budget="all", **VOID)
LATE = decision("late", reason="best_draft", **VOID)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("voided", "by", "said"),
    [
        (
            [SHORT],
            {"budget": 1, "deadline": 0},
            "1 answer (20.0%) met no threshold, because a budget had no room",
        ),
        (
            [SHORT, LATE, LATE | {"id": "later"}],
            {"budget": 1, "deadline": 2},
            "3 answers (42.9%) met no threshold, 1 because a budget had no room and 2 because there",
        ),
    ],
)
def test_answers_without_a_promise_are_counted_by_their_cause_and_warned_of(
    cascade: Run, tmp_path: Path, kind: str, voided: list[Any], by: Any, said: str
) -> None:
    log = [
        decision("sure"),
        sent_on("short of a draft", reason="budget", budget="all"),
        decision("kept a draft", accepted=False, reason="best_draft"),
        decision("also"),
        nobody("left", reason="cancelled"),
        nobody("too late", promise="void"),
        *voided,
    ]
    lines = str(write_lines(log, tmp_path / "log.jsonl"))
    with database(kind, tmp_path) as url:
        for source in (lines, store(log, url)):
            found = figures(cascade("report", source, "--json"))
            assert found["void"] == pytest.approx(len(voided) / (4 + len(voided)))
            assert found["void_by"] == by
            assert (found["cancelled"], found["exhausted"]) == (1, 1)
            shown = cascade("report", source).out
            assert said in " ".join(shown.split())
            assert "cancelled or left" in shown


def test_answers_that_were_handed_off_are_counted(cascade: Run, tmp_path: Path) -> None:
    log = [
        decision("sure"),
        sent_on("doubtful", handoff=True),
        sent_on("taken", handoff=True, handed_to="queue"),
        sent_on("fine"),
    ]
    database = store(log, f"sqlite:///{tmp_path / 'log.db'}")
    for source in (str(write_lines(log, tmp_path / "log.jsonl")), database):
        assert figures(cascade("report", source, "--json"))["handed_off"] == 2
        assert "handed off" in cascade("report", source).out
    plain = str(write_lines(log[:1], tmp_path / "plain.jsonl"))
    assert figures(cascade("report", plain, "--json"))["handed_off"] == 0
    assert "handed off" not in cascade("report", plain).out


def test_a_model_without_a_name_has_answered_all_the_same(cascade: Run, tmp_path: Path) -> None:
    entries = [*(decision(f"n{i}", model=None) for i in range(3)), decision("a"), nobody("b")]
    log = write_lines(entries, tmp_path / "log.jsonl")
    ran = cascade("report", log, "--by", "model")
    assert ran.status == 0
    assert "None" not in ran.out
    (who,) = (line for line in ran.out.splitlines() if "answered by tier 0" in line)
    assert "not named, small" in who
    found = figures(cascade("report", log, "--by", "model", "--json"))
    assert {each["name"]: each["requests"] for each in found["groups"]} == {
        "not named": 3, "small": 1, "nobody": 1,
    }  # fmt: skip


def test_answers_accepted_by_their_first_tokens_are_counted_and_those_that_failed_then(
    cascade: Run, tmp_path: Path
) -> None:
    early = {"tokens": 4, "live": True}
    log = [
        decision("a", committed=early),
        decision("b", committed={**early, "live": False}),
        decision("c", committed={**early, "error": "gate_truncated"}),
        decision("d", committed={**early, "error": "failed"}),
        decision("e"),
    ]
    database = store(log, f"sqlite:///{tmp_path / 'log.db'}")
    for source in (str(write_lines(log, tmp_path / "log.jsonl")), database):
        found = figures(cascade("report", source, "--json"))
        assert found["committed"] == {"live": 1, "whole": 1, "broken": 2}
        (said,) = (line for line in cascade("report", source).out.splitlines() if "first" in line)
        assert "4 of 5" in said
        assert "3 shown while written; 2 failed a gate or broke off then" in said
    plain = str(write_lines(log[-1:], tmp_path / "plain.jsonl"))
    assert "first tokens" not in cascade("report", plain).out
