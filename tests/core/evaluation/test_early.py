"""Tables decide by first tokens as a cascade does."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.errors import ConfigurationError
from cascade_core.evaluation.early import first_shown, with_early
from cascade_core.evaluation.scored import serve, thresholds_of
from cascade_core.evaluation.scoring import score
from cascade_core.fitted.commitment import SO_FAR
from cascade_core.labels import read_table
from cascade_core.policy import Policy
from cascade_core.trajectory import trajectory_cell
from tests.core.loop.test_committing import WHOLE, committing, policy_of, rule
from tests.core.making import Answer, mute, play


def table_of(*drafts, **more):
    return read_table(
        [
            {
                "id": str(place),
                "t0_quality": 1,
                "t0_cost_usd": 0.1,
                "t0_signal_sequence_logprob": float(np.exp(np.mean(np.log(probs)))),
                "t0_trajectory": trajectory_cell(np.log(probs)),
                "t1_quality": 1,
                "t1_cost_usd": 1.0,
                **{name: values[place] for name, values in more.items()},
            }
            for place, probs in enumerate(drafts)
        ]
    )


def scored_of(table, threshold, *tokens, **parts):
    policy = Policy.load({**policy_of(rule(*tokens), **parts), "thresholds": [threshold]})
    scored = score(table, policy)
    return scored, serve(scored, thresholds_of(policy, table))


DRAFTS = st.lists(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=9), min_size=1, max_size=12)


@given(drafts=DRAFTS, threshold=st.floats(0.05, 0.99), reads=st.sampled_from(SO_FAR))
def test_a_row_is_accepted_where_its_stream_is_and_by_the_same_confidence(drafts, threshold, reads):
    reading = {"score": {"kind": "signal", "signal": reads}}
    by = {"checkpoints": [{"tokens": tokens, "calibrator": reading} for tokens in (1, 2, 4)]}
    scored, served = scored_of(table_of(*drafts), threshold, commit=[by])
    told = scored.told(0, threshold)
    first = scored.early[0].first(threshold)
    plan = committing(policy=policy_of(by), thresholds=threshold)
    for place, probs in enumerate(drafts):
        verdict, _, _ = play(plan, Answer(probs=probs), mute(), streamed=True)
        assert verdict.tier == served.tier[place]
        committed = verdict.judged.committed
        assert first[place] == (0 if committed is None else committed.tokens)
        if committed is not None:
            assert told[place] == verdict.judged.confidence


@given(drafts=DRAFTS, low=st.floats(0.05, 0.98), more=st.floats(0, 0.5))
def test_a_higher_threshold_never_accepts_more(drafts, low, more):
    table = table_of(*drafts)
    below = scored_of(table, low, 1, 2, 4)[1].tier
    above = scored_of(table, min(1.0, low + more), 1, 2, 4)[1].tier
    assert (below <= above).all()


def test_a_draft_that_fails_a_gate_is_accepted_all_the_same_where_it_was_out_by_then():
    drafts = [0.9, 0.9, 0.9], [0.3, 0.9, 0.9]
    table = table_of(*drafts, t0_gate=["gate_truncated", "gate_truncated"])
    assert scored_of(table, 0.8, 2)[1].tier.tolist() == [0, 1]


def test_what_is_not_asked_writes_no_tokens():
    table = table_of([0.9, 0.9], [0.9, 0.9])
    policy = Policy.load({**policy_of(rule(2)), "thresholds": [0.8]})
    asked = score(table, policy.model_copy(update={"commit": None}))
    skipped = np.array([[True, False], [False, False]])
    some = replace(asked, skipped=skipped, confidences=(np.array([np.nan, 0.9]),))
    found = with_early(some, table, policy.commit)
    assert found.early[0].first(0.8).tolist() == [0, 2]
    assert serve(found, [0.8]).tier.tolist() == [1, 0]


def test_a_row_that_does_not_say_how_its_draft_went_is_judged_as_a_whole():
    table = table_of([0.9, 0.9], [0.9, 0.9], t0_trajectory=["0.1 0.1", None])
    scored, _ = scored_of(table, 0.8, 2)
    assert scored.early[0].first(0.8).tolist() == [2, 0]


def test_a_paid_signal_is_not_paid_for_by_what_is_accepted_before():
    table = table_of(
        [0.9, 0.9],
        [0.2, 0.9],
        t0_signal_judge=[1.0, 1.0],
        t0_paid_judge_usd=[5.0, 5.0],
    )
    both = {"score": {"kind": "logistic", "inputs": ["signal:sequence_logprob", "signal:judge"],
                      "weights": [1.0, 9.0], "intercept": -5.0, "low": [0.0, 0.0],
                      "high": [1.0, 1.0], "fill": [0.5, 0.5], "missing": [0.0, 0.0]}}  # fmt: skip
    _, served = scored_of(table, 0.8, 2, calibrators=[both])
    assert served.cost.tolist() == pytest.approx([0.1, 5.1])


def test_how_soon_accepted_drafts_are_shown_counts_their_tokens():
    table = table_of([0.9] * 8, [0.9] * 4, [0.5, *[1.0] * 6], [0.1] * 4)
    scored, served = scored_of(table, 0.8, 2)
    found = first_shown(scored, served, [0.8], table)
    assert served.tier.tolist() == [0, 0, 0, 1]
    assert found.committed == pytest.approx(2 / 3)
    assert found.after == 0.5


def test_without_the_column_there_is_no_deciding_by_it():
    bare = read_table([{"id": "a", "t0_quality": 1, "t0_cost_usd": 1, "t1_quality": 1,
                        "t1_cost_usd": 2, "t0_signal_sequence_logprob": 0.5}])  # fmt: skip
    with pytest.raises(ConfigurationError, match="no column t0_trajectory"):
        scored_of(bare, 0.8, 2)
    policy = Policy(calibrators=[WHOLE], thresholds=[0.8])
    assert score(bare, policy).early == ()
