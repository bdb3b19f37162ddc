"""The caller's tools, bound to every tier by the tier itself.

Integrations turn tools into arguments of their own (an OpenAI tool means
nothing to Anthropic), so what a cascade binds is the caller's tools as they
are; each tier binds them when it is called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable
from langchain_core.utils.function_calling import convert_to_openai_tool

from cascade_core.integrations.asked import needs_of
from cascade_core.integrations.classes import LANGCHAIN, integration
from cascade_core.integrations.schemas import schema_asked
from cascade_core.integrations.tools import read_choice, specs_of
from langchain_cascade.providers import own_tools

SIDECAR = "cascade_tools"
"""The keyword under which a binding carries a `BoundTools` to the cascade."""


TOOL_KEYWORDS = frozenset({SIDECAR, "tools", "tool_choice"})
"""Keywords that reach a tier through its own `bind_tools` and not as they are."""


class BoundTools:
    """Tools as the caller gave them.

    Args:
        tools: Tools in any form `bind_tools` takes.
        options: The other arguments of `bind_tools`: `tool_choice`, `strict`, …
    """

    def __init__(self, tools: Sequence[Any], options: Mapping[str, Any]) -> None:
        self.tools = tuple(tools)
        self.options = dict(options)
        self.formatted = [_formatted(tool) for tool in self.tools]
        self.specs = tuple(spec for tool in self.formatted for spec in specs_of(tool))
        # An agent asks for JSON in the same breath.
        self.output_schema = schema_asked(self.options)
        self.needs = needs_of(self.options)

    @classmethod
    def of(cls, kwargs: Mapping[str, Any]) -> BoundTools | None:
        """Return the tools among a call's keyword arguments, bound by us or given directly."""
        if SIDECAR in kwargs:
            return cast("BoundTools", kwargs[SIDECAR])
        if not kwargs.get("tools"):
            return None
        options = {"tool_choice": kwargs["tool_choice"]} if kwargs.get("tool_choice") else {}
        return cls(kwargs["tools"], options)

    @property
    def choice(self) -> str | None:
        """The tool choice in the core's words: None, "auto", "none", "required" or a name."""
        return read_choice(self.options.get("tool_choice"))

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What they become in a call, as far as all providers are alike."""
        return {**self.options, "tools": self.formatted}

    @property
    def identity(self) -> str:
        """A string equal for the same tools bound alike; part of cache keys."""
        return repr((self.formatted, sorted(self.options.items(), key=str)))

    def bind_to(self, model: BaseChatModel) -> Runnable[Any, Any]:
        """Let one model bind the tools.

        Raises:
            NotImplementedError: The model cannot call tools.
        """
        options = self.options
        if "tool_choice" in options:
            options = {**options, "tool_choice": choice_for(model, options["tool_choice"])}
        tools = own_tools(self.tools, model)
        if len(tools) < len(self.tools):
            if not tools:
                return model.bind(**{k: v for k, v in options.items() if k != "tool_choice"})
            if isinstance(options.get("tool_choice"), Mapping):
                options = {k: v for k, v in options.items() if k != "tool_choice"}
        return model.bind_tools(tools, **options)

    def __repr__(self) -> str:
        """Name the tools."""
        return f"BoundTools({[spec.name for spec in self.specs]})"


def choice_for(model: BaseChatModel, choice: Any) -> Any:
    """Return a `tool_choice` in the form that an integration's `bind_tools` takes.

    Another provider's form would reach it as it is, and a word that it does not know as the
    name of a tool. What says more than which tool stays as it is: only its own provider knows what.
    """
    if not (isinstance(choice, bool) or choice in ("required", "none") or _is_plain(choice)):
        return choice
    read = read_choice(choice)
    if read == "none":
        said = integration(model, LANGCHAIN).choose_none
        return "none" if said is None else said or None
    return "any" if read == "required" else read


_PLAIN_TYPES = (None, "auto", "any", "none", "required", "function", "tool")
_PLAIN_KEYS = ({"type"}, {"type", "function"}, {"type", "name"}, {"function"}, {"name"})
_PLAIN_KEYS_ELSEWHERE = ({"any"}, {"auto"}, {"tool"}, {"function_calling_config"})


def _is_plain(choice: Any) -> bool:
    if not isinstance(choice, Mapping):
        return False
    if choice.keys() in _PLAIN_KEYS:
        return choice.get("type") in _PLAIN_TYPES
    config = choice.get("function_calling_config")
    names = config.get("allowed_function_names") if isinstance(config, Mapping) else None
    return choice.keys() in _PLAIN_KEYS_ELSEWHERE and len(names or ()) <= 1


def _formatted(tool: Any) -> Any:
    if isinstance(tool, dict) and "function" not in tool and "type" in tool:
        return convert_to_openai_tool(tool) if "properties" in tool else tool
    try:
        return convert_to_openai_tool(tool)
    except (TypeError, ValueError):
        if isinstance(tool, dict) or hasattr(tool, "function_declarations"):
            return tool  # a provider's own form, which its integration reads
        raise
