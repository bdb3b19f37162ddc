"""Runs the command line in this process, as the installed script does.

A process of its own takes seconds to import what this one has imported already.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import pytest

from cascade_core import cli
from cascade_core.commands import next_steps


@dataclass(frozen=True)
class Ran:
    """What came of a command."""

    status: int
    out: str
    err: str


Run = Callable[..., Ran]


def in_process(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Return what runs `cascade` with some arguments; a warning is an error unless it is awaited."""
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)  # `main` changes it

    def run(*arguments: Any, warns: type[Warning] | None = None) -> Ran:
        monkeypatch.setattr(sys, "argv", ["cascade", *map(str, arguments)])
        capfd.readouterr()
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # it would be a second line on standard error
            if warns is not None:
                warnings.simplefilter("ignore", warns)
            # Sockets that other tests' clients left to the collector are not the command's.
            warnings.simplefilter("ignore", ResourceWarning)
            with pytest.raises(SystemExit) as ended:
                cli.main()
        return Ran(int(ended.value.code or 0), *capfd.readouterr())

    return run


def only_installed(monkeypatch: pytest.MonkeyPatch, there: Collection[str]) -> None:
    """Let what `cascade` takes for installed be these modules and no others."""

    def find(name: str) -> Any:
        above = name.rpartition(".")[0]
        if above and above not in there:  # what `find_spec` does
            raise ModuleNotFoundError(name=above)
        return name if name in there else None

    monkeypatch.setattr(next_steps, "find_spec", find)
