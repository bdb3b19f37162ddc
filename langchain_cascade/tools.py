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

from cascade_core.request import ToolSpec

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
        self.specs = tuple(spec for tool in self.formatted if (spec := _spec(tool)) is not None)

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
            options = {**options, "tool_choice": neutral_choice(options["tool_choice"])}
        return model.bind_tools(self.tools, **options)

    def __repr__(self) -> str:
        """Name the tools."""
        return f"BoundTools({[spec.name for spec in self.specs]})"


def read_choice(choice: object) -> str | None:
    """Read a `tool_choice` of any provider's form."""
    if choice is None or choice is False:
        return None
    if choice is True:
        return "required"
    if isinstance(choice, Mapping):
        function = choice.get("function")
        name = function.get("name") if isinstance(function, Mapping) else choice.get("name")
        return read_choice(name or choice.get("type"))
    return "required" if choice in {"any", "required"} else str(choice)


def neutral_choice(choice: Any) -> Any:
    """Return a `tool_choice` in the form that every integration's `bind_tools` takes.

    A provider's own form would reach the tiers of other providers as it is.
    """
    if isinstance(choice, Mapping) and not choice.keys() <= {"type", "function", "name"}:
        return choice  # it says more than which tool, and only its own provider knows what
    if isinstance(choice, Mapping | bool) or choice == "required":
        read = read_choice(choice)
        return "any" if read == "required" else read
    return choice


def supports_tools(model: BaseChatModel) -> bool:
    """Tell whether a model's class can bind tools at all."""
    return type(model).bind_tools is not BaseChatModel.bind_tools


def _formatted(tool: Any) -> dict[str, Any]:
    if isinstance(tool, dict) and "function" not in tool and "type" in tool:
        return tool  # a provider's own built-in tool
    return convert_to_openai_tool(tool)


def _spec(tool: Mapping[str, Any]) -> ToolSpec | None:
    function = tool.get("function")
    if not isinstance(function, Mapping):
        return None
    return ToolSpec(str(function["name"]), function.get("parameters"))
