"""What to do next, as it fits what is installed and the folder: said by `cascade` alone."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

EMBEDDED = ("demo:desk-small", "demo:desk-large")
"""The models of a starter project, until its owner names others."""

_LANGCHAIN = ("langchain_core", "langchain")
_LLAMAINDEX = ("llama_index.core",)
_DEMO = (*_LANGCHAIN, "langchain_openai", "starlette", "uvicorn")
_DEMO_LLAMAINDEX = (*_DEMO, *_LLAMAINDEX, "llama_index.llms.openai_like")
_CODE = {
    "langchain": "from langchain_cascade import ChatCascade; ChatCascade(tiers=[cheap, strong])",
    "llamaindex": "from llamaindex_cascade import CascadeLLM; CascadeLLM(tiers=[cheap, strong])",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do.

    Attributes:
        what: What it does, in words.
        lines: What to type, or to write.
    """

    what: str
    lines: tuple[str, ...]


def what_next(folder: Path) -> str:
    """Return what to do next in a folder, as the paragraphs that `cascade` prints."""
    if is_project(folder):
        head, steps = "This folder is a starter project. Next:", project_steps(folder)
    elif adapters := installed_adapters():
        head, steps = "Next:", first_steps(adapters)
    else:
        head, steps = "No adapter is installed, so there is nothing to cascade with. Next:", _none()
    shown = [
        "\n".join([f"  {number}. {step.what}", *(f"       {line}" for line in step.lines)])
        for number, step in enumerate(steps, 1)
    ]
    return "\n".join([head, *shown])


def installed_adapters() -> list[str]:
    """Return the frameworks whose adapter can be used here."""
    return [name for name in _CODE if _installed(_needs(name))]


def is_project(folder: Path) -> bool:
    """Tell whether a folder holds what `cascade init` writes."""
    return bool(_apps(folder)) and all(
        (folder / name).is_file() for name in ("requests.csv", "cascade.toml")
    )


def first_steps(adapters: Sequence[str]) -> list[Step]:
    """Return what to do where these adapters are installed, and nothing is begun."""
    alone = list(adapters) == ["llamaindex"]
    demo = "cascade demo --framework llamaindex" if alone else "cascade demo"
    install = to_install(llamaindex=alone)
    steps = [
        Step(
            "See a cascade decide, on two small models that run on this machine, with no key:",
            (*install, demo),
        ),
        Step("Write a starter project that runs at once:", ("cascade init my-cascade",)),
        Step("Or put a cascade where your strong model is:", tuple(map(_CODE.get, adapters))),  # type: ignore[arg-type]
    ]
    if _installed((*_LANGCHAIN, "langchain_openai")):
        what = "Ask what two models can do together; nothing is sent:"
        steps.append(Step(what, ("cascade check openai:gpt-4o-mini openai:gpt-4o",)))
    return steps


def project_steps(folder: Path) -> list[Step]:
    """Return what to do next in a starter project: what it has already is not done again."""
    apps = _apps(folder)
    cheap, strong = models_of(folder / apps[0])
    collect = (
        f"cascade collect requests.csv --tier {shlex.quote(cheap)} --tier {shlex.quote(strong)} "
        "--quality grading:right --prices prices.json --out labels.csv"
    )
    steps = []
    if install := to_install(llamaindex="app_llamaindex.py" in apps, models=(cheap, strong)):
        steps.append(Step("Install what its models need:", install))
    if not (folder / "labels.csv").exists():
        steps += [
            Step("See it decide:", tuple(f"python {app}" for app in apps)),
            Step("Ask both models about the requests, for labels to tune on:", (collect,)),
        ]
    elif not (folder / "policy.json").exists():
        tune = "cascade tune labels.csv --harm 0.05 --confidence 0.95 --out policy.json"
        steps.append(Step("Find the cheapest policy that keeps a promise:", (tune,)))
    else:
        replay = "cascade replay labels.csv --policy policy.json"
        steps += [
            Step("See what the policy would have done:", (replay,)),
            Step(
                f'Serve with it: POLICY = HERE / "policy.json" in {" and ".join(apps)}, then:',
                tuple(f"python {app}" for app in apps),
            ),
        ]
    return steps


def models_of(app: Path) -> tuple[str, str]:
    """Return the names of the models in a starter project's script; of others, the embedded."""
    try:
        text = app.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return EMBEDDED
    found = re.search(r'^CHEAP, STRONG = "([^"\s]+)", "([^"\s]+)"$', text, flags=re.MULTILINE)
    return (found[1], found[2]) if found else EMBEDDED


def to_install(*, llamaindex: bool, models: Sequence[str] = EMBEDDED) -> tuple[str, ...]:
    """Return the lines that install what the embedded models need.

    Args:
        llamaindex: Whether LlamaIndex is to ask them; it, too, has LangChain collect labels.
        models: Those that are to be asked.

    Returns:
        None where all is there, or none of the models is embedded.
    """
    needs, extra = (_DEMO_LLAMAINDEX, "demo-llamaindex") if llamaindex else (_DEMO, "demo")
    used = any(model.startswith("demo:") for model in models)
    return () if not used or _installed(needs) else (f"pip install 'model-cascade[{extra}]'",)


def _none() -> list[Step]:
    return [
        Step(
            "Install one, and two small models that run on this machine, with no key:",
            (
                "pip install 'model-cascade[demo]'             # for LangChain",
                "pip install 'model-cascade[demo-llamaindex]'  # for LlamaIndex",
            ),
        ),
        Step("See a cascade decide:", ("cascade demo",)),
        Step("Write a starter project that runs at once:", ("cascade init my-cascade",)),
    ]


def _apps(folder: Path) -> list[str]:
    names = ("app_langchain.py", "app_llamaindex.py")
    return [name for name in names if (folder / name).is_file()]


def _needs(framework: str) -> tuple[str, ...]:
    return _LANGCHAIN if framework == "langchain" else _LLAMAINDEX


def _installed(modules: Sequence[str]) -> bool:
    try:
        return all(find_spec(module) is not None for module in modules)
    except ImportError:  # a package above it is not there
        return False
