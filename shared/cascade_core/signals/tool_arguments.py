"""When two calls of a tool do the same: their arguments compared by the tool's own schema.

A schema says what a value means, so what it leaves open is no difference: `"5"` where a number is
asked for, a default that is spelled out, a set in another order. What it does not say is compared
as it is written, and whatever is doubtful differs: a false agreement runs the wrong action, a
missed one costs a stronger model's call. How one value is written is the subject of
`argument_values`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cascade_core.draft import Draft
from cascade_core.request import ToolCall, ToolSpec
from cascade_core.signals.argument_values import canonical, is_of_type, same_scalar

_DEEPEST = 60  # levels of arguments or references beyond which nothing is the same
_LONGEST_SET = 200  # members of a set that are looked for in any order
_ABSENT = object()


def same_calls(a: Draft, b: Draft, tools: Sequence[ToolSpec] = ()) -> bool:
    """Tell whether two drafts call the same tools to the same effect, in any order.

    Args:
        a: A draft.
        b: Another.
        tools: The tools that were offered, whose schemas say what their arguments mean.
    """
    drafts = a, b
    if any(d.broken_tool_calls or any(c.arguments is None for c in d.tool_calls) for d in drafts):
        return False
    if len(a.tool_calls) != len(b.tool_calls):
        return False
    schemas = {tool.name: tool.schema or {} for tool in tools}
    left = list(b.tool_calls)
    try:
        for call in a.tool_calls:
            found = next((o for o in left if _same_call(call, o, schemas)), None)
            if found is None:
                return False
            left.remove(found)
    except (RecursionError, ValueError):  # nested too deeply, or a number with no end
        return False
    return True


def same_values(a: Any, b: Any, schema: Mapping[str, Any]) -> bool:
    """Tell whether two plain values mean the same by a JSON schema."""
    try:
        return _Arguments(schema).same(a, b, schema, "")
    except (RecursionError, ValueError):  # as above
        return False


def _same_call(a: ToolCall, b: ToolCall, schemas: Mapping[str, Mapping[str, Any]]) -> bool:
    if a.name != b.name:
        return False
    schema = schemas.get(a.name, {})
    return _Arguments(schema).same(a.arguments, b.arguments, schema, a.name)


class _Arguments:
    """Compares values by one schema, whose references are looked up in it.

    Args:
        root: The schema.
    """

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root

    def same(self, a: Any, b: Any, schema: Any, name: str, depth: int = 0) -> bool:
        """Tell whether two values mean the same.

        Args:
            a: A value, as `json.loads` gives it.
            b: Another.
            schema: What the schema says of it.
            name: What the argument is called.
            depth: How deep it lies.
        """
        if depth > _DEEPEST:
            return False
        if canonical(a) == canonical(b):
            return True
        told = self._told(schema)
        if "anyOf" in told or "oneOf" in told:
            return self._same_in_one(a, b, told, name, depth)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            return self._same_objects(a, b, told, depth)
        if isinstance(a, list | tuple) and isinstance(b, list | tuple):
            return self._same_lists(a, b, told, name, depth)
        return same_scalar(a, b, told, name)

    def _told(self, schema: Any) -> Mapping[str, Any]:
        """Return a schema with its reference, and what it is all of, put in its place."""
        told = schema if isinstance(schema, Mapping) else {}
        for _ in range(_DEEPEST):
            reference = told.get("$ref")
            parts = told.get("allOf")
            if isinstance(reference, str):
                beside = {key: value for key, value in told.items() if key != "$ref"}
                told = {**self._found(reference), **beside}
            elif isinstance(parts, list) and len(parts) == 1 and isinstance(parts[0], Mapping):
                beside = {key: value for key, value in told.items() if key != "allOf"}
                told = {**parts[0], **beside}
            else:
                return told
        return {}

    def _found(self, reference: str) -> Mapping[str, Any]:
        """Return what a reference within the schema stands for; nothing is fetched."""
        place: Any = self._root
        way = reference.removeprefix("#").strip("/")
        for step in way.split("/") if way else ():
            key = step.replace("~1", "/").replace("~0", "~")
            place = place.get(key) if isinstance(place, Mapping) else None
        return place if isinstance(place, Mapping) and reference.startswith("#") else {}

    def _same_in_one(self, a: Any, b: Any, told: Mapping[str, Any], name: str, depth: int) -> bool:
        """Tell whether two values are the same as one of the kinds that a schema allows."""
        kinds = told.get("anyOf") or told.get("oneOf")
        kinds = [self._told(kind) for kind in kinds] if isinstance(kinds, list) else []
        kinds = [kind for kind in kinds if kind.get("type") != "null"]
        if a is None or b is None:  # null is a value of its own, unless it is left out as well
            return False
        if len(kinds) == 1:
            return self.same(a, b, kinds[0], name, depth + 1)
        # A value that must be read before it is of a kind may be meant as either.
        fitting = [kind for kind in kinds if self._is_of(a, kind) and self._is_of(b, kind)]
        return any(self.same(a, b, kind, name, depth + 1) for kind in fitting)

    def _is_of(self, value: Any, kind: Mapping[str, Any]) -> bool:
        """Tell whether a value is of a kind that a schema allows, as far as its outside shows."""
        if not is_of_type(value, kind.get("type")):
            return False
        choices = [kind["const"]] if "const" in kind else kind.get("enum")
        if isinstance(choices, list) and canonical(value) not in map(canonical, choices):
            return False
        if not isinstance(value, Mapping):
            return True
        properties = kind.get("properties")
        properties = properties if isinstance(properties, Mapping) else {}
        told = {key: self._told(properties[key]) for key in value if key in properties}
        marks = [key for key, schema in told.items() if "const" in schema or "enum" in schema]
        needed = kind.get("required")
        return set(needed if isinstance(needed, list) else ()) <= set(value) and all(
            self._is_of(value[key], told[key]) for key in marks
        )

    def _same_objects(
        self, a: Mapping[str, Any], b: Mapping[str, Any], told: Mapping[str, Any], depth: int
    ) -> bool:
        properties = told.get("properties")
        properties = properties if isinstance(properties, Mapping) else {}
        required = told.get("required")
        required = required if isinstance(required, list) else []
        others = told.get("additionalProperties")
        for key in {*a, *b}:
            known = self._told(properties.get(key, others if key not in properties else {}))
            needed = key in required
            mine, theirs = (_given(d.get(key, _ABSENT), known, needed=needed) for d in (a, b))
            if mine is _ABSENT or theirs is _ABSENT:
                if mine is not theirs:
                    return False
            elif not self.same(mine, theirs, known, key, depth + 1):
                return False
        return True

    def _same_lists(
        self, a: Sequence[Any], b: Sequence[Any], told: Mapping[str, Any], name: str, depth: int
    ) -> bool:
        first = told.get("prefixItems")
        first = first if isinstance(first, list) else []
        items = told.get("items")
        if told.get("uniqueItems") is True and not first and max(len(a), len(b)) <= _LONGEST_SET:
            return self._same_sets(a, b, items, name, depth)
        if len(a) != len(b):
            return False
        each = [first[place] if place < len(first) else items for place in range(len(a))]
        return all(
            self.same(one, other, schema, name, depth + 1)
            for one, other, schema in zip(a, b, each, strict=True)
        )

    def _same_sets(
        self, a: Sequence[Any], b: Sequence[Any], items: Any, name: str, depth: int
    ) -> bool:
        """Tell whether each member of either set is in the other."""
        return all(
            any(self.same(member, other, items, name, depth + 1) for other in others)
            for members, others in ((a, b), (b, a))
            for member in members
        )


def _given(value: Any, schema: Mapping[str, Any], *, needed: bool) -> Any:
    """Return what a tool receives where an argument is given, is null, or is left out."""
    if needed:
        return value
    default = schema.get("default")
    if value is _ABSENT or (value is None and default is None):
        return _ABSENT if default is None else default
    return value
