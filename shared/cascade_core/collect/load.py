"""Finds the caller's own Python: `module:name`, as options of a command give it."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from cascade_core.errors import ConfigurationError


def load(spec: str, option: str) -> Any:
    """Return what a `module:name` stands for.

    Args:
        spec: The module, importable or in the working folder, and a name in it.
        option: How errors name where it was given.

    Raises:
        ConfigurationError: There is no such module or name, or its import failed.
    """
    module, _, name = spec.partition(":")
    if not module or not name:
        raise ConfigurationError(f"{option} {spec!r} is not module:name, such as my_module:make")
    here = str(Path.cwd())
    if here not in sys.path:  # an installed script starts with its own folder instead
        sys.path.insert(0, here)
    try:
        found: Any = import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not (module == error.name or module.startswith(f"{error.name}.")):
            raise  # the module is there and needs another one that is not
        msg = f"{option} {spec!r}: there is no module {module}, neither installed nor in {here}"
        raise ConfigurationError(msg) from None
    except Exception as error:
        msg = f"{option} {spec!r}: importing {module} raised {type(error).__name__}"
        raise ConfigurationError(msg) from error
    for part in name.split("."):
        if not hasattr(found, part):
            raise ConfigurationError(f"{option} {spec!r}: {module} has no {name}")
        found = getattr(found, part)
    return found
