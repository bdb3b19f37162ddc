"""Model cascades for LlamaIndex: `CascadeLLM`, `CascadeSynthesizer`, `CascadeQueryEngine`.

What decides is in `cascade_core.loop.flow`; this package calls LlamaIndex's models and reads
their answers. From the bottom up: `reading` knows what answers and events say, `asking` is one
request of any kind, and above it `llm` and `engines` are the cascades. Start reading in
`llm.cascade_llm`.
"""

from typing import TYPE_CHECKING

from cascade_core.given import Tier
from cascade_core.lazy import not_installed, on_use
from cascade_core.setup.parsing import parser_gate

try:
    import llama_index.core.llms  # noqa: F401
except ModuleNotFoundError as error:
    raise not_installed(error, __name__, "llamaindex") from error

from llamaindex_cascade.asking.instrumentation import CascadeDecisionEvent
from llamaindex_cascade.engines.query_engine import CascadeQueryEngine
from llamaindex_cascade.engines.synthesizer import CascadeSynthesizer
from llamaindex_cascade.llm.cascade_llm import CascadeLLM

if TYPE_CHECKING:
    from cascade_core.version import __version__ as __version__

__all__ = [
    "CascadeDecisionEvent",
    "CascadeLLM",
    "CascadeQueryEngine",
    "CascadeSynthesizer",
    "Tier",
    "parser_gate",
]

__getattr__ = on_use(__name__, {"__version__": "cascade_core.version"})
