"""Has the stream moved from what the policy was tuned on?"""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, TypeAdapter

from cascade_core.drift.detectors import Adwin, PageHinkley
from cascade_core.drift.log import watch
from cascade_core.drift.monitor import DriftMonitor
from cascade_core.errors import ConfigurationError
from cascade_core.policy.reference import Reference, Spread
from cascade_core.statistics.betting import AUDITS, SHARES, Panel, band, highest_mean

THRESHOLD = 0.6


def traffic(n, seed, *, a=4.0, b=2.0, wrong=0.1, unread=0.03):
    """Confidences, escalations and harm of n requests."""
    rng = np.random.default_rng(seed)
    confidence = rng.beta(a, b, n)
    confidence[rng.random(n) < unread] = np.nan
    escalated = ~(confidence >= THRESHOLD)
    harm = np.where(escalated, 0.0, rng.random(n) < wrong)
    return confidence, escalated, harm


def feed(monitor, stream, *, harm=True):
    """Let a monitor read a stream; give its alarms by what moved."""
    confidence, escalated, lost = (column.tolist() for column in stream)
    for i in range(len(confidence)):
        monitor.observe(confidence[i], escalated[i], lost[i] if harm else None)
    return {alarm.what: alarm for alarm in monitor.alarms}


def reference(n=1_000, seed=0, **settings):
    limit = settings.pop("limit", 0.1)
    return Reference.of(*traffic(n, seed, **settings), limit=limit)


# --- the bets --------------------------------------------------------------------------------


@pytest.mark.parametrize("bets", [SHARES, AUDITS])
@pytest.mark.parametrize("limit", [0.05, 0.5, 0.9])
def test_where_a_claim_just_holds_the_capital_is_worth_what_it_was_on_every_day(limit, bets):
    worth = [0.0] * 9
    for bits in itertools.product((0.0, 1.0), repeat=8):
        panel = Panel([limit], bets)
        chance = math.prod(limit if bit else 1 - limit for bit in bits)
        for day, bit in enumerate(bits, 1):
            panel.update(day, [bit])
            worth[day] += chance * panel.evidence
    assert worth[1:] == pytest.approx([1.0] * 8)


def test_the_chance_of_ever_reaching_a_level_is_at_most_one_in_that_level():
    # All 2**12 streams, each with its exact chance: no luck of a simulation in it.
    limit, level, chance = 0.2, 4.0, 0.0
    for bits in itertools.product((0.0, 1.0), repeat=12):
        panel = Panel([limit], SHARES)
        for day, bit in enumerate(bits, 1):
            panel.update(day, [bit])
            if panel.evidence >= level:
                chance += math.prod(limit if b else 1 - limit for b in bits)
                break
    assert 0.01 < chance <= 1 / level


@given(st.lists(st.floats(0, 50), max_size=60), st.floats(1e-4, 0.99))
def test_capital_never_becomes_negative(xs, limit):
    panel = Panel([limit], AUDITS)
    for at, x in enumerate(xs, 1):
        panel.update(at, [x])
        assert panel.evidence > 0


def test_a_change_after_a_long_quiet_time_is_still_found():
    rng = np.random.default_rng(3)
    panel = Panel([0.3])
    for at, x in enumerate((rng.random(20_000) < 0.25).tolist(), 1):
        panel.update(at, [x])
    assert panel.evidence < 1
    for at, x in enumerate((rng.random(400) < 0.6).tolist(), 20_001):
        panel.update(at, [x])
    assert panel.evidence > 1e6
    side, since, mean = panel.leading()
    assert (side, mean) == (0, pytest.approx(0.6, abs=0.06))
    assert abs(since - 20_001) < 60


@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.5, 1.0])
def test_a_bound_on_a_share_fails_no_more_often_than_it_says(share):
    n, alpha = 40, 0.05
    missed = sum(
        math.comb(n, k) * share**k * (1 - share) ** (n - k)
        for k in range(n + 1)
        if highest_mean(k / n, n, alpha) < share - 1e-12
    )
    assert missed <= alpha
    assert highest_mean(share, 10**9, alpha) == pytest.approx(share, abs=1e-3)


