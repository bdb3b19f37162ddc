import pytest

from cascade_core.costs.names import without_date, without_provider


@pytest.mark.parametrize(
    ("model", "names"),
    [
        ("gpt-4o", ["gpt-4o"]),
        ("openai:gpt-4o", ["openai:gpt-4o", "gpt-4o"]),
        ("openrouter/openai/gpt-4o", ["openrouter/openai/gpt-4o", "openai/gpt-4o", "gpt-4o"]),
        ("openai:", ["openai:"]),
    ],
)
def test_each_leading_provider_is_taken_off_in_turn(model, names):
    assert list(without_provider(model)) == names


@pytest.mark.parametrize(
    ("model", "short"),
    [
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("claude-sonnet-4-5@20250929", "claude-sonnet-4-5"),
        ("mistral-large-latest", "mistral-large"),
        ("gpt-4o-mini", None),
        ("gpt-4-0613", None),
        ("-2024-07-18", None),
    ],
)
def test_only_a_whole_date_at_the_end_is_taken_off(model, short):
    assert without_date(model) == short
