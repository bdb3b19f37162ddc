"""What LlamaIndex's integrations read of the messages of a conversation that others wrote too.

A row holds for a class and for all that inherit from it; the nearest class
counts. Facts are from the integrations' own sources, as of November 2026.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from cascade_core.integrations.built_in import Maker

if TYPE_CHECKING:
    from collections.abc import Mapping

CallsAs: TypeAlias = Literal["blocks", "openai", "objects", "cohere", "oci", "vertex", "gemini"]
"""The form in which tool calls of a history are read: as LlamaIndex's own blocks, or in
`additional_kwargs["tool_calls"]`, each kind in the words of its API."""


class Reads(NamedTuple):
    """What an integration's class reads of a message.

    Attributes:
        calls: See `CallsAs`.
        text_arguments: Whether the arguments of a call may be JSON text as well as a mapping.
        only_text: Whether they have to be: early releases hand a mapping on as it is, and the API
            refuses it.
        ids: What its API accepts as the id of a call; None where it accepts, or ignores, any.
        thoughts: The key of a thought's additional information without which its API refuses
            the thought; None where a thought does not show who can read it.
        cache_marks: Whether it knows cache points and `cache_control`.
        citations: Whether it knows citable and cited blocks.
        own_keys: Keys of a message's `additional_kwargs` that it alone understands.
        runs: Whose built-in tools it can offer its model.
    """

    calls: CallsAs = "blocks"
    text_arguments: bool = False
    only_text: bool = False
    ids: re.Pattern[str] | None = None
    thoughts: str | None = None
    cache_marks: bool = False
    citations: bool = False
    own_keys: frozenset[str] = frozenset()
    runs: tuple[Maker, ...] = ()


_ANTHROPIC_IDS = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_OPENAI_IDS = re.compile(r".{1,40}")
_IN_KWARGS = Reads("openai", text_arguments=True, ids=_OPENAI_IDS)

READS: Mapping[str, Reads] = {
    "AI21": _IN_KWARGS,
    "Anthropic": Reads(
        ids=_ANTHROPIC_IDS,
        thoughts="signature",
        cache_marks=True,
        citations=True,
        runs=("anthropic",),
    ),
    "AzureAICompletionsModel": _IN_KWARGS,
    "BedrockConverse": Reads(
        text_arguments=True, ids=_ANTHROPIC_IDS, thoughts="signature", cache_marks=True
    ),
    "Cohere": Reads("cohere"),
    "DashScope": _IN_KWARGS,
    "DeepInfraLLM": _IN_KWARGS,
    "Gemini": Reads("gemini"),
    "GoogleGenAI": Reads(
        thoughts="thought_signature",
        own_keys=frozenset(
            {"thought_signatures", "prompt_tokens", "completion_tokens", "total_tokens"}
        ),
        runs=("google",),
    ),
    "HuggingFaceInferenceAPI": Reads("objects", text_arguments=True),
    "LiteLLM": _IN_KWARGS,
    "MistralAI": Reads(text_arguments=True, ids=re.compile(r"[a-zA-Z0-9]{9}")),
    "OCIGenAI": Reads("oci", text_arguments=True),
    "Ollama": Reads(),
    "OpenAI": Reads(
        text_arguments=True,
        only_text=True,
        ids=_OPENAI_IDS,
        own_keys=frozenset({"reference_audio_id"}),
    ),
    "OpenAIResponses": Reads(
        text_arguments=True,
        only_text=True,
        ids=re.compile(r".{1,64}"),
        thoughts="id",
        runs=("openai",),
    ),
    "SiliconFlow": _IN_KWARGS,
    "Vertex": Reads("vertex"),
    "WatsonxLLM": _IN_KWARGS,
    "ZhipuAI": _IN_KWARGS,
}

OWN_KEYS = frozenset().union(*(reads.own_keys for reads in READS.values()))
"""Keys of an answer's `additional_kwargs` that only the class which wrote them understands."""


def reads_of(model: object) -> Reads | None:
    """Return what is known of a model by its class and its bases, or None."""
    names = (cls.__name__ for cls in type(model).__mro__)
    found = next((READS[name] for name in names if name in READS), None)
    if found is not None and _is_mistral(model):
        return found._replace(ids=READS["MistralAI"].ids)
    return found


def _is_mistral(model: object) -> bool:
    """Tell whether a model is one of Mistral's, whose API is particular about ids."""
    name = str(getattr(model, "model", "")).lower()
    return "stral" in name or "mixtral" in name
