"""Reads the file that a policy is kept in, JSON or TOML, and says what keeps it from being read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cascade_core.errors import ConfigurationError
from cascade_core.files import unique


def read_document(path: Path) -> Any:
    """Return what a file holds; TOML where its name ends in .toml, else JSON.

    A byte order mark is skipped, as in tables.

    Raises:
        ConfigurationError: It cannot be read, or is no such document; the message names the file.
    """
    kind = "TOML" if path.suffix == ".toml" else "JSON"
    try:
        text = path.read_text(encoding="utf-8-sig")
        return _from_toml(text) if kind == "TOML" else _from_json(text)
    except OSError as error:
        problem = f"cannot be read: {error.strerror or type(error).__name__}"
    except UnicodeDecodeError:
        problem = "is not UTF-8 text; save the file as UTF-8"
    except RecursionError:
        problem = "is nested too deeply to be a policy"
    except ValueError as error:
        problem = f"is not valid {kind}: {error}"
    # Beyond the handlers, so that the decoder's error, which may hold the text, is let go.
    raise ConfigurationError(f"policy {path} {problem}")


def _from_toml(text: str) -> Any:
    import tomllib  # noqa: PLC0415 - most cascades read no policy

    return tomllib.loads(text)


def _from_json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=unique)