def test_a_band_round_a_distribution_fails_no_more_often_than_it_says():
    rng, n, alpha, draws = np.random.default_rng(5), 60, 0.1, 2_000
    ordered = np.sort(rng.random((draws, n)), axis=1)
    ranks = np.arange(1, n + 1) / n
    apart = np.maximum(abs(ranks - ordered), abs(ranks - 1 / n - ordered)).max(axis=1)
    missed = (apart > band(n, alpha)).mean()
    assert 0.05 < missed <= alpha + 3 * math.sqrt(alpha * (1 - alpha) / draws)


# --- the reference ---------------------------------------------------------------------------


def test_a_reference_counts_what_it_is_given():
    got = Reference.of(
        [0.2, 0.4, 0.4, 0.9, math.nan], [1, 1, 1, 0, 1], [0, 0, 0, 0.5, 0], limit=0.2
    )
    spread = got.tiers[0]
    assert (got.rows, got.escalated, got.harm, got.limit) == (5, 0.8, 0.1, 0.2)
    assert (spread.rows, spread.unread, spread.floor) == (5, 0.2, 0.4)
    assert spread.values == (0.2, 0.4, 0.9)
    assert spread.shares == (0.25, 0.75, 1.0)


def test_a_weight_of_two_is_a_row_twice_but_not_as_much_evidence_as_two():
    confidence, escalated, harm = traffic(400, 1)
    weights = np.where(np.arange(400) < 100, 2.0, 1.0)
    twice = np.repeat(np.arange(400), weights.astype(int))
    weighted = Reference.of(confidence, escalated, harm, weights)
    doubled = Reference.of(confidence[twice], escalated[twice], harm[twice])
    assert weighted.escalated == pytest.approx(doubled.escalated)
    assert weighted.harm == pytest.approx(doubled.harm)
    assert weighted.tiers[0].values == doubled.tiers[0].values
    assert weighted.tiers[0].shares == pytest.approx(doubled.tiers[0].shares)
    assert weighted.rows < 400 < doubled.rows


def test_each_tier_has_its_own_confidences():
    got = Reference.of([0.9, 0.2, 0.8, 0.3], [0, 1, 0, 1], tier=[0, 2, 2, 2])
    assert [spread.rows for spread in got.tiers] == [1, 0, 3]
    assert got.tiers[2].values == (0.2, 0.3, 0.8)
    assert got.harm is None


def test_a_reference_goes_through_a_policys_json_unchanged():
    class Document(BaseModel):
        model_config = ConfigDict(defer_build=True, extra="forbid", frozen=True)
        reference: Reference | None = None

    document = Document(reference=reference())
    assert Document.model_validate_json(document.model_dump_json()) == document
    plain = json.loads(json.dumps(TypeAdapter(Reference).dump_python(document.reference)))
    assert TypeAdapter(Reference).validate_python(plain) == document.reference


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Reference.of([], []), "at least one row"),
        (lambda: Reference.of([0.5, 0.5], [True]), "columns of one length"),
        (lambda: Reference.of([1.5], [False]), "in \\[0, 1\\]"),
        (lambda: Reference(0, 0.5, ()), "at least one row"),
        (lambda: Reference(9, 1.5, ()), "escalated=1.5"),
        (lambda: Reference(9, 0.5, (), limit=-0.1), "limit=-0.1"),
        (lambda: Spread(9, 0.0, (0.5, 0.4), (0.5, 1.0)), "must increase"),
        (lambda: Spread(9, 0.0, (0.4, 0.5), (1.0,)), "one share each"),
    ],
)
def test_a_reference_that_cannot_be_is_refused(make, said):
    with pytest.raises(ConfigurationError, match=said):
        make()


# --- false alarms ----------------------------------------------------------------------------


@pytest.mark.parametrize("exact", [True, False])
def test_streams_that_have_not_moved_seldom_raise_an_alarm(exact):
    # No tolerance: what keeps it quiet is the room left for a reference of few rows.
    streams, alpha, wrong = 40, 0.1, 0
    for seed in range(streams):
        sample = Reference.of(*traffic(200, 2 * seed))
        monitor = DriftMonitor(sample, alpha, tolerance=0.0, exact=exact)
        wrong += bool(feed(monitor, traffic(1_000, 2 * seed + 1)))
    assert wrong / streams <= alpha + 2 * math.sqrt(alpha * (1 - alpha) / streams)


def escalations_only(rows, share):
    return Reference(rows, share, (Spread(0, 0.0),))


