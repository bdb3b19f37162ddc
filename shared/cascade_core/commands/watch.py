"""`cascade watch`: learns in service, and goes back when harm is seen."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from cascade_core.errors import ConfigurationError
from cascade_core.visible import visible

if TYPE_CHECKING:
    from cascade_core.watch.events import WatchEvent
    from cascade_core.watch.passes import LogWatch


def watch(  # noqa: PLR0913 - the command's options
    log: Annotated[str, typer.Argument(help="The log: a database's URL, or a .jsonl file.")],
    *,
    harm: Annotated[
        float, typer.Option(help="Most quality lost per request by not asking the last tier.")
    ],
    policy: Annotated[
        str | None,
        typer.Option(help="The database that holds the policies: its URL. Default: the log's."),
    ] = None,
    confidence: Annotated[float, typer.Option(help="How sure the promise is to be.")] = 0.95,
    propose: Annotated[
        bool, typer.Option("--propose", help="Save what passes, and activate nothing.")
    ] = False,
    once: Annotated[bool, typer.Option("--once", help="One pass; else until stopped.")] = False,
    interval: Annotated[float, typer.Option(min=1.0, help="Seconds between two passes.")] = 30.0,
    cascade: Annotated[
        str | None, typer.Option(help="Only decisions of the cascade of this name.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a line of JSON for each event.")
    ] = False,
) -> None:
    """Tune on a log's audits as they come, test, activate what holds, and take back what does not.

    A candidate is fitted to audits and tested on those that come after it. One that passes is
    activated, or only saved with --propose; where harm then rises, the last good version decides
    again, or the strongest tier alone. All it knows is in the database: it may be stopped at any
    time, and run by several at once.

    Example: cascade watch sqlite:///decisions.db --harm 0.02 --confidence 0.95
    """
    from cascade_core.watch.passes import LogWatch

    watching = LogWatch(
        log, policy, harm=harm, confidence=confidence, propose=propose, cascade=cascade
    )
    last = ""
    try:
        for events in _passes(watching, interval, once=once):
            for event in events:
                if event.kind != "waiting" or event.said != last:
                    _print(event, watching.store.shown, as_json=as_json)
            last = events[-1].said
    except KeyboardInterrupt:
        if not as_json:
            typer.echo("stopped; all that was found is kept", err=True)


def _passes(watching: LogWatch, interval: float, *, once: bool) -> Iterator[list[WatchEvent]]:
    """Make passes, and go on where a later one fails: a server that is away comes back."""
    begun, failed = False, ""
    while True:
        try:
            events = watching.once()
        except ConfigurationError as error:
            if once or not begun:
                raise
            if str(error) != failed:
                typer.echo(visible(f"{error} (tried again every {interval:g} s)"), err=True)
            failed = str(error)
        else:
            if once and len(events) == 1 and not events[0].detail.get("audits", 1):
                raise ConfigurationError(events[0].said)
            begun, failed = True, ""
            yield events
        if once:
            return
        time.sleep(interval)


def _print(event: WatchEvent, home: str, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(event.as_dict()))
        return
    from cascade_core.log.watch_store import told

    typer.echo(visible(told(event.kind, event.version, event.said)))
    if event.kind == "proposed":
        typer.echo(visible(f"to bring it into use: cascade policy {home} activate {event.version}"))
