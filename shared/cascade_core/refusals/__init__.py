"""Whether an answer refuses, in the languages of `languages`: one file of sentences each.

`refuses` reads the beginning of an answer, where a refusal stands. No model is called.
"""

from cascade_core.refusals.reading import READ, refuses

__all__ = ["READ", "refuses"]
