"""The engine of a LlamaIndex cascade: the core's."""

from __future__ import annotations

from cascade_core.setup.engine import Engine


class LLMEngine(Engine):
    """The core's engine for LlamaIndex's models, synthesizers and query engines."""

    framework = "llamaindex"
