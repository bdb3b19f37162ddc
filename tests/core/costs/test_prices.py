import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from cascade_core.costs import catalogue, prices
from cascade_core.costs.prices import Prices
from cascade_core.costs.rate import Rate
from cascade_core.errors import ConfigurationError
from cascade_core.usage import Usage

USAGE = Usage(1000, 200)
TABLE = {"cheap": {"input": 0.15, "output": 0.60}}


class Published:
    """A catalogue of two models that counts how often it is asked."""

    def __init__(self, *, changing=False):
        self.asked = []
        self.read = 0
        self.changing = changing
        self.price = Decimal("1e-6")

    def find(self, model):
        self.asked.append(model)
        return self if model in ("known", "gpt-4o-mini") else None

    def rate(self, moment):
        self.read += 1
        return Rate(self.price, self.price, source="published")

    def changes(self, moment):
        return self.changing


@pytest.fixture
def published(monkeypatch):
    shop = Published()
    monkeypatch.setattr(catalogue, "find", shop.find)
    return shop


def test_a_call_of_a_priced_model_costs_its_tokens(published):
    assert Prices(TABLE).cost("cheap", USAGE) == Decimal("0.00027")


def test_an_unknown_model_is_unpriced_and_not_free(published):
    assert Prices(TABLE).cost("unknown", USAGE) is None
    assert Prices(TABLE).rate("unknown") is None


@pytest.mark.parametrize(("model", "usage"), [(None, USAGE), ("", USAGE), ("cheap", None)])
def test_without_a_model_or_usage_a_call_is_unpriced(published, model, usage):
    assert Prices(TABLE).cost(model, usage) is None


def test_a_call_known_to_use_no_tokens_costs_nothing(published):
    assert Prices(TABLE).cost("cheap", Usage(0, 0)) == 0


def test_the_users_price_wins_over_the_published_one(published):
    own = Prices({"gpt-4o-mini": {"input": 7, "output": 7}})
    assert own.rate("openai:gpt-4o-mini-2024-07-18").input == Decimal("7e-6")
    assert Prices().rate("gpt-4o-mini").source == "published"
    assert published.asked == ["gpt-4o-mini"]


def test_a_model_is_looked_up_once_and_an_unpriced_one_too(published):
    shared = Prices(TABLE)
    for _ in range(3):
        shared.cost("known", USAGE)
        shared.cost("unknown", USAGE)
        shared.cost("cheap", USAGE)
    assert published.asked == ["known", "unknown"]
    assert published.read == 1


def test_many_threads_look_a_model_up_once_and_agree(published):
    shared = Prices()
    barrier = threading.Barrier(16)

    def ask(_):
        barrier.wait()
        return [shared.cost(name, USAGE) for name in ("known", "unknown")]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(16)))
    assert answers == [[Decimal("0.0012"), None]] * 16
    assert sorted(published.asked) == ["known", "unknown"]


def test_the_names_remembered_are_bounded(published, monkeypatch):
    monkeypatch.setattr(prices, "MAX_REMEMBERED", 8)
    shared = Prices(TABLE)
    for number in range(100):
        assert shared.cost(f"unknown-{number}", USAGE) is None
        assert len(shared._known) <= 8
    assert shared.cost("cheap", USAGE) == Decimal("0.00027")


def test_a_price_that_changes_with_time_is_read_again_each_minute_but_looked_up_once(published):
    published.changing = True
    now = 1_000_000.0 * 60
    shared = Prices(clock=lambda: now)
    assert shared.cost("known", USAGE) == Decimal("0.0012")
    published.price = Decimal("2e-6")
    now += 59.9
    assert shared.cost("known", USAGE) == Decimal("0.0012")
    now += 0.1
    assert shared.cost("known", USAGE) == Decimal("0.0024")
    assert published.asked == ["known"]
    assert published.read == 2


def test_a_steady_price_is_never_read_again(published):
    now = 0.0
    shared = Prices(clock=lambda: now)
    shared.cost("known", USAGE)
    now += 1e9
    shared.cost("known", USAGE)
    assert published.read == 1


def test_a_bad_table_is_refused_when_it_is_handed_in():
    with pytest.raises(ConfigurationError, match="model 'm'"):
        Prices({"m": {"input": 1}})


def test_tables_that_price_alike_have_one_identity():
    one = Prices({"a": {"input": 0.15, "output": 1}, "b": {"input": 1, "output": 1}})
    same = Prices({"b": {"input": "1.0", "output": 1}, "a": {"input": "0.150", "output": 1}})
    assert one.identity == same.identity


@pytest.mark.parametrize(
    "other",
    [
        None,
        {},
        {"cheap": {"input": 0.15, "output": 0.61}},
        {"other": {"input": 0.15, "output": 0.60}},
        {"cheap": {"input": 0.15, "output": 0.60, "cached_input": 0.1}},
        {
            "cheap": {
                "input_cost_per_token": 1.5e-7,
                "output_cost_per_token": 6e-7,
                "input_cost_per_token_above_128k_tokens": 3e-7,
            }
        },
    ],
)
def test_tables_that_price_differently_have_different_identities(other):
    assert Prices(TABLE).identity != Prices(other).identity


def test_the_identity_tells_of_a_price_of_writing_for_an_hour():
    own = {"input": 1, "output": 2, "cache_write": 3}
    plain = Prices({"m": own}).identity
    assert Prices({"m": {**own, "cache_write_1h": 3}}).identity == plain
    assert Prices({"m": {**own, "cache_write_1h": 5}}).identity != plain


def test_the_identity_is_the_same_in_every_process():
    assert Prices(TABLE).identity == "prices:42db25ee6bc47a88"
    assert Prices().identity == "prices:none"


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_copies_price_alike(published, duplicate):
    original = Prices(TABLE)
    original.cost("cheap", USAGE)
    twin = duplicate(original)
    assert twin.cost("cheap", USAGE) == Decimal("0.00027")
    assert twin.identity == original.identity
