"""What cannot be meant is said once, where the cascade is made, in the same words in both frameworks."""

from __future__ import annotations

import asyncio
import sys
import warnings
from copy import deepcopy
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda

from cascade_core.calibration import tune
from cascade_core.errors import CascadeWarning
from cascade_core.signals import FunctionSignal
from langchain_cascade import CascadeMiddleware, ChatCascade, RunnableCascade
from llamaindex_cascade import CascadeLLM, CascadeQueryEngine, CascadeSynthesizer
from tests.core.calibration.labels import columns
from tests.langchain import fakes as langchain
from tests.llamaindex import fakes as llamaindex
from tests.parity.test_constructors import Engine

OF_MODELS = {
    ChatCascade: lambda name, **given: langchain.FakeChat(model_name=name, **given),
    CascadeMiddleware: lambda name, **given: langchain.FakeChat(model_name=name, **given),
    CascadeLLM: lambda name, **given: llamaindex.FakeLLM(model=name, **given),
    CascadeSynthesizer: lambda name, **given: llamaindex.FakeLLM(model=name, **given),
}
OTHERWISE = {langchain.FakeChat: {"temperature": 0.5}, llamaindex.FakeLLM: {"max_tokens": 7}}
each = pytest.mark.parametrize("cls", OF_MODELS, ids=lambda cls: cls.__name__)
PRICES = {"cheap": {"input": 1, "output": 2}, "strong": {"input": 10, "output": 20}}
SIGNALS = [FunctionSignal(lambda request, draft: 1, name="a")]


def said(make: Any, *args: Any, **settings: Any) -> list[str]:
    """What is warned of where a cascade is made; all of it at the line that makes it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        make(*args, **settings)
    assert {warning.filename for warning in caught} <= {__file__}
    assert all(issubclass(warning.category, CascadeWarning) for warning in caught)
    return [str(warning.message) for warning in caught]


@each
def test_what_is_meant_is_not_warned_of(cls: Any) -> None:
    model = OF_MODELS[cls]
    tiers = [model("cheap"), model("strong")]
    assert said(cls, tiers, prices=PRICES) == []
    assert said(cls, [model("gpt-4o-mini"), model("gpt-4o")]) == []
    assert said(cls, [model("unpriced"), model("strong")], prices=PRICES) == []


@each
def test_one_tier_is_no_cascade(cls: Any) -> None:
    (text,) = said(cls, [OF_MODELS[cls]("cheap")])
    assert text.startswith("tier 0 (cheap) is the only tier")


@each
def test_a_model_given_twice_is_warned_of_and_one_set_up_in_two_ways_is_not(cls: Any) -> None:
    model = OF_MODELS[cls]
    one = model("cheap")
    for tiers in ([one, one], [model("cheap"), model("cheap")]):
        (text,) = said(cls, tiers, prices=PRICES)
        assert text.startswith("tier 0 (cheap) and tier 1 (cheap) are one and the same")
    other = model("cheap", **OTHERWISE[type(one)])
    assert said(cls, [one, other], prices=PRICES) == []


@each
def test_tiers_that_are_not_cheapest_first_are_warned_of(cls: Any) -> None:
    model = OF_MODELS[cls]
    (text,) = said(cls, [model("strong"), model("cheap")], prices=PRICES)
    assert text.startswith("tier 0 (strong) costs more than tier 1 (cheap) (USD 10/20 against 1/2")
    (text,) = said(cls, [model("gpt-4o"), model("gpt-4o-mini")])
    assert "(gpt-4o) costs more than tier 1 (gpt-4o-mini)" in text
    mixed = {**PRICES, "strong": {"input": 0.5, "output": 20}}
    assert said(cls, [model("strong"), model("cheap")], prices=mixed) == []


@each
def test_a_policy_of_other_models_is_warned_of(cls: Any) -> None:
    model = OF_MODELS[cls]
    table = columns(60) | {"t0_model": ["cheap"] * 60, "t1_model": ["strong-2026-01-01"] * 60}
    policy = tune(table, quality=0.9, method="signal", signals=["a"])
    given = {"policy": policy, "signals": SIGNALS}
    assert said(cls, [model("cheap"), model("strong")], **given) == []
    (text,) = said(cls, [model("other"), model("strong")], **given)
    assert text.startswith("tier 0 is other, and the policy was tuned with cheap")


@pytest.mark.parametrize(
    ("cls", "tier"), [(RunnableCascade, str.upper), (CascadeQueryEngine, Engine())]
)
def test_chains_and_engines_are_told_apart_by_what_they_are(cls: Any, tier: Any) -> None:
    (text,) = said(cls, [tier])
    assert text.startswith("tier 0 is the only tier")
    one = RunnableLambda(tier) if cls is RunnableCascade else tier
    assert said(cls, [one, one])[0].startswith("tier 0 and tier 1 are one and the same")


@pytest.mark.parametrize("cls", [ChatCascade, CascadeLLM], ids=lambda cls: cls.__name__)
def test_it_is_said_once_whatever_becomes_of_the_cascade(cls: Any) -> None:
    model = OF_MODELS[cls]

    def use() -> None:
        cascade = cls([model("strong"), model("cheap")], prices=PRICES)
        cascade.thresholds = 0.5
        cascade.model_copy(update={"thresholds": 0.6})
        if cls is CascadeLLM:  # a fake of LangChain's has no copy
            deepcopy(cascade).thresholds = 0.7

    assert len(said(use)) == 1


@each
def test_published_prices_are_not_read_while_an_event_loop_waits(
    cls: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = OF_MODELS[cls]
    tiers = [model("gpt-4o"), model("gpt-4o-mini")]
    for name in [name for name in sys.modules if name.partition(".")[0] == "genai_prices"]:
        monkeypatch.delitem(sys.modules, name)

    async def make() -> None:
        cls(tiers)

    assert said(asyncio.run, make()) == []
    assert "genai_prices.data" not in sys.modules
    own = {"gpt-4o": {"input": 3, "output": 3}, "gpt-4o-mini": {"input": 1, "output": 1}}

    async def make_priced() -> None:
        cls(tiers, prices=own)

    assert len(said(asyncio.run, make_priced())) == 1
    assert "genai_prices.data" not in sys.modules
