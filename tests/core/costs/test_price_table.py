import json
import math
from decimal import Decimal

import pytest

from cascade_core.costs.price_table import find_rate, read_prices
from cascade_core.costs.rate import Rate
from cascade_core.errors import ConfigurationError
from cascade_core.usage import Usage

LITELLM = {
    "sample_spec": {
        "input_cost_per_token": "described in words",
        "litellm_provider": "one of the providers",
    },
    "gemini-x": {
        "input_cost_per_token": 1.25e-06,
        "input_cost_per_token_above_200k_tokens": 2.5e-06,
        "output_cost_per_token": 1e-05,
        "output_cost_per_token_above_200k_tokens": 1.5e-05,
        "output_cost_per_reasoning_token": 1.2e-05,
        "cache_read_input_token_cost": 1.25e-07,
        "cache_creation_input_token_cost": None,
        "cache_creation_input_token_cost_above_1hr": 9.0,
        "input_cost_per_token_batches": 6.25e-07,
        "max_tokens": 65535,
        "mode": "chat",
        "litellm_provider": "vertex_ai",
        "supports_vision": True,
    },
    "an-image-model": {
        "output_cost_per_image": 0.04,
        "mode": "image_generation",
        "litellm_provider": "openai",
    },
    "half-priced": {
        "input_cost_per_token": 1e-07,
        "litellm_provider": "cohere",
        "mode": "rerank",
    },
}


def test_numbers_and_strings_are_usd_per_million_tokens_and_exact():
    rates = read_prices({"m": {"input": 0.15, "output": "0.60", "cached_input": 0.075}})
    assert rates["m"] == Rate(
        Decimal("0.00000015"), Decimal("0.0000006"), Decimal("0.000000075"), source="user"
    )


def test_every_key_of_the_plain_format_reaches_its_tokens():
    prices = {"input": 1, "output": 2, "cached_input": 3, "cache_write": 4, "reasoning": 5}
    rate = read_prices({"m": prices})["m"]
    million = Decimal(10) ** 6
    assert rate.input * million == 1
    assert rate.output * million == 2
    assert rate.cached_input * million == 3
    assert rate.cache_write * million == 4
    assert rate.reasoning * million == 5


def test_an_optional_price_of_none_is_an_absent_one():
    rate = read_prices({"m": {"input": 1, "output": 2, "cached_input": None}})["m"]
    assert rate.cached_input == rate.input


def test_a_free_model_is_priced_at_zero():
    assert read_prices({"m": {"input": 0, "output": 0}})["m"].cost(Usage(1000, 1000)) == 0


def test_litellms_price_list_is_read_per_token_and_its_other_keys_are_ignored():
    rate = read_prices(LITELLM)["gemini-x"]
    assert rate.input == Decimal("0.00000125")
    assert rate.output == Decimal("0.00001")
    assert rate.cached_input == Decimal("0.000000125")
    assert rate.cache_write == rate.input
    assert rate.cache_write_1h == Decimal("9.0")
    assert rate.reasoning == Decimal("0.000012")


def test_litellms_prices_for_long_prompts_hold_for_the_whole_call():
    rate = read_prices(LITELLM)["gemini-x"]
    usage = Usage(300_000, 1000, cached_tokens=100_000)
    expected = 200_000 * Decimal("2.5e-6") + 100_000 * Decimal("1.25e-7") + 1000 * Decimal("1.5e-5")
    assert rate.cost(usage) == expected
    assert rate.cost(Usage(200_000, 0)) == 200_000 * Decimal("1.25e-6")


def test_litellms_sample_and_models_without_token_prices_are_left_out():
    assert list(read_prices(LITELLM)) == ["gemini-x"]


def test_both_formats_and_rates_may_stand_in_one_table():
    own = Rate(Decimal(1), Decimal(2))
    rates = read_prices({**LITELLM, "mine": {"input": 1, "output": 2}, "yours": own})
    assert list(rates) == ["gemini-x", "mine", "yours"]
    assert rates["yours"] is own


@pytest.mark.parametrize("as_path", [True, False])
def test_a_table_may_be_a_json_file(tmp_path, as_path):
    path = tmp_path / "prices.json"
    path.write_text('{"m": {"input": 0.1, "output": "0.3"}}', encoding="utf-8-sig")
    assert read_prices(path if as_path else str(path)) == read_prices(
        {"m": {"input": "0.1", "output": 0.3}}
    )


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        ({"input": 1}, "'output' is missing"),
        ({"input": None, "output": 1}, "'input' is missing"),
        ({"input": 1, "output": 2, "prompt": 3}, "unknown key 'prompt'"),
        ({"input": -1, "output": 2}, "key 'input': -1"),
        ({"input": 1, "output": math.nan}, "key 'output': nan"),
        ({"input": 1, "output": math.inf}, "key 'output': inf"),
        ({"input": 1, "output": 2, "reasoning": "cheap"}, "key 'reasoning': 'cheap'"),
        ({"input": True, "output": 2}, "key 'input': True"),
        ({"input": [1], "output": 2}, r"key 'input': \[1\]"),
        (0.15, "expected prices such as"),
        ({"input_cost_per_token": 1e-6}, "'output_cost_per_token' is missing"),
        ({"input_cost_per_tokens": 1e-6}, "unknown key 'input_cost_per_tokens'"),
        (
            {"input_cost_per_token": -1e-6, "output_cost_per_token": 1, "mode": "chat"},
            "key 'input_cost_per_token': -1e-06",
        ),
        (
            {
                "input_cost_per_token": 1,
                "output_cost_per_token": 1,
                "input_cost_per_token_above_128k_tokens": "x",
            },
            "key 'input_cost_per_token_above_128k_tokens': 'x'",
        ),
    ],
)
def test_a_bad_entry_is_named_by_model_and_key(entry, named):
    with pytest.raises(ConfigurationError, match=rf"model 'some-model'.*{named}"):
        read_prices({"good": {"input": 1, "output": 2}, "some-model": entry})


