"""What form an answer may take: the parameters about tools and structured output, checked."""

import re
from typing import Any

from cascade_demo.checks import Json, RequestError, read_flag
from cascade_demo.filling import JsonSchema
from cascade_demo.schemas import read_object_schema
from cascade_demo.tools import Offer, Tool

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def read_offer(body: Json) -> Offer:
    """Check `tools` and what goes with them.

    Raises:
        RequestError: naming what is wrong.
    """
    given = body.get("tools")
    if not given:
        for name in ("tool_choice", "parallel_tool_calls"):
            if body.get(name) is not None:
                raise RequestError(f"'{name}' needs 'tools'", name)
        return Offer()
    if not isinstance(given, list):
        raise RequestError("'tools' must be a list of functions", "tools")
    tools = tuple(_tool(tool, f"tools[{index}]") for index, tool in enumerate(given))
    names = [tool.name for tool in tools]
    parallel = read_flag(body, "parallel_tool_calls", default=True)
    choice = body.get("tool_choice")
    if choice is None or choice == "auto":
        return Offer(tools, "auto", parallel=parallel)
    if choice == "none":
        return Offer(tools, "none", parallel=parallel)
    if choice == "required":
        return Offer(tools, "required", parallel=parallel)
    function = choice.get("function") if isinstance(choice, dict) else None
    if not isinstance(function, dict) or function.get("name") not in names:
        raise RequestError(
            "'tool_choice' must be 'none', 'auto', 'required' or a function out of 'tools'",
            "tool_choice",
        )
    return Offer(tools, named=function["name"], parallel=parallel)


def _tool(tool: Any, where: str) -> Tool:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict) or tool.get("type") != "function":
        raise RequestError(f"'{where}' must be an object of 'type' 'function'", where)
    name = function.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise RequestError(
            f"'{where}.function.name' must be up to 64 letters, digits, '_' and '-'",
            f"{where}.function.name",
        )
    parameters = function.get("parameters")
    place = f"{where}.function.parameters"
    return Tool(name, read_object_schema({} if parameters is None else parameters, place, function))


def read_schema(value: Any) -> JsonSchema | None:
    """Check `response_format`; None if it asks for plain text.

    Raises:
        RequestError: naming what is wrong.
    """
    if value is None or (isinstance(value, dict) and value.get("type") == "text"):
        return None
    where = "response_format"
    if not isinstance(value, dict) or value.get("type") != "json_schema":
        raise RequestError(
            "'response_format' must be of 'type' 'text' or 'json_schema': these models cannot "
            "make up the keys of an object, which 'json_object' leaves to them",
            where, "unsupported_parameter",
        )  # fmt: skip
    named = value.get("json_schema")
    name = named.get("name") if isinstance(named, dict) else None
    if not isinstance(named, dict) or not isinstance(name, str) or not _NAME.fullmatch(name):
        raise RequestError(
            "'response_format.json_schema.name' must be up to 64 letters, digits, '_' and '-'",
            "response_format.json_schema.name",
        )
    schema = read_object_schema(named.get("schema"), "response_format.json_schema.schema", named)
    if not schema.get("properties"):
        raise RequestError(
            "'response_format.json_schema.schema' must have 'properties' to fill",
            "response_format.json_schema.schema",
        )
    return schema
