"""Model cascades for LlamaIndex: `CascadeLLM`, `CascadeSynthesizer`, `CascadeQueryEngine`.

What decides is in `cascade_core.loop.flow`; this package calls LlamaIndex's models and reads
their answers. From the bottom up: `reading` knows what answers and events say, `asking` is one
request of any kind, and above it `llm` and `engines` are the cascades. Start reading in
`llm.cascade_llm`.
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
