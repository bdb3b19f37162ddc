"""What is known of a model by its object: the name of its class, and its fields.

A row holds for a class and for all that inherit from it; a fact is taken from
the nearest class that states it. Classes that only inherit (ChatDeepSeek and
ChatXAI from BaseChatOpenAI, OpenAILike and many others from OpenAI) have none.
Facts are from the integrations' own sources, as of November 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from pydantic import BaseModel

NAME_FIELDS = (
    "model_name",
    "model",
    "model_id",
    "deployment_name",
    "azure_deployment",
    "engine",
)
"""Where a model keeps its name; ChatLiteLLM, which has the first two, calls by the first."""

FURTHER_NAME_FIELDS = (
    "deployment_name",
    "azure_deployment",
    "engine",
    "base_model_id",
    "base_model",
)
"""Where a model keeps its owner's name for it, and what it is where that name does not say it:
on Azure the deployment, on Bedrock the base of an application's profile."""

LIMIT_FIELDS = (
    "max_tokens",
    "max_completion_tokens",
    "max_output_tokens",
    "max_new_tokens",
    "num_predict",
)
"""What integrations call the most tokens that an answer may have: as fields, and as arguments."""

OF_MODELS = frozenset(
    {
        *("temperature", "top_p", "top_k", "stop", "seed", "logprobs", "top_logprobs"),
        *("timeout", "request_timeout", "max_retries", "reasoning_effort", "context_window"),
        *("api_key", "api_base", "base_url", "default_headers", "model_kwargs"),
        *LIMIT_FIELDS,
        *("additional_kwargs", "is_chat_model", "is_function_calling_model"),
    }
)
"""What integrations call the settings of one model, which a cascade may be given by mistake."""

LogprobsBy: TypeAlias = Literal["never", "arguments", "model_kwargs", "include"]
"""How to ask for log-probabilities: not at all, since none come or asking is an error; by the
arguments of a call; by the field `model_kwargs`, which is passed on; by `LOGPROBS_INCLUDED` in the
argument `include`."""

LOGPROBS_INCLUDED = "message.output_text.logprobs"
"""What has OpenAI's Responses API send log-probabilities."""


class Integration(NamedTuple):
    """What is known of an integration's class; None where it is not stated.

    Attributes:
        logprobs: How to ask for log-probabilities; else the model's fields tell.
        host: Who serves other makers' models by it, at prices of their own.
        ends_named: Whether its streams say at their end why they end, so that one
            which does not was cut off. False: they never say so, its whole answers do.
        usage_asked: Whether its streams report tokens only to who asks them to.
        cache_keys: The settings for prompt caching that it accepts.
        choose_none: How it is told to call no tool; False where there is no way.
        tells_tokens: Whether it tells handlers of tokens even where it answers in one piece.
        one_answer: Whether its provider gives no more than one answer to one request.
        sampling: How it takes the temperature of one call, where an argument is an error or is
            passed over: as a field of the model, or in the argument `generation_config`.
        logprobs_streamed: False: its streams lose log-probabilities, its whole answers have them.
        calls_streamed: False: its streams tear calls of tools, its whole answers have them.
    """

    logprobs: LogprobsBy | None = None
    host: str | None = None
    ends_named: bool | None = None
    usage_asked: bool | None = None
    cache_keys: frozenset[str] | None = None
    choose_none: Mapping[str, str] | Literal[False] | None = None
    tells_tokens: bool | None = None
    one_answer: bool | None = None
    logprobs_streamed: bool | None = None
    sampling: Literal["field", "generation_config"] | None = None
    calls_streamed: bool | None = None


Known: TypeAlias = Mapping[str, Integration]

CACHE_KEYS = frozenset({"cache_control", "prompt_cache_key", "prompt_cache_retention"})
"""Settings for prompt caching, each an error at most providers."""

_ANTHROPIC = Integration(
    logprobs="never",
    ends_named=True,
    cache_keys=frozenset({"cache_control"}),
    choose_none={"type": "none"},
    one_answer=True,
)
_OPENAI = frozenset({"prompt_cache_key", "prompt_cache_retention"})

