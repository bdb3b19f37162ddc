"""Tools as callers offer them, and which of them must be called, in every provider's form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cascade_core.integrations.fields import Getter, field, getter, listed
from cascade_core.request import ToolSpec

_CHOICES = {
    **dict.fromkeys(("any", "required"), "required"),
    **dict.fromkeys(("auto", "validated", "default", ""), "auto"),
    **dict.fromkeys(("none", "null"), "none"),
}
"""Words of all providers for how free the choice is; any other word is the name of a tool."""

_NAMED = ("function", "custom", "tool")
"""Types of tools that are called by name, and the fields in which the name may be."""

_OPEN = ("mcp", "tool_search", "namespace", "toolset")
"""Parts of the types of tools that bring tools of names not told here."""


def read_choice(choice: object) -> str | None:
    """Read a `tool_choice` of any provider's form.

    - words: OpenAI, Mistral ("any"), Cohere, and a tool's name
    - `{"type": …}`: OpenAI, Anthropic ("none", "any", "tool"), and their clients' objects
    - `{"any": {}}`, `{"tool": {"name": …}}`: Bedrock
    - `{"function_calling_config": {"mode": …}}`, or that alone: Google

    Returns:
        In the core's words: None, "auto", "none", "required" or a tool's name. A tool that a
        provider runs itself is called without the caller's seeing it: that is "auto".
    """
    if choice is None or choice is False:
        return None
    if choice is True:
        return "required"
    if isinstance(choice, str):
        word = str(getattr(choice, "value", choice))
        return _CHOICES.get(word.lower(), word)
    get = getter(choice)
    for key in _NAMED:
        if isinstance(name := field(get(key), "name"), str) and name:
            return name
    config = get("function_calling_config") or get("functionCallingConfig") or get("allowed_tools")
    if config is not None or get("mode") is not None:
        return _by_mode(getter(choice if config is None else config))
    kind, name = get("type"), get("name")
    if isinstance(name, str) and name and kind in (None, *_NAMED):
        return name
    if kind is None:
        kind = next((word for word in ("auto", "any", "none") if get(word) is not None), "auto")
    return _CHOICES.get(str(getattr(kind, "value", kind)).lower(), "auto")


def _by_mode(get: Getter) -> str:
    mode = get("mode")
    word = _CHOICES.get(str(getattr(mode, "value", mode)).lower(), "auto")
    allowed = listed(get("allowed_function_names") or get("allowedFunctionNames"))
    return str(allowed[0]) if word == "required" and len(allowed) == 1 else word


def specs_of(tool: Any) -> Iterator[ToolSpec]:
    """Return what is known of a tool, or of several in one, in any provider's form.

    A provider's own tools are named by themselves or by their type; some bring others.
    """
    get = getter(tool)
    several = get("function_declarations") or get("functionDeclarations") or get("tools")
    for each in listed(several):
        yield from specs_of(each)
    kind = get("type")
    kind = kind if isinstance(kind, str) else ""
    if any(part in kind for part in _OPEN):
        yield ToolSpec(kind, open=True)
        return
    inner = next((i for key in _CALLED if (i := get(key)) is not None), tool)
    name = field(inner, "name") or (None if several else kind)
    if isinstance(name, str) and name:
        yield ToolSpec(name, _schema(inner))


_CALLED = ("function", "custom", "toolSpec", "systemTool")


def _schema(tool: Any) -> Mapping[str, Any] | None:
    get = getter(tool)
    found = get("parameters") or get("input_schema") or field(get("inputSchema"), "json")
    return found if isinstance(found, Mapping) else None
