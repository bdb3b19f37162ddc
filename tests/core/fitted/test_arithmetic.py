from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.fitted.arithmetic import calculations, near

SUMS = st.text(alphabet="0123456789+-*/x()=., %$ab\n<>", max_size=200)


@pytest.mark.parametrize(
    "text",
    [
        "12 * 3 = 36",
        "3x5=15",
        "3 × 5 = 15",
        "$1,200 + $50.50 = $1,250.50",
        "60 meters/sprint * 3 sprints = 180 meters",
        "5 apples x $3 each = $15",
        "20 - (4/5 x 15) = 8",
        "20% of 50 = 10",
        "100% - 20% = 80%",
        "2/3 = 66.67%",
        "20/3 = 6.67",
        "20/3 = 6.66",
        "20/3 ≈ 7",
        "- 82 - 13 = 69",
        "1. 82 - 13 = 69",
        r"So \( 3 \times 4 = 12 \).",
        "Twice 5 is 10, so 10 - 2*3 = 4 are left.",
    ],
)
def test_a_calculation_that_holds_is_seen_to(text):
    assert [check.holds for check in calculations(text)] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "12 * 3 = 35",
        "82 - 13 = 70",
        "4500 / (1 + 1 + 1.01) = 1500 beans",
        "2 + 2 = 2 * 3",
        "7/2=4.5",
    ],
)
def test_a_calculation_that_does_not_hold_is_seen_not_to(text):
    assert [check.holds for check in calculations(text)] == [False]


@pytest.mark.parametrize(
    "text",
    [
        "D + 75 = 3D",
        "9X = 90",
        "10 = 100 - 9X",
        "5(3) = 15",
        "1/0 = 5",
        "1 hour = 60 minutes",
        "x=1",
    ],
)
def test_what_cannot_be_read_beyond_doubt_is_left_alone(text):
    assert [check.holds for check in calculations(text)] == [None]


@pytest.mark.parametrize("text", ["", "no sums", "if a == 3: b >= 4", "a <= 5, c != 2, x => y"])
def test_comparisons_are_no_calculations(text):
    assert calculations(text) == []


def test_a_chain_is_checked_link_by_link_and_may_go_on_from_a_result():
    assert [c.holds for c in calculations("8*12 + 4 = 96 + 4 = 100")] == [True, True]
    assert [c.holds for c in calculations("3 * 4 = 12 + 5 = 17")] == [True, True]
    assert [c.holds for c in calculations("3 * 4 = 6 * 2 = 13")] == [True, False]
    assert [c.result for c in calculations("3 x 60 = <<3*60=180>>180 meters")] == [180, 180]


@given(st.integers(0, 10**6), st.integers(1, 999), st.sampled_from("+-*"))
def test_whole_numbers_are_checked_exactly(a, b, sign):
    result = {"+": a + b, "-": a - b, "*": a * b}[sign]
    assert calculations(f"{a} {sign} {b} = {result}")[0].holds is True
    assert calculations(f"{a:,} {sign} {b} = {result + 1:,}")[0].holds is (False)


@given(SUMS)
def test_no_text_raises(text):
    for check in calculations(text):
        assert check.result is None or abs(check.result) < float("inf")


@pytest.mark.parametrize(
    "piece",
    [
        "(",
        "1+(",
        "1+",
        "-",
        "1/0+",
        "((1)+",
        "1,111",
        "1 = ",
        "=",
        "(a",
        "1 a ",
        "1%",
        "x1",
        ".1",
        "9",
    ],
)
def test_no_text_is_slow(piece):
    text = (piece * 20_000)[:20_000] + "= 5 a"
    began = process_time()
    calculations(text)
    assert process_time() - began < 1


def test_a_rounded_number_is_near_and_a_wrong_one_is_not():
    assert near(2 / 3, 0.67, 2)
    assert near(6.5, 7)
    assert not near(6.0, 6.4)
    assert not near(69, 70)
