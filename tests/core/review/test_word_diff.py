"""Two answers beside each other: every word is in one of them or in both, however long they are."""

from __future__ import annotations

import random

import pytest

from cascade_core.review.word_diff import MOST_COMPARED, WordDiff, word_diff


def sides(diff: WordDiff) -> tuple[str, str]:
    left = "".join(text for side, text in diff.pieces if side != "right")
    return left, "".join(text for side, text in diff.pieces if side != "left")


def test_what_differs_is_marked_word_by_word() -> None:
    diff = word_diff("You are billed on day 22.", "You are billed on day 4.")
    assert diff.pieces == [
        ("both", "You are billed on day "),
        ("left", "22"),
        ("right", "4"),
        ("both", "."),
    ]
    assert (diff.left_out, diff.same) == ((0, 0), False)


@pytest.mark.parametrize(
    ("left", "right"),
    [("", ""), ("a", ""), ("", "b"), ("a a a", "a a"), ("a b", "b a"), ("\x00é \n", "\n\ud83d")],
)
def test_both_texts_can_be_read_from_it(left: str, right: str) -> None:
    diff = word_diff(left, right)
    assert sides(diff) == (left, right)
    assert diff.same == (left == right)


def test_any_two_texts_can() -> None:
    chance = random.Random(1)
    for _ in range(200):
        left, right = ("".join(chance.choices("ab \n.", k=chance.randrange(40))) for _ in range(2))
        assert sides(word_diff(left, right)) == (left, right)


@pytest.mark.parametrize("unit", ["a b ", "x", "a ", "word other, ", "\n", "a.b-"])
def test_a_megabyte_is_cut_and_said(unit: str) -> None:
    left = (unit * 1_000_000)[:1_000_000]
    right = "b " + left
    diff = word_diff(left, right)
    assert diff.left_out == (1_000_000 - MOST_COMPARED, 1_000_002 - MOST_COMPARED)
    assert sides(diff) == (left[:MOST_COMPARED], right[:MOST_COMPARED])


def test_long_texts_that_differ_at_one_place_are_compared_there() -> None:
    words = [f"word{i}" for i in range(2_500)]
    left = " ".join(words)[:MOST_COMPARED]
    right = left.replace("word1200", "other")
    changed = [piece for piece in word_diff(left, right).pieces if piece[0] != "both"]
    assert changed == [("left", "word1200"), ("right", "other")]
