"""The `cascade` command.

The core brings no framework, so it brings no command that needs one: packages
register theirs under the entry-point group `model_cascade.commands`, and this
module puts them together. A command is a plain function with Typer options.
"""

from __future__ import annotations

import inspect
import io
import re
import sys
import warnings
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from cascade_core.errors import CascadeError, CascadeWarning

GROUP = "model_cascade.commands"

_EXTRAS = {
    "alembic": "log",
    "jinja2": "report",
    "langchain": "langchain",
    "langchain_core": "langchain",
    "langchain_openai": "demo",
    "llama_index": "demo-llamaindex",
    "matplotlib": "report",
    "psycopg": "postgres",
    "pyarrow": "parquet",
    "sklearn": "calibrate",
    "sqlalchemy": "log",
    "starlette": "demo",
    "uvicorn": "demo",
}
"""The extra that brings what a command may find missing; of other packages, all of them."""

_ANYTHING = {"ignore_unknown_options": True, "allow_extra_args": True}
"""What a command that cannot run takes: its options are not known."""


def make_app(only: str | None = None) -> typer.Typer:
    """Return the command line with every command that is installed.

    Args:
        only: The one command that is wanted: what others import takes its time. All of them where
            none is called that.
    """
    app = typer.Typer(
        name="cascade",
        help="Ask a cheap language model first, and a strong one only when it must be.",
        cls=_Group,
        add_completion=False,
        rich_markup_mode="rich",  # earlier releases show escapes where it is not said
        pretty_exceptions_enable=False,
    )
    app.callback(invoke_without_command=True)(_root)
    found = entry_points(group=GROUP)
    wanted = [entry for entry in found if entry.name == only]
    for entry in sorted(wanted or found, key=lambda e: e.name):
        try:
            command: Callable[..., Any] = entry.load()
        except Exception as error:  # noqa: BLE001 - one broken package must not hide the others
            missing = _missing(entry, error)
            app.command(entry.name, cls=_Command, context_settings=_ANYTHING)(missing)
        else:
            text = _flowing(command.__doc__ or "")
            app.command(entry.name, cls=_Command, help=text)(command)
    return app


def main() -> None:
    """Run the command line; what the caller got wrong is one line and exit status 2."""
    warnings.formatwarning = _one_line_warning
    if isinstance(sys.stdout, io.TextIOWrapper):  # what people wrote may have no place in it
        sys.stdout.reconfigure(errors="replace")
    try:
        status = make_app("".join(sys.argv[1:2]))(prog_name="cascade", standalone_mode=False)
    except CascadeError as error:
        _fail(str(error))
    except ModuleNotFoundError as error:
        _fail(_needs("this command", error))
    except typer.Abort:
        _fail("stopped", 1)
    except Exception as error:
        if _is_of_database(error):  # its text may quote what people wrote
            kind = type(getattr(error, "orig", None) or error).__name__
            _fail(
                f"the database cannot be read or written ({kind}): is it damaged, read-only or "
                "locked by another program, is its disk full, does its server run?"
            )
        # Typer's own errors have no public base class since it carries its own Click.
        if not hasattr(error, "format_message"):
            raise
        _fail(_usage(error))
    sys.exit(status if isinstance(status, int) else 0)


def _is_of_database(error: Exception) -> bool:
    """Tell whether a database or its driver raised an error; loads none of them."""
    packages = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    return not packages.isdisjoint({"sqlalchemy", "sqlite3", "psycopg"})


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - Typer's signature
    if wanted:
        from cascade_core.version import DISTRIBUTION, __version__

        typer.echo(f"{DISTRIBUTION} {__version__}")
        raise typer.Exit


def _root(
    context: typer.Context,
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Ask a cheap language model first, and a strong one only when it must be."""
    del version  # its callback has seen it
    if context.invoked_subcommand is None:  # a newcomer's first call, and no mistake
        from cascade_core.commands.next_steps import what_next
        from cascade_core.visible import visible

        typer.echo(f"{visible(what_next(Path()))}\n")  # it may name models that a script names
        typer.echo(context.get_help())


class _Command(TyperCommand):
    """A command whose help names what an option takes in words."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters."""
        return _in_words(super().get_params(ctx))


class _Group(TyperGroup):
    """The same for the command that has all others."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters."""
        return _in_words(super().get_params(ctx))


_WORDS = {
    "<bool>": "",  # a flag takes nothing
    "<float>": "<number>",
    "<int>": "<number>",
    "<int range>": "<number>",
    "<float range>": "<number>",
    "<list[str]>": "<text>, again for more",
    "<path>": "<file>",
    "<str>": "<text>",
}
"""What Typer shows of an option's type, which is Python's word for it; earlier ones do not."""


def _in_words(params: list[Any]) -> list[Any]:
    for param in params:
        shown = getattr(param, "display_type", None)
        if shown is not None:
            param.display_type = lambda ctx, shown=shown: _WORDS.get(shown(ctx), shown(ctx))
    return params


def _flowing(text: str) -> str:
    """Return a docstring with one line a paragraph, which a terminal of any width can wrap."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _missing(entry: EntryPoint, error: Exception) -> Callable[[], None]:
    if isinstance(error, ModuleNotFoundError):
        problem = _needs(entry.name, error)
    else:
        problem = f"{entry.name} cannot be loaded ({type(error).__name__}); try {_install('all')}"

    def missing() -> None:
        _fail(problem)

    from rich.markup import escape  # an extra's brackets are no markup

    missing.__doc__ = f"Not available: {escape(problem)}."
    return missing


def _needs(command: str, error: ModuleNotFoundError) -> str:
    package = (error.name or "").partition(".")[0]
    install = _install(_EXTRAS.get(package, "all"))
    return f"{command} needs {error.name or 'a package'}, which is not installed: {install}"


def _install(extra: str) -> str:
    return f"pip install 'model-cascade[{extra}]'"


def _usage(error: Any) -> str:
    """Return what Typer says of a bad option in one line, with the command it was given to."""
    command = error.ctx.command_path if getattr(error, "ctx", None) else "cascade"
    said = " ".join(error.format_message().split()).rstrip(".")
    # Typer quotes its validator, which speaks of inputs and of parsing.
    said = re.sub(r"Value error, |, unable to parse string as an? \w+", "", said)
    return f"{said.replace('Input should be', 'must be')}; see {command} --help"


def _fail(message: str, status: int = 2) -> NoReturn:
    from cascade_core.visible import visible

    sys.stderr.write(f"cascade: {visible(' '.join(message.split()))}\n")
    sys.exit(status)


def _one_line_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    """Say a cascade's warning without the place in our code that gave it."""
    if issubclass(category, CascadeWarning):
        from cascade_core.visible import visible

        return f"cascade: {visible(str(message))}\n"
    return _format(message, category, filename, lineno, line)


_format = warnings.formatwarning


if __name__ == "__main__":
    main()
