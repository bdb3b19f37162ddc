from decimal import Decimal, localcontext

import pytest

from cascade_core.call import Call
from cascade_core.costs.prices import Prices
from cascade_core.loop.strong import StrongCost, always_strong
from cascade_core.loop.trail import total
from cascade_core.request import Request, Turn
from cascade_core.tier import Tier
from cascade_core.usage import Usage

PRICES = Prices(
    {
        "cheap": {"input": 1, "output": 2, "cached_input": 0.5},
        "strong": {
            "input": 10,
            "output": 20,
            "cached_input": 5,
            "cache_write": 15,
            "reasoning": 30,
        },
    }
)
STRONG = Tier(1, "strong")
USAGE = Usage(1000, 100)
ASKED = Request.of("Where is my order?")
GOES_ON = Request([Turn("user", "Hello"), Turn("assistant", "Hi"), Turn("user", "Where is it?")])


def call(tier=0, *, model="cheap", usage=USAGE, purpose="draft", outcome="rejected", cost=...):
    cost = PRICES.cost(model, usage) if cost is ... else cost
    return Call(tier, model, purpose, usage, cost, 0.1, outcome)


def strong_cost(calls, strongest=STRONG):
    return always_strong(calls, strongest, PRICES, ASKED)[:2]


def failure(tier=0, model="cheap"):
    return call(tier, model=model, usage=None, outcome="failed")


def test_every_call_is_in_the_total_abandoned_drafts_and_judges_too():
    calls = [
        call(outcome="aborted"),
        call(purpose="judge", outcome="used"),
        call(1, model="strong", outcome="returned"),
    ]
    assert total(calls) == Decimal("0.0012") * 2 + Decimal("0.012")


def test_no_calls_cost_nothing():
    assert total([]) == 0


@pytest.mark.parametrize("outcome", ["accepted", "rejected", "returned", "aborted", "used"])
@pytest.mark.parametrize("usage", [USAGE, None])
def test_one_unpriced_call_makes_the_total_unpriced(outcome, usage):
    assert total([call(), call(model="?", usage=usage, outcome=outcome)]) is None


def test_a_call_that_failed_before_any_token_was_not_billed():
    assert total([failure(), call(1, model="strong")]) == Decimal("0.012")


def test_a_call_that_broke_off_after_some_tokens_was_billed():
    assert total([call(outcome="failed")]) == Decimal("0.0012")
    assert total([call(model="?", outcome="failed")]) is None


def test_a_total_is_exact_whatever_precision_the_caller_computes_with():
    with localcontext() as context:
        context.prec = 2
        assert total([call(), call(1, model="strong")]) == Decimal("0.0132")


def test_where_the_last_tier_answered_its_cost_is_exact():
    calls = [call(), call(1, model="strong", usage=Usage(900, 70), outcome="returned")]
    assert strong_cost(calls, STRONG) == (Decimal("0.0104"), True)


def test_what_the_last_tier_was_billed_before_it_answered_is_counted():
    broken = call(1, model="strong", usage=Usage(100, 0), outcome="failed")
    answered = call(1, model="strong", outcome="returned")
    judged = call(model="?", purpose="judge", outcome="used")
    calls = [call(), judged, failure(1, "strong"), broken, answered]
    assert strong_cost(calls, STRONG) == (Decimal("0.013"), True)
    calls = [call(), answered, broken]  # a cascade as the last tier
    assert strong_cost(calls, STRONG) == (Decimal("0.013"), True)


def test_an_unpriced_answer_of_the_last_tier_leaves_the_comparison_unpriced():
    calls = [call(), call(1, model="?", outcome="returned")]
    assert strong_cost(calls, STRONG) == (None, True)


def test_elsewhere_the_last_tier_is_estimated_from_the_last_drafts_tokens():
    calls = [call(usage=Usage(5, 5)), call(outcome="accepted")]
    assert strong_cost(calls, STRONG) == (Decimal("0.012"), False)


def test_the_estimate_has_not_the_drafts_reasoning():
    usage = Usage(1000, 100, reasoning_tokens=50)
    assert strong_cost([call(usage=usage)], STRONG) == (Decimal("0.012"), False)


@pytest.mark.parametrize(
    ("cached", "written", "cost"),
    [(800, 0, "0.008"), (0, 100, "0.0125"), (800, 100, "0.0085")],
)
def test_what_a_drafts_provider_read_from_its_cache_the_last_tiers_would_have_read_too(
    cached, written, cost
):
    usage = Usage(1000, 100, cached_tokens=cached, cache_write_tokens=written)
    found = always_strong([call(usage=usage)], STRONG, PRICES, GOES_ON)
    assert found == StrongCost(Decimal(cost), False, "tokens_cached")


LONG = Usage(5000, 100)


@pytest.mark.parametrize(
    ("usage", "request_", "basis"),
    [
        (LONG, GOES_ON, "at_most"),
        (LONG, ASKED, "tokens"),
        (USAGE, GOES_ON, "tokens"),
    ],
    ids=["a conversation", "no conversation", "too short for any cache"],
)
def test_a_conversation_that_no_cache_held_is_priced_at_the_most(usage, request_, basis):
    found = always_strong([call(usage=usage)], STRONG, PRICES, request_)
    assert found == StrongCost(PRICES.cost("strong", usage), False, basis)


@pytest.mark.parametrize(
    ("usage", "request_", "basis"),
    [
        (LONG, GOES_ON, "asked_cold"),
        (Usage(5000, 100, cached_tokens=4000), GOES_ON, "asked"),
        (LONG, ASKED, "asked"),
    ],
    ids=["not in its cache", "in its cache", "no conversation"],
)
def test_a_last_tier_that_is_asked_in_the_middle_of_a_conversation_finds_its_cache_cold(
    usage, request_, basis
):
    own = call(1, model="strong", usage=usage, outcome="returned")
    found = always_strong([call(usage=usage), own], STRONG, PRICES, request_)
    assert found == StrongCost(own.cost, True, basis)


def test_where_cached_tokens_have_no_price_of_their_own_a_cache_makes_no_difference():
    plain = Prices({"strong": {"input": 10, "output": 20}})
    found = always_strong([call(usage=LONG)], STRONG, plain, GOES_ON)
    assert found.basis == "tokens"


def test_samples_and_judges_are_not_what_the_last_tier_would_have_been_asked():
    calls = [
        call(outcome="accepted"),
        call(usage=Usage(9999, 9999), purpose="sample", outcome="used"),
        call(1, model="strong", purpose="judge", outcome="used"),
    ]
    assert strong_cost(calls, STRONG) == (Decimal("0.012"), False)


def test_a_last_tier_that_failed_is_estimated_from_the_draft_returned_instead():
    calls = [call(outcome="returned"), failure(1, "strong")]
    assert strong_cost(calls, STRONG) == (Decimal("0.012"), False)


@pytest.mark.parametrize("strongest", [Tier(1, None), Tier(1, "?")])
def test_an_unpriced_strongest_model_cannot_be_estimated(strongest):
    assert strong_cost([call(outcome="accepted")], strongest) == (None, False)


@pytest.mark.parametrize("calls", [[], [failure()]])
def test_without_a_drafts_tokens_nothing_can_be_estimated(calls):
    assert strong_cost(calls, STRONG) == (None, False)
