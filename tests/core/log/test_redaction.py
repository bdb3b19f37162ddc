"""What records keep of a caller's own words is plain JSON, and in bounds."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from pathlib import PurePosixPath
from uuid import UUID

import numpy as np
import pytest

from cascade_core.errors import ConfigurationError
from cascade_core.log.redaction import (
    MOST,
    MOST_CHARACTERS,
    check_keys,
    check_redact,
    kept_metadata,
    kept_tags,
    redacted,
)


class Plan(Enum):
    FREE = "free"


class Level(IntEnum):
    HIGH = 3


class Odd:
    def __str__(self):
        raise AssertionError("nobody asks what it says")

    __repr__ = __str__


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (2**80, str(2**80)),
        (0.5, 0.5),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (Fraction(1, 2), 0.5),
        (np.int64(7), 7),
        (np.float32(0.5), 0.5),
        ("acme", "acme"),
        (Plan.FREE, "free"),
        (Level.HIGH, 3),
        (UUID(int=7), str(UUID(int=7))),
        (Decimal("1.50"), "1.50"),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02 00:00:00+00:00"),
        (PurePosixPath("a/b"), "a/b"),
        ({"a": [1, (2,)], 3: {4}}, {"a": [1, [2]], "3": [4]}),
        (Odd(), "<Odd>"),
        (b"secret", "<bytes>"),
        ([[[[[1]]]]], [[[["<list>"]]]]),
    ],
)
def test_values_become_plain_json(given, kept):
    found = kept_metadata({"key": given, "other": 1}, ["key", "absent"])
    assert found == {"key": kept}
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_long_texts_and_wide_values_are_cut():
    (tag, *_) = tags = kept_tags(["x" * 9999] * 999)
    assert (len(tags), len(tag), tag[-1]) == (MOST, MOST_CHARACTERS, "…")
    wide = {str(n): list(range(999)) for n in range(999)}
    found = kept_metadata({"key": wide}, ["key"])
    assert len(json.dumps(found)) < 10 * MOST


def test_a_value_that_holds_itself_ends():
    given = {}
    given["again"] = given
    assert "<dict>" in json.dumps(kept_metadata({"key": given}, ["key"]))


@pytest.mark.parametrize("given", ["tenant", None, 7, [1], {"tenant": True}, ["x"] * (MOST + 1)])
def test_keys_that_are_no_list_of_names_are_refused(given):
    with pytest.raises(ConfigurationError, match="log_metadata= takes"):
        check_keys(given)


def test_a_redact_that_cannot_be_one_is_refused():
    async def later(text):
        return text

    for given in ("email", later):
        with pytest.raises(ConfigurationError, match="redact= takes a"):
            check_redact(given)


@pytest.mark.parametrize(
    "redact", [lambda _: None, lambda text: text.encode(), lambda text: text.missing]
)
def test_texts_that_could_not_be_redacted_are_none(redact):
    assert redacted(redact, ["a", "b"]) is None
    assert redacted(None, ["a"]) == ["a"]
    assert redacted(str.upper, ["a", "b"]) == ["A", "B"]


def test_a_function_that_comes_back_to_itself_ends():
    def redact(text):
        calls.append(text)
        assert redacted(redact, [text, text]) is None
        return "gone"

    calls = []
    assert redacted(redact, ["a", "b"]) == ["gone", "gone"]
    assert calls == ["a", "b"]