LANGCHAIN: Known = {
    "AzureChatOpenAI": Integration(host="azure", cache_keys=_OPENAI),
    "BaseChatOpenAI": Integration(ends_named=True),
    "ChatAnthropic": _ANTHROPIC,
    "ChatAnthropicBedrock": _ANTHROPIC,
    "ChatAnthropicVertex": _ANTHROPIC,
    "ChatBaseten": Integration(host="baseten"),
    "ChatBedrock": Integration(logprobs="never", choose_none=False, one_answer=True),
    "ChatBedrockConverse": Integration(
        logprobs="never", ends_named=True, choose_none=False, one_answer=True
    ),
    "ChatCerebras": Integration(host="cerebras"),
    "ChatCohere": Integration(
        logprobs="never",
        ends_named=True,
        one_answer=True,
        sampling="field",
        calls_streamed=False,  # LangChain cannot tell whose pieces its `stream` hands on
    ),
    "ChatDatabricks": Integration(host="databricks"),
    "ChatDeepInfra": Integration(host="deepinfra"),
    "ChatFireworks": Integration(
        logprobs="model_kwargs",
        host="fireworks",
        ends_named=True,
        cache_keys=frozenset({"prompt_cache_key"}),
    ),
    "ChatGoogleGenerativeAI": Integration(logprobs="never", ends_named=True),
    "ChatGroq": Integration(logprobs="model_kwargs", host="groq", ends_named=True),
    "ChatHuggingFace": Integration(host="huggingface"),
    "ChatLiteLLM": Integration(logprobs="model_kwargs", ends_named=True, logprobs_streamed=False),
    "ChatMistralAI": Integration(logprobs="never", ends_named=True),
    "ChatNVIDIA": Integration(host="nvidia", ends_named=True),
    "ChatNebius": Integration(host="nebius"),
    "ChatOllama": Integration(
        host="ollama", ends_named=True, tells_tokens=True, one_answer=True, sampling="field"
    ),
    "ChatOpenAI": Integration(cache_keys=_OPENAI),
    "ChatOpenRouter": Integration(logprobs="model_kwargs", host="openrouter", ends_named=True),
    "ChatPerplexity": Integration(logprobs="never", host="perplexity", ends_named=True),
    # Sends one number a chunk, of which LangChain leaves out every 0.
    "ChatTogether": Integration(host="together", logprobs_streamed=False),
    "ChatVertexAI": Integration(logprobs="never"),
    "ChatWatsonx": Integration(host="ibm"),
}

LLAMAINDEX: Known = {
    "Anthropic": Integration(logprobs="never", ends_named=True, one_answer=True),
    "AzureOpenAI": Integration(host="azure"),
    "Baseten": Integration(host="baseten"),
    "Bedrock": Integration(logprobs="never", one_answer=True),
    "BedrockConverse": Integration(logprobs="never", ends_named=False, one_answer=True),
    "Cerebras": Integration(host="cerebras"),
    "Cohere": Integration(logprobs="never", ends_named=True, one_answer=True),
    "Databricks": Integration(host="databricks"),
    "DeepInfraLLM": Integration(host="deepinfra"),
    "Fireworks": Integration(host="fireworks"),
    "Gemini": Integration(logprobs="never", sampling="generation_config"),
    "GoogleGenAI": Integration(logprobs="never", ends_named=True, sampling="generation_config"),
    "Groq": Integration(host="groq"),
    "HuggingFaceInferenceAPI": Integration(logprobs="never", host="huggingface"),
    "HuggingFaceLLM": Integration(logprobs="never", host="huggingface", sampling="field"),
    "LMStudio": Integration(host="lmstudio"),
    "LiteLLM": Integration(logprobs="arguments", ends_named=True),
    "LlamaCPP": Integration(logprobs="never", sampling="field"),
    "MistralAI": Integration(logprobs="never", ends_named=True),
    "NVIDIA": Integration(host="nvidia"),
    "NebiusLLM": Integration(host="nebius"),
    "Ollama": Integration(
        logprobs="never", host="ollama", ends_named=True, one_answer=True, sampling="field"
    ),
    "OpenAI": Integration(logprobs="arguments", ends_named=True, usage_asked=True),
    "OpenAIResponses": Integration(logprobs="include", ends_named=True),
    "OpenRouter": Integration(host="openrouter"),
    "Perplexity": Integration(logprobs="never", host="perplexity", ends_named=False),
    "TogetherLLM": Integration(host="together"),
    "Vertex": Integration(logprobs="never"),
    "Vllm": Integration(host="vllm"),
    "WatsonxLLM": Integration(host="ibm"),
}

HOSTS = frozenset(row.host for row in (*LANGCHAIN.values(), *LLAMAINDEX.values()) if row.host)
"""Who serves other makers' models."""


def integration(model: object, table: Known) -> Integration:
    """Return what is known of a model by its class and its bases."""
    rows = [table[cls.__name__] for cls in type(model).__mro__ if cls.__name__ in table]
    if len(rows) == 1:
        return rows[0]
    stated = ((fact for fact in facts if fact is not None) for facts in zip(*rows, strict=True))
    return Integration(*(next(facts, None) for facts in stated)) if rows else Integration()


def declines_logprobs(model: BaseModel) -> bool:
    """Tell whether the owner of a model switched its log-probabilities off."""
    return "logprobs" in model.model_fields_set and getattr(model, "logprobs", None) is False


def model_name(model: object) -> str | None:
    """Return the name that a model is priced by, or None where its fields do not say it."""
    found = (getattr(model, name, None) for name in NAME_FIELDS)
    return next((name for name in found if name and isinstance(name, str)), None)


def other_names(model: object) -> tuple[str, ...]:
    """Return the further names that a model was given, of which any may have a price."""
    found = (getattr(model, name, None) for name in FURTHER_NAME_FIELDS)
    return tuple(dict.fromkeys(name for name in found if name and isinstance(name, str)))
