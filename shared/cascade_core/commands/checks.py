"""What is checked before long work begins."""

from __future__ import annotations

from pathlib import Path

from cascade_core.errors import ConfigurationError


def check_writable(path: Path) -> None:
    """Raise `ConfigurationError` where a file could not be written in the end."""
    if path.is_dir():
        msg = f"{path} is a directory; name a file"
        raise ConfigurationError(msg)
    if not path.parent.is_dir():
        msg = f"{path} cannot be written: there is no directory {path.parent}"
        raise ConfigurationError(msg)