def test_a_reference_of_few_rows_taken_for_the_truth_would_cry_wolf():
    streams, wrong = 12, {"boasted": 0, "counted": 0}
    for seed in range(streams):
        share = float(traffic(200, 2 * seed)[1].mean())
        for name, rows in (("boasted", 10**9), ("counted", 200)):
            monitor = DriftMonitor(escalations_only(rows, share), alpha=0.1, tolerance=0.0)
            for away in traffic(6_000, 2 * seed + 1)[1].tolist():
                monitor.observe(None, away)
            wrong[name] += bool(monitor.alarms)
    assert wrong["boasted"] / streams > 0.4
    assert wrong["counted"] / streams <= 0.1 + 2 * math.sqrt(0.09 / streams)


def test_harm_at_its_very_limit_seldom_raises_an_alarm_however_rare_the_audits():
    streams, alpha, limit, wrong = 60, 0.15, 0.05, 0
    rng = np.random.default_rng(8)
    sample = Reference(1_000, 0.0, (Spread(0, 0.0),), harm=limit, limit=limit)
    for _ in range(streams):
        monitor = DriftMonitor(sample, alpha=alpha)
        audited, harmed = rng.random(1_500) < 0.1, rng.random(1_500) < limit
        for i in range(1_500):
            harm = float(harmed[i]) if audited[i] else None
            monitor.observe(None, False, harm, 0.1)
        wrong += any(alarm.what == "harm" for alarm in monitor.alarms)
    assert wrong / streams <= alpha / 3 + 2 * math.sqrt(alpha / 3 / streams)


def test_a_move_within_the_tolerance_is_put_up_with():
    rng = np.random.default_rng(1)
    stream = (rng.random(8_000) < 0.34).tolist()
    monitors = [
        DriftMonitor(escalations_only(10**6, 0.30), tolerance=tolerance)
        for tolerance in (0.05, 0.0)
    ]
    for away in stream:
        for monitor in monitors:
            monitor.observe(None, away)
    assert [bool(monitor.alarms) for monitor in monitors] == [False, True]


# --- real shifts -----------------------------------------------------------------------------


@pytest.mark.parametrize("quiet", [0, 5_000])
def test_a_higher_escalation_rate_and_lower_confidences_are_found_dated_and_explained(
    quiet, record_property
):
    monitor = DriftMonitor(reference())
    assert not feed(monitor, traffic(quiet, 1))
    alarms = feed(monitor, traffic(2_500, 2, a=3.0, b=2.2))
    for what in ("escalation", "confidence"):
        record_property(f"delay_{what}_after_{quiet}", alarms[what].at - quiet)
        assert 0 < alarms[what].at - quiet < 2_000
        assert abs(alarms[what].since - quiet) < 300
    escalation = alarms["escalation"]
    assert escalation.expected == reference().escalated
    assert escalation.seen == pytest.approx(0.53, abs=0.06)
    assert f"{100 * escalation.expected:.1f} % as when tuned" in escalation.text
    assert f"{100 * escalation.seen:.1f} %" in escalation.text
    assert "tune again" in escalation.text
    assert "harm" not in alarms


def test_fewer_escalations_are_a_move_too():
    alarms = feed(DriftMonitor(reference()), traffic(3_000, 2, a=6.0))
    assert alarms["escalation"].seen < alarms["escalation"].expected
    assert alarms["confidence"].seen < alarms["confidence"].expected


def test_confidences_that_move_without_a_change_of_the_escalation_rate_are_found():
    rng = np.random.default_rng(4)
    score = rng.random(2_000)
    sample = Reference.of(score, score < 0.5)
    stream = rng.random(2_000)
    stream[stream >= 0.5] = 0.5 + (stream[stream >= 0.5] - 0.5) / 2
    alarms = feed(DriftMonitor(sample), (stream, stream < 0.5, stream), harm=False)
    assert set(alarms) == {"confidence"}


def test_drafts_that_lose_their_confidence_are_found_and_named():
    score = np.random.default_rng(4).random(1_000)
    sample = Reference.of(score, np.zeros(1_000, dtype=bool))
    stream = score.copy()
    stream[::4] = np.nan
    alarm = feed(DriftMonitor(sample), (stream, np.zeros(1_000, dtype=bool), stream), harm=False)
    assert "tier 0 without a confidence" in alarm["confidence"].text
    assert alarm["confidence"].seen == pytest.approx(0.25, abs=0.05)


