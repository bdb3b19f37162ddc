"""Hard checks a draft passes or fails; no number.

A gate is a function `(request, draft) -> bool`, True when the draft passes.
Gates run before any signal, in the order of `DEFAULT_GATES`, and the first
that fails sends the request on. None of them executes anything
that a model wrote.
"""

from cascade_core.setup.gates.empty import has_context, not_empty
from cascade_core.setup.gates.ends import not_truncated
from cascade_core.setup.gates.formats import fits_schema, parses
from cascade_core.setup.gates.gate import Check, Gate
from cascade_core.setup.gates.making import DEFAULT_GATES, make_gates
from cascade_core.setup.gates.refusals import NoneOfThese, RefusalLike, not_refused
from cascade_core.setup.gates.runs import CodeCheck, Runs
from cascade_core.setup.gates.tool_calls import tool_calls_fit

__all__ = [
    "DEFAULT_GATES",
    "Check",
    "CodeCheck",
    "Gate",
    "NoneOfThese",
    "RefusalLike",
    "Runs",
    "fits_schema",
    "has_context",
    "make_gates",
    "not_empty",
    "not_refused",
    "not_truncated",
    "parses",
    "tool_calls_fit",
]
