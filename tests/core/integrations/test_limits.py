"""How much a model may write, wherever its fields or a call's arguments say it."""

from __future__ import annotations

from types import SimpleNamespace as Model

import pytest

from cascade_core.integrations.limits import (
    NO_LIMIT,
    max_tokens,
    model_in,
    token_limit,
    tokens_beside,
    tokens_with,
)


@pytest.mark.parametrize(
    ("kwargs", "limit"),
    [
        ({}, None),
        ({"temperature": 0}, None),
        ({"max_tokens": 40}, 40),
        ({"num_predict": 40}, 40),
        ({"maxOutputTokens": 40}, 40),
        ({"max_tokens": 40, "max_completion_tokens": 4000}, 4000),
        ({"max_tokens": 40, "extra_body": {"max_tokens": 4000}}, 4000),
        ({"options": {"num_predict": 40}}, 40),
        ({"generation_config": {"max_output_tokens": 40}}, 40),
        ({"generation_config": Model(max_output_tokens=40, max_tokens=None)}, 40),
        ({"generation_config": Model(max_output_tokens=None)}, None),
        ({"max_tokens": None}, NO_LIMIT),
        ({"num_predict": -1}, NO_LIMIT),
        ({"max_tokens": 40, "max_completion_tokens": None}, NO_LIMIT),
        ({"max_tokens": 40, "extra_body": {"max_tokens": -1}}, NO_LIMIT),
        ({"max_tokens": True}, NO_LIMIT),
        ({"extra_body": None}, None),
    ],
)
def test_the_highest_limit_of_a_calls_arguments_counts_and_none_lifts_it(kwargs, limit):
    assert token_limit(kwargs) == limit


@pytest.mark.parametrize(
    ("fields", "limit"),
    [
        ({}, None),
        ({"max_tokens": 40}, 40),
        ({"max_tokens": None, "num_predict": 40}, 40),
        ({"num_predict": -1}, None),
        ({"max_tokens": 40, "extra_body": {"max_tokens": 4000}}, 4000),
        ({"max_tokens": 4000, "model_kwargs": {"max_completion_tokens": 40}}, 4000),
        ({"additional_kwargs": {"num_predict": 40}}, 40),
        ({"max_tokens": 40, "additional_kwargs": {"max_tokens": None}}, None),
    ],
)
def test_a_model_is_held_by_no_field_that_what_it_passes_on_overrides(fields, limit):
    assert max_tokens(Model(**fields)) == limit


def test_arguments_may_name_another_model():
    assert model_in({"model": "other"}) == "other"
    assert model_in({"model": None, "stop": ["x"]}) is None


def test_what_is_bound_counts_with_its_bytes_and_a_tools_description():
    assert tokens_beside({}, None) == 0
    plain = tokens_beside({"stop": ["x" * 100]})
    assert plain > 100
    assert tokens_beside({"tools": [{"name": "x" * 100}]}) > 1_600
    circle: dict[str, object] = {}
    circle["it"] = circle
    assert tokens_beside(circle) > 0


def test_of_a_calls_arguments_those_count_that_add_to_its_prompt():
    assert tokens_with({}) == 0
    assert tokens_with({"temperature": 0.1, "stop": ["x" * 100], "tools": [{"name": "x"}]}) == 0
    assert tokens_with({"system": "x" * 100}) > 100
    assert tokens_with({"documents": [{"text": "x" * 100}], "n": 2}) > 100
