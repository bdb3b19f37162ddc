"""Rates against what genai-prices itself computes for the same call."""

import sys
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_core.costs import catalogue
from cascade_core.costs.catalogue import Listing
from cascade_core.usage import Usage

genai_prices = pytest.importorskip("genai_prices", reason="needs the extra `prices`")
types = pytest.importorskip("genai_prices.types")

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def rate_of(model, moment=NOON):
    listing = catalogue.find(model)
    return None if listing is None else listing.rate(moment.timestamp())


def published(model, usage, provider):
    return genai_prices.calc_price(
        genai_prices.Usage(
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cache_read_tokens=usage.cached_tokens,
            cache_write_tokens=usage.cache_write_tokens,
        ),
        model,
        provider_id=provider,
        genai_request_timestamp=NOON,
    ).total_price


def test_claude_writes_for_an_hour_at_twice_the_price_of_its_input():
    rate = rate_of("claude-sonnet-4-5")
    assert rate.cache_write == rate.input * Decimal("1.25")
    assert rate.cache_write_1h == 2 * rate.input


counts = st.integers(0, 300_000)


@pytest.mark.parametrize(
    ("name", "model", "provider"),
    [
        ("gpt-4o-mini", "gpt-4o-mini", "openai"),
        ("openai:gpt-4o", "gpt-4o", "openai"),
        ("claude-sonnet-4-5", "claude-sonnet-4-5", "anthropic"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro", "google"),
        ("groq/llama-3.1-8b-instant", "llama-3.1-8b-instant", "groq"),
        ("deepseek-chat", "deepseek-chat", "deepseek"),
        ("perplexity/sonar", "sonar", "perplexity"),
    ],
)
@settings(deadline=None)  # the first example imports the catalogue
@given(plain=counts, cached=counts, written=counts, output=counts)
def test_a_call_costs_what_genai_prices_says(name, model, provider, plain, cached, written, output):
    usage = Usage(plain + cached + written, output, cached, written)
    assert rate_of(name).cost(usage) == published(model, usage, provider)


def test_a_long_prompt_crosses_into_the_published_tier():
    rate = rate_of("gemini-2.5-pro")
    (start, longer), *_ = rate.tiers
    assert longer.input > rate.input
    assert rate.cost(Usage(start, 0)) == start * rate.input
    assert rate.cost(Usage(start + 1, 0)) == (start + 1) * longer.input


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("gpt-4o-mini-2024-07-18", "openai/gpt-4o-mini"),
        ("openai/gpt-4o", "openai/gpt-4o"),
        ("azure_openai:gpt-4o", "azure/gpt-4o"),
        ("openrouter/openai/gpt-4o", "openrouter/openai/gpt-4o"),
        ("google_vertexai:gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("publishers/google/models/gemini-2.5-pro", "google/gemini-2.5-pro"),
        ("mistralai:mistral-large-latest", "mistral/mistral-large"),
        ("amazon.nova-pro-v1:0", "aws/amazon.nova-pro-v1:0"),
        (
            "us.anthropic.claude-3-haiku-20240307-v1:0",
            "aws/regional.anthropic.claude-3-haiku-20240307-v1:0",
        ),
        ("ft:gpt-4o-mini-2024-07-18:org::id", "openai/ft:gpt-4o-mini"),
        ("openai:ft:gpt-4o-mini-2024-07-18:org:name:id", "openai/ft:gpt-4o-mini"),
        (
            "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-pro-v1:0",
            "aws/amazon.nova-pro-v1:0",
        ),
        (
            "bedrock_converse:anthropic.claude-3-haiku-20240307-v1:0",
            "aws/regional.anthropic.claude-3-haiku-20240307-v1:0",
        ),
    ],
)
def test_a_name_is_found_however_its_framework_spells_it(name, entry):
    assert f"({entry})" in catalogue.find(name).source


@pytest.mark.parametrize(
    "name",
    [
        "no-such-model",
        "openai:no-such-model",
        "ollama/llama3.2",
        "ollama:gpt-oss:20b",
        "deepseek-r1:7b",
        "mistral:7b",
        "deepseek-ai/DeepSeek-V3",
        "llama-3.1-8b-instruct",
        ":",
        "/",
        "openai:",
    ],
)
def test_an_unknown_or_local_model_is_not_given_another_ones_price(name):
    assert catalogue.find(name) is None


def test_a_model_without_token_prices_is_unpriced_and_not_free():
    assert catalogue.find("openai:text-embedding-3-small") is not None
    assert rate_of("openai:text-embedding-3-small") is None


def test_a_rate_says_where_and_when_it_was_read():
    source = rate_of("gpt-4o").source
    assert source == f"genai-prices {genai_prices.__version__} (openai/gpt-4o), on 2026-11-20"


def test_without_genai_prices_every_model_is_unpriced(monkeypatch):
    monkeypatch.setitem(sys.modules, "genai_prices", None)
    assert catalogue.find("gpt-4o") is None


def test_prices_are_read_without_the_network_or_an_update(connections):
    assert rate_of("gpt-4o") is not None
    assert connections == []
    assert not genai_prices.data_snapshot.get_snapshot().from_auto_update


def model_with(*prices):
    return types.ModelInfo(
        id="m",
        match=types.ClauseEquals(equals="m"),
        prices=prices[0] if len(prices) == 1 else [*prices],
    )


def usd(price):
    return types.ModelPrice(input_mtok=Decimal(price), output_mtok=Decimal(price))


def test_a_price_by_the_hour_is_read_for_the_hour():
    night = types.TimeOfDateConstraint(
        start_time=time(16, tzinfo=UTC), end_time=time(23, 59, tzinfo=UTC)
    )
    listing = Listing(
        model_with(
            types.ConditionalPrice(prices=usd(2)),
            types.ConditionalPrice(constraint=night, prices=usd(1)),
        ),
        "test",
    )
    assert listing.changes(NOON.timestamp())
    assert listing.rate(NOON.timestamp()).input == Decimal("2e-6")
    assert listing.rate(NOON.replace(hour=20).timestamp()).input == Decimal("1e-6")


@pytest.mark.parametrize(
    ("start", "changes"), [(date(2026, 12, 1), True), (date(2026, 1, 1), False)]
)
def test_only_a_date_still_ahead_makes_a_price_change(start, changes):
    later = types.ConditionalPrice(constraint=types.StartDateConstraint(start), prices=usd(1))
    listing = Listing(model_with(types.ConditionalPrice(prices=usd(2)), later), "test")
    assert listing.changes(NOON.timestamp()) is changes


def test_tiers_that_start_at_different_lengths_are_each_kept():
    prices = types.ModelPrice(
        input_mtok=types.TieredPrices(Decimal(1), [types.Tier(100, Decimal(2))]),
        output_mtok=types.TieredPrices(Decimal(10), [types.Tier(200, Decimal(20))]),
    )
    rate = Listing(model_with(prices), "test").rate(NOON.timestamp())
    micro_usd = {tokens: rate.cost(Usage(tokens, 10)) * 10**6 for tokens in (100, 101, 200, 201)}
    assert micro_usd == {100: 100 + 100, 101: 202 + 100, 200: 400 + 100, 201: 402 + 200}
