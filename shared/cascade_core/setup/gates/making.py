"""The gates of a cascade: the default ones in their order, then the caller's."""

from __future__ import annotations

from collections.abc import Sequence

from cascade_core.errors import ConfigurationError
from cascade_core.setup.gates.empty import has_context, not_empty
from cascade_core.setup.gates.ends import not_truncated
from cascade_core.setup.gates.formats import fits_schema, parses
from cascade_core.setup.gates.gate import Check, Gate
from cascade_core.setup.gates.refusals import RefusalLike, not_refused, read_refusals
from cascade_core.setup.gates.runs import Runs
from cascade_core.setup.gates.tool_calls import tool_calls_fit

DEFAULT_GATES: tuple[Gate, ...] = (
    Gate("gate_refusal", not_refused, own=True),
    Gate("gate_truncated", not_truncated, own=True),
    Gate("gate_empty", not_empty, own=True),
    Gate("gate_no_context", has_context, own=True),
    Gate("gate_tool_call", tool_calls_fit, own=True),
    Gate("gate_parser", parses, own=True),
    Gate("gate_schema", fits_schema, own=True),
)


def make_gates(
    gates: Sequence[Gate | Check] | None, refusals: Sequence[RefusalLike] | None = None
) -> tuple[Gate, ...]:
    """Read `gates=` and `refusals=` of a cascade: the caller's checks, after the default ones.

    Args:
        gates: Further checks, or None.
        refusals: Further words of refusing, or None; see `read_refusals`.

    Raises:
        ConfigurationError: One is no list, or an entry is not what it takes.
    """
    made = list(DEFAULT_GATES)
    if (refused := read_refusals(refusals)) is not None:
        made.append(Gate("gate_refusal", refused, own=not refused.functions))
    if gates is not None and (isinstance(gates, str) or not isinstance(gates, Sequence)):
        msg = (
            f"gates= takes a list of functions (request, draft) -> bool, not {type(gates).__name__}"
        )
        raise ConfigurationError(msg)
    given: Sequence[object] = gates or ()
    if any(entry is Runs for entry in given):
        raise ConfigurationError("gates= got the class Runs; make one: Runs(…)")
    for entry in gates or ():
        if isinstance(entry, Gate):
            made.append(entry)
        elif isinstance(entry, Runs):
            made.append(Gate("gate_runs", entry, blocks=True))
        elif callable(entry):
            made.append(Gate("gate_custom", entry))
        else:
            msg = f"gates= got {type(entry).__name__}; give functions (request, draft) -> bool"
            raise ConfigurationError(msg)
    return tuple(made)
