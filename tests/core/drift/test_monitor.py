"""Has the stream moved from what the policy was tuned on?"""

import math

import numpy as np
import pytest

from cascade_core.drift.monitor import DriftMonitor
from cascade_core.errors import ConfigurationError
from cascade_core.policy.reference import Reference, Spread
from tests.core.drift.streams import THRESHOLD, feed, reference, traffic

# --- false alarms ----------------------------------------------------------------------------


@pytest.mark.simulation
@pytest.mark.parametrize("exact", [True, False])
def test_streams_that_have_not_moved_seldom_raise_an_alarm(exact):
    # No tolerance: what keeps it quiet is the room left for a reference of few rows.
    streams, alpha, wrong = 25, 0.1, 0
    for seed in range(streams):
        sample = Reference.of(*traffic(200, 2 * seed))
        monitor = DriftMonitor(sample, alpha, tolerance=0.0, exact=exact)
        wrong += bool(feed(monitor, traffic(1_000, 2 * seed + 1)))
    assert wrong / streams <= alpha + 2 * math.sqrt(alpha * (1 - alpha) / streams)


def escalations_only(rows, share):
    return Reference(rows, share, (Spread(0, 0.0),))


@pytest.mark.simulation
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


@pytest.mark.simulation
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


def test_a_promise_is_one_more_question_and_all_of_them_share_the_chance_evenly():
    def found(alpha, **harm):
        sample = Reference(400, 0.3, (Spread(0, 0.0),), **harm)
        monitor = DriftMonitor(sample, alpha)
        for request in range(2_000):
            if monitor.observe(None, request % 2 == 0):  # half of them instead of 0.3
                return monitor.rows
        return None

    of_two = found(0.02)
    assert found(0.03, limit=0.05) == of_two
    assert found(0.03, harm=0.05) == of_two
    assert found(0.03) < of_two < found(0.02, limit=0.05)


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


def test_memory_does_not_grow_with_the_stream():
    monitor = DriftMonitor(reference())
    sizes = []
    for seed in (1, 2):
        feed(monitor, traffic(1_000, seed))
        panels = [claims.panel for group in monitor._claims.values() for claims in group]
        sizes.append([len(row) for panel in panels for row in panel._wealth])
    assert sizes[0] == sizes[1]


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
