"""`cascade policy`: the versions of a policy in a log's database, and which of them is in use."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cascade_core.errors import ConfigurationError
from cascade_core.log.urls import is_url
from cascade_core.moments import as_iso
from cascade_core.visible import visible

if TYPE_CHECKING:
    from cascade_core.log.watch_store import KeptEvent, WatchStore
    from cascade_core.policy.document import Policy


class Doing(StrEnum):
    """What is to be done."""

    LIST = "list"
    SHOW = "show"
    SAVE = "save"
    ACTIVATE = "activate"
    DIFF = "diff"


_TAKES = {
    Doing.LIST: "",
    Doing.SHOW: "N",
    Doing.SAVE: "FILE",
    Doing.ACTIVATE: "N",
    Doing.DIFF: "A B",
}


def policy(  # noqa: PLR0913 - the command's options
    log: Annotated[str, typer.Argument(help="The log's database: its URL.")],
    action: Annotated[Doing, typer.Argument(help="What to do.")],
    what: Annotated[
        list[str] | None,
        typer.Argument(help="show N, save FILE, activate N, diff A B; list takes nothing."),
    ] = None,
    *,
    note: Annotated[str | None, typer.Option(help="save: what to say of this version.")] = None,
    activate: Annotated[
        bool, typer.Option("--activate", help="save: bring the version into use at once.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Keep versions of a policy in a log's database, and say which is in use.

    A version is never overwritten and its number never given again. Cascades with policy="URL" take
    what is activated within two seconds; to go back, activate an earlier number.

    Example: cascade policy sqlite:///decisions.db save policy.json --activate
    """
    given = what or []
    if len(given) != len(_TAKES[action].split()):
        takes = f"cascade policy LOG {action} {_TAKES[action]}".rstrip()
        raise ConfigurationError(f"policy {action} takes: {takes}")
    if (note is not None or activate) and action is not Doing.SAVE:
        raise ConfigurationError("--note and --activate are for: cascade policy LOG save FILE")
    if not is_url(log):
        raise ConfigurationError(
            f"{log}: policies are kept in a database: give its URL, such as sqlite:///decisions.db"
        )
    from cascade_core.log.watch_store import WatchStore

    if action is Doing.SAVE:
        from cascade_core.policy.document import Policy

        document = Policy.load(given[0])  # before a database is made for it
        store = WatchStore(log, named="", create=True)
        shown = _save(store, document, given[0], note, activate=activate)
    else:
        shown = _DO[action](WatchStore(log, named=""), [_number(text) for text in given])
    typer.echo(json.dumps(shown[0], indent=2) if as_json else visible_lines(shown[1]))


JsonAndLines = tuple[Any, list[str]]
"""The same as plain JSON, and in lines."""


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ConfigurationError(f"{text!r} is no version: give its number, as list shows it")
    return int(text)


def visible_lines(lines: list[str]) -> str:
    """Return lines with control characters written out."""
    return "\n".join(visible(line) for line in lines)


def _save(
    store: WatchStore, document: Policy, file: str, note: str | None, *, activate: bool
) -> JsonAndLines:
    number, is_new = store.save(document, note)
    lines = [
        f"{file} saved as version {number}"
        if is_new
        else f"{file} is version {number}, which was saved before: nothing new is kept"
    ]
    if activate:
        _warn_of_lost_rules(store, number)
        lines.append(_in_use(number, store.activate(number)))
    active = store.active_number()
    if active != number:
        lines.append(f"not in use: cascade policy {store.shown} activate {number}")
    told = {"version": number, "new": is_new, "active": active == number}
    return {**told, "name": document.name, "fingerprint": document.fingerprint}, lines


def _list(store: WatchStore, _: list[int]) -> JsonAndLines:
    versions, history = store.versions(), store.history()
    lines = [f"no policy is saved here: cascade policy {store.shown} save FILE"]
    if versions:
        rows = [
            [
                f"{'*' if each.active else ' '} {each.number}",
                as_iso(each.saved_at, "seconds"),
                each.name or "-",
                each.fingerprint or "-",
                each.note or "",
            ]
            for each in versions
        ]
        lines = _aligned([["  version", "saved", "name", "fingerprint", "note"], *rows])
        lines += ["", "activated:" if history else "none is in use: activate N brings one into use"]
    lines += [f"  {as_iso(at, 'seconds')}  version {number}" for number, at in history]
    watched = store.watch_history()
    lines += ["", "watched:"] if watched else []
    lines += [_watched_line(event) for event in watched]
    return {
        "active": next((each.number for each in versions if each.active), None),
        "versions": [
            {
                "version": each.number,
                "name": each.name,
                "fingerprint": each.fingerprint,
                "note": each.note,
                "saved_at": as_iso(each.saved_at, "seconds"),
                "active": each.active,
            }
            for each in versions
        ],
        "activations": [{"version": number, "at": as_iso(at, "seconds")} for number, at in history],
        "watched": [
            {
                "event": event.kind,
                "at": as_iso(event.at, "seconds"),
                "version": event.version,
                "said": event.said,
                **event.detail,
            }
            for event in watched
        ],
    }, lines


def _watched_line(event: KeptEvent) -> str:
    from cascade_core.log.watch_store import told

    return f"  {as_iso(event.at, 'seconds')}  {told(event.kind, event.version, event.said)}"


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    cells = ([c.ljust(w) for c, w in zip(row, widths, strict=True)] for row in rows)
    return ["  ".join(row).rstrip() for row in cells]


def _show(store: WatchStore, numbers: list[int]) -> JsonAndLines:
    document = _document(store, numbers[0])
    shown = json.dumps(document, indent=2, ensure_ascii=False).splitlines()
    return {"version": numbers[0], "document": document}, shown


def _activate(store: WatchStore, numbers: list[int]) -> JsonAndLines:
    (number,) = numbers
    store.read(number)  # one that a newer release wrote is found here and not by every cascade
    _warn_of_lost_rules(store, number)
    before = store.activate(number)
    return {"active": number, "before": before}, [_in_use(number, before)]


def _in_use(number: int, before: int | None) -> str:
    if before == number:
        return f"version {number} was in use already"
    was = "" if before is None else f"; before, it was version {before}"
    return f"version {number} is in use{was}"


def _warn_of_lost_rules(store: WatchStore, number: int) -> None:
    """Say on standard error which rules stop deciding: data may leave that was to stay."""
    from cascade_core.policy.lost import lost_names, said_of_lost

    before = store.active_number()
    if before in (None, number):
        return
    try:
        had = store.read(before).policy.rules
    except ConfigurationError:  # a newer release wrote it; there may be no other way back
        return
    if lost := lost_names(had, store.read(number).policy.rules):
        said = said_of_lost(lost, f"version {number}", f"version {before}")
        said += f". `cascade policy {store.shown} activate {before}` goes back"
        typer.echo(f"cascade: {visible(said)}", err=True)


def _diff(store: WatchStore, numbers: list[int]) -> JsonAndLines:
    from cascade_core.policy.changes import changes

    a, b = numbers
    found = changes(_document(store, a), _document(store, b))
    return {"a": a, "b": b, "changes": found}, found or [f"versions {a} and {b} are the same"]


def _document(store: WatchStore, number: int) -> dict[str, Any]:
    policy = store.read(number).policy
    document: dict[str, Any] = json.loads(policy.model_dump_json(exclude_none=True))
    return {key: value for key, value in document.items() if value not in ({}, [])}


_DO = {
    Doing.LIST: _list,
    Doing.SHOW: _show,
    Doing.ACTIVATE: _activate,
    Doing.DIFF: _diff,
}
