"""The most a call can cost: never less than it does, and never a guess."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_core import Tier as GivenTier
from cascade_core.abilities import Abilities
from cascade_core.costs.prices import Prices
from cascade_core.costs.tokens import MESSAGE_TOKENS, REPLY_TOKENS, count_tokens
from cascade_core.effects import Ask, Open
from cascade_core.errors import ConfigurationError
from cascade_core.guards import bounds
from cascade_core.guards.bounds import Unbounded, Wanted, bound_of
from cascade_core.guards.ledger import Amount
from cascade_core.integrations.limits import NO_LIMIT, unread_in
from cascade_core.request import Request, ToolCall, ToolSpec, Turn
from cascade_core.tier import Tier
from cascade_core.usage import Usage

RATES = {"gpt-4o-mini": {"input": 1, "output": 4}, "other": {"input": 1, "output": 4}}
PRICES = Prices(RATES)
TIER = Tier(0, "gpt-4o-mini", max_tokens=100)
OTHER = Tier(0, "other", max_tokens=100)
TOKENS = Wanted(usd=False)
HI = Request.of("hi")


def tokens(request: Request, tier: Tier = OTHER, *, counted: bool = False) -> int:
    bound = bound_of(Ask(tier, request), tier, PRICES, TOKENS, counted=counted)
    assert isinstance(bound, Amount)
    return bound.tokens


texts = st.text(max_size=300)


@pytest.mark.skipif(
    count_tokens("hi", TIER.model)[1] != "tiktoken", reason="the encoding cannot be read here"
)
@given(st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), texts), max_size=5))
def test_it_is_never_below_what_the_models_own_encoding_counts(said):
    request = Request([Turn(role, text) for role, text in said])
    used = sum(count_tokens(text, TIER.model)[0] + MESSAGE_TOKENS for _, text in said)
    used += REPLY_TOKENS
    loose, exact = tokens(request, TIER), tokens(request, TIER, counted=True)
    assert used <= exact - 100 <= used + MESSAGE_TOKENS
    assert loose >= exact


@pytest.mark.parametrize("text", ["x" * 900, "7" * 900, "ก" * 300])  # a byte each, to some models
def test_where_the_encoding_is_not_known_every_byte_counts_as_a_token(text):
    long, empty = Request.of(text), Request.of("")
    assert tokens(long, counted=True) - tokens(empty, counted=True) == 900
    assert tokens(long) - tokens(empty) >= 900


@pytest.mark.parametrize(
    ("request_limit", "tier_limit", "known", "options", "most"),
    [
        (None, 100, None, {}, 100),
        (30, 100, None, {}, 30),
        (None, None, 70, {}, 70),
        (None, 100, 70, {}, 100),
        (30, 100, None, {"max_tokens": 9}, 9),
        (NO_LIMIT, 100, 70, {}, 70),  # `max_tokens=None` lifts the model's own limit
        (30, 100, 70, {"max_tokens": None}, 70),
    ],
)
def test_the_output_has_the_nearest_limit(request_limit, tier_limit, known, options, most):
    tier = replace(OTHER, max_tokens=tier_limit, abilities=Abilities(max_output_tokens=known))
    request = Request([Turn("user", "hi")], native=object(), max_tokens=request_limit)
    bound = bound_of(Ask(tier, request, options=options), tier, PRICES, TOKENS)
    assert bound.tokens - most == tokens(HI) - 100


def test_money_is_at_the_dearest_way_that_tokens_may_be_billed():
    rates = {"other": {"input": 1, "output": 4, "cache_write": 3, "reasoning": 6}}
    bound = bound_of(Ask(OTHER, HI), OTHER, Prices(rates))
    prompt = bound.tokens - 100
    assert bound.usd == (Decimal(3) * prompt + Decimal(6) * 100) / 10**6
    written = Usage(prompt, 100, cache_write_tokens=prompt, reasoning_tokens=100)
    assert bound.usd == Prices(rates).cost("other", written)
    rates["other"]["cache_write_1h"] = 5
    hour = replace(written, cache_write_1h_tokens=prompt)
    bound = bound_of(Ask(OTHER, HI), OTHER, Prices(rates))
    assert bound.usd == Prices(rates).cost("other", hour)


def test_samples_count_together():
    one = bound_of(Ask(OTHER, HI), OTHER, PRICES)
    five = bound_of(Ask(OTHER, HI, "sample", n=5), OTHER, PRICES)
    assert five == (5 * one.nano_usd, 5 * one.tokens)
    assert bound_of(Open(OTHER, HI, live=True), OTHER, PRICES) == one


def test_several_answers_to_one_request_are_all_paid_for():
    three = replace(OTHER, answers=3)
    assert tokens(HI, three) - tokens(HI) == 200
    asked = Request([Turn("user", "hi")], native=object(), answers=2)
    assert tokens(asked, three) - tokens(HI) == 100


def test_what_is_not_text_has_an_allowance():
    seen = Request([Turn("user", "hi", unseen=("image", "image", "file"))])
    seen._load = replace(HI.load, parts=frozenset({"image", "file"}))
    parts = bounds.PART_TOKENS
    assert tokens(seen) - tokens(HI) == 2 * parts["image"] + parts["file"]
    small = replace(TIER, model="gpt-4o-mini-2024-07-18")
    assert tokens(seen, small) - tokens(HI, small) == 2 * 50_000 + parts["file"]


def test_tools_schemas_and_calls_count():
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    with_tools = Request([Turn("user", "hi")], tools=[ToolSpec("weather", schema)])
    assert tokens(with_tools) - tokens(HI) > bounds.TOOL_TOKENS + bounds.AROUND_TOKENS
    with_schema = Request([Turn("user", "hi")], output_schema=schema)
    assert tokens(with_schema) - tokens(HI) > bounds.AROUND_TOKENS
    called = Request([Turn("assistant", "hi", (ToolCall("weather", {"city": "Oslo" * 99}),))])
    assert tokens(called, counted=True) - tokens(HI, counted=True) > 396


@pytest.mark.parametrize(
    ("tier", "lacks", "give"),
    [
        (replace(OTHER, max_tokens=None), "bound on what it writes", "max_tokens= to the model"),
        (replace(OTHER, model="unknown"), "price", "prices= to the cascade"),
        (Tier(0), "bound: it may call several models", "max_call_usd="),
        (Tier(0, "other", composite=True), "bound: it may call several models", "max_call_usd="),
        (None, "model whose price is known", "a model of the same framework"),
    ],
)
def test_what_is_missing_is_named(tier, lacks, give):
    found = bound_of(Ask(tier, HI), tier, PRICES)
    assert isinstance(found, Unbounded)
    assert lacks in found.lacks
    assert give in found.give


def test_tokens_alone_need_no_price():
    unpriced = replace(OTHER, model="unknown")
    assert bound_of(Ask(unpriced, HI), unpriced, PRICES, TOKENS).tokens == tokens(HI)


def test_a_tier_says_its_own_bound():
    said = GivenTier("m", max_call_usd=0.05, max_call_tokens=2_000)
    chain = Tier(0, abilities=said.applied_to(Abilities()), composite=True)
    assert bound_of(Ask(chain, HI), chain, PRICES) == Amount(5 * 10**7, 2_000)
    only_usd = GivenTier("m", max_call_usd=0.05).applied_to(Abilities())
    half = replace(chain, abilities=only_usd)
    assert isinstance(bound_of(Ask(half, HI), half, PRICES), Unbounded)
    assert bound_of(Ask(half, HI), half, PRICES, Wanted(tokens=False)) == Amount(5 * 10**7, 0)
    for wrong in (0, -1, True, float("nan"), "5"):
        with pytest.raises(ConfigurationError, match="max_call_usd"):
            GivenTier("m", max_call_usd=wrong)
    with pytest.raises(ConfigurationError, match="max_call_tokens"):
        GivenTier("m", max_call_tokens=1.5)


def test_a_request_that_lifts_the_only_limit_has_no_bound():
    tier = replace(OTHER, max_tokens=100, abilities=Abilities())
    request = Request([Turn("user", "hi")], native=object(), max_tokens=NO_LIMIT)
    assert isinstance(bound_of(Ask(tier, request), tier, PRICES, TOKENS), Unbounded)


def test_what_a_requests_arguments_add_to_its_prompt_counts_for_its_models_alone():
    request = Request([Turn("user", "hi")], native=object(), beside=70)
    assert tokens(request) - tokens(HI) == 70
    judges = Request([Turn("user", "hi")], beside=70)
    assert tokens(judges) == tokens(HI)


@pytest.mark.parametrize("name", ["previous_response_id", "model"])
def test_a_request_that_names_what_nobody_can_read_has_no_bound(name):
    request = Request([Turn("user", "hi")], native=object(), unread=unread_in({name: "it"}))
    bound = bound_of(Ask(OTHER, request), OTHER, PRICES, TOKENS)
    assert isinstance(bound, Unbounded)
    assert f"{name}=" in bound.lacks
    judge = Request.of("is it so?")  # asked by a signal: the request's arguments are not sent
    assert not isinstance(bound_of(Ask(OTHER, judge), OTHER, PRICES, TOKENS), Unbounded)


def test_what_goes_with_every_prompt_counts():
    assert tokens(HI, replace(OTHER, beside=70)) - tokens(HI) == 70
