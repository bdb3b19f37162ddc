"""`cascade check CHEAP STRONG`: what a pair of models can do, before anything is paid for."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from cascade_core.costs.prices import Prices


UNTIL_LIVE = "unknown until --live"


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of one model.

    Attributes:
        model: Its name.
        integration: Its LangChain class.
        logprobs: Whether it gives token log-probabilities; None = unknown until it is asked.
        signals: Signals that can read its drafts.
        input_usd: USD per million prompt tokens; None = unpriced.
        output_usd: The same for completion tokens.
        price_source: Where the price comes from.
        tools: Whether it can call tools; None = unknown until it is asked.
        structured_output: Whether it can return objects of a schema; the same.
        context: Most prompt tokens, where stated.
        tried: With `--live`, what tiny requests showed, or the error the first met; see
            `trying.try_model`.
    """

    model: str
    integration: str
    logprobs: bool | None
    signals: list[str]
    input_usd: float | None
    output_usd: float | None
    price_source: str | None
    tools: bool | None
    structured_output: bool | None
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
        bool,
        typer.Option(
            "--live",
            help="Send each model three tiny, paid requests: for logprobs, a tool call, a schema.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")] = False,
) -> None:
    """Say what a pair of models can do as a cascade: signals, prices, tools, structured output.

    Without --live nothing is sent, so no key is needed, and what only a model's answer can tell is
    unknown. With it, the exit status is 1 where a request fails.

    Example: cascade check openai:gpt-4o-mini openai:gpt-4o
    """
    from cascade_core.costs.prices import Prices  # noqa: PLC0415 - `cascade --help` stays quick
    from langchain_cascade.commands.trying import failed  # noqa: PLC0415

    table = Prices(prices)
    models = [_load(cheap, "CHEAP", live=live), _load(strong, "STRONG", live=live)]
    findings = [findings_of(model, table, live=live) for model in models]
    advice = advise(*findings)
    if as_json:
        names = ("cheap", "strong")
        plain: dict[str, Any] = {k: asdict(f) for k, f in zip(names, findings, strict=True)}
        typer.echo(json.dumps({**plain, "advice": advice}, indent=2))
    else:
        _print(findings, advice)
    if any(failed(finding.tried or {}) for finding in findings):
        raise typer.Exit(1)


def _load(name: str, where: str, *, live: bool) -> BaseChatModel:
    """Make a model; where nothing is sent, without a key."""
    from cascade_core.errors import ConfigurationError  # noqa: PLC0415
    from langchain_cascade.tiers import load_model  # noqa: PLC0415

    try:
        return load_model(name, where)
    except ConfigurationError:
        if live:
            raise
        try:  # clients refuse to be made without one
            return load_model(name, where, {"api_key": "never-sent"})
        except ConfigurationError:
            pass
        raise


def findings_of(model: BaseChatModel, prices: Prices, *, live: bool = False) -> Findings:
    """Find out what one model can do.

    Args:
        model: The model.
        prices: Where prices come from.
        live: Whether to send it one tiny, paid request.
    """
    from cascade_core.integrations.classes import model_name  # noqa: PLC0415
    from langchain_cascade.capabilities import supports_tools  # noqa: PLC0415
    from langchain_cascade.commands.trying import try_model  # noqa: PLC0415
    from langchain_cascade.tiers import make_tier, to_core  # noqa: PLC0415

    (tier,) = to_core([make_tier(model, "the model")])
    rate = prices.rate(tier.price_names(tier.model))
    profile: Any = model.profile or {}
    tried = try_model(model, tools=supports_tools(model)) if live else None
    logprobs, tools, schema = _logprobs(model), _tools(model), _schema(model)
    if tried is not None and "error" not in tried:
        logprobs = tried["logprobs"] is True
        tools, schema = (
            known if isinstance(seen, str) and seen != "refused" else seen is True
            for known, seen in ((tools, tried["tool_call"]), (schema, tried["schema"]))
        )
    return Findings(
        model=model_name(model) or "(no name)",
        integration=type(model).__name__,
        logprobs=logprobs,
        signals=_signals(logprobs),
        input_usd=None if rate is None else float(rate.input * 1_000_000),
        output_usd=None if rate is None else float(rate.output * 1_000_000),
        price_source=None if rate is None else rate.source,
        tools=tools,
        structured_output=schema,
        context=profile.get("max_input_tokens"),
        tried=tried,
    )


def _logprobs(model: BaseChatModel) -> bool | None:
    """Tell whether a model gives logprobs; None where its integration asks and the answer tells.

    Reasoning models refuse to, and a server of one's own may do as it likes.
    """
    from langchain_cascade.capabilities import gives_logprobs  # noqa: PLC0415

    given = gives_logprobs(model)
    unsure = given and ((model.profile or {}).get("reasoning_output") or _elsewhere(model))
    return None if unsure else given


