"""Whatever the packages raise is in one tree, which `cascade_core.errors` draws."""

from __future__ import annotations

import importlib
import pkgutil
import re

import pytest

from cascade_core import CascadeError, CascadeWarning, errors

PACKAGES = ["cascade_core", "cascade_demo", "langchain_cascade", "llamaindex_cascade"]
BRANCH = re.compile(
    r"(?P<depth>(?:│   |    )*)(?:[├└]── )?(?P<name>\w+)(?: \(also (?P<also>\w+)\))?(?:  |$)"
)


def modules():
    for package in PACKAGES:
        path = importlib.import_module(package).__path__
        yield package
        for found in pkgutil.walk_packages(path, f"{package}."):
            if ".training" not in found.name:  # needs PyTorch, and is not shipped
                yield found.name


def defined():
    """Every exception that a module of ours defines, by name."""
    for name in modules():
        module = importlib.import_module(name)
        for value in vars(module).values():
            error = isinstance(value, type) and issubclass(value, BaseException)
            if error and value.__module__ == name:
                yield value.__name__, value


def drawn():
    """Name, parent and further base of every line of the drawing."""
    text = errors.__doc__.partition("::\n\n")[2].partition("\n\nThe upper part")[0]
    above = []
    for line in filter(str.strip, text.splitlines()):
        match = BRANCH.match(line[4:])
        assert match, f"not a line of the tree: {line}"
        depth = len(match["depth"]) // 4 + ("── " in line)
        above[depth:] = [match["name"]]
        yield match["name"], above[depth - 1] if depth else None, match["also"]


FOUND = dict(defined())


@pytest.mark.parametrize("name", FOUND)
def test_every_error_is_a_cascade_error(name):
    assert issubclass(FOUND[name], CascadeError | CascadeWarning)


def test_the_tree_draws_every_error_with_its_bases():
    bases = {name: {base.__name__ for base in found.__bases__} for name, found in FOUND.items()}
    bases["CascadeError"] = set()
    assert {
        name: {base for base in (parent, also) if base} for name, parent, also in drawn()
    } == bases


def test_the_walk_sees_private_errors_and_every_package():
    assert any(name.startswith("_") for name in FOUND)
    assert {found.__module__.partition(".")[0] for found in FOUND.values()} == set(PACKAGES)
