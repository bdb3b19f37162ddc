"""`Budget`: what may be given, what it is called, and whose it is."""

from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError
from decimal import Decimal

import pytest

from cascade_core import Budget
from cascade_core.errors import ConfigurationError
from cascade_core.guards.budget import read_budgets
from cascade_core.request import Request


def tenant(request: Request) -> str | None:
    """Whose request it is."""
    return request.metadata.get("tenant")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "limits nothing"),
        ({"usd": 0}, "USD above 0"),
        ({"usd": -1}, "USD above 0"),
        ({"usd": True}, "USD above 0"),
        ({"usd": "5"}, "USD above 0"),
        ({"usd": float("nan")}, "USD above 0"),
        ({"usd": Decimal("sNaN")}, "USD above 0"),
        ({"usd": float("inf")}, "USD above 0"),
        ({"tokens": 0}, "tokens above 0"),
        ({"tokens": 1.5}, "whole number of tokens"),
        ({"usd": 1, "per": "week"}, "'day', 'hour', 'run'"),
        ({"usd": 1, "when_short": "wait!"}, "'cheapest', 'refuse', 'wait'"),
        ({"usd": 1, "key": 5}, "key of the metadata"),
        ({"usd": 1, "key": ""}, "key of the metadata"),
        ({"usd": 1, "name": " "}, "in one line"),
        ({"usd": 1, "name": "a\nb"}, "in one line"),
    ],
)
def test_what_cannot_be_a_budget_is_refused_in_plain_words(given, said):
    with pytest.raises(ConfigurationError, match=said):
        Budget(**given)


@pytest.mark.parametrize("given", ["5 USD", 5, [Budget(usd=1), 5], {"usd": 5}])
def test_what_is_no_budget_is_refused(given):
    with pytest.raises(ConfigurationError, match="budget= takes a Budget"):
        read_budgets(given)


def test_two_budgets_of_one_name_are_refused():
    with pytest.raises(ConfigurationError, match="name= each"):
        read_budgets([Budget(usd=1), Budget(usd=1, when_short="wait")])
    assert len(read_budgets([Budget(usd=1), Budget(usd=1, name="other")])) == 2


def test_a_budget_is_frozen_and_crosses_to_other_processes():
    budget = Budget(usd=5, per="hour", key=tenant, name="tenants")
    with pytest.raises(FrozenInstanceError):
        budget.usd = 6
    again = pickle.loads(pickle.dumps(budget))
    assert again == budget
    assert (again.label, again.nano_usd) == ("tenants", 5 * 10**9)


@pytest.mark.parametrize(
    ("budget", "label"),
    [
        (Budget(usd=5), "5 USD per day"),
        (Budget(usd=0.00001), "0.00001 USD per day"),
        (Budget(tokens=100, per="run"), "100 tokens per run"),
        (Budget(usd=5, tokens=100, per="hour"), "5 USD and 100 tokens per hour"),
        (Budget(usd=5, key="user"), "5 USD per day and user"),
        (Budget(usd=5, key=tenant), "5 USD per day and tenant"),
        (Budget(usd=5, name="all"), "all"),
    ],
)
def test_it_is_called_by_its_name_or_by_what_it_says(budget, label):
    assert budget.label == label


@pytest.mark.parametrize(
    ("key", "owner"),
    [(None, ""), ("tenant", "acme"), ("class", "dates"), (tenant, "acme"), ("absent", "")],
)
def test_it_belongs_to_whom_its_key_says(key, owner):
    request = Request.of("hi")
    request.metadata = {"tenant": "acme", "cascade_class": "dates"}
    assert Budget(usd=1, key=key).owner(request) == owner


def test_a_limit_is_rounded_down_and_never_up():
    assert Budget(usd=Decimal("0.0000000019")).nano_usd == 1
    assert Budget(usd=0.1).nano_usd == 10**8
