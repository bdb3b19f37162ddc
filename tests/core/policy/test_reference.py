"""What a policy keeps of the rows it was tuned on, to compare a stream with."""

import json
import math

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter

from cascade_core.errors import ConfigurationError
from cascade_core.policy.reference import Reference, Spread
from tests.core.drift.streams import reference, traffic


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


def test_confidences_are_kept_at_equal_steps_of_their_order():
    confidence = np.arange(1, 101) / 100
    (spread,) = Reference.of(confidence[::-1], confidence[::-1] < 0.5).tiers
    steps = tuple((np.arange(1, 20) / 20).tolist())
    assert spread.values == pytest.approx(steps)
    assert spread.shares == pytest.approx(steps)
    assert spread.floor == pytest.approx(0.49)
    half = Reference.of(confidence, confidence < 0, weights=np.full(100, 0.5)).tiers[0]
    assert (half.values, half.shares, half.floor) == (spread.values, spread.shares, None)


def test_rows_that_belong_together_are_as_much_evidence_as_there_are_groups():
    confidence = [0.9, 0.8, 0.7, 0.6, math.nan, math.nan]
    got = Reference.of(
        confidence,
        [0, 0, 0, 1, 1, 1],
        groups=np.array([7, 7, 7, 7, 3, 9]),
        tier=[0, 0, 1, 1, 2, 2],
    )
    # Groups of 4, 1 and 1 rows say as much as 36 / 18 even ones.
    assert got.rows == 2
    assert [spread.rows for spread in got.tiers] == [1, 1, 2]
    assert [spread.unread for spread in got.tiers] == [0.0, 0.0, 1.0]
    weighted = Reference.of(
        [0.9] * 4, [0] * 4, weights=np.array([1.0, 1.0, 1.0, 3.0]), groups=np.array([0, 0, 0, 1])
    )
    assert weighted.rows == 2
    assert weighted.tiers[0].rows == 2


def test_a_row_without_weight_is_nowhere():
    got = Reference.of(
        [0.9, 0.1, 0.5], [0, 1, 1], [0.5, 1.0, 0.0], np.array([1.0, 0.0, 0.0]), tier=[0, 0, 1]
    )
    assert (got.rows, got.escalated, got.harm) == (1, 0.0, 0.5)
    assert got.tiers == (Spread(1, 0.0, (0.9,), (1.0,)), Spread(0, 0.0))


def test_no_rounding_of_weights_makes_a_share_of_more_than_all():
    for seed in range(100):
        rng = np.random.default_rng(seed)
        weights = np.where(rng.random(999) < 0.3, 0.0, rng.random(999))
        weighs = weights > 0
        got = Reference.of(np.where(weighs, np.nan, 0.5), weighs, weighs, weights)
        assert got.escalated == pytest.approx(1.0)
        assert got.harm == pytest.approx(1.0)
        assert got.tiers[0].unread == pytest.approx(1.0)


def test_columns_may_be_lists_of_whole_numbers():
    got = Reference.of([1, 0], [False, True], [1, 0], np.array([3, 1]))
    assert (got.escalated, got.harm) == (0.25, 0.75)
    assert got.tiers[0].values == (0.0, 1.0)


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


ROWS = "it takes at least one row of weight, and columns of one length"
SHARES = "a tier's rows must be >= 0, its shares and confidences in \\[0, 1\\]"
RISING = "a tier's values must increase, with one share each"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Reference.of([], []), f"^reference: {ROWS}$"),
        (lambda: Reference.of([0.5, 0.5], [True]), f"^reference: {ROWS}$"),
        (lambda: Reference.of([0.5], [True], weights=np.zeros(1)), f"^reference: {ROWS}$"),
        (lambda: Reference.of([0.5], [True], tier=[0, 0]), f"^reference: {ROWS}$"),
        (lambda: Reference.of([0.5], [True], harm=[0, 0]), f"^reference: {ROWS}$"),
        (lambda: Reference.of([1.5], [False]), f"^reference: {SHARES}$"),
        (lambda: Spread(-1, 0.0), f"^reference: {SHARES}$"),
        (lambda: Spread(1, 1.5), f"^reference: {SHARES}$"),
        (lambda: Spread(1, 0.0, (0.5,), (1.5,)), f"^reference: {SHARES}$"),
        (lambda: Reference(0, 0.5, ()), "^reference: rows=0: it takes at least one row$"),
        (lambda: Reference(9, 1.5, ()), "escalated=1.5"),
        (lambda: Reference(9, 0.5, (), limit=-0.1), "limit=-0.1"),
        (lambda: Spread(9, 0.0, (0.5, 0.4), (0.5, 1.0)), f"^reference: {RISING}$"),
        (lambda: Spread(9, 0.0, (0.5, 0.5), (0.5, 1.0)), f"^reference: {RISING}$"),
        (lambda: Spread(9, 0.0, (0.4, 0.5), (1.0,)), f"^reference: {RISING}$"),
    ],
)
def test_a_reference_that_cannot_be_is_refused(make, said):
    with pytest.raises(ConfigurationError, match=said):
        make()


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_ends_of_what_can_be_are_taken(share):
    spread = Spread(0, share, (share,), (share,))
    assert Reference(1, share, (spread,), share, share).rows == 1
