"""The record of a verdict: plain JSON, in a fixed order, without a word of the texts."""

import json

from cascade_core.log import as_record
from cascade_core.request import Request
from cascade_core.signals import SequenceLogprob
from cascade_core.signals.readings import Evidenced
from tests.core.making import ASKED, Answer, Reads, broken, make_tiers, mute, plan_for, play, sure

KEYS = [
    "id",
    "tier",
    "model",
    "accepted",
    "reason",
    "confidence",
    "benefit",
    "merit",
    "threshold",
    "calibrated",
    "signals",
    "calls",
    "cost_usd",
    "class",
    "policy",
    "strong_cost_usd",
    "strong_cost_is_estimate",
    "version",
    "at",
    "latency_ms",
    "cascade",
    "framework",
    "thread",
    "tags",
    "metadata",
    "input_tokens",
    "digest",
    "rule",
    "policy_version",
    "strong_cost_basis",
    "judged",
]


def test_a_record_has_these_keys_in_this_order():
    verdict, _, _ = play(plan_for(), sure(0.5), mute())
    record = as_record(verdict, "d1", ASKED)
    assert list(record) == KEYS
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    assert (record["id"], record["tier"], record["model"]) == ("d1", 1, "m1")
    assert record["signals"] == {"sequence_logprob": record["confidence"]}
    assert (record["threshold"], record["calibrated"]) == (0.8, False)


def test_each_call_says_what_it_was_for_what_it_used_and_what_became_of_it():
    verdict, _, _ = play(plan_for(), sure(0.5), mute())
    cheap, strong = as_record(verdict, "d1", ASKED)["calls"]
    assert cheap == {
        "tier": 0,
        "model": "m0",
        "purpose": "draft",
        "usage": {"input_tokens": 100, "output_tokens": 3},
        "tokens_source": "provider",
        "cost_usd": 0.000106,
        "latency_ms": 0.0,
        "outcome": "rejected",
        "note": "low_confidence",
    }
    assert strong["outcome"] == "returned"
    assert "note" not in strong


def test_an_abort_says_what_it_saved():
    tiers = make_tiers(streams=True, max_tokens=10)
    plan = plan_for(tiers=tiers, signals=[SequenceLogprob("min")])
    verdict, _, _ = play(plan, sure(0.1), mute(), streamed=True)
    (aborted, _) = as_record(verdict, "d1", ASKED)["calls"]
    assert (aborted["outcome"], aborted["tokens_saved"]) == ("aborted", 9)


def test_what_is_not_known_is_null_and_not_zero():
    verdict, _, _ = play(plan_for(prices={"x": {"input": 1, "output": 1}}), broken(), mute())
    record = as_record(verdict, "d1", ASKED)
    assert record["calls"][0]["usage"] is None
    assert record["calls"][0]["tokens_source"] is None
    assert record["calls"][0]["latency_ms"] == 500
    assert record["calls"][1]["cost_usd"] is None
    assert (record["cost_usd"], record["strong_cost_usd"]) == (None, None)


def test_the_strong_cost_is_an_estimate_until_the_last_tier_was_asked():
    accepted = as_record(play(plan_for(), sure(0.9), mute())[0], "1", ASKED)
    escalated = as_record(play(plan_for(), sure(0.1), mute())[0], "2", ASKED)
    assert accepted["strong_cost_is_estimate"]
    assert not escalated["strong_cost_is_estimate"]
    assert escalated["strong_cost_usd"] == escalated["calls"][1]["cost_usd"]


def test_shadow_is_there_only_in_shadow_mode():
    verdict, _, _ = play(plan_for(mode="shadow"), sure(), mute())
    record = as_record(verdict, "d1", ASKED)
    assert list(record) == [*KEYS, "shadow"]
    assert record["shadow"]["tier"] == 0


def test_no_word_of_prompt_or_answer_is_in_a_record():
    request = Request.of("PROMPT", system="SYSTEM")
    answer = Answer("ANSWER", probs=[0.9], fields={"parse_error": ValueError("PARSED")})
    verdict, _, _ = play(plan_for(), answer, mute("STRONG"), request=request)
    written = json.dumps(as_record(verdict, "d1", ASKED)) + repr(verdict)
    assert not any(word in written for word in ("PROMPT", "SYSTEM", "ANSWER", "PARSED", "STRONG"))


def test_readings_are_plain_numbers_and_what_they_rest_on_stands_beside_them():
    evidence = [{"claim": 1, "support": 0.9, "sources": [2]}]
    reads = Reads(Evidenced(0.9, evidence), name="claims")
    verdict, _, _ = play(plan_for(signals=[reads]), sure(0.9), mute())
    record = as_record(verdict, "d1", ASKED)
    (judged,) = record["judged"]
    # Checkpoints and traces write numbers and texts, and nothing that only looks like one.
    for told in (record, judged):
        kinds = {type(told[name]) for name in ("confidence", "merit")}
        assert kinds | {type(told["signals"]["claims"])} == {float}
    assert judged["evidence"] == {"claims": evidence}