def test_bounds_of_drafts_that_were_cut_off_are_not_taken_for_low_confidences():
    sample = reference()
    confidence, escalated, harm = traffic(4_000, 9)
    cut_off = np.where(escalated & ~np.isnan(confidence), THRESHOLD - 1e-6, confidence)
    assert not feed(DriftMonitor(sample), (cut_off, escalated, harm))
    assert set(feed(DriftMonitor(sample, exact=True), (cut_off, escalated, harm))) == {"confidence"}


def test_full_readings_below_the_threshold_are_compared_where_the_caller_vouches_for_them():
    sample = reference()
    confidence, escalated, harm = traffic(4_000, 9)
    lower = np.where(escalated, confidence / 3, confidence)
    assert not feed(DriftMonitor(sample), (lower, escalated, harm))
    assert set(feed(DriftMonitor(sample, exact=True), (lower, escalated, harm))) == {"confidence"}


@pytest.mark.parametrize("probability", [1.0, 0.2])
def test_harm_above_the_promise_is_found_also_from_a_sample_of_audits(probability, record_property):
    sample = reference(wrong=0.03, limit=0.05)
    rng, monitor = np.random.default_rng(6), DriftMonitor(sample)
    confidence, escalated, harm = (c.tolist() for c in traffic(6_000, 7, wrong=0.25))
    for i in range(6_000):
        audited = not escalated[i] and rng.random() < probability
        monitor.observe(confidence[i], escalated[i], harm[i] if audited else None, probability)
    (alarm,) = monitor.alarms
    record_property(f"delay_harm_at_{probability}", alarm.at)
    assert (alarm.what, alarm.expected) == ("harm", sample.harm)
    assert alarm.at < 500 / probability
    assert "5.0 % promised" in alarm.text


def test_without_a_promise_harm_is_compared_with_what_was_measured():
    sample = reference(wrong=0.05, limit=None)
    assert not feed(DriftMonitor(sample), traffic(2_000, 5, wrong=0.05))
    alarms = feed(DriftMonitor(sample), traffic(2_000, 5, wrong=0.3))
    assert set(alarms) == {"harm"}
    assert alarms["harm"].expected == sample.harm


# --- one request at a time -------------------------------------------------------------------


def test_an_alarm_is_given_once_and_by_the_request_that_raised_it():
    monitor = DriftMonitor(reference())
    given_ = [monitor.observe(0.1, True) for _ in range(300)]
    assert [alarm.at for alarms in given_ for alarm in alarms] == [
        at for at, alarms in enumerate(given_, 1) for _ in alarms
    ]
    assert sorted(a.what for alarms in given_ for a in alarms) == ["confidence", "escalation"]


def test_a_monitor_that_is_stopped_and_resumed_goes_on_as_if_nothing_had_been():
    sample, stream = reference(), traffic(1_500, 2, a=3.0, b=2.2)
    through = DriftMonitor(sample, alpha=0.05, tolerance=0.01)
    feed(through, stream)
    first = DriftMonitor(sample, alpha=0.05, tolerance=0.01)
    feed(first, [column[:200] for column in stream])
    second = DriftMonitor.resume(sample, json.loads(json.dumps(first.state())))
    feed(second, [column[200:] for column in stream])
    assert through.alarms
    assert second.state() == through.state()


def test_memory_does_not_grow_with_the_stream():
    monitor = DriftMonitor(reference())
    sizes = []
    for seed in (1, 2):
        feed(monitor, traffic(1_000, seed))
        sizes.append([len(row) for row in monitor.state()["claims"]["confidence"][1]["wealth"]])
    assert sizes[0] == sizes[1]


def test_the_state_of_another_reference_is_refused():
    state = DriftMonitor(reference()).state()
    with pytest.raises(ConfigurationError, match="another reference"):
        DriftMonitor.resume(Reference.of([0.2, 0.8], [True, False], [0, 0], limit=0.1), state)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        DriftMonitor.resume(reference(), {"rows": 3})


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ({"confidence": 1.2}, "confidence=1.2"),
        ({"harm": -0.5}, "harm=-0.5"),
        ({"harm": math.nan}, "harm=nan"),
        ({"probability": 0.0}, "probability=0.0"),
        ({"tier": 1}, "1 tier"),
    ],
)
def test_a_request_that_cannot_be_is_named_and_not_counted(request_, said):
    monitor = DriftMonitor(reference())
    with pytest.raises(ConfigurationError, match=f"request 1: .*{said}"):
        monitor.observe(**{"confidence": 0.5, "escalated": False, **request_})
    assert monitor.rows == 0


