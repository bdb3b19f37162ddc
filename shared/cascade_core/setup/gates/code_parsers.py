"""Whether code can be read as what it says it is; nothing of it is executed.

Each parser takes time and memory that its input bounds, whoever wrote it: what is nested without
end, or built of numbers or keys without end, does not pass. Python's compiler bounds its own
depth; tables of TOML, whose keys take quadratic time, are kept short here; XML is read without
declarations, so that no entity grows; YAML is read by libyaml alone, which bounds its depth.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any
from xml.parsers import expat

_FILE = "<code of a draft>"
_MOST_DOTS = 60  # of one key of TOML
_BESIDE_KEYS = re.compile(r"[^\w.\"' \t-]")


def parses_as(language: str | None, code: str) -> bool | None:
    """Tell whether code can be read.

    Args:
        language: Its language, as `code_blocks` names it.
        code: The code.

    Returns:
        True or False; None where no parser of the language is at hand.
    """
    parser = None if language is None else _PARSERS.get(language)
    if parser is None:
        return None
    try:
        return parser(code)
    except (ValueError, SyntaxError, RecursionError, MemoryError, OverflowError):
        return False


def _python(code: str) -> bool:
    _hush()
    compile(code, _FILE, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return True


def _hush() -> None:
    """Have no warning shown of a draft's code, where that is not so already."""
    module = re.escape(_FILE)
    known = (entry[3] for entry in warnings.filters)
    if not any(getattr(each, "pattern", each) == module for each in known):
        warnings.filterwarnings("ignore", module=module)


def _json(code: str) -> bool:
    json.loads(code)
    return True


def _json_lines(code: str) -> bool:
    return all(_json(line) for line in code.splitlines() if line.strip())


def _toml(code: str) -> bool:
    import tomllib  # noqa: PLC0415 - few answers hold any

    if any(piece.count(".") > _MOST_DOTS for piece in _BESIDE_KEYS.split(code)):
        return False
    tomllib.loads(code)
    return True


def _xml(code: str) -> bool:
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(code, True)  # noqa: FBT003 - takes no keyword
    except expat.ExpatError:
        return False
    return True


def _refuse(*declared: object) -> None:
    del declared
    msg = "a declaration may grow without end"
    raise ValueError(msg)


def _yaml(code: str) -> bool | None:
    try:
        yaml: Any = import_module("yaml")  # comes with both frameworks
    except ModuleNotFoundError:
        return None
    loader = getattr(yaml, "CSafeLoader", None)
    if loader is None:  # the other one takes quadratic time
        return None
    try:
        for _ in yaml.parse(code, Loader=loader):
            pass
    except yaml.YAMLError:
        return False
    return True


_PARSERS: Mapping[str, Callable[[str], bool | None]] = {
    "python": _python,
    "json": _json,
    "jsonl": _json_lines,
    "ndjson": _json_lines,
    "toml": _toml,
    "xml": _xml,
    "yaml": _yaml,
}
PARSED = tuple(_PARSERS)
"""The languages that can be read."""
