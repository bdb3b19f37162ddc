from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.request import ToolCall
from cascade_core.signals.agreement import comparer, numbers, written
from cascade_core.signals.argument_values import canonical
from cascade_core.spoken import is_blank, spoken
from tests.core.signals.growth import in_proportion


def agree(kind, a, b):
    one, other = (comparer(kind)(Draft(x), Draft(y)) for x, y in ((a, b), (b, a)))
    assert one is other, "agreement is symmetric"
    return one


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("It is 1,234.50", "1234.5 in all"),
        ("1.234,50 €", "$1,234.50"),
        ("12 345 678".replace(" ", "\u202f"), "12345678"),
        ("1,00,000", "100000"),
        ("₹12,34,567.50", "1234567.5"),
        ("12,34,56,789", "123456789"),
        ("it is 1 234 567 in all", "1234567"),
        ("12 345,67 €", "12345.67"),
        ("-1 000", "-1000"),
        ("10 000 people", "10,000"),
        ("10\u2009000", "10000"),
        ("10\u2007000", "10000"),
        (r"10\,000", "10000"),
        ("2 lakh", "2,00,000"),
        ("I get 18", "18.00"),
        ("−5", "-5"),
        ("-$5", "$-5"),
        ("85%", "85"),
        ("1.5 million", "1,500,000"),
        ("$5k", "5000"),
        ("1e3", "1000"),
        ("33.33", "33.3333"),
        (r"\boxed{\frac{3}{4}}", "3/4"),
        (r"\boxed{10{,}000}", "10000"),
        ("first 3, then 18", "18"),
        ("<think>is it 17?</think>18", "18"),
        ("area: 5 m²", "5 m2"),
    ],
)
def test_numeric_agrees_on_the_last_number_however_it_is_written(a, b):
    assert agree("numeric", a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("3", "3.4"),
        ("18", "18.25"),
        ("1234.56", "1234.57"),
        ("0.33", "0.337"),
        ("5", "-5"),
        ("1.5 million", "1.5 billion"),
        ("10²", "10³"),
        ("3/4", "1/4"),
        ("at 10:30", "at 11:30"),
        ("on 2024-05-12", "on 2024-06-12"),
        ("12.05.2024", "13.05.2024"),
        ("3,50 €", "4,50 €"),
        ("10-20 days", "15-20 days"),
        ("$5-$10", "$7-$10"),
        ("0.00", "0.004"),
        ("no number", "no number"),
        ("1,00,000", "10,000"),
        ("1,00,000", "000"),
        ("1 234", "234"),
        ("1 234", "1 235"),
        ("1,23", "123"),
        ("123,45,678", "12345678"),
        ("100 20", "10020"),
        ("2024 300", "2024300"),
        ("1.5 200", "1.5200"),
        ("007 300", "7300"),
        ("GPT-4", "GPT-4"),
        ("9" * 50, "9" * 49 + "8"),
    ],
)
def test_numeric_never_takes_a_part_of_a_number_for_the_whole(a, b):
    assert not agree("numeric", a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("The Eiffel Tower.", "eiffel tower"),
        ("\uff30\uff41\uff52\uff49\uff53", "paris"),
        ("It’s “Paris”", 'It\'s "paris"'),
        ("STRASSE", "straße"),
        ("5km", "5 km"),
        ("18.00 dollars", "18 dollars"),
        ("A", "a."),
        ("**Yes**", "yes"),
    ],
)
def test_text_agrees_after_folding(a, b):
    assert agree("text", a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("A", "B"),
        ("(A) Paris", "(B) Paris"),
        ("A", "The"),
        ("1.5", "15"),
        ("-5", "5"),
        ("5%", "5"),
        ("x < 3", "x > 3"),
        ("C#", "C"),
        ("C++", "C"),
        ("👍", "👎"),
        ("?", "!"),
    ],
)
def test_text_keeps_what_makes_a_difference(a, b):
    assert not agree("text", a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("The answer is 18.", "#### 18"),
        ("16 - 3 - 4 = 9 eggs. She makes 9 * 2 = $18 every day.", "So the answer is $18.00"),
        ("3 + 4 = 7. So she has 7 apples left.", "4 + 3 = 7"),
        ("It costs $18.", "18"),
        ("18 dollars", "$18"),
        (r"Hence \boxed{18}", "Answer: **18**"),
        ("Total = 16 + 2 = 18", "18"),
        ("The answer is Paris", "I thought about it.\n\nAnswer: paris."),
        ("The answer is 42.\n\nLet me know if you need more.", "42"),
        ('{"a": 1, "b": 2}', '```json\n{"b": 2.0, "a": 1}\n```'),
        ("You can return it.", "you can return it"),
    ],
)
def test_auto_agrees_on_stated_results_documents_and_equal_texts(a, b):
    assert agree("auto", a, b)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("You can return it within 30 days.", "You cannot return it within 30 days."),
        ("Sales rose by 5%.", "Sales fell by 5%."),
        ("Paris, 2024", "London, 2024"),
        ("Set retries = 5.", "Set timeout = 5."),
        ("Answer: Yes\nBut only within 14 days.", "Answer: Yes\nBut only within 30 days."),
        ("The answer is 5 or 6", "The answer is 5 or 7"),
        ("The answer is not 5", "The answer is 5"),
        ("We do not charge $5.", "$5"),
        ("It takes 2 hours", "2 days"),
        ("5 km", "5 m"),
        ("It was founded by Bob. That was in 1999.", "It was founded by Eve. That was in 1999."),
        ("The answer is Paris", "The answer is London"),
        ('{"a": 1}', '{"a": 2}'),
        ('{"a": true}', '{"a": 1}'),
        ("#### 18", "#### 19"),
    ],
)
def test_auto_takes_doubt_for_disagreement(a, b):
    assert not agree("auto", a, b)


