"""What is known of a model by its class and its fields; a row counts for all that inherit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from cascade_core.integrations.classes import (
    CACHE_KEYS,
    LANGCHAIN,
    LIMIT_FIELDS,
    LLAMAINDEX,
    NAME_FIELDS,
    Integration,
    integration,
    model_name,
)
from cascade_core.integrations.limits import NO_LIMIT, max_tokens, token_limit


def of(*names: str) -> object:
    """Return an object whose class has one base after the other, the nearest first."""
    cls: type = object
    for name in reversed(names):
        cls = type(name, (cls,), {})
    return cls()


TABLE = {
    "Base": Integration(logprobs="arguments", ends_named=True),
    "Middle": Integration(host="azure", ends_named=False),
    "Other": Integration(logprobs="never"),
}


@pytest.mark.parametrize(
    ("classes", "known"),
    [
        (["Base"], TABLE["Base"]),
        (["Users", "Base"], TABLE["Base"]),
        (["Middle", "Base"], Integration(logprobs="arguments", host="azure", ends_named=False)),
        (["Other", "Middle", "Base"], Integration("never", "azure", ends_named=False)),
        (["Users"], Integration()),
        ([], Integration()),
    ],
)
def test_a_fact_is_taken_from_the_nearest_class_that_states_it(
    classes: list[str], known: Integration
) -> None:
    assert integration(of(*classes), TABLE) == known


@pytest.mark.parametrize("table", [LANGCHAIN, LLAMAINDEX])
def test_every_row_states_something_in_words_that_are_known(table: Any) -> None:
    for name, row in table.items():
        assert row != Integration(), name
        assert row.logprobs in {None, "never", "arguments", "model_kwargs", "include"}
        assert (row.cache_keys or frozenset()) <= CACHE_KEYS
        assert row.host is None or (row.host and row.host == row.host.lower())


@pytest.mark.parametrize("name", NAME_FIELDS)
def test_a_model_is_named_by_each_field(name: str) -> None:
    assert model_name(SimpleNamespace(**{name: "m"})) == "m"
    assert model_name(SimpleNamespace(**{name: ""})) is None
    assert model_name(SimpleNamespace(**{name: 5})) is None


def test_the_name_that_is_called_by_goes_first() -> None:
    # ChatLiteLLM has a default in `model`, and AzureOpenAI a deployment beside it.
    assert model_name(SimpleNamespace(model="gpt-3.5-turbo", model_name="gpt-4o")) == "gpt-4o"
    assert model_name(SimpleNamespace(model="gpt-4o", engine="mine")) == "gpt-4o"


@pytest.mark.parametrize("name", LIMIT_FIELDS)
def test_a_limit_is_found_under_each_name_of_a_model_and_of_a_call(name: str) -> None:
    assert max_tokens(SimpleNamespace(**{name: 9})) == 9
    assert token_limit({name: 9}) == 9
    for none in (0, -1, None, True, "9"):
        assert max_tokens(SimpleNamespace(**{name: none})) is None
        assert token_limit({name: none}) == NO_LIMIT
