"""Modules import only what lies below them, stay short, and share no name."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

import pytest

from tests.packaging.source import (
    DATA_MODULES,
    DEMO,
    PACKAGES,
    defined,
    import_graph,
    label,
    modules,
)

# From the bottom to the top. Each is a folder or a file; those on one line do not import each other.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("cascade_core.kin",),
    (
        "cascade_core.arrays",
        "cascade_core.errors",
        "cascade_core.moments",
        "cascade_core.version",
        "cascade_core.named",
        "cascade_core.frozen",
    ),
    (
        "cascade_core.abilities",
        "cascade_core.blame",
        "cascade_core.invalid",
        "cascade_core.ruling",
        "cascade_core.held",
        "cascade_core.forks",
        "cascade_core.visible",
        "cascade_core.likeness",
        "cascade_core.named_arguments",
        "cascade_core.trajectory",
    ),
    (
        "cascade_core.files",
        "cascade_core.given",
        "cascade_core.lazy",
        "cascade_core.logprobs",
        "cascade_core.tier",
    ),
    ("cascade_core.warn",),
    ("cascade_core.csv_files", "cascade_core.request", "cascade_core.spoken", "cascade_core.usage"),
    ("cascade_core.compatible", "cascade_core.refusals", "cascade_core.spelling"),
    ("cascade_core.call", "cascade_core.decision"),
    ("cascade_core.draft",),
    ("cascade_core.effects", "cascade_core.verdict"),
    ("cascade_core.integrations",),
    ("cascade_core.costs",),
    ("cascade_core.statistics",),
    ("cascade_core.labels",),
    ("cascade_core.fitted",),
    ("cascade_core.policy",),
    ("cascade_core.signals",),
    ("cascade_core.log",),
    ("cascade_core.telemetry",),
    ("cascade_core.guards",),
    ("cascade_core.setup",),
    ("cascade_core.loop",),
    ("cascade_core.evaluation",),
    ("cascade_core.calibration", "cascade_core.drift", "cascade_core.collect"),
    ("cascade_core.traffic", "cascade_core.scale"),
    ("cascade_core.watch",),
    ("cascade_core.report",),
    ("cascade_core.review",),
    ("cascade_core.commands",),
    ("cascade_core.cli",),
    ("cascade_core.__init__", "cascade_core.__main__"),
    ("langchain_cascade", "llamaindex_cascade.reading"),
    ("langchain_cascade.commands", "llamaindex_cascade.asking"),
    ("llamaindex_cascade.llm", "llamaindex_cascade.engines", "llamaindex_cascade.answering"),
    ("llamaindex_cascade.__init__", "llamaindex_cascade.__main__"),
    ("cascade_demo",),
    ("cascade_demo.training",),
)

# Imports that go up all the same, each with its reason.
UPWARD = {
    ("cascade_core.setup.learner", "cascade_core.watch.learned"): (
        "a cascade that learns in service runs a watch in a thread of its own, never to serve"
    ),
    ("cascade_core.signals.difficulty", "cascade_core.calibration.fit_route"): (
        "`Difficulty.fit` learns the signal from labels where a caller asks for it, never to serve"
    ),
}

LONGEST = 350
MEDIAN = 130

# Names that are right in several places, each with its reason.
COMMAND = "a command is called like what it runs"
ADAPTERS = "the same part of each adapter, or of each kind of tier"
DEMO_OF_EACH = "the same part of each framework's demo"
STEP = "Alembic's names, in every step of the log's database"
SHARED = {
    **dict.fromkeys(("collect", "export", "replay", "tune"), COMMAND),
    **dict.fromkeys(("answering",), ADAPTERS),
    **dict.fromkeys(
        ("Described", "gives_logprobs", "host", "load_model", "logprob_fields"), ADAPTERS
    ),
    **dict.fromkeys(("abilities", "load_of", "make_tier", "make_tiers"), ADAPTERS),
    **dict.fromkeys(("text_of", "to_draft", "to_messages", "to_turns"), ADAPTERS),
    "goes_further": ADAPTERS,
    **dict.fromkeys(("PROMPT", "embedded", "opened"), DEMO_OF_EACH),
    **dict.fromkeys(("branch_labels", "depends_on", "down_revision", "revision", "upgrade"), STEP),
    "Form": "the review's is what a browser sends, the demo's what a model is told to fill in",
    "Labels": "the review's are rows of a known quality, the demo's its models' classes",
    "Source": "where collected requests come from, and what a review looks at",
    "watch": "a log is watched for drift, and by the command that learns of it",
    "LANGUAGE": "how each language refuses: a file of sentences each",
    "parser_gate": "LangChain's takes its own parsers besides",
    "Tier": "what a caller gives, and what the core makes of it",
    "Session": "LlamaIndex's is the core's, and tells its listeners besides",
}

FOUND = modules(*PACKAGES)
SHIPPED = {name: path for name, path in FOUND.items() if DEMO / "training" not in path.parents}

Graph = Mapping[str, set[str]]


def room(module: str, layers: Sequence[Sequence[str]]) -> tuple[int, str] | None:
    """The height and the name of what a module belongs to; None where it has no place."""
    for height, layer in reversed(list(enumerate(layers))):
        for name in sorted(layer, key=len, reverse=True):
            if module == name or module.startswith(f"{name}."):
                return height, name
    return None


def upward(graph: Graph, layers: Sequence[Sequence[str]]) -> set[tuple[str, str]]:
    """Imports of what does not lie below."""
    found = set()
    for module, targets in graph.items():
        for target in targets:
            own, other = room(module, layers), room(target, layers)
            if own is not None and other is not None and own != other and own[0] <= other[0]:
                found.add((module, target))
    return found


def circle(graph: Graph) -> list[str]:
    """One circle of imports; nothing where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def rooms(graph: Graph, layers: Sequence[Sequence[str]]) -> dict[str, set[str]]:
    """The imports of folders, a file that has a layer of its own counting as one."""
    found: dict[str, set[str]] = defaultdict(set)
    for module, targets in graph.items():
        for target in targets:
            own, other = room(module, layers), room(target, layers)
            if own is not None and other is not None and own != other:
                found[own[1]].add(other[1])
    return found


