"""`Budget`: what may be given, what it is called, and whose it is."""

from __future__ import annotations

import pickle
from copy import copy, deepcopy
from dataclasses import FrozenInstanceError, replace
from decimal import Decimal

import pytest

from cascade_core import Budget
from cascade_core.errors import ConfigurationError
from cascade_core.guards.budget import read_budgets
from cascade_core.request import Request


def tenant(request: Request) -> str | None:
    """Whose request it is."""
    return request.metadata.get("tenant")


async def looked_up(request: Request) -> str:
    """Whose request it is, after asking a database."""
    return str(tenant(request))


class LookedUp:
    """The same as an object."""

    async def __call__(self, request: Request) -> str:
        return str(tenant(request))


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
        ({"usd": 1, "key": looked_up}, "none that is awaited"),
        ({"usd": 1, "key": LookedUp()}, "none that is awaited"),
        ({"usd": 1e-10}, "1e-9 USD or more"),
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


@pytest.mark.parametrize(
    ("value", "owner"),
    [
        ("a\nb", "a\nb"),
        (0, "0"),
        (("acme", 7), "('acme', 7)"),
        ("it lies at 0x7f", "it lies at 0x7f"),
    ],
)
def test_values_of_a_key_are_read_as_text(value, owner):
    assert Budget(usd=1, key=lambda _: value).owner(Request.of("hi")) == owner


@pytest.mark.parametrize("value", [object(), [object()], looked_up, lambda: "acme"])
def test_a_value_whose_text_is_another_each_time_is_no_owner(value):
    # Else every request would have a budget of its own, and none of them a limit.
    with pytest.raises(TypeError, match=type(value).__name__):
        Budget(usd=1, key=lambda _: value).owner(Request.of("hi"))


def test_copies_of_a_budget_are_the_same_budget_and_a_changed_one_is_another():
    budget = Budget(usd=5)
    assert deepcopy(budget).own == copy(budget).own == budget.own
    assert pickle.loads(pickle.dumps(budget)).own == budget.own
    assert len({budget.own, Budget(usd=5).own, replace(budget, usd=6).own}) == 3
