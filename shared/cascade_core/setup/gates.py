"""Hard checks a draft passes or fails; no number.

A gate is a function `(request, draft) -> bool`, True when the draft passes.
Gates run before any signal, in the order below, and the first that fails
sends the request on. None of them executes anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from cascade_core.call import Reason
from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.request import Request, ToolCall

Check: TypeAlias = Callable[[Request, Draft], bool]


@dataclass(frozen=True, slots=True)
class Gate:
    """A check and the reason it gives when a draft fails it.

    Attributes:
        reason: The reason.
        passes: The check.
        own: Whether it is one of this module's, which never wait or raise.
    """

    reason: Reason
    passes: Check
    own: bool = False


_UNABLE = r"(can(no|['’])?t|can\ not|(am|['’]m)\ (unable|not\ able)\ to|won['’]?t)"
_REFUSAL = rf"""^\W*(
        (i['’]?m|i\ am)\ (very\ |so\ |really\ )?sorry,?\ (but\ )?i\ ?{_UNABLE}\b
      | (unfortunately,?\ |sorry,?\ (but\ )?)?i\ ?{_UNABLE}
        \ (help(?!\ but)|assist|answer|comply|provide|discuss|fulfil+|do\ that|create|give)\b
      | as\ an?\ (ai|artificial|large\ language)\b[^.]{{0,60}}\b(can(no|['’])?t|unable|not\ able)\b
      | i\ (do\ not|don['’]?t)\ know\b
    )"""


@cache
def _refusal() -> re.Pattern[str]:
    return re.compile(_REFUSAL, re.IGNORECASE | re.VERBOSE)  # on use: it takes a millisecond


def not_refused(request: Request, draft: Draft) -> bool:
    """Fail what the provider marked as a refusal, and answers that open with one."""
    del request
    if draft.refusal or draft.finish == "content_filter":
        return False
    return bool(draft.tool_calls) or not _refusal().match(draft.text)


def not_truncated(request: Request, draft: Draft) -> bool:
    """Fail answers cut off by the token limit (`finish_reason`)."""
    del request
    return draft.finish != "length"


def not_empty(request: Request, draft: Draft) -> bool:
    """Fail answers with neither text nor a tool call."""
    del request
    return bool(draft.tool_calls or draft.broken_tool_calls) or bool(draft.text.strip())


def has_context(request: Request, draft: Draft) -> bool:
    """Fail answers of a tier that looked for evidence and found none."""
    del request
    return draft.contexts is None or len(draft.contexts) > 0


def tool_calls_fit(request: Request, draft: Draft) -> bool:
    """Fail unknown tools, arguments that do not fit, and a required tool not called."""
    if draft.broken_tool_calls:
        return False
    if request.tools:
        schemas = {tool.name: tool.schema for tool in request.tools}
        if not all(_call_fits(call, schemas) for call in draft.tool_calls):
            return False
    if not request.needs_tool:
        return True
    if request.tool_choice == "required":
        return bool(draft.tool_calls)
    return any(call.name == request.tool_choice for call in draft.tool_calls)


def parses(request: Request, draft: Draft) -> bool:
    """Fail answers that the caller's own parser could not read."""
    del request
    return draft.parse_error is None


def fits_schema(request: Request, draft: Draft) -> bool:
    """Fail text that is not JSON of the schema the caller asked for."""
    if request.output_schema is None or draft.tool_calls:
        return True
    try:
        value = json.loads(draft.text)
    except (ValueError, RecursionError):  # a model stuck on "[" nests deeper than any answer
        return False
    return _valid(value, request.output_schema)


DEFAULT_GATES: tuple[Gate, ...] = (
    Gate("gate_refusal", not_refused, own=True),
    Gate("gate_truncated", not_truncated, own=True),
    Gate("gate_empty", not_empty, own=True),
    Gate("gate_no_context", has_context, own=True),
    Gate("gate_tool_call", tool_calls_fit, own=True),
    Gate("gate_parser", parses, own=True),
    Gate("gate_schema", fits_schema, own=True),
)


def make_gates(gates: Sequence[Gate | Check] | None) -> tuple[Gate, ...]:
    """Read the `gates=` argument of a cascade: the caller's checks, after the default ones.

    Args:
        gates: Further checks, or None.

    Raises:
        ConfigurationError: It is no list, or an entry is not callable.
    """
    made = list(DEFAULT_GATES)
    if gates is not None and (isinstance(gates, str) or not isinstance(gates, Sequence)):
        msg = (
            f"gates= takes a list of functions (request, draft) -> bool, not {type(gates).__name__}"
        )
        raise ConfigurationError(msg)
    for entry in gates or ():
        if isinstance(entry, Gate):
            made.append(entry)
        elif callable(entry):
            made.append(Gate("gate_custom", entry))
        else:
            msg = f"gates= got {type(entry).__name__}; give functions (request, draft) -> bool"
            raise ConfigurationError(msg)
    return tuple(made)


def _call_fits(call: ToolCall, schemas: Mapping[str, Mapping[str, Any] | None]) -> bool:
    if call.name not in schemas or call.arguments is None:
        return False
    schema = schemas[call.name]
    return schema is None or _valid(dict(call.arguments), schema)


def _valid(value: Any, schema: Mapping[str, Any]) -> bool:
    # Imported on use: most requests carry no schema, and it is not light.
    from jsonschema.validators import validator_for  # noqa: PLC0415
    from referencing.jsonschema import EMPTY_REGISTRY  # noqa: PLC0415 - fetches nothing

    try:
        plain = dict(schema)
        kind = validator_for(plain)
        kind.check_schema(plain)
        return bool(kind(plain, registry=EMPTY_REGISTRY).is_valid(value))
    except Exception:  # noqa: BLE001 - bad pattern, unknown reference, endless recursion, …
        return True  # a caller's schema we cannot read is no reason to doubt the draft
