"""Rows are known again by what is in them."""

import json

import numpy as np
import pytest

from cascade_core.labels import read_table
from cascade_core.labels.fingerprints import FINGERPRINTS, fingerprints, holds
from tests.core.calibration.labels import columns


def table(n=300, seed=0, **more):
    return read_table(columns(n, seed=seed, texts=True) | more)


def test_a_table_holds_its_own_rows_whatever_their_order_or_company():
    own, other = table(), table(seed=1)
    kept = fingerprints(own)
    assert len(kept) == FINGERPRINTS
    assert holds(own, kept)
    assert holds(own.take(np.random.default_rng(0).permutation(300)), kept)
    assert not holds(other, kept)
    both = {
        name: [*one, *two]
        for (name, one), two in zip(
            columns(300, texts=True).items(), columns(300, seed=1, texts=True).values(), strict=True
        )
    } | {"id": [str(row) for row in range(600)]}
    assert not holds(read_table(both), kept), "the same numbers under other ids are other rows"
    both["id"] = [*columns(300)["id"], *[f"other{row}" for row in range(300)]]
    assert holds(read_table(both), kept)


def test_half_of_the_rows_are_enough_and_a_few_are_not():
    own = table()
    kept = fingerprints(own)
    assert not holds(own.take(np.arange(60)), kept)
    assert holds(own.take(np.arange(240)), kept)


@pytest.mark.parametrize("changed", ["id", "request", "t0_signal_a", "t1_quality"])
def test_a_row_of_other_content_is_another_row(changed):
    other = table(**{changed: columns(300, seed=9, texts=True)[changed]})
    if changed == "id":
        other = table(id=[f"new{row}" for row in range(300)])
    if changed == "t1_quality":
        other = table(t1_quality=[0.5] * 300)
    assert not holds(other, fingerprints(table()))


def test_fingerprints_are_plain_numbers_and_an_empty_set_of_them_is_nowhere():
    kept = fingerprints(table())
    assert json.loads(json.dumps(kept)) == list(kept)
    assert max(kept) < 2**53
    assert not holds(table(), ())
