"""Tools that a provider runs itself, as a caller writes them down: whose they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

Maker: TypeAlias = Literal["anthropic", "google", "openai"]

_DATED = re.compile(r".*_\d{8}$")
"""Anthropic's name their version: `web_search_20250305`."""

_ANTHROPIC = frozenset({"mcp_toolset"})
_OPENAI = frozenset(
    {
        "apply_patch",
        "code_interpreter",
        "computer",
        "computer_use_preview",
        "file_search",
        "image_generation",
        "local_shell",
        "mcp",
        "shell",
        "tool_search",
        "web_search",
        "web_search_preview",
    }
)
_GOOGLE = frozenset(
    {
        "code_execution",
        "computer_use",
        "enterprise_web_search",
        "file_search",
        "google_maps",
        "google_search",
        "google_search_retrieval",
        "retrieval",
        "url_context",
    }
)


def maker_of(tool: Any) -> Maker | None:
    """Return who alone can run a tool; None for functions, and for what is not known."""
    if not isinstance(tool, Mapping):
        theirs = type(tool).__module__.startswith("google.")
        brings = any(getattr(tool, name, None) is not None for name in _GOOGLE)
        return "google" if theirs and brings else None
    kind = tool.get("type")
    if isinstance(kind, str):
        if _DATED.match(kind) or kind in _ANTHROPIC:
            return "anthropic"
        # OpenAI's versions are dated with lines between: `web_search_2025_08_26`.
        known = kind in _OPENAI or kind.startswith(("web_search_20", "web_search_preview_20"))
        return "openai" if known else None
    return "google" if any(_snake(name) in _GOOGLE for name in tool) else None


def _snake(name: object) -> str:
    return re.sub(r"(?<=[a-z])[A-Z]", lambda found: f"_{found[0]}", str(name)).lower()
