"""What each framework's adapter does with a model whose class is known by its name."""

from __future__ import annotations

from typing import Any

import pytest
from langchain.agents.middleware import ModelRequest

from cascade_core.integrations.classes import CACHE_KEYS, LANGCHAIN, LLAMAINDEX, integration
from langchain_cascade import capabilities as langchain
from langchain_cascade.providers import without_foreign_cache_keys
from langchain_cascade.tiers import ChatTier, core_tier
from llamaindex_cascade.asking.tiers import make_tier
from llamaindex_cascade.reading import capabilities as llamaindex
from tests.langchain.fakes import FakeChat
from tests.llamaindex.recording import Talker


def named(name: str, base: Any) -> Any:
    """Return a model of a class of that name."""
    return type(name, (base,), {"__module__": __name__})()


# Class: whether it gives logprobs, its host, whether its streams name their end, its cache keys.
# The fake model takes `logprobs` as a field where its class's row does not say otherwise.
OPENAI = {"prompt_cache_key", "prompt_cache_retention"}
IN_LANGCHAIN: dict[str, tuple[bool, str | None, bool, set[str]]] = {
    "AzureChatOpenAI": (True, "azure", False, OPENAI),
    "BaseChatOpenAI": (True, None, True, set()),
    "ChatAnthropic": (False, None, True, {"cache_control"}),
    "ChatAnthropicBedrock": (False, None, True, {"cache_control"}),
    "ChatAnthropicVertex": (False, None, True, {"cache_control"}),
    "ChatBaseten": (True, "baseten", False, set()),
    "ChatBedrock": (False, None, False, set()),
    "ChatBedrockConverse": (False, None, True, set()),
    "ChatCerebras": (True, "cerebras", False, set()),
    "ChatCohere": (False, None, True, set()),
    "ChatDatabricks": (True, "databricks", False, set()),
    "ChatDeepInfra": (True, "deepinfra", False, set()),
    "ChatFireworks": (True, "fireworks", True, {"prompt_cache_key"}),
    "ChatGoogleGenerativeAI": (False, None, True, set()),
    "ChatGroq": (True, "groq", True, set()),
    "ChatHuggingFace": (True, "huggingface", False, set()),
    "ChatLiteLLM": (True, None, True, set()),
    "ChatMistralAI": (False, None, True, set()),
    "ChatNVIDIA": (True, "nvidia", True, set()),
    "ChatNebius": (True, "nebius", False, set()),
    "ChatOllama": (True, "ollama", True, set()),
    "ChatOpenAI": (True, None, False, OPENAI),
    "ChatOpenRouter": (True, "openrouter", True, set()),
    "ChatPerplexity": (False, "perplexity", True, set()),
    "ChatTogether": (True, "together", False, set()),
    "ChatVertexAI": (False, None, False, set()),
    "ChatWatsonx": (True, "ibm", False, set()),
}
BY_MODEL_KWARGS = {"ChatFireworks", "ChatGroq", "ChatLiteLLM", "ChatOpenRouter"}

# Classes whose streams lose log-probabilities.
LOSING = {"ChatLiteLLM", "ChatTogether"}

# Classes whose streams tear the calls of tools.
TEARING = {"ChatCohere"}

# Classes whose streams name their end, and those whose streams never do.
NAMED = {"Anthropic", "Cohere", "GoogleGenAI", "LiteLLM", "MistralAI", "Ollama", "OpenAI"}
NAMED |= {"OpenAIResponses"}
HIDDEN = {"BedrockConverse", "Perplexity"}

IN_LLAMAINDEX: dict[str, tuple[bool | None, str | None]] = {
    "Anthropic": (False, None),
    "AzureOpenAI": (None, "azure"),
    "Baseten": (None, "baseten"),
    "Bedrock": (False, None),
    "BedrockConverse": (False, None),
    "Cerebras": (None, "cerebras"),
    "Cohere": (False, None),
    "Databricks": (None, "databricks"),
    "DeepInfraLLM": (None, "deepinfra"),
    "Fireworks": (None, "fireworks"),
    "Gemini": (False, None),
    "GoogleGenAI": (False, None),
    "Groq": (None, "groq"),
    "HuggingFaceInferenceAPI": (False, "huggingface"),
    "HuggingFaceLLM": (False, "huggingface"),
    "LMStudio": (None, "lmstudio"),
    "LiteLLM": (True, None),
    "LlamaCPP": (False, None),
    "MistralAI": (False, None),
    "NVIDIA": (None, "nvidia"),
    "NebiusLLM": (None, "nebius"),
    "Ollama": (False, "ollama"),
    "OpenAI": (True, None),
    "OpenAIResponses": (True, None),
    "OpenRouter": (None, "openrouter"),
    "Perplexity": (False, "perplexity"),
    "TogetherLLM": (None, "together"),
    "Vertex": (False, None),
    "Vllm": (None, "vllm"),
    "WatsonxLLM": (None, "ibm"),
}


def test_every_row_is_tried() -> None:
    assert IN_LANGCHAIN.keys() == LANGCHAIN.keys()
    assert IN_LLAMAINDEX.keys() == LLAMAINDEX.keys()


@pytest.mark.parametrize("name", IN_LANGCHAIN)
def test_a_class_of_langchain_is_known_by_its_name(name: str) -> None:
    gives, host, ends_named, _ = IN_LANGCHAIN[name]
    model = named(name, FakeChat)
    assert langchain.gives_logprobs(model) is gives
    assert langchain.host(model) == host
    assert bool(integration(model, LANGCHAIN).ends_named) is ends_named
    tier = core_tier(0, ChatTier(model, model))
    assert tier.streams_logprobs is (name not in LOSING)
    assert tier.streams_calls is (name not in TEARING)
    fields = langchain.logprob_fields(model, 2)
    asked = {"logprobs": True, "top_logprobs": 2}
    by_model_kwargs = name in BY_MODEL_KWARGS
    assert fields == ({"model_kwargs": asked} if by_model_kwargs else asked if gives else {})


@pytest.mark.parametrize("name", IN_LANGCHAIN)
def test_a_class_of_langchain_is_sent_only_the_cache_settings_it_accepts(name: str) -> None:
    model = named(name, FakeChat)
    request = ModelRequest(model=model, messages=[], model_settings=dict.fromkeys(CACHE_KEYS, "x"))
    sent = without_foreign_cache_keys(request, model).model_settings
    assert set(sent) == IN_LANGCHAIN[name][3]


@pytest.mark.parametrize("name", IN_LLAMAINDEX)
def test_a_class_of_llamaindex_is_known_by_its_name(name: str) -> None:
    gives, host = IN_LLAMAINDEX[name]
    llm = named(name, Talker)
    assert llamaindex.gives_logprobs(llm) is gives
    assert llamaindex.host(llm) == host
    options = {"logprobs": True, "top_logprobs": 2} if gives else {}
    if name == "OpenAIResponses":  # its API has an argument of its own for it
        options = {"include": ["message.output_text.logprobs"], "top_logprobs": 2}
    assert llamaindex.logprob_options(llm, 2) == options
    usage = {"stream_options": {"include_usage": True}} if name == "OpenAI" else {}
    assert llamaindex.usage_options(llm) == usage
    assert llamaindex.ends_named(llm) is (name in NAMED)
    assert llamaindex.ends_hidden(llm) is (name in HIDDEN)
    assert make_tier(llm, 0).streams is (name not in HIDDEN)
