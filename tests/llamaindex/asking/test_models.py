"""Tiers given by name."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
from llama_index.llms.openai import OpenAI
from llama_index.llms.openai_like import OpenAILike

from cascade_core.errors import ConfigurationError
from llamaindex_cascade import CascadeLLM, CascadeSynthesizer
from llamaindex_cascade.asking.models import CLASSES, load_model
from tests.llamaindex.fakes import cheap, strong

NAMES = "openai:gpt-4o-mini", "openai:gpt-4o"


def test_names_become_models_in_their_order() -> None:
    made = CascadeLLM.from_models(*NAMES, thresholds=0.25)
    assert [type(tier) for tier in made.tiers] == [OpenAI, OpenAI]
    assert made.tier_names == "gpt-4o-mini->gpt-4o"
    assert made._engine.plan.thresholds == (0.25,)


def test_models_and_names_stand_side_by_side() -> None:
    given = cheap()
    made = CascadeLLM([given, "openai:gpt-4o"])
    assert made.tiers[0] is given
    assert made.tiers[1].model == "gpt-4o"


def test_a_name_is_made_into_a_model_once() -> None:
    made = CascadeLLM([*NAMES])
    before = made.tiers
    made.thresholds = 0.5
    assert made.tiers is before
    assert made.model_copy(update={"mode": "shadow"}).tiers is before
    renamed = made.model_copy(update={"tiers": ["openai:gpt-4.1-mini", before[1]]})
    assert renamed.tier_names == "gpt-4.1-mini->gpt-4o"
    assert renamed.model_copy().tiers is renamed.tiers


def test_a_list_without_names_stays_the_callers() -> None:
    tiers = [cheap(), strong()]
    assert CascadeLLM(tiers).tiers is tiers


def test_a_synthesizer_takes_names_with_what_makes_synthesizers() -> None:
    made = CascadeSynthesizer.from_models(*NAMES, response_mode="refine", streaming=True)
    assert [tier._llm.model for tier in made.tiers] == ["gpt-4o-mini", "gpt-4o"]
    assert {type(tier).__name__ for tier in made.tiers} == {"Refine"}
    assert all(tier._streaming for tier in (*made.tiers, made))


def test_what_is_served_like_openai_is_chatted_with(monkeypatch: pytest.MonkeyPatch) -> None:
    made = load_model("openai_like:qwen/qwen3-8b:free", "tiers[0]")
    assert isinstance(made, OpenAILike)
    assert made.model == "qwen/qwen3-8b:free"
    assert made.metadata.is_chat_model


@pytest.mark.parametrize("provider", CLASSES)
def test_every_provider_has_a_module_and_a_class(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Integration:
        def __init__(self, model: str, **_: Any) -> None:
            self.model = model

    module = ModuleType(provider)
    setattr(module, CLASSES[provider], Integration)
    monkeypatch.setitem(sys.modules, f"llama_index.llms.{provider}", module)
    assert load_model(f"{provider}:a-model:8b", "tiers[0]").model == "a-model:8b"


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llama_index.llms.google_genai", None)
    with pytest.raises(ConfigurationError, match=r"tiers\[1\]='google_genai:g'") as caught:
        CascadeLLM.from_models("openai:gpt-4o-mini", "google_genai:g")
    assert "pip install llama-index-llms-google-genai" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nobody:nothing", "tiers.0.='nobody:nothing' names no model of a provider known here"),
        ("openai:", "names no model.*one of anthropic, .*together"),
        (":gpt-4o", "names no model"),
        ("gpt-4o", r"tiers\[0\] is not a LlamaIndex LLM but str; .*'openai:gpt-4o-mini'"),
        ("openai:not-a-model", r"tiers\[0\]: OpenAI.metadata cannot be read"),
    ],
)
def test_a_name_that_is_none_is_refused_by_place(name: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        CascadeLLM.from_models(name, "openai:gpt-4o")


def test_a_model_that_cannot_be_made_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: Any) -> None:
        msg = "set GROQ_API_KEY\nand more"
        raise ValueError(msg)

    module = ModuleType("groq")
    module.Groq = broken  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "llama_index.llms.groq", module)
    words = r"^tiers\[0\]='groq:llama' cannot be made into an LLM: set GROQ_API_KEY$"
    with pytest.raises(ConfigurationError, match=words):
        CascadeLLM.from_models("groq:llama", "openai:gpt-4o")


def test_no_names_are_no_tiers() -> None:
    with pytest.raises(ConfigurationError, match="is empty"):
        CascadeLLM.from_models()
