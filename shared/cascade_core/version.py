"""The version of the installed distribution."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

DISTRIBUTION = "model-cascade"

try:
    __version__ = version(DISTRIBUTION)
except PackageNotFoundError:  # run from a checkout that is not installed
    __version__ = "0+unknown"
