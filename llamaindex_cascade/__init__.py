"""Model cascades for LlamaIndex: `CascadeLLM`, `CascadeSynthesizer`, `CascadeQueryEngine`.

Start reading in `llm`. What decides is in `cascade_core.loop.flow`; this package
converts, and calls LlamaIndex's models.
"""

from cascade_core.setup.parsing import parser_gate
from llamaindex_cascade.asking.instrumentation import CascadeDecisionEvent
from llamaindex_cascade.engines.query_engine import CascadeQueryEngine
from llamaindex_cascade.engines.synthesizer import CascadeSynthesizer
from llamaindex_cascade.llm.cascade_llm import CascadeLLM

__all__ = [
    "CascadeDecisionEvent",
    "CascadeLLM",
    "CascadeQueryEngine",
    "CascadeSynthesizer",
    "parser_gate",
]