def _tools(model: BaseChatModel) -> bool | None:
    """Tell whether a model calls tools; None where its server decides."""
    from cascade_core.integrations.classes import LANGCHAIN  # noqa: PLC0415
    from langchain_cascade.capabilities import supports_tools  # noqa: PLC0415

    if not supports_tools(model):
        return False
    if _elsewhere(model):
        return None
    stated = (model.profile or {}).get("tool_calling")
    # Integrations bind tools for whatever model they are told to call.
    known = any(cls.__name__ in LANGCHAIN for cls in type(model).__mro__)
    return stated if stated is not None or known else True


def _schema(model: BaseChatModel) -> bool | None:
    """Tell whether a model fills schemas, by itself or by calling a tool."""
    tools = _tools(model)
    stated = None if _elsewhere(model) else (model.profile or {}).get("structured_output")
    return True if tools or stated else stated if tools is False else None


def _elsewhere(model: BaseChatModel) -> bool:
    """Tell whether an OpenAI client is pointed at another server, whose models are its own."""
    url = getattr(getattr(model, "root_client", None), "base_url", None)
    return url is not None and "openai.com" not in str(url) and "azure" not in str(url)


def advise(cheap: Findings, strong: Findings) -> list[str]:
    """Return what to know before making a cascade of two models, one line each."""
    from langchain_cascade.commands.trying import failed  # noqa: PLC0415

    advice = _advise_on_logprobs(cheap)
    for name, one in (("cheap", cheap), ("strong", strong)):
        if error := failed(one.tried or {}):
            advice.append(f"The {name} model's request failed: {error}.")
    if (cheap.model, cheap.integration) == (strong.model, strong.integration):
        advice.append(f"Both are {cheap.model}: one model twice is no cascade.")
    elif unpriced := [one.model for one in (cheap, strong) if one.input_usd is None]:
        advice.append(
            f"Unpriced: {' and '.join(unpriced)}; costs will be null. If the name is spelled as "
            "you mean it, give a price table of your own: --prices here, prices= to a cascade."
        )
    elif (cheap.output_usd or 0) >= (strong.output_usd or 0):
        advice.append("The first model costs no less than the second: are they in order?")
    if strong.tools and cheap.tools is False:
        advice.append("Only the strong model calls tools: requests with tools go straight to it.")
    return advice or ["These two make a cascade as they are: ChatCascade(tiers=[cheap, strong])."]


def _advise_on_logprobs(cheap: Findings) -> list[str]:
    other = "add Agreement(model), SelfConsistency() or Judge(model) to signals=."
    tried = cheap.tried or {}
    if cheap.logprobs is False and not tried:
        never = "a cascade without other signals would never call it"
        return [f"The cheap model gives no logprobs, and {never}: {other}"]
    if not tried and cheap.logprobs is None:
        return [f"Whether the cheap model gives logprobs is {UNTIL_LIVE}."]
    sent = tried.get("logprobs")
    if sent == "refused":
        return [f"The cheap model refuses requests that ask for logprobs: {other}"]
    if sent is False:
        return [f"The cheap model was asked for logprobs and sent none: {other}"]
    return []


def _signals(logprobs: bool | None) -> list[str]:  # noqa: FBT001
    free = [] if logprobs is False else ["SequenceLogprob", "TokenMargin"]
    return [
        *free,
        "Agreement",
        "SelfConsistency",
        "Judge",
        "Claims",
        "Verbalized",
        "a function of yours",
    ]


def _print(findings: list[Findings], advice: list[str]) -> None:
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    from cascade_core.visible import SafeText  # noqa: PLC0415

    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("cheap")
    table.add_column("strong")
    known = {True: "yes", False: "no", None: UNTIL_LIVE if findings[0].tried is None else "unknown"}
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
        table.add_row(
            name, *(SafeText(value) for value in values)
        )  # brackets in names are no markup
    if findings[0].tried is not None:
        table.add_row("live requests", *(SafeText(_tried(f.tried or {})) for f in findings))
    console = Console()
    console.print(table)
    for line in advice:
        console.print(SafeText(f"\n{line}"))


def _tried(tried: dict[str, Any]) -> str:
    if "error" in tried:
        return f"failed: {tried['error']}"
    said = {True: "logprobs sent", False: "no logprobs", "refused": "logprobs refused"}
    usage = tried["usage"] or {}
    read, written = usage.get("input_tokens", "?"), usage.get("output_tokens", "?")
    shown = [
        f"{what} {({True: 'came', False: 'did not come'}).get(seen) or seen}"
        for what, seen in (("tool call", tried["tool_call"]), ("schema", tried["schema"]))
    ]
    by = f"{read} + {written} tokens, by {tried['model'] or '?'}"
    return "; ".join([f"{said[tried['logprobs']]}, {by}", *shown])


def _price(findings: Findings) -> str:
    if findings.input_usd is None or findings.output_usd is None:
        return "unpriced"
    return f"{findings.input_usd:g} / {findings.output_usd:g}"