def defined_twice(found: Mapping[str, Path]) -> dict[str, list[str]]:
    places: dict[str, list[str]] = defaultdict(list)
    for module, path in found.items():
        for name in defined(path):
            places[name].append(module)
    return {name: sorted(where) for name, where in places.items() if len(where) > 1}


def lengths(found: Mapping[str, Path]) -> dict[str, int]:
    return {
        label(path): len(path.read_text(encoding="utf-8").splitlines())
        for path in found.values()
        if path not in DATA_MODULES
    }


@pytest.fixture(scope="module")
def graph() -> Graph:
    return import_graph(FOUND)


def test_every_module_has_a_layer() -> None:
    assert [module for module in FOUND if room(module, LAYERS) is None] == []
    assert max(Counter(name for layer in LAYERS for name in layer).values()) == 1


def test_imports_only_go_down(graph: Graph) -> None:
    assert upward(graph, LAYERS) == set(UPWARD)


def test_no_files_import_each_other_in_a_circle(graph: Graph) -> None:
    assert circle(graph) == []


def test_no_folders_import_each_other_in_a_circle(graph: Graph) -> None:
    assert circle(rooms(graph, LAYERS)) == []


def test_no_module_outgrows_its_subject() -> None:
    assert {name: n for name, n in lengths(FOUND).items() if n > LONGEST} == {}


def test_modules_are_short() -> None:
    assert median(lengths(SHIPPED).values()) <= MEDIAN


def test_a_name_is_defined_once_or_shared_for_a_reason() -> None:
    twice = defined_twice(SHIPPED)
    assert {name: where for name, where in twice.items() if name not in SHARED} == {}
    assert set(SHARED) <= set(twice), "an exception that nobody needs any more"


# --- what the checks see -------------------------------------------------------------------------

TOY_LAYERS = (("toy.ground",), ("toy.cellar",), ("toy.roof",), ("toy.__init__",))
SOUND = {
    "__init__": "from toy.roof import flag",
    "ground": "def stone(): ...",
    "cellar.__init__": "",
    "cellar.wine": "from toy.ground import stone",
    "roof.__init__": "",
    "roof.flag": "def hoist():\n    from toy.cellar.wine import stone",
}
PLANTED = {
    "at the top": ("ground", "from toy.roof.flag import hoist"),
    "in a function": ("cellar.wine", "def pour():\n    import toy.roof.flag"),
    "for types": ("cellar.wine", "if TYPE_CHECKING:\n    from toy.roof import flag"),
    "by name": ("cellar.wine", "import_module('toy.roof.flag')"),
    "relative": ("cellar.wine", "from ..roof import flag"),
    "on use": ("cellar.__init__", "__getattr__ = on_use(__name__, {'flag': '..roof.flag'})"),
    "of the whole": ("cellar.wine", "import toy"),
}


def planted(folder: Path, texts: Mapping[str, str]) -> dict[str, Path]:
    for name, text in texts.items():
        path = folder.joinpath("toy", *name.split(".")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return modules(folder / "toy")


def test_a_sound_package_passes(tmp_path: Path) -> None:
    graph = import_graph(planted(tmp_path, SOUND))
    assert graph["toy.roof.flag"] == {"toy.cellar.wine"}
    assert (upward(graph, TOY_LAYERS), circle(graph), circle(rooms(graph, TOY_LAYERS))) == (
        set(),
        [],
        [],
    )
    assert room("toy.attic.trunk", TOY_LAYERS) is None


@pytest.mark.parametrize("case", PLANTED)
def test_an_import_that_goes_up_is_seen(tmp_path: Path, case: str) -> None:
    module, text = PLANTED[case]
    graph = import_graph(planted(tmp_path, SOUND | {module: text}))
    assert [source for source, _ in upward(graph, TOY_LAYERS)] == [f"toy.{module}"]


def test_circles_are_seen(tmp_path: Path) -> None:
    of_files = {"cellar.wine": "import toy.cellar.cork", "cellar.cork": "import toy.cellar.wine"}
    graph = import_graph(planted(tmp_path / "files", SOUND | of_files))
    assert set(circle(graph)) == {"toy.cellar.wine", "toy.cellar.cork"}
    of_folders = {"cellar.cork": "import toy.roof.flag"}
    graph = import_graph(planted(tmp_path / "folders", SOUND | of_folders))
    assert circle(graph) == []
    assert set(circle(rooms(graph, TOY_LAYERS))) == {"toy.cellar", "toy.roof"}


def test_names_that_are_defined_twice_are_seen(tmp_path: Path) -> None:
    again = {
        "cellar.wine": "class Cork: ...\n_own = T = 1\nStone: TypeAlias = int\nV = TypeVar('V')",
        "roof.flag": "if True:\n    Cork = 1\nStone = 2\n_own = 3\nV = TypeVar('V')",
    }
    assert defined_twice(planted(tmp_path, SOUND | again)) == {
        "Cork": ["toy.cellar.wine", "toy.roof.flag"],
        "Stone": ["toy.cellar.wine", "toy.roof.flag"],
    }
