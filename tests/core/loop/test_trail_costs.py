from decimal import Decimal, localcontext

import pytest

from cascade_core.call import Call
from cascade_core.costs.prices import Prices
from cascade_core.loop.trail import always_strong, total
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


def call(tier=0, *, model="cheap", usage=USAGE, purpose="draft", outcome="rejected", cost=...):
    cost = PRICES.cost(model, usage) if cost is ... else cost
    return Call(tier, model, purpose, usage, cost, 0.1, outcome)


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
    assert always_strong(calls, STRONG, PRICES) == (Decimal("0.0104"), True)


def test_what_the_last_tier_was_billed_before_it_answered_is_counted():
    broken = call(1, model="strong", usage=Usage(100, 0), outcome="failed")
    answered = call(1, model="strong", outcome="returned")
    judged = call(model="?", purpose="judge", outcome="used")
    calls = [call(), judged, failure(1, "strong"), broken, answered]
    assert always_strong(calls, STRONG, PRICES) == (Decimal("0.013"), True)
    calls = [call(), answered, broken]  # a cascade as the last tier
    assert always_strong(calls, STRONG, PRICES) == (Decimal("0.013"), True)


def test_an_unpriced_answer_of_the_last_tier_leaves_the_comparison_unpriced():
    calls = [call(), call(1, model="?", outcome="returned")]
    assert always_strong(calls, STRONG, PRICES) == (None, True)


def test_elsewhere_the_last_tier_is_estimated_from_the_last_drafts_tokens():
    calls = [call(usage=Usage(5, 5)), call(outcome="accepted")]
    assert always_strong(calls, STRONG, PRICES) == (Decimal("0.012"), False)


@pytest.mark.parametrize(
    "special",
    [
        {"cached_tokens": 800, "cache_write_tokens": 100, "reasoning_tokens": 50},
        {"cached_tokens": 800},
        {"cache_write_tokens": 100},
        {"reasoning_tokens": 50},
    ],
)
def test_the_estimate_has_neither_the_drafts_cached_tokens_nor_its_reasoning(special):
    usage = Usage(1000, 100, **special)
    assert always_strong([call(usage=usage)], STRONG, PRICES) == (Decimal("0.012"), False)


def test_samples_and_judges_are_not_what_the_last_tier_would_have_been_asked():
    calls = [
        call(outcome="accepted"),
        call(usage=Usage(9999, 9999), purpose="sample", outcome="used"),
        call(1, model="strong", purpose="judge", outcome="used"),
    ]
    assert always_strong(calls, STRONG, PRICES) == (Decimal("0.012"), False)


def test_a_last_tier_that_failed_is_estimated_from_the_draft_returned_instead():
    calls = [call(outcome="returned"), failure(1, "strong")]
    assert always_strong(calls, STRONG, PRICES) == (Decimal("0.012"), False)


@pytest.mark.parametrize("strongest", [Tier(1, None), Tier(1, "?")])
def test_an_unpriced_strongest_model_cannot_be_estimated(strongest):
    assert always_strong([call(outcome="accepted")], strongest, PRICES) == (None, False)


@pytest.mark.parametrize("calls", [[], [failure()]])
def test_without_a_drafts_tokens_nothing_can_be_estimated(calls):
    assert always_strong(calls, STRONG, PRICES) == (None, False)
