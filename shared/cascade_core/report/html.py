"""Writes a report as one self-contained page: no script, font or picture from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from cascade_core.files import write_whole
from cascade_core.report.rows import Figure, Measured
from cascade_core.report.svg import Plot
from cascade_core.report.terminal import CLASS_HEADERS, LOOK, class_cells

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page; whatever is given is shown, in this order.

    Attributes:
        title: Its heading.
        text: Paragraphs.
        plots: Pictures, side by side where there is room.
        figures: A table of figures with their intervals.
        legend: What the words in it mean.
        headers: Of a table of any other kind.
        cells: Its rows.
    """

    title: str
    text: Sequence[str] = ()
    plots: Sequence[Plot] = ()
    figures: Sequence[Figure] = ()
    legend: Sequence[str] = ()
    headers: Sequence[str] = ()
    cells: Sequence[Sequence[str]] = ()

    @classmethod
    def of_classes(
        cls,
        title: str,
        classes: Mapping[str, Measured],
        plots: Sequence[Plot] = (),
        marked: Mapping[str, str] = NOTHING,
    ) -> Section:
        """Return a section on how each class of requests fared, with what is wrong with some."""
        return cls(
            title,
            text=[f"{LOOK} {name} {said}." for name, said in marked.items()],
            plots=plots,
            headers=CLASS_HEADERS,
            cells=class_cells(classes, marked),
        )


def render(title: str, sections: Iterable[Section], *, subtitle: str = "") -> str:
    """Return the page as HTML; whatever text is given is escaped.

    Args:
        title: Its heading and title.
        sections: What is on it.
        subtitle: A line below the heading: what was measured, and when.

    Raises:
        ModuleNotFoundError: The extra `report` is not installed.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - an extra

    environment = Environment(
        loader=PackageLoader("cascade_core", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("page.html.jinja")
    return page.render(title=title, subtitle=subtitle, sections=list(sections))


def write_html(
    path: str | Path, title: str, sections: Iterable[Section], *, subtitle: str = ""
) -> None:
    """Write the page; the file is either whole or not there.

    Args:
        path: Where to.
        title: As for `render`, like what follows.
        sections: What is on the page.
        subtitle: A line below the heading.

    Raises:
        ConfigurationError: It cannot be written; the message names the path.
        ModuleNotFoundError: The extra `report` is not installed.
    """
    page = render(title, sections, subtitle=subtitle)
    write_whole(Path(path), page, source=f"report {path}")
