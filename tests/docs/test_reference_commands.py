"""The page about commands has every command and every option that there is, and nothing else."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from typing import Any

import pytest
import typer

from tests.docs.reference import named, page, tables
from tests.docs.running import ROOT

TABLES = tables("commands.md")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ENTRIES: dict[str, str] = PROJECT["entry-points"]["model_cascade.commands"]


def params(name: str) -> list[Any]:
    """Return what a command takes."""
    module, _, function = ENTRIES[name].partition(":")
    app = typer.Typer(add_completion=False)
    app.command(name)(getattr(import_module(module), function))
    command: Any = typer.main.get_command(app)
    return [param for param in command.params if param.name != "help"]


def spellings(param: Any) -> list[str]:
    """Return how a parameter is written."""
    if param.param_type_name == "argument":
        return [param.metavar or param.name.upper()]
    return [*param.opts, *param.secondary_opts]


def test_every_command_has_a_section_and_a_line_in_the_list() -> None:
    listed = [code.removeprefix("cascade ") for code in _linked("Commands", "command")]
    assert sorted(listed) == sorted(ENTRIES)
    headings = re.findall(r"^## (.+)$", page("commands.md").read_text("utf-8"), re.MULTILINE)
    assert [name for name in headings if name in ENTRIES] == listed


def _linked(heading: str, column: str) -> list[str]:
    return [row[column].partition("`")[2].partition("`")[0] for row in TABLES[heading]]


@pytest.mark.parametrize("name", ENTRIES)
def test_every_option_is_documented_with_its_default_and_nothing_else(name: str) -> None:
    rows = [row for row in TABLES[name] if "option" in row]
    wanted = {spellings(param)[0]: param for param in params(name)}
    assert named(rows, "option") == list(wanted)
    for row in rows:
        param = wanted[row["option"].partition("`")[2].partition("`")[0]]
        assert re.findall(r"`([^`]+)`", row["option"]) == spellings(param)
        if param.required:
            assert row["default"] == "required"
        elif param.default not in (None, False, True, ()):
            assert row["default"] == f"`{param.default}`"
        else:
            assert row["default"] != "required"


def test_every_way_to_grade_is_documented() -> None:
    from cascade_core.collect.grade import COMPARISONS

    rows = [row for row in TABLES["collect"] if "`--quality`" in row]
    shown = named(rows, "`--quality`")
    assert sorted(shown) == sorted([*COMPARISONS, "agreement", "judge", "module:function"])
