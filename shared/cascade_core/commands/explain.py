"""`cascade explain`: what a policy would do with one request, and why."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cascade_core.errors import ConfigurationError
from cascade_core.moments import read_moment
from cascade_core.visible import visible

if TYPE_CHECKING:
    from cascade_core.setup.explaining import Explanation


def explain(  # noqa: PLR0913 - one option for each thing that a rule may ask for
    text: Annotated[str, typer.Argument(help="What is asked: the last user message.")],
    *,
    policy: Annotated[str, typer.Option(help="The policy, as JSON or TOML, or a database's URL.")],
    tag: Annotated[list[str] | None, typer.Option(help="A tag of the request.")] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(help="A key and its value: tenant=acme.")
    ] = None,
    class_name: Annotated[
        str | None, typer.Option("--class", help="The class that the caller names.")
    ] = None,
    tool: Annotated[list[str] | None, typer.Option(help="Name of a tool that is offered.")] = None,
    at: Annotated[
        str | None, typer.Option(help="When it is asked, as 2026-11-27T22:30; UTC. Default: now.")
    ] = None,
    tiers: Annotated[
        int | None, typer.Option(min=1, help="How many tiers there are, where no part of it says.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="The cheapest tier's model, whose tokens are counted.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Show which rule of a policy fires, which tiers are asked, what threshold applies, and why.

    No model is asked. Rules that ask a function are of Python alone, so no file has one.

    Example: cascade explain "Where is my refund?" --policy policy.json --tag vip
    """
    from cascade_core.log.policies import load_policy
    from cascade_core.request import Request, ToolSpec, Turn
    from cascade_core.setup.explaining import explained

    document = load_policy(policy).policy
    given = dict(map(_pair, metadata or ()))
    if class_name is not None:
        given["cascade_class"] = class_name
    request = Request(
        (Turn("user", text),),
        tags=tag or (),
        metadata=given,
        tools=[ToolSpec(name) for name in tool or ()],
    )
    found = explained(document, request, at=_time(at), tiers=tiers, model=model)
    for said in found.warnings:
        typer.echo(f"cascade: {visible(said)}", err=True)
    if as_json:
        typer.echo(json.dumps(found.as_dict(), indent=2, ensure_ascii=False))
    else:
        _print(found)


def _print(found: Explanation) -> None:
    rows: list[tuple[str, Any]] = [
        ("rule", found.rule or "none matches"),
        ("class", found.class_name or "none"),
        ("tiers", " → ".join(map(str, found.tiers))),
        ("thresholds", ", ".join(f"{t:g} for tier {k}" for k, t in found.asked_thresholds)),
    ]
    for name, shown in rows:
        typer.echo(visible(f"{name + ':':<12}{shown or 'none'}"))
    for line in found.why:
        typer.echo(visible(f"- {line}"))


def _pair(given: str) -> tuple[str, str]:
    key, equals, value = given.partition("=")
    if not equals or not key:
        msg = f"--metadata {given}: give a key and its value, as in tenant=acme"
        raise ConfigurationError(msg)
    return key, value


def _time(given: str | None) -> datetime:
    if given is None:
        return datetime.now(UTC)
    read = read_moment(given)
    if read is None:
        msg = f"--at {given}: give a time as in 2026-11-27T22:30, in UTC or with its offset"
        raise ConfigurationError(msg)
    return read
