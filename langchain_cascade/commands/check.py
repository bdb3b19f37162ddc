"""`cascade check CHEAP STRONG`: what a pair of models can do, before anything is paid for."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from cascade_core.costs.prices import Prices


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of one model.

    Attributes:
        model: Its name.
        integration: Its LangChain class.
        logprobs: Whether it gives token log-probabilities; None = only trying tells.
        signals: Signals that can read its drafts.
        input_usd: USD per million prompt tokens; None = unpriced.
        output_usd: The same for completion tokens.
        price_source: Where the price comes from.
        tools: Whether it can call tools.
        structured_output: Whether it can return objects of a schema.
        context: Most prompt tokens, where stated.
        tried: With `--live`, what one tiny request showed, or the error it met.
    """

    model: str
    integration: str
    logprobs: bool | None
    signals: list[str]
    input_usd: float | None
    output_usd: float | None
    price_source: str | None
    tools: bool
    structured_output: bool
    context: int | None
    tried: dict[str, Any] | None = None


def check(
    cheap: Annotated[str, typer.Argument(help="The cheap model, e.g. openai:gpt-4o-mini.")],
    strong: Annotated[str, typer.Argument(help="The strong model, e.g. openai:gpt-4o.")],
    *,
    prices: Annotated[
        str | None, typer.Option(help="Your price table, a JSON file (also litellm's).")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Send each model one tiny, paid request.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Say what a pair of models can do as a cascade: signals, prices, tools, structured output.

    Example: cascade check openai:gpt-4o-mini openai:gpt-4o
    """
    from cascade_core.costs.prices import Prices  # noqa: PLC0415 - `cascade --help` stays quick
    from langchain_cascade.tiers import load_model  # noqa: PLC0415

    table = Prices(prices)
    models = [load_model(cheap, "CHEAP"), load_model(strong, "STRONG")]
    findings = [findings_of(model, table, live=live) for model in models]
    advice = advise(*findings)
    if as_json:
        names = ("cheap", "strong")
        plain: dict[str, Any] = {k: asdict(f) for k, f in zip(names, findings, strict=True)}
        typer.echo(json.dumps({**plain, "advice": advice}, indent=2))
    else:
        _print(findings, advice)


def findings_of(model: BaseChatModel, prices: Prices, *, live: bool = False) -> Findings:
    """Find out what one model can do.

    Args:
        model: The model.
        prices: Where prices come from.
        live: Whether to send it one tiny, paid request.
    """
    from cascade_core.integrations.classes import model_name  # noqa: PLC0415
    from langchain_cascade.capabilities import gives_logprobs  # noqa: PLC0415
    from langchain_cascade.tiers import make_tier, to_core  # noqa: PLC0415
    from langchain_cascade.tools import supports_tools  # noqa: PLC0415

    (tier,) = to_core([make_tier(model, "the model")])
    rate = prices.rate(tier.price_names(tier.model))
    profile: Any = model.profile or {}
    tools = bool(profile.get("tool_calling", supports_tools(model)))
    return Findings(
        model=model_name(model) or "(no name)",
        integration=type(model).__name__,
        logprobs=gives_logprobs(model),
        signals=_signals(gives_logprobs(model)),
        input_usd=None if rate is None else float(rate.input * 1_000_000),
        output_usd=None if rate is None else float(rate.output * 1_000_000),
        price_source=None if rate is None else rate.source,
        tools=tools,
        structured_output=tools or bool(profile.get("structured_output")),
        context=profile.get("max_input_tokens"),
        tried=_try(model) if live else None,
    )


def advise(cheap: Findings, strong: Findings) -> list[str]:
    """Return what to know before making a cascade of two models, one line each."""
    advice = _advise_on_logprobs(cheap)
    for name, one in (("cheap", cheap), ("strong", strong)):
        if one.tried is not None and "error" in one.tried:
            advice.append(f"The {name} model's request failed: {one.tried['error']}.")
    if cheap.input_usd is None or strong.input_usd is None:
        advice.append("A model is unpriced: costs will be null. Give prices= a table of your own.")
    elif (cheap.output_usd or 0) >= (strong.output_usd or 0):
        advice.append("The first model costs no less than the second: are they in order?")
    if strong.tools and not cheap.tools:
        advice.append("Only the strong model calls tools: requests with tools go straight to it.")
    return advice or ["These two make a cascade as they are: ChatCascade(tiers=[cheap, strong])."]


def _advise_on_logprobs(cheap: Findings) -> list[str]:
    other = "add SelfConsistency() or Judge(model) to signals=."
    if cheap.logprobs is False:
        never = "a cascade without other signals would never call it"
        return [f"The cheap model gives no logprobs, and {never}: {other}"]
    if cheap.tried is None and cheap.logprobs is None:
        return ["Whether the cheap model gives logprobs shows only when it is called; try --live."]
    sent = None if cheap.tried is None else cheap.tried.get("logprobs")
    if sent == "refused":
        return [f"The cheap model refuses requests that ask for logprobs: {other}"]
    if sent is False:
        return [f"The cheap model was asked for logprobs and sent none: {other}"]
    return []


def _signals(logprobs: bool | None) -> list[str]:  # noqa: FBT001
    free = [] if logprobs is False else ["SequenceLogprob", "TokenMargin"]
    return [*free, "SelfConsistency", "Judge", "Verbalized", "a function of yours"]


def _try(model: BaseChatModel) -> dict[str, Any]:
    from cascade_core.errors import error_name, refuses_logprobs  # noqa: PLC0415
    from cascade_core.log.record import tokens_of  # noqa: PLC0415
    from langchain_cascade.convert import to_draft  # noqa: PLC0415
    from langchain_cascade.wrapping import Variant, vary  # noqa: PLC0415

    question, refused = "Reply with the word yes.", False
    try:
        try:
            message = vary(model, Variant(draft=True, logprobs=True)).invoke(question)
        except Exception as error:
            if not refuses_logprobs(error):
                raise
            refused = True
            message = vary(model, Variant(draft=True)).invoke(question)
    except Exception as error:  # noqa: BLE001 - whatever a provider raises is the finding
        return {"error": error_name(error)}
    draft = to_draft(message)
    return {
        "logprobs": "refused" if refused else draft.logprobs is not None,
        "usage": None if draft.usage is None else tokens_of(draft.usage),
        "model": draft.model,
    }


def _print(findings: list[Findings], advice: list[str]) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("cheap")
    table.add_column("strong")
    known = {True: "yes", False: "no", None: "only trying tells"}
    rows = (
        ("model", [f.model for f in findings]),
        ("integration", [f.integration for f in findings]),
        ("logprobs", [known[f.logprobs] for f in findings]),
        ("signals that read it", [", ".join(f.signals) for f in findings]),
        ("USD per million in / out", [_price(f) for f in findings]),
        ("price from", [f.price_source or "–" for f in findings]),
        ("tools", [known[f.tools] for f in findings]),
        ("structured output", [known[f.structured_output] for f in findings]),
        ("most prompt tokens", [f"{f.context:,}" if f.context else "not stated" for f in findings]),
    )
    for name, values in rows:
        table.add_row(name, *(Text(value) for value in values))  # brackets in names are no markup
    if findings[0].tried is not None:
        table.add_row("one live request", *(Text(_tried(f.tried or {})) for f in findings))
    console = Console()
    console.print(table)
    for line in advice:
        console.print(Text(f"\n{line}"))


def _tried(tried: dict[str, Any]) -> str:
    if "error" in tried:
        return f"failed: {tried['error']}"
    said = {True: "logprobs sent", False: "no logprobs", "refused": "logprobs refused"}
    usage = tried["usage"] or {}
    read, written = usage.get("input_tokens", "?"), usage.get("output_tokens", "?")
    return f"{said[tried['logprobs']]}, {read} + {written} tokens, by {tried['model'] or '?'}"


def _price(findings: Findings) -> str:
    if findings.input_usd is None or findings.output_usd is None:
        return "unpriced"
    return f"{findings.input_usd:g} / {findings.output_usd:g}"
