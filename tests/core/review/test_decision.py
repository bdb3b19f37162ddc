"""One decision: the whole path is shown of any record, and takes what people say of its answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cascade_core.log import feedback_event, open_log
from cascade_core.log.policies import PolicyStore
from cascade_core.log.reading import read_events
from cascade_core.policy.document import Policy
from cascade_core.review.decision_shown import decision_shown
from cascade_core.review.fetching import WholeDecision
from cascade_core.review.labelling import NO_FEEDBACK
from cascade_core.review.policy_homes import DatabaseHome
from cascade_core.review.source import Source
from tests.core.log.databases import flushed
from tests.core.review.asking import Pages
from tests.core.review.logs import everything
from tests.core.traffic.making import audit, call, decision, nobody, said, sent_on, straight
from tests.core.traffic.storing import store

QUESTION = [{"role": "system", "text": "Be brief."}, {"role": "user", "text": "When am I billed?"}]
JUDGED = {
    "tier": 0, "model": "small", "reason": "low_confidence", "confidence": 0.42, "threshold": 0.9,
    "signals": {"sequence_logprob": 0.6, "judge": None},
}  # fmt: skip


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'decisions.db'}"


def pages_of(url: str, *entries: dict[str, Any], **settings: Any) -> Pages:
    return Pages(store(list(entries), url), **settings)


def test_the_whole_path_is_told(url: str) -> None:
    usage = {"input_tokens": 1200, "output_tokens": 34}
    record = sent_on(
        "a",
        request=QUESTION,
        response="On day 22.",
        rule="long",
        tags=["vip"],
        metadata={"tenant": "acme"},
        digest="abcd",
        judged=[JUDGED],
        strong_cost_basis="asked",
        calls=[
            call(
                0, "rejected", 0.001, usage=usage, tokens_source="tiktoken", note="low_confidence"
            ),
            call(0, "used", 0.0002, purpose="judge"),
            call(1, "failed", None, error="APITimeoutError 504"),
            call(1, "returned", 0.01, usage=usage, tokens_source="provider"),
        ],
    )
    text = pages_of(url, record).text("/decisions/a")
    for told in (
        "When am I billed?", "Be brief.", "On day 22.", "tier 1 large answered",
        "the draft stayed below its threshold", "0.420 threshold 0.900",
        "sequence_logprob 0.600", "judge no reading", "The rule “long” fired.", "tenant = acme",
        "1,200 input, 34 output", "counted here with the model's encoding",
        "counted by the provider", "no known price", "APITimeoutError 504", "judge: to judge the draft",
        "the last tier was asked", "abcd", "p , version 1",
    ):  # fmt: skip
        assert told in text, told


def test_the_version_that_decided_is_one_click_away(url: str) -> None:
    store([decision("a"), decision("b", policy_version=9), decision("c", policy="other")], url)
    PolicyStore(url).save(Policy.load({"name": "p", "thresholds": [0.5]}), "first")
    pages = Pages(url, home=DatabaseHome(url))
    assert 'href="/policy/version/1"' in pages.get("/decisions/a").text
    assert pages.get("/policy/version/1").status_code == 200
    for key in "bc":
        assert "/policy/version" not in pages.get(f"/decisions/{key}").text


def test_the_statements_that_were_not_supported_are_told_by_number(url: str) -> None:
    evidence = [
        {"claim": 1, "support": 1.0, "sources": [2, 1]},
        {"claim": 2, "support": 0.25, "sources": []},
        {"claim": 3, "support": None, "sources": []},
    ]
    judged = {**JUDGED, "evidence": {"claims": evidence, "of my own": {"a": 1}}}
    text = pages_of(url, decision("a", judged=[judged])).text("/decisions/a")
    told = "claims: 1 of 2 statements supported; not supported: 2 (0.25); texts cited: 1, 2"
    assert told in text


def test_what_was_held_against_the_threshold_stands_beside_it(url: str) -> None:
    weighed = {**JUDGED, "confidence": 0.95, "merit": 0.31}
    text = pages_of(url, decision("a", judged=[weighed])).text("/decisions/a")
    assert "Merit 0.310 threshold 0.900 Confidence 0.950 sequence" in text


@pytest.mark.parametrize(
    ("committed", "told"),
    [
        ({"tokens": 4, "live": True}, "by its first 4 tokens (early commit), and shown from there on."),
        ({"tokens": 1, "live": False}, "by its first token (early commit); it was whole by then."),
        ({"tokens": 4, "live": True, "error": "gate_truncated"}, "failed a gate (gate_truncated), when"),
        ({"tokens": 4, "live": True, "error": "failed"}, "its stream broke, when nothing could"),
    ],
)  # fmt: skip
def test_an_answer_that_was_accepted_by_its_first_tokens_says_so(
    url: str, committed: dict[str, Any], told: str
) -> None:
    text = pages_of(url, decision("a", committed=committed)).text("/decisions/a")
    assert told in text
    assert "Early commit" not in pages_of(url, decision("b", committed=1)).text("/decisions/b")


def test_an_unknown_price_is_said_to_be_one(url: str) -> None:
    record = decision("a", cost_usd=None, calls=[call(0, "accepted", None)])
    text = pages_of(url, record).text("/decisions/a")
    assert "unpriced: 1 of the calls below has no known price" in text


def test_the_audits_answer_stands_beside_the_one_given(url: str) -> None:
    tiers = [
        {"tier": 0, "model": "small", "quality": 0.0},
        {"tier": 1, "model": "large", "quality": 1.0, "response": "You are billed on day 4."},
    ]
    record = decision("a", request=QUESTION, response="You are billed on day 22.")
    page = pages_of(url, record, audit("a", 1.0, tiers=tiers)).get("/decisions/a").text
    assert "<del>22</del><ins>4</ins>" in page
    assert "lost by not asking the strongest tier" in page


def test_an_audit_that_failed_first_and_was_done_later_counts(url: str) -> None:
    failed = audit("a", status="failed", why="TimeoutError", id="1", at="2026-03-08T12:00:00+00:00")
    done = audit("a", 0.0, id="2")
    late = audit("a", status="skipped", why="budget", id="3", at="2026-03-11T12:00:00+00:00")
    text = pages_of(url, decision("a"), failed, done, late).text("/decisions/a")
    assert "Status done" in text


OLD = {
    "id": "old", "tier": 1, "model": "large", "accepted": False, "reason": "low_confidence",
    "confidence": 0.3, "threshold": 0.8, "calibrated": False, "signals": {"a": 0.3},
    "calls": [call(0, "rejected", 0.001, note="low_confidence"), call(1, "returned", 0.01)],
    "cost_usd": 0.011, "class": None, "policy": None, "strong_cost_usd": 0.01,
    "strong_cost_is_estimate": False,
}  # fmt: skip


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (OLD, "a 0.300"),
        (decision("c", reason="cached", calls=[], cost_usd=0.0), "the cascade's own cache"),
        (straight("b"), "A rule went past the tier before."),
        (decision("p", reason="pinned"), "A rule lets only this tier see it."),
        (decision("k", reason="kept"), "A rule keeps the first draft."),
        (nobody("n"), "nobody answered"),
        (sent_on("u", unable=[{"tier": 0, "missing": ["tools"]}]), "it lacks tools"),
        (
            sent_on("f", failing=[{"tier": 0, "model": "m", "failures": 5, "error": "E"}]),
            "had failed 5 times in a row: E",
        ),
        (
            sent_on("s", reason="shadow", shadow={"tier": 0, "reason": "confident", "accepted": True,
                                                  "cost_usd": 0.001}),
            "Tier 0 would have answered: the draft met its threshold. It would have cost $0.001",
        ),
    ],
)  # fmt: skip
def test_every_kind_of_record_has_a_page(url: str, record: dict[str, Any], told: str) -> None:
    assert told in pages_of(url, record).text(f"/decisions/{record['id']}")


def test_every_record_of_a_log_has_a_page(url: str) -> None:
    entries = everything()
    pages = pages_of(url, *entries)
    for each in entries:
        if "event" not in each:
            assert pages.get(f"/decisions/{each['id']}").status_code == 200


STRANGE: list[dict[str, Any]] = [
    {"calls": "none"}, {"calls": [1, {"purpose": "draft"}]}, {"judged": "no"}, {"judged": [{}]},
    {"tags": "vip"}, {"metadata": 3}, {"signals": []}, {"shadow": []}, {"unable": {"a": 1}},
    {"request": "text"}, {"request": [1, {"role": 5}]}, {"response": 3}, {"at": "yesterday"},
    {"judged": [{"signals": {"a": "high", "b": True}, "confidence": "0.5"}]}, {"audit": "yes"},
    {"calls": [{"usage": "many", "cost_usd": "1", "latency_ms": [], "tier": "x"}]},
    {"signals": {"long": 10**400}, "judged": [{"signals": {"long": -(10**400)}}]},
    {"judged": [{"evidence": "x"}, {"evidence": {"claims": [1, {}, {"claim": 1, "support": "1"}]}}]},
    {"judged": [{"evidence": {"c": [{"claim": 1, "support": 10**400, "sources": 3}]}}]},
    {"judged": [{"evidence": {"c": [{"claim": 1, "support": 0.5, "sources": ["<b>", True]}]}}]},
    {"cost_usd": True, "latency_ms": "1", "reason": ["a"], "tier": "0", "rule": 5},
]  # fmt: skip


@pytest.mark.parametrize("strange", STRANGE, ids=json.dumps)
def test_a_record_of_another_program_has_a_page(url: str, strange: dict[str, Any]) -> None:
    pages = pages_of(url)
    assert flushed(open_log(url), decision("a", **strange))
    pages.bench.refresh()
    assert pages.get("/decisions/a").status_code == 200
    assert pages.get("/decisions").status_code == 200
    assert pages.get("/decisions.csv").status_code == 200


def test_a_row_of_csv_has_what_was_held_against_the_threshold(url: str) -> None:
    pages = pages_of(url)
    judged = {"confidence": 0.7, "benefit": 0.1, "merit": 0.9, "threshold": 0.8}
    assert flushed(open_log(url), decision("a", **judged))
    pages.bench.refresh()
    head, row = pages.get("/decisions.csv").text.splitlines()
    found = dict(zip(head.split(","), row.split(","), strict=True))
    assert {name: found[name] for name in judged} == {k: str(v) for k, v in judged.items()}


HOSTILE = {
    "script": "<script>alert(1)</script>",
    "attribute": "\" onfocus=alert(1) autofocus='",
    "ansi": "\x1b[2J\x07",
    "direction": "\u202egnp.exe",
    "nothing": "a\x00b",
    "half": "a\ud83d b",
    "template": "{{ 7 * 7 }}",
    "long": "long " * 200_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_others_wrote_is_only_ever_text(url: str, text: str) -> None:
    short = text[:400]
    record = decision(
        "a",
        request=[{"role": short, "text": text}],
        response=text,
        model=short,
        rule=short,
        reason=short,
        thread=short,
        policy=short,
        policy_version=short,
        digest=short,
        cascade=short,
        tags=[short],
        metadata={short: short},
        judged=[{**JUDGED, "model": short, "reason": short, "signals": {short: 0.5}}],
        calls=[{**call(0, "accepted", 0.1), "model": short, "purpose": short, "error": short}],
        **{"class": short},
    )
    compared = [{"tier": 1, "model": short, "response": text + " more"}]
    pages = pages_of(
        url,
        record,
        audit("a", compare=short, why=short, tiers=compared),
        {**said("a", 0.5, by=short, corrected=text), "note": text},
    )
    for path in ("/decisions", "/decisions/a", "/decisions.csv", "/decisions.jsonl"):
        answer = pages.get(path)
        assert answer.status_code == 200
        if path.startswith("/decisions.") or "<" not in text:
            continue
        assert "<script>alert" not in answer.text
    page = pages.get("/decisions/a").text
    assert not {"\x1b", "\x07", "\u202e", "\x00"} & set(page)
    assert 'onfocus=alert(1) autofocus="' not in page
    assert "49" not in page or "{{" not in text or "{{ 7 * 7 }}" in page


def test_feedback_is_in_the_log_and_on_the_page_at_once(url: str) -> None:
    pages = pages_of(url, decision("a"))
    assert "Nobody has said anything" in pages.text("/decisions/a")
    answer = pages.give(
        "/feedback", id="a", quality="between", between="0.25", by=" anna ",
        corrected="On day 4.\r\n", note="It forgot the change.", query="?class=billing",
    )  # fmt: skip
    assert answer.status_code == 303
    assert answer.headers["location"] == "/decisions/a?class=billing#feedback"
    text = pages.text("/decisions/a")
    for told in ("0.250 anna", "It forgot the change.", "On day 4."):
        assert told in text
    (event,) = read_events(url, "feedback")
    said = {name: event[name] for name in ("decision", "quality", "by", "corrected", "note")}
    assert said == {
        "decision": "a", "quality": 0.25, "by": "anna", "corrected": "On day 4.\n",
        "note": "It forgot the change.",
    }  # fmt: skip
    assert 'value="anna"' in pages.get("/decisions/a").text
    pages.give("/feedback", id="a", quality="0")
    assert pages.text("/decisions/a").index("0.000 somebody") < pages.text("/decisions/a").index(
        "0.250 anna"
    )


@pytest.mark.parametrize("form", [{}, {"quality": "2"}, {"quality": "between", "between": "x"}])
def test_feedback_that_says_nothing_is_refused(url: str, form: dict[str, str]) -> None:
    pages = pages_of(url, decision("a"))
    assert pages.give("/feedback", id="a", **form).status_code == 400
    assert pages.give("/feedback", id="nothing", quality="1").status_code == 400
    assert list(read_events(url)) == []


def test_feedback_needs_the_pages_proof_and_leave(url: str) -> None:
    pages = pages_of(url, decision("a"))
    assert pages.post("/feedback", data={"id": "a", "quality": "1"}).status_code == 403
    watched = Pages(url, read_only=True)
    assert watched.give("/feedback", id="a", quality="1").status_code == 403
    assert "takes no feedback" in watched.text("/decisions/a")
    assert list(read_events(url)) == []


def test_feedback_of_a_file_goes_to_the_file(tmp_path: Path) -> None:
    file = tmp_path / "decisions.jsonl"
    file.write_text(json.dumps(decision("a")) + "\n")
    pages = Pages(str(file))
    assert pages.give("/feedback", id="a", quality="1", note="yes").status_code == 303
    (event,) = read_events(file, "feedback")
    assert (event["decision"], event["quality"], event["note"]) == ("a", 1.0, "yes")
    assert pages.text("/decisions/a").count("1.000 somebody") == 1
    assert pages.give("/feedback", id="a", quality="0").status_code == 303
    assert pages.text("/decisions/a").count("somebody") == 2
    assert file.stat().st_mode & 0o077 == 0


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    file = tmp_path / "gone" / "decisions.jsonl"
    file.parent.mkdir()
    file.write_text(json.dumps(decision("a")) + "\n")
    pages = Pages(str(file))
    pages.bench.snapshot()
    file.unlink()
    assert pages.give("/feedback", id="a", quality="1").status_code == 400
    assert not file.exists()


def test_a_table_takes_no_feedback(url: str) -> None:
    store([decision("a")], url)
    pages = Pages(Source("table.csv", "table.csv", "table", url))
    assert NO_FEEDBACK in pages.text("/decisions/a")
    assert pages.give("/feedback", id="a", quality="1").status_code == 400
    assert list(read_events(url)) == []


def test_a_record_without_anything_is_shown() -> None:
    shown = decision_shown(WholeDecision({"id": "a"}, [], [feedback_event("a", 1.0)]))
    assert (shown.turns, shown.answer, shown.drafts, shown.calls) == (None, None, [], [])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, "The last tier's answer was handed off: it was returned all the same."),
        ({"handed_to": "queue"}, "handed off: it was replaced by what “queue” gave."),
    ],
)
def test_an_answer_that_was_handed_off_is_told(more: dict[str, Any], said: str) -> None:
    record = sent_on("a", handoff=True, judged=[JUDGED, {**JUDGED, "tier": 1}], **more)
    shown = decision_shown(WholeDecision(record, [], []))
    assert any(said in sentence for sentence in shown.route)
    assert [draft.tier for draft in shown.drafts] == [0, 1]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"reason": "budget", "budget": "all"}, "The budget “all” had no room: the answer met no"),
        ({"reason": "best_draft"}, "There was no time for a later tier: the answer met no"),
    ],
)
def test_an_answer_without_a_promise_is_told(more: dict[str, Any], said: str) -> None:
    record = decision("a", accepted=False, promise="void", **more)
    shown = decision_shown(WholeDecision(record, [], []))
    assert any(said in sentence for sentence in shown.route)
