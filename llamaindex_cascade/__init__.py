"""Model cascades for LlamaIndex: `CascadeLLM`, `CascadeSynthesizer`, `CascadeQueryEngine`.

Start reading in `llm`. What decides is in `cascade_core.flow`; this package
converts, and calls LlamaIndex's models.
"""

from llamaindex_cascade.formats import parser_gate
from llamaindex_cascade.instrumentation import CascadeDecisionEvent
from llamaindex_cascade.llm import CascadeLLM
from llamaindex_cascade.query_engine import CascadeQueryEngine
from llamaindex_cascade.synthesizer import CascadeSynthesizer

__all__ = [
    "CascadeDecisionEvent",
    "CascadeLLM",
    "CascadeQueryEngine",
    "CascadeSynthesizer",
    "parser_gate",
]