def test_exact_forgives_only_white_space_around_the_text():
    assert agree("exact", " Paris\n", "Paris")
    assert not agree("exact", "Paris", "paris")


@pytest.mark.parametrize("kind", ["auto", "exact", "numeric", "text"])
def test_an_empty_text_agrees_with_nothing(kind):
    assert not agree(kind, "", " ")


def call(name="refund", **arguments):
    return ToolCall(name, arguments, id=str(id(arguments)))


@pytest.mark.parametrize("kind", ["auto", "exact", "numeric", "text"])
def test_tool_calls_are_compared_by_name_and_arguments_whatever_the_kind(kind):
    same = comparer(kind)
    a = Draft("Let me see 5.", [call(order=7, cents=1.0), call("log")])
    assert same(a, Draft("One moment.", [call("log"), call(cents=1, order=7)]))
    assert not same(a, Draft("Let me see 5.", [call(order=8, cents=1), call("log")]))
    assert not same(a, Draft("Let me see 5.", [call(order="7", cents=1), call("log")]))
    assert not same(a, Draft("Let me see 5.", [call(order=7, cents=1)]))
    assert not same(a, Draft("Let me see 5."))
    assert not same(Draft("Let me see 5."), a)


def test_a_tool_call_that_did_not_parse_agrees_with_nothing():
    broken = Draft(tool_calls=[ToolCall("refund", None)])
    assert not comparer("auto")(broken, broken)
    assert not comparer("auto")(Draft(broken_tool_calls=1), Draft(broken_tool_calls=1))


def test_true_is_not_one_in_arguments():
    assert canonical({"a": True}) != canonical({"a": 1})


def test_a_callers_function_sees_the_text_and_the_tool_calls():
    seen = []
    same = comparer(lambda a, b: seen.append((a, b)) or a == b)
    assert same(Draft("x", [call(order=7)]), Draft("x", [call(order=7)]))
    assert (
        seen[0][0]
        == 'x\n{"arguments": {"order": 7}, "tool": "refund"}'
        == written("x", [call(order=7)])
    )


def test_a_callers_function_must_decide():
    with pytest.raises(TypeError, match="True or False, not float"):
        comparer(lambda _a, _b: 0.3)(Draft("a"), Draft("b"))


def test_unknown_kinds_are_refused_with_the_known_ones():
    with pytest.raises(ConfigurationError, match=r"'fuzzy'.*'auto', 'exact', 'numeric', 'text'"):
        comparer("fuzzy")


def test_an_async_function_is_refused():
    async def same(_a, _b):
        return True

    with pytest.raises(ConfigurationError, match="async"):
        comparer(same)


def test_numbers_carry_value_and_unit():
    found = numbers("-$5, 3 apples, 85% on 2024-05-12")
    assert [(n.value, n.unit) for n in found[:3]] == [
        (Decimal(-5), "dollar"),
        (Decimal(3), "apple"),
        (Decimal(85), "percent"),
    ]
    assert isinstance(found[3].value, str)


numberish = st.text("0123456789.,-–−$€% ²/:^eEkM\u202f'’=+*x()\\{}#\nAat", max_size=40)


@pytest.mark.parametrize("kind", ["auto", "exact", "numeric", "text"])
@given(a=st.one_of(st.text(), numberish), b=st.one_of(st.text(), numberish))
def test_no_text_makes_a_comparison_fail(kind, a, b):
    agree(kind, a, b)


@pytest.mark.parametrize("kind", ["auto", "exact", "text"])
@given(a=st.one_of(st.text(), numberish).filter(lambda text: not is_blank(spoken(text))))
def test_every_text_agrees_with_itself(kind, a):
    assert agree(kind, a, a)


@given(value=st.integers(-(10**15), 10**15))
def test_separators_do_not_change_an_integer(value):
    assert agree("numeric", f"{value:,}", str(value))
    assert agree("numeric", f"{value:,}".replace(",", "\u00a0"), f"{value}.00")
    assert not agree("numeric", f"{value:,}", str(value + 1))


@pytest.mark.simulation
@pytest.mark.parametrize("end", ["", "="])
@pytest.mark.parametrize(
    "piece", ["1", "1,", "x=", "-", "a ", "= ", "<think>", "{", "* 1", "(((", "["]
)
def test_comparing_long_texts_takes_time_in_proportion_to_them(piece, end):
    assert in_proportion(lambda text: agree("auto", text, text + "1"), "", piece, end)