@pytest.mark.parametrize("table", [["gpt-4o"], 3, {1: {"input": 1, "output": 1}}, {"": {}}])
def test_a_table_that_is_none_is_refused(table):
    with pytest.raises(ConfigurationError, match="price table"):
        read_prices(table)


def test_a_file_that_is_not_json_is_named_with_its_line(tmp_path):
    path = tmp_path / "broken.json"
    path.write_text('{\n  "m": {"input": }\n}', encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"broken\.json.*line 2"):
        read_prices(path)


def test_a_bad_price_in_a_file_names_the_file_too(tmp_path):
    path = tmp_path / "prices.json"
    path.write_text(json.dumps({"m": {"input": math.nan, "output": 1}}), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"prices\.json', model 'm', key 'input'"):
        read_prices(path)


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("gpt-4o-mini", "gpt-4o-mini"),
        ("openai:gpt-4o-mini", "gpt-4o-mini"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("openai/gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("azure/gpt-4o-mini", "azure/gpt-4o-mini"),
        ("azure/gpt-4o-mini-2024-07-18", "azure/gpt-4o-mini"),
        ("gpt-4o-mini-2099-01-01", "gpt-4o-mini-2099-01-01"),
        ("gpt-4o-mini-latest", "gpt-4o-mini"),
        ("gpt-4o", None),
        ("gpt-4o-mini-audio", None),
        ("ft:gpt-4o-mini-2024-07-18:org::id", "gpt-4o-mini"),
        ("openai/ft:gpt-4o-mini:org:name:id", "gpt-4o-mini"),
    ],
)
def test_a_model_is_found_by_its_longest_name_in_the_table(model, found):
    names = ["gpt-4o-mini", "azure/gpt-4o-mini", "gpt-4o-mini-2099-01-01", "gpt-4o-mini-tts"]
    rates = {name: Rate(Decimal(1), Decimal(1), source=name) for name in names}
    rate = find_rate(rates, [model])
    assert (rate and rate.source) == found


BEDROCK = "anthropic.claude-3-haiku-20240307-v1:0"


@pytest.mark.parametrize("listed", [BEDROCK, "claude-3-haiku-20240307", "claude-3-haiku"])
@pytest.mark.parametrize(
    "called",
    [
        BEDROCK,
        f"us.{BEDROCK}",
        f"us-gov.{BEDROCK}",
        f"bedrock_converse:eu.{BEDROCK}",
        f"bedrock/{BEDROCK}",
        f"arn:aws:bedrock:us-east-1::foundation-model/{BEDROCK}",
        f"arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.{BEDROCK}",
    ],
)
def test_a_model_on_bedrock_is_found_without_region_vendor_and_version(listed, called):
    rate = Rate(Decimal(1), Decimal(1))
    assert find_rate({listed: rate, "0": Rate(Decimal(2), Decimal(2))}, [called]) is rate


def test_of_several_names_the_surest_spelling_wins_before_the_better_name():
    rates = {name: Rate(Decimal(1), Decimal(1), source=name) for name in ("gpt-4o", "prod")}
    answered, deployment = "azure/gpt-4o-2024-08-06", "azure/prod"
    assert find_rate(rates, [answered, deployment]).source == "prod"
    assert find_rate(rates, [answered, "azure/test"]).source == "gpt-4o"
    assert find_rate(rates, ["azure/gpt-4o", deployment]).source == "gpt-4o"


def test_a_fine_tune_has_a_price_of_its_own_before_its_bases():
    rates = {n: Rate(Decimal(1), Decimal(1), source=n) for n in ("gpt-4o", "ft:gpt-4o")}
    assert find_rate(rates, ["ft:gpt-4o-2024-08-06:org::id"]).source == "ft:gpt-4o"


@pytest.mark.parametrize(
    ("listed", "called", "found"),
    [
        ("openai:gpt-4o", "gpt-4o-2024-08-06", True),
        ("azure_openai:gpt-4o", "azure/gpt-4o", True),
        ("groq:llama-3.1-8b", "groq/llama-3.1-8b", True),
        ("groq:llama-3.1-8b", "llama-3.1-8b", False),
        ("openai:gpt-4o", "azure/gpt-4o", False),
    ],
)
def test_a_table_may_name_models_as_from_models_does(listed, called, found):
    rate = Rate(Decimal(1), Decimal(1))
    assert find_rate({listed: rate}, [called]) is (rate if found else None)


def test_a_file_that_is_missing_or_no_text_is_named(tmp_path):
    with pytest.raises(
        ConfigurationError, match=r"nowhere\.json.*cannot be read: No such file or directory; give"
    ):
        read_prices(tmp_path / "nowhere.json")
    binary = tmp_path / "binary.json"
    binary.write_bytes(b"\xff\xfe\x00secret")
    with pytest.raises(ConfigurationError, match="is not UTF-8 text; save") as caught:
        read_prices(binary)
    assert caught.value.__cause__ is None
