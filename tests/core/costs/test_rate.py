from dataclasses import replace
from decimal import Decimal, getcontext, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core.costs.rate import Rate
from cascade_core.usage import Usage

MINI = Rate(
    input=Decimal("0.15e-6"),
    output=Decimal("0.60e-6"),
    cached_input=Decimal("0.075e-6"),
    cache_write=Decimal("0.20e-6"),
    reasoning=Decimal("0.90e-6"),
)
PLAIN = Rate(Decimal("2e-6"), Decimal("8e-6"))


def test_input_and_output_tokens_have_their_own_prices():
    assert MINI.cost(Usage(1000, 200)) == Decimal("0.00027")


def test_the_parts_of_prompt_and_completion_are_priced_apart_and_not_twice():
    usage = Usage(1000, 200, cached_tokens=600, cache_write_tokens=100, reasoning_tokens=150)
    expected = 300 * MINI.input + 600 * MINI.cached_input + 100 * MINI.cache_write
    expected += 50 * MINI.output + 150 * MINI.reasoning
    assert MINI.cost(usage) == expected == Decimal("0.000275")


def test_what_is_written_for_an_hour_has_a_price_of_its_own():
    rate = replace(MINI, cache_write_1h=Decimal("0.30e-6"))
    usage = Usage(100, 0, cache_write_tokens=50, cache_write_1h_tokens=20)
    assert rate.cost(usage) == 50 * rate.input + 30 * rate.cache_write + 20 * Decimal("0.30e-6")
    assert MINI.cost(usage) == MINI.cost(Usage(100, 0, cache_write_tokens=50))
    more = Usage(100, 0, cache_write_tokens=50, cache_write_1h_tokens=70)
    assert rate.cost(more) == 50 * rate.input + 50 * rate.cache_write_1h


def test_special_tokens_without_a_price_cost_as_much_as_plain_ones():
    assert (PLAIN.cached_input, PLAIN.cache_write, PLAIN.reasoning) == (
        PLAIN.input,
        PLAIN.input,
        PLAIN.output,
    )
    assert PLAIN.cost(Usage(1000, 200, 600, 100, 150)) == PLAIN.cost(Usage(1000, 200))


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (Usage(100, 0, cached_tokens=900), 100 * MINI.cached_input),
        (Usage(100, 0, cache_write_tokens=900), 100 * MINI.cache_write),
        (
            Usage(100, 0, cached_tokens=60, cache_write_tokens=60),
            60 * MINI.cached_input + 40 * MINI.cache_write,
        ),
        (Usage(0, 10, reasoning_tokens=30), 10 * MINI.reasoning),
    ],
)
def test_a_part_reported_larger_than_its_whole_is_billed_as_the_whole(usage, expected):
    assert MINI.cost(usage) == expected


def test_no_tokens_cost_nothing_but_the_price_of_the_request():
    assert MINI.cost(Usage(0, 0)) == 0
    assert replace(MINI, per_request=Decimal("0.012")).cost(Usage(0, 0)) == Decimal("0.012")


def test_a_long_prompt_is_priced_as_a_whole_at_the_highest_tier_it_exceeds():
    long = Rate(Decimal("4e-6"), Decimal("16e-6"))
    longest = Rate(Decimal("6e-6"), Decimal("24e-6"))
    rate = replace(PLAIN, tiers=((200_000, long), (500_000, longest)))
    assert rate.cost(Usage(200_000, 10)) == PLAIN.cost(Usage(200_000, 10))
    assert rate.cost(Usage(200_001, 10)) == long.cost(Usage(200_001, 10))
    assert rate.cost(Usage(500_000, 10)) == long.cost(Usage(500_000, 10))
    assert rate.cost(Usage(500_001, 10)) == longest.cost(Usage(500_001, 10))


def test_costs_are_exact_whatever_precision_the_caller_computes_with():
    with localcontext() as context:
        context.prec = 3
        assert getcontext().prec == 3
        cost = MINI.cost(Usage(1_234_567, 7_654_321))
    assert cost == Decimal("4.77777765")


counts = st.integers(0, 10_000_000)
usages = st.builds(Usage, counts, counts, counts, counts, counts)
consistent = st.builds(
    lambda plain, cached, written, said, thought: Usage(
        plain + cached + written, said + thought, cached, written, thought
    ),
    *[counts] * 5,
)
per_token = st.decimals(0, 1, places=12)
rates = st.builds(Rate, *[per_token] * 5)


@given(rates, usages)
def test_a_cost_is_never_negative(rate, usage):
    assert rate.cost(usage) >= 0


@given(rates, consistent, consistent)
def test_two_calls_cost_what_one_call_of_all_their_tokens_costs(rate, one, two):
    both = Usage(
        one.input_tokens + two.input_tokens,
        one.output_tokens + two.output_tokens,
        one.cached_tokens + two.cached_tokens,
        one.cache_write_tokens + two.cache_write_tokens,
        one.reasoning_tokens + two.reasoning_tokens,
    )
    assert rate.cost(one) + rate.cost(two) == rate.cost(both)


@given(rates, usages, counts, counts)
def test_more_tokens_never_cost_less(rate, usage, more_in, more_out):
    # More plain tokens only: a longer cached part may well be cheaper.
    more = replace(
        usage,
        input_tokens=usage.input_tokens + more_in,
        output_tokens=usage.output_tokens + more_out,
    )
    assert rate.cost(more) >= rate.cost(usage)
