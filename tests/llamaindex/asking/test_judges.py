"""Judges given by name: made once, asked and paid for like those given as models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core import get_response_synthesizer
from llama_index.core.llms import ChatMessage

from cascade_core import Audit, collect_decisions, flush_log
from cascade_core.errors import ConfigurationError
from cascade_core.signals import Agreement, Claims, Grounding, Judge
from llamaindex_cascade import CascadeLLM, CascadeQueryEngine, CascadeSynthesizer
from llamaindex_cascade.asking import models
from tests.llamaindex.fakes import SURE, FakeLLM, Say, cheap, strong
from tests.llamaindex.retrieval import QUESTION, facts, nodes
from tests.memory_log import MemoryLog

NAME = "openai:gpt-4.1-nano"
PRICES = {name: {"input": 1, "output": 2} for name in ("m0", "m1", "gpt-4.1-nano")}


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[FakeLLM]:
    """What is made of names."""
    found: list[FakeLLM] = []

    def load_model(name: str, where: str) -> FakeLLM:
        found.append(FakeLLM(Say("A", p=0.97, usage=(50, 1)), name.partition(":")[2]))
        return found[-1]

    monkeypatch.setattr(models, "load_model", load_model)
    return found


def of_llms(**settings: Any) -> Callable[[], Any]:
    llm = CascadeLLM([cheap(), strong()], **settings)
    return lambda: llm.chat([ChatMessage(QUESTION)])


def of_synthesizers(**settings: Any) -> Callable[[], Any]:
    tiers = [get_response_synthesizer(llm=llm) for llm in (cheap(), strong())]
    cascade = CascadeSynthesizer(tiers, **settings)
    return lambda: cascade.synthesize(QUESTION, nodes())


def of_engines(**settings: Any) -> Callable[[], Any]:
    tiers = [facts().as_query_engine(llm=llm) for llm in (cheap(), strong())]
    cascade = CascadeQueryEngine(tiers, **settings)
    return lambda: cascade.query(QUESTION)


every = pytest.mark.parametrize("cascade", [of_llms, of_synthesizers, of_engines])


@every
def test_a_name_is_made_once_and_asked_and_paid_for(cascade: Any, made: list[FakeLLM]) -> None:
    ask = cascade(signals=[Judge(NAME)], prices=PRICES)
    with collect_decisions() as seen:
        ask()
        ask()
    (judge,) = made
    assert len(judge.seen) == len(seen) == 2
    for record in seen:
        assert record["signals"]["judge"] > 0.9
        called = record["calls"][-1]
        assert (called["purpose"], called["model"]) == ("judge", "gpt-4.1-nano")
        assert called["cost_usd"] == pytest.approx((50 + 2) / 1e6)


@every
@pytest.mark.parametrize("signal", [Judge, Claims, Grounding])
@pytest.mark.parametrize("model", ["gpt-4.1-nano", "nobody:model", "", 7])
def test_what_names_no_model_is_refused_where_the_cascade_is_made(
    cascade: Any, signal: Any, model: Any
) -> None:
    kept = signal(judge=model) if signal is Grounding else signal(model)
    with pytest.raises(ConfigurationError, match=r"the model of the signal .*openai"):
        cascade(signals=[kept])


def test_a_judge_of_audits_may_be_named(made: list[FakeLLM]) -> None:
    log = MemoryLog()
    of_llms(log=log, audit=Audit(1.0, Judge(NAME)))()
    flush_log()
    (judge,) = made
    assert len(judge.seen) == 2  # the answer, and the strongest tier's
    assert log.events[-1]["status"] == "done"


def test_one_name_may_be_asked_both_ways(made: list[FakeLLM]) -> None:
    ask = of_llms(signals=[Judge(NAME), Agreement(NAME)], prices=PRICES)
    with collect_decisions() as seen:
        ask()
    assert seen[0]["judged"][0]["signals"] == {
        "judge": pytest.approx(0.97, abs=0.02),
        "agreement": 0,
    }
    assert SURE.text != "A"
