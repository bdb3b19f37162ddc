"""What counts as the same output, and what does not."""

from __future__ import annotations

import pytest

from tests.outputs import differences


@pytest.mark.parametrize(
    ("kept", "fresh"),
    [
        ("costs 52.0% of it", "costs 52.6% of it"),
        ("    1  two", "1 two\n"),
        ("took 12 ms", "took 48.1 ms"),
        ("id 6f9619ff-8b86-d011-b42d-00cf4fc964ff", "id 0e9619ff-8b86-d011-b42d-00cf4fc964ff"),
        ("wrote /tmp/a1/labels.csv", "wrote /tmp/b2/labels.csv"),
        ("at 2026-01-02T03:04:05Z", "at 2027-11-12T13:14:15Z"),
        ("0.01", "0.02"),  # one in the last digit
        ("first\n…\nlast", "first\nsecond\nthird\nlast"),
        ("…\nlast", "last"),
        ("first\n…", "first"),
    ],
)
def test_the_same(kept: str, fresh: str) -> None:
    assert differences(kept, fresh) == []


@pytest.mark.parametrize(
    ("kept", "fresh"),
    [
        ("costs 52.0% of it", "costs 55.0% of it"),
        ("41 rows", "42 rows"),
        ("right", "wrong"),
        ("one\ntwo", "one"),
        ("one", "one\ntwo"),
        ("1", "-1"),
        ("first\n…\nlast", "first\nsecond\nlast\nmore"),
        ("first\n…\nlast", "zeroth\nfirst\nlast"),
        ("first\n…\nmiddle\n…\nlast", "first\nlast"),
    ],
)
def test_not_the_same(kept: str, fresh: str) -> None:
    assert differences(kept, fresh)