@pytest.mark.parametrize("settings", [{"alpha": 0.0}, {"alpha": 1.0}, {"tolerance": -0.1}])
def test_settings_out_of_range_are_refused(settings):
    with pytest.raises(ConfigurationError, match="alpha"):
        DriftMonitor(reference(), **settings)


# --- logs ------------------------------------------------------------------------------------


def record(confidence, *, accepted, reason=None, policy="p", calls=None, **more):
    return {
        "tier": 0 if accepted else 1,
        "accepted": accepted,
        "reason": reason or ("confident" if accepted else "low_confidence"),
        "confidence": None if math.isnan(confidence) else confidence,
        "calls": calls or [{"tier": 0, "purpose": "draft", "outcome": "rejected"}],
        "policy": policy,
        **more,
    }


def test_a_log_is_read_like_the_stream_it_was():
    sample, stream = reference(), traffic(2_000, 2, a=3.0, b=2.2)
    monitor = DriftMonitor(sample)
    feed(monitor, stream)
    rows = zip(*(column.tolist() for column in stream), strict=True)
    report = watch((record(c, accepted=not e, harm=h) for c, e, h in rows), sample)
    assert list(report.alarms) == monitor.alarms
    assert report.rows == 2_000
    assert report.escalated == pytest.approx(stream[1].mean())
    assert report.harm == pytest.approx(stream[2].mean())
    assert report.audits == (~stream[1]).sum()


def test_only_decisions_of_the_policy_that_is_asked_about_count():
    records = [
        record(0.9, accepted=True),
        record(0.9, accepted=True, policy="other"),
        record(0.9, accepted=True, policy=None),
        record(0.9, accepted=True, reason="cached"),
        record(math.nan, accepted=True, reason="tool_call"),
        record(math.nan, accepted=False, reason="exhausted", calls=[]),
        record(math.nan, accepted=False, reason="failed", calls=[]),
    ]
    report = watch(records, reference(), policy="p")
    assert (report.rows, report.escalated, report.harm) == (2, 0.5, None)
    assert report.skipped == {"policy": 2, "cached": 1, "tool_call": 1, "exhausted": 1}


def test_in_shadow_mode_what_would_have_been_done_counts():
    shadow = {"tier": 0, "reason": "confident", "accepted": True, "cost_usd": None}
    records = [record(0.9, accepted=False, reason="shadow", shadow=shadow)]
    assert watch(records, reference()).escalated == 0


def test_a_confidence_is_compared_with_those_of_the_tier_that_was_judged():
    sample = Reference.of(
        [0.9] * 50 + [0.2] * 50, [False] * 50 + [True] * 50, tier=[0] * 50 + [1] * 50
    )
    calls = [
        {"tier": 0, "purpose": "draft", "outcome": "rejected"},
        {"tier": 1, "purpose": "sample", "outcome": "used"},
        {"tier": 1, "purpose": "draft", "outcome": "aborted"},
        {"tier": 2, "purpose": "draft", "outcome": "returned"},
    ]
    records = [record(0.9, accepted=True), record(0.2, accepted=False, calls=calls)] * 500
    assert not watch(records, sample, exact=True).alarms
    moved = [record(0.9, accepted=True), record(0.9, accepted=False, calls=calls)] * 500
    (alarm,) = watch(moved, sample, exact=True).alarms
    assert "tier 1" in alarm.text


def test_a_shift_within_the_log_is_reported_with_either_detector():
    scores = [0.9] * 500 + [0.1] * 500
    records = [record(s, accepted=s > 0.5) for s in scores]
    for detector in (Adwin, lambda: PageHinkley(threshold=10.0)):
        report = watch(records, reference(), detector=detector)
        (first, *_) = [shift for shift in report.shifts if shift.what == "escalation"]
        assert 500 < first.at < 560


def test_an_empty_log_says_nothing():
    report = watch([], reference())
    assert (report.rows, report.escalated, report.harm, report.alarms) == (0, None, None, ())
