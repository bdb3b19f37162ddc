"""`cascade init`: writes a starter project that runs at once on the embedded models.

The files are in `starter`, as they are written but for the places marked with @NAME@; requests
and prices are the demo's own.
"""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Annotated

import typer

from cascade_core.commands.next_steps import installed_adapters, to_install
from cascade_core.errors import ConfigurationError
from cascade_demo.asking import EXTRAS, FRAMEWORKS
from cascade_demo.desk import tickets
from cascade_demo.prices import price_table

TICKETS = 400
"""Enough for a promise of harm ≤ 5 %, and answered in less than a minute."""

_NAMES = {"langchain": "LangChain", "llamaindex": "LlamaIndex"}


def init(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Where to write it: a new folder, or one there is."),
    ] = Path(),
    *,
    framework: Annotated[
        str | None,
        typer.Option(help="langchain, llamaindex or both. Default: what is installed, else both."),
    ] = None,
) -> None:
    """Write a starter project: requests, a policy, and a script for each framework.

    Everything in it runs at once on the two small models that come with the package, with no key
    and no network. Its README.md says how to go on: collect labels, tune, replay. Files that are
    there already are never changed; if one is in the way, nothing is written.

    Example: cascade init my-cascade --framework langchain
    """
    chosen = _chosen(framework)
    written = write_project(folder, chosen)
    here, place = folder.resolve() == Path.cwd(), shlex.quote(str(folder))
    typer.echo(f"{'Written' if here else f'Written to {place}'}: {', '.join(written)}\nNext:")
    for install in to_install(llamaindex="llamaindex" in chosen):
        typer.echo(f"  {install}")
    if not here:
        typer.echo(f"  cd {place}")
    for each in chosen:
        typer.echo(f"  python app_{each}.py")
    typer.echo("README.md says what comes next, and where your own models go.")


def write_project(folder: Path, frameworks: Sequence[str]) -> list[str]:
    """Write a starter project.

    Args:
        folder: Where; made if it is not there.
        frameworks: Which of `FRAMEWORKS` get a script.

    Returns:
        The names of the files.

    Raises:
        ConfigurationError: A file is in the way, or the folder cannot be written to; nothing of
            the project is left there then.
    """
    files = project_files(frameworks)
    try:
        _check_free(folder, files)
        _write(folder, files)
    except OSError as error:
        problem = error.strerror or type(error).__name__
        raise ConfigurationError(f"{folder} cannot be written to: {problem}") from None
    return list(files)


def _check_free(folder: Path, names: Iterable[str]) -> None:
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder} is a file: give a folder, new or there already")
    if taken := [name for name in names if _is_there(folder / name)]:
        them = "them" if len(taken) > 1 else "it"
        msg = (
            f"{folder} has {', '.join(taken)} already, and nothing is overwritten: "
            f"move {them} away, or give another folder"
        )
        raise ConfigurationError(msg)


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Write all files, or none: what stops it, an interrupt too, takes back what was written."""
    with ExitStack() as undo:
        for each in [each for each in (folder, *folder.parents) if not each.exists()][::-1]:
            each.mkdir(exist_ok=True)  # new/.. is there once new is
            undo.callback(_try, each.rmdir)
        for name, text in files.items():
            with (folder / name).open("x", encoding="utf-8", newline="") as file:
                undo.callback(_try, (folder / name).unlink)
                file.write(text)
        undo.pop_all()


def _try(act: Callable[[], None]) -> None:
    with suppress(OSError):  # what somebody else has put there meanwhile stays
        act()


def project_files(frameworks: Sequence[str]) -> dict[str, str]:
    """Return the texts of a starter project's files by name."""
    apps = [f"app_{framework}.py" for framework in frameworks]
    scripts = {
        name: f"| `{name}` | a first cascade in {_NAMES[framework]} |"
        for name, framework in zip(apps, frameworks, strict=True)
    }
    values = {
        "EXTRA": EXTRAS[frameworks[-1]],  # LlamaIndex's brings LangChain's
        "APPS": "\n".join(f"python {name}" for name in apps),
        "WHERE": " and ".join(f"`{name}`" for name in apps),
        "FILES": "\n".join(scripts.values()),
        "TICKETS": str(TICKETS),
    }
    return {
        "README.md": _filled("README.md", values),
        **{name: _template(f"{name}.txt") for name in apps},
        "cascade.toml": _template("cascade.toml"),
        "requests.csv": _requests(),
        "grading.py": _template("grading.py.txt"),
        "prices.json": _prices(),
    }


def _chosen(framework: str | None) -> tuple[str, ...]:
    if framework == "both":
        return FRAMEWORKS
    if framework is None:
        return tuple(installed_adapters()) or FRAMEWORKS
    if framework not in FRAMEWORKS:
        known = ", ".join((*FRAMEWORKS, "both"))
        raise ConfigurationError(f"unknown --framework {framework!r}: use one of {known}")
    return (framework,)


def _is_there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _template(name: str) -> str:
    return (Path(__file__).parent / "starter" / name).read_text(encoding="utf-8")


def _filled(name: str, values: Mapping[str, str]) -> str:
    text = _template(name)
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text


def _requests() -> str:
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(("id", "request", "reference", "class"))
    for ticket in tickets("tune", TICKETS):
        rows.writerow((ticket.id, ticket.text, ticket.reference, ticket.ticket_class))
    return out.getvalue()


def _prices() -> str:
    table = {
        model: {of: float(usd) for of, usd in prices.items()}
        for model, prices in price_table().items()
    }
    return json.dumps(table, indent=2) + "\n"
