import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cascade_core.costs.encodings import encoding_for
from cascade_core.costs.tokens import MESSAGE_TOKENS, REPLY_TOKENS, count_tokens, estimate_usage
from cascade_core.usage import Usage


@pytest.fixture
def with_encodings():
    if encoding_for("gpt-4o") is None or encoding_for("gpt-4") is None:
        pytest.skip("needs tiktoken's encodings: llama-index-core, or a filled TIKTOKEN_CACHE_DIR")


@pytest.mark.parametrize(
    ("text", "cl100k", "o200k"),
    [
        ("antidisestablishmentarianism", 6, 6),
        ("2 + 2 = 4", 7, 7),
        ("お誕生日おめでとう", 9, 8),
        ("", 0, 0),
    ],
)
def test_openais_models_count_as_openais_cookbook_does(with_encodings, text, cl100k, o200k):
    assert count_tokens(text, "gpt-4") == (cl100k, "tiktoken")
    assert count_tokens(text, "openai:gpt-4o-2024-08-06") == (o200k, "tiktoken")


def test_text_that_looks_like_a_special_token_is_counted_as_text(with_encodings):
    count, source = count_tokens("<|endoftext|>", "gpt-4o")
    assert count > 1
    assert source == "tiktoken"


@pytest.mark.parametrize("character", [" ", "\n", "a", "é"])
def test_a_huge_run_of_one_character_is_counted_and_soon(with_encodings, character):
    run = character * 1_000_000
    assert count_tokens(f"Hello {run} world", "gpt-4o")[1] == "tiktoken"


def test_cutting_long_runs_adds_a_token_a_cut_at_most_and_nothing_to_prose(with_encodings):
    encoding = encoding_for("gpt-4o")
    prose = "The quick brown fox jumps over the lazy dog.\n" * 200
    run = "b" * 5_000
    assert count_tokens(prose, "gpt-4o")[0] == len(encoding.encode_ordinary(prose))
    whole = len(encoding.encode_ordinary(prose + run))
    assert whole <= count_tokens(prose + run, "gpt-4o")[0] <= whole + 11


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("日本語です", 2)]
)
def test_other_models_are_estimated_at_four_characters_a_token_rounded_up(text, count):
    assert count_tokens(text, "claude-sonnet-4-5") == (count, "estimate")
    assert count_tokens(text, None) == (count, "estimate")


def test_without_encodings_openais_models_are_estimated_without_the_network(
    no_encodings, connections
):
    assert count_tokens("abcde", "gpt-4o") == (2, "estimate")
    assert connections == []


@settings(deadline=None)  # the first example reads the encoding
@given(st.text(st.characters(), max_size=200), st.sampled_from(["gpt-4o", "other"]))
def test_any_text_that_is_not_empty_has_at_least_one_token(text, model):
    count, _ = count_tokens(text, model)
    assert (count > 0) == bool(text)


def test_a_chats_prompt_counts_the_tokens_around_its_messages(with_encodings):
    # OpenAI bills "Hello" to gpt-4o as 8 prompt tokens: 1 of text, 4 around it, 3 for the reply.
    assert estimate_usage(["Hello"], "", "gpt-4o").input_tokens == 8
    two = estimate_usage(["Hello", "Hello"], "", "gpt-4o")
    assert two.input_tokens == 2 * (1 + MESSAGE_TOKENS) + REPLY_TOKENS


def test_streamed_tokens_are_counted_as_they_came(with_encodings):
    usage = estimate_usage(["Hello"], "ignored", "gpt-4o", output_tokens=17)
    assert usage == Usage(8, 17, source="tiktoken")


def test_without_streamed_tokens_the_answers_text_is_counted(with_encodings):
    assert estimate_usage(["Hello"], "2 + 2 = 4", "gpt-4o") == Usage(8, 7, source="tiktoken")


def test_an_estimated_prompt_makes_the_usage_an_estimate():
    usage = estimate_usage(["abcd", "efghi"], "", "claude-sonnet-4-5", output_tokens=17)
    assert usage == Usage(3, 17, source="estimate")


def test_an_estimated_usage_has_no_tokens_around_messages_it_cannot_know():
    assert estimate_usage(["abcd"], "abcdefgh", None) == Usage(1, 2, source="estimate")


def test_a_prompt_nobody_saw_is_never_called_counted():
    assert estimate_usage([], "Hello", "gpt-4o").source == "estimate"


def test_prompts_may_come_from_a_generator():
    assert estimate_usage((text for text in ["abcd", "abcd"]), "", None).input_tokens == 2
