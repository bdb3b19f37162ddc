"""Model cascades for LangChain: `ChatCascade`, `RunnableCascade`, `CascadeMiddleware`."""

from typing import TYPE_CHECKING

# First, and from the top: imported from deep inside our own modules, the same modules cost a
# fifth more, because the allocator keeps giving memory back and asking for it again.
try:
    import langchain_core.language_models.chat_models  # noqa: F401
except ModuleNotFoundError as error:
    from cascade_core.lazy import not_installed

    raise not_installed(error, __name__, "langchain") from error

from cascade_core.given import Tier
from cascade_core.lazy import on_use
from langchain_cascade.chat_model import ChatCascade

if TYPE_CHECKING:
    from cascade_core.version import __version__ as __version__
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

# Agents bring LangGraph with them; who only wants a chat model should not wait for it.
__getattr__ = on_use(
    __name__,
    {
        "CascadeMiddleware": ".middleware",
        "RunnableCascade": ".runnable",
        "__version__": "cascade_core.version",
        "acollect": ".collecting",
        "collect": ".collecting",
        "collect_rows": ".collecting_rows",
        "parser_gate": ".parsing",
    },
    extra="langchain",
)
