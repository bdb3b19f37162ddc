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
