"""Options that several commands have: which models are the tiers."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

TierNames: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(help="A model such as openai:gpt-4o-mini; once a tier, cheapest first."),
]

Factory: TypeAlias = Annotated[
    str | None,
    typer.Option(help="module:function that returns the tiers: chat models or runnables."),
]
