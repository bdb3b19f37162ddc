"""A package that is not installed is named together with the extra that brings it."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import cascade_core.version

WITHOUT = """
import importlib.abc, sys
class Without(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] == {package!r}:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)
sys.meta_path.insert(0, Without())
try:
    {statement}
except ImportError as error:
    print(type(error).__name__, error.name, error, sep='|')
"""


@pytest.mark.processes
@pytest.mark.parametrize(
    ("package", "statement", "extra"),
    [
        ("langchain_core", "from langchain_cascade import ChatCascade", "langchain"),
        ("langchain_core", "import langchain_cascade.commands.check", "langchain"),
        ("langchain", "from langchain_cascade import CascadeMiddleware", "langchain"),
        ("llama_index", "import llamaindex_cascade", "llamaindex"),
        ("ray", "from cascade_core.scale import answer_rows; answer_rows([], print, 'x')", "ray"),
    ],
)
def test_a_missing_package_names_its_extra(package: str, statement: str, extra: str) -> None:
    code = WITHOUT.format(package=package, statement=statement)
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    kind, name, said = ran.stdout.strip().split("|")
    assert kind == "MissingPackageError"
    assert name.partition(".")[0] == package
    assert f"needs {package}, which is not installed: " in said
    assert said.endswith(f"pip install 'model-cascade[{extra}]'")


@pytest.mark.parametrize("package", ["cascade_core", "langchain_cascade", "llamaindex_cascade"])
def test_every_package_says_its_version(package: str) -> None:
    said = importlib.import_module(package).__version__
    assert said == cascade_core.version.__version__
    assert said[0].isdigit()
