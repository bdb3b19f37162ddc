"""What a user gets from pip: opened and listed."""

from __future__ import annotations

import configparser
import tarfile
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = {Path(p) for p in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
TRAINING = Path("shared/cascade_demo/training")
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    (built,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    return Path(built)


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def read(wheel: Path, name: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        (path,) = [path for path in archive.namelist() if path.endswith(f".dist-info/{name}")]
        return archive.read(path).decode()


def test_the_wheel_carries_the_packages_and_nothing_else(names: set[str]) -> None:
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {p.name for p in PACKAGES}


def test_every_package_says_it_is_typed(names: set[str]) -> None:
    assert {f"{package.name}/py.typed" for package in PACKAGES} <= names


def test_every_module_is_shipped_but_the_training(names: set[str]) -> None:
    modules = {
        str(path.relative_to(ROOT / package.parent))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if not path.is_relative_to(ROOT / TRAINING)
    }
    assert {name for name in names if name.endswith(".py")} == modules
    assert not [name for name in names if "training" in name]


def test_the_models_weights_are_shipped(names: set[str]) -> None:
    folder = ROOT / "shared" / "cascade_demo" / "weights"
    weights = {f"cascade_demo/weights/{p.name}" for p in folder.iterdir() if p.suffix != ".md"}
    assert any(name.endswith(".npz") for name in weights)
    assert weights <= names


def test_the_starter_project_is_shipped(names: set[str]) -> None:
    folder = ROOT / "shared" / "cascade_demo" / "starter"
    templates = {f"cascade_demo/starter/{path.name}" for path in folder.iterdir()}
    assert "cascade_demo/starter/app_langchain.py.txt" in templates
    assert templates <= names


def test_the_reviews_pages_are_shipped_with_the_charts_library_and_its_licence(
    names: set[str], tmp_path: Path
) -> None:
    folder = ROOT / "shared" / "cascade_core" / "review"
    files = {
        path.relative_to(folder).as_posix()
        for part in ("templates", "static")
        for path in (folder / part).rglob("*")
        if path.is_file()
    }
    assert {
        "templates/base.html.jinja",
        "static/review.css",
        "static/vendor/uPlot-1.6.32.iife.min.js",
        "static/vendor/uPlot-1.6.32.LICENSE.txt",
    } <= files
    assert {f"cascade_core/review/{file}" for file in files} <= names
    (built,) = SdistBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with tarfile.open(built) as archive:
        packed = {name.partition("/")[2] for name in archive.getnames()}
    assert {f"shared/cascade_core/review/{file}" for file in files} <= packed


def test_the_wheel_stays_small(wheel: Path) -> None:
    assert wheel.stat().st_size < 6 * MEGABYTE


def test_the_licence_is_shipped(names: set[str]) -> None:
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_the_command_and_its_parts_are_entry_points(wheel: Path) -> None:
    entries = configparser.ConfigParser()
    entries.read_string(read(wheel, "entry_points.txt"))
    assert dict(entries["console_scripts"]) == {"cascade": "cascade_core.cli:main"}
    assert dict(entries["model_cascade.commands"]) == {
        "demo": "cascade_demo.commands:demo",
        "init": "cascade_demo.init:init",
        "serve-demo": "cascade_demo.commands:serve_demo",
        "check": "langchain_cascade.commands.check:check",
        "collect": "langchain_cascade.commands.collect:collect",
        "audit": "langchain_cascade.commands.audit:audit",
        "tune": "cascade_core.commands.tune:tune",
        "replay": "cascade_core.commands.replay:replay",
        "drift": "cascade_core.commands.drift:drift",
        "prune": "cascade_core.commands.prune:prune",
        "export": "cascade_core.commands.export:export",
        "report": "cascade_core.commands.report:report",
        "review": "cascade_core.commands.review:review",
        "explain": "cascade_core.commands.explain:explain",
        "policy": "cascade_core.commands.policy:policy",
        "watch": "cascade_core.commands.watch:watch",
    }
    assert dict(entries["model_cascade.chat_models"]) == {"demo": "cascade_demo.named:chat_model"}
    assert dict(entries["model_cascade.llms"]) == {"demo": "cascade_demo.named:llm"}


def test_the_metadata_names_every_extra_and_shows_the_readme(wheel: Path) -> None:
    metadata = Parser().parsestr(read(wheel, "METADATA"))
    assert metadata["Name"] == "model-cascade"
    assert set(metadata.get_all("Provides-Extra", [])) == {
        "all",
        "calibrate",
        "demo",
        "demo-llamaindex",
        "langchain",
        "language",
        "llamaindex",
        "log",
        "otel",
        "parquet",
        "postgres",
        "prices",
        "redis",
        "ray",
        "report",
        "review",
    }
    assert metadata.get_payload(), "pyproject.toml needs: readme = 'README.md'"
