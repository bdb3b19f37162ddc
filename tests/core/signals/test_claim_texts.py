import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.signals.claim_texts import split_claims
from tests.core.signals.growth import in_proportion


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("", []),
        ("  \n---\n", []),
        ("Paris", ["Paris"]),
        ("It is 3.5 m. It is old.", ["It is 3.5 m.", "It is old."]),
        ("See Dr. Bell, e.g. Ann, on 42. He knows.", ["See Dr. Bell, e.g. Ann, on 42.", "He knows."]),
        ("Is it? Yes, it is. “Quite.” They say so.",
         ["Is it?", "Yes, it is.", "“Quite.”", "They say so."]),
        ("- 2 eggs in all\n* a bit of salt\n3. Stir it well.",
         ["2 eggs in all", "a bit of salt", "Stir it well."]),
        ("# Eggs\nYou need:\n- 2 eggs in all", ["# Eggs\nYou need:\n2 eggs in all"]),
        ("**Note:**\nIt is hot. Mind!", ["**Note:**\nIt is hot.\nMind!"]),
        ("| a | b |\n|---|---|\n| 1 | 2 |", ["| a | b |", "| 1 | 2 |"]),
        ("So:\n```py\nx = 1.\nY = 2\n```\nIt is so.", ["So:\n```py\nx = 1.\nY = 2\n```", "It is so."]),
        ("```\nopen. End", ["```\nopen. End"]),
        ("塔は高い。古い。パリにある。", ["塔は高い。", "古い。", "パリにある。"]),
        ("It is 3 m.\r\nIt is old.", ["It is 3 m.", "It is old."]),
    ],
)  # fmt: skip
def test_an_answer_is_cut_where_a_reader_would(text, claims):
    assert split_claims(text, 50) == claims


def test_neighbours_are_put_together_where_there_are_too_many():
    text = " ".join(f"Number {n} is here." for n in range(7))
    found = split_claims(text, 3)
    assert [claim.count("Number") for claim in found] == [3, 3, 1]


@given(st.text(), st.integers(1, 9))
def test_nothing_but_white_space_and_marks_of_lists_is_left_out(text, most):
    found = split_claims(text, most)
    assert len(found) <= most
    letters = "".join(filter(str.isalpha, text))
    assert "".join(filter(str.isalpha, "".join(found))) == letters


@pytest.mark.parametrize(
    "piece", ["a. ", "A. ", "...", "**", "- ", "`", "。", "1. ", "| |\n", "\n"]
)
def test_it_takes_time_in_proportion(piece):
    assert in_proportion(lambda text: split_claims(text, 50), "", piece, "x")
