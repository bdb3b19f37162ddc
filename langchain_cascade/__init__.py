"""Model cascades for LangChain: `ChatCascade`, `RunnableCascade`, `CascadeMiddleware`."""

from typing import TYPE_CHECKING

# First, and from the top: imported from deep inside our own modules, the same modules cost a
# fifth more, because the allocator keeps giving memory back and asking for it again.
import langchain_core.language_models.chat_models  # noqa: F401

from cascade_core.lazy import on_use
from langchain_cascade.chat_model import ChatCascade

if TYPE_CHECKING:
    from langchain_cascade.middleware import CascadeMiddleware
    from langchain_cascade.parsing import parser_gate
    from langchain_cascade.runnable import RunnableCascade

__all__ = ["CascadeMiddleware", "ChatCascade", "RunnableCascade", "parser_gate"]

# Agents bring LangGraph with them; who only wants a chat model should not wait for it.
__getattr__ = on_use(
    __name__,
    {
        "CascadeMiddleware": ".middleware",
        "RunnableCascade": ".runnable",
        "parser_gate": ".parsing",
    },
)
