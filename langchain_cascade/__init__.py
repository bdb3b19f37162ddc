"""Model cascades for LangChain: `ChatCascade`, `RunnableCascade`, `CascadeMiddleware`."""

from typing import TYPE_CHECKING

from cascade_core.lazy import on_use, shown_before_use

if TYPE_CHECKING:
    from cascade_core.given import Tier
    from cascade_core.version import __version__ as __version__
    from langchain_cascade.chat_model import ChatCascade
    from langchain_cascade.collecting import acollect, collect
    from langchain_cascade.collecting_rows import collect_rows
    from langchain_cascade.middleware import CascadeMiddleware
    from langchain_cascade.parsing import parser_gate
    from langchain_cascade.runnable import RunnableCascade

__all__ = [
    "CascadeMiddleware",
    "ChatCascade",
    "RunnableCascade",
    "Tier",
    "acollect",
    "collect",
    "collect_rows",
    "parser_gate",
]

# Agents bring LangGraph with them; who only wants a chat model should not wait for it, nor
# `cascade --help` for LangChain.
__getattr__ = on_use(
    __name__,
    {
        "CascadeMiddleware": ".middleware",
        "ChatCascade": ".chat_model",
        "RunnableCascade": ".runnable",
        "Tier": "cascade_core.given",
        "__version__": "cascade_core.version",
        "acollect": ".collecting",
        "collect": ".collecting",
        "collect_rows": ".collecting_rows",
        "parser_gate": ".parsing",
    },
    extra="langchain",
)
__dir__ = shown_before_use(__name__)
