import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.fitted.arithmetic import calculations, near
from tests.core.signals.growth import in_proportion

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
        r"3\times4 = 12",
        r"3 \cdot 4 = 12",
        "3 plus 4 = 7",
        "9 Minus 4 = 5",
        "3 times 4 = 12",
        "Plus 5 + 2 = 7",
        "(3 + 4) apples * 2 = 14",
        "-(2 + 3) + 10 = 5",
        "5 big red ripe apples * 2 = 10",
        "20% + 5% = 25%",
        "20% + 5% = 25",
        "1/4 * 100 = 25%",
        "20/3 = 6.5 + 0",  # of what is still worked on, anything may have been rounded
        "8 (two boxes of four) + 2 = 10",
        "(" * 15 + "1 + 1" + ")" * 15 + " = 2",
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
        "20/3 = 6.5",
        "2/3 = 66.5%",
        "20% + 5% = 26",
        "96 = 96 + 4",
        r"3\times4 = 13",
        r"3 \cdot 4 = 13",
        "3 plus 4 = 8",
        "9 Minus 4 = 6",
        "3 times 4 = 13",
        "(3 + 4) apples * 2 = 15",
        "-(2 + 3) + 10 = 15",
        "5 big red ripe apples * 2 = 11",
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
        "D + 75 + 5 = 80",
        "D * 4 + 8 = 12",
        "2 * 5 = 4 + 6 - X",
        "2 * 5 = about 10 + 0",
        "5(3 + 1) = 4",
        "5.0(3 + 1) = 4",
        "(2)(3 + 1) = 4",
        "a -3 + 5 = 2",
        "50 + 10% = 55",
        "3 + 1 = 1/0",
        "1/0 + 1 = 2",
        "3 + 1 =",
        "= 4",
        "10 = 10",
        "60 / sprint * 3 = 180",
        "5 very big red ripe apples * 2 = 10",
        "(" * 17 + "1 + 1" + ")" * 17 + " = 2",
        "3 + * 4 = 12",
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
    assert [c.holds for c in calculations("8 + 4 = 12 + 5 = 17")] == [True, True]
    assert [c.holds for c in calculations("3 + 4 = (3 + 4) + 5 = 12")] == [True, True]
    assert [c.result for c in calculations("3 x 60 = <<3*60=180>>180 meters")] == [180, 180]


@pytest.mark.parametrize(
    ("text", "results"),
    [
        ("D = 12", [12]),
        ("10 = 10", [10]),
        ("2 * 5 = X", [None]),
        ("3 + 1 = 1/0", [None]),
        ("a = 3\nb = 4 = 5", [3, 4, 5]),
        ("5 = 2 + 4 - 1", [5]),
        ("1 = -(2 + 3)", [-5]),
        ("1 = 25%", [0.25]),
        ("1 = 9,999,999,999,999,999", [1e15]),
    ],
)
def test_what_the_right_side_comes_to_is_told_whether_or_not_it_can_be_checked(text, results):
    assert [check.result for check in calculations(text)] == results


@given(st.integers(0, 10**6), st.integers(1, 999), st.sampled_from("+-*"))
def test_whole_numbers_are_checked_exactly(a, b, sign):
    result = {"+": a + b, "-": a - b, "*": a * b}[sign]
    assert calculations(f"{a} {sign} {b} = {result}")[0].holds is True
    assert calculations(f"{a:,} {sign} {b} = {result + 1:,}")[0].holds is (False)


@given(SUMS)
def test_no_text_raises(text):
    for check in calculations(text):
        assert check.result is None or abs(check.result) < float("inf")


@pytest.mark.simulation
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
    assert in_proportion(calculations, "", piece, "= 5 a", lengths=(1_000, 4_000))


def test_a_rounded_number_is_near_and_a_wrong_one_is_not():
    assert near(2 / 3, 0.67, 2)
    assert near(6.5, 7)
    assert not near(6.0, 6.4)
    assert not near(69, 70)
    assert not near(7.0, 7.4), "what is whole is not rounded"
    assert not near(6.5, 7.5)


def test_decimals_that_are_shown_are_right_or_cut():
    assert near(0.669, 0.66, 2)
    assert not near(2 / 3, 0.65, 2)
    assert not near(2 / 3, 0.5, 2)
    assert not near(0.1, 0.0, 1)


def test_what_floats_cannot_tell_apart_is_equal():
    assert near(1e6, 1e6 + 5e-4)
    assert not near(1e6, 1e6 + 2e-3)
    assert not near(1.0, 1.0 + 1.5e-9)
    assert near(0.5, 0.5 + 5e-10, 12)
