"""`collect` and `acollect`: a labelled table from LangChain models and a sample of requests.

Tiers are called through a cascade's own port and engine, so a call, its price
and its signals are here what they are when the cascade serves.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.messages import convert_to_messages
from langchain_core.runnables.config import ensure_config

from cascade_core.collect.answers import restore, reusable
from cascade_core.collect.examine import examine, regrade
from cascade_core.collect.function import QualityFunction
from cascade_core.collect.grade import make_grader
from cascade_core.collect.job import (
    Job,
    as_cap,
    as_concurrency,
    as_out,
    carry_out,
    check_priced,
    read_of_last,
)
from cascade_core.collect.requests import Requests, Sample, Source, read_requests
from cascade_core.collect.row import as_entry, regraded
from cascade_core.costs.prices import Names
from cascade_core.errors import ConfigurationError
from cascade_core.integrations.decisions import decision_model, decision_tier
from cascade_core.loop import drivers
from cascade_core.loop.port import AsyncPort
from cascade_core.loop.session import Session
from cascade_core.signals.asking import model_id, models_asked
from langchain_cascade.chat_model import ChatCascade
from langchain_cascade.engine import ChatEngine
from langchain_cascade.runnable import RunnableCascade
from langchain_cascade.scope import AsyncScope
from langchain_cascade.tiers import ChatTier, Judges, load_model, make_tier, to_core
from langchain_cascade.wrapping import find_chat_model

if TYPE_CHECKING:
    from cascade_core.collect.estimate import Estimate
    from cascade_core.collect.journal import Entry
    from cascade_core.collect.runner import Advance
    from cascade_core.collect.summary import Collected
    from cascade_core.signals.make import SignalLike

_TOLD = ("ls_provider", "ls_model_name", "ls_temperature", "ls_max_tokens")
"""What LangChain says of a model that is the same in every process and holds no key."""


async def acollect(  # noqa: PLR0913 - the command's options
    requests: Source,
    tiers: Sequence[Any],
    out: str | Path,
    *,
    signals: Sequence[SignalLike] | None = None,
    quality: str | QualityFunction | None = None,
    judge: Any = None,
    gates: Sequence[Any] | None = None,
    prices: Any = None,
    concurrency: int = 8,
    max_cost: float | Decimal | None = None,
    texts: bool = True,
    last_signals: bool = False,
    begin: Callable[[Estimate], None] | None = None,
    advance: Advance | None = None,
) -> Collected:
    """Ask every tier about every request and write the labelled table.

    A run that was stopped goes on where it was when it is called again with the
    same arguments; `concurrency` and `max_cost` may be others. So may `quality`: answers that
    are there are graded again, and no tier is asked. So may a tier: the answers of the others are
    kept. The first request goes alone, so that a misspelt tier costs no more. No call is taken
    from LangChain's cache: an answer that cost nothing says nothing of its price.

    Args:
        requests: Path of a CSV or JSONL file, or records: `request` (or
            `messages`), and optionally `id`, `reference`, `class`, `group`, `weight`.
        tiers: Chat models, names for `init_chat_model`, or runnables that take the
            request's text (or messages); cheapest first, at least two.
        out: The table: `.csv`, `.jsonl` or `.parquet`.
        signals: What drafts of every tier but the last are read by; see
            `CascadeKeywords`.
        quality: How answers are graded; see `grade.make_grader`.
        judge: The chat model, or its name, that grades with `quality="judge"`.
        gates: Further gates; a draft that fails one has no readings.
        prices: A price table; see `CascadeKeywords`.
        concurrency: How many requests run at a time.
        max_cost: The most USD to spend, earlier runs for the same table included.
        texts: Whether the table holds the requests and answers. Where it does not, an answer
            that cannot be graded is kept in the journal beside it until it can.
        last_signals: Whether the last tier's answers are read too, by the signals that cost
            nothing, as `tune(answered=…)` needs it. It is then asked for logprobs where they read
            them; one that refuses them is asked once more.
        begin: Told what the run will cost at about before anything is asked; what it raises ends
            the run.
        advance: Told of requests finished, of how many, and USD so far.

    Returns:
        What was collected.

    Raises:
        ConfigurationError: An argument cannot work, or something is wrong with
            the requests; nothing has been asked or written.
    """
    place, cap = as_out(out), as_cap(max_cost)
    read = read_requests(requests)
    model = load_model(judge, "judge") if isinstance(judge, str) else judge
    grader = make_grader(quality, read, model)
    inputs = [_input(read, sample) for sample in read.samples]
    cascade = make_cascade(tiers, signals=signals, gates=gates, prices=prices)
    engine = cascade._engine  # noqa: SLF001 - it is ours
    plan = engine.plan
    of_last = read_of_last(plan, wanted=last_signals)
    judges = [model for signal in plan.signals for model in models_asked(signal)]
    if grader.name == "judge":
        judges.append(model)
    engine.judges = Judges(judges)
    check_priced(cap, priced_by(cascade, [*judges, *_chats_asked(engine)]), plan)
    job = Job(
        requests=read,
        plan=plan,
        grader=grader,
        out=place,
        tiers=tuple(_told(tier.native) for tier in plan.tiers),
        judge=_told_judge(engine, model) if grader.name == "judge" else None,
        texts=texts,
        of_last=of_last,
        concurrency=as_concurrency(concurrency),
        max_cost=cap,
        begin=begin,
        advance=advance,
    )

    async def one(sample: Sample, kept: Entry | None) -> Entry:
        metadata = {} if sample.class_name is None else {"cascade_class": sample.class_name}
        config = ensure_config({"run_name": "cascade collect", "metadata": metadata})
        given = inputs[sample.index]
        async with AsyncScope(cascade, given, config) as scope:
            session = unrun_session(cascade, scope.run, given, config)
            request, known = session.request, (sample.text, sample.reference)
            port = AsyncPort(session.caller, plan.notices)
            if kept is not None and not kept.incomplete:
                again = kept.ungraded(job.graded_by)
                drafts = [
                    restore(answer) if tier in again else None
                    for tier, answer in enumerate(kept.answers or ())
                ]
                grading = regrade(plan, request, grader, drafts, *known)
                grades, cost = await drivers.arun(grading, port)
                found = {tier: grades[tier] for tier in again}
                return regraded(kept, found, cost, graded_by=job.graded_by, texts=texts)
            names = [signal.name for signal in of_last]
            answers = reusable(kept.answers if kept else None, job.keys, plan.tiers, names)
            steps = examine(plan, request, grader, *known, answers, of_last)
            examined = await drivers.arun(steps, port)
        return as_entry(
            sample,
            examined,
            plan.signals,
            read.columns,
            keys=job.keys,
            graded_by=job.graded_by,
            texts=texts,
            of_last=of_last,
        )

    return await carry_out(job, one)


def collect(requests: Source, tiers: Sequence[Any], out: str | Path, **options: Any) -> Collected:
    """Ask every tier about every request and write the labelled table; see `acollect`.

    Raises:
        ConfigurationError: See `acollect`; also where an event loop is running
            (a notebook): `await acollect(...)` there.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        pass
    else:
        msg = "collect() cannot wait inside a running event loop: use `await acollect(...)`"
        raise ConfigurationError(msg)

    async def run() -> Collected:
        # Models without async code of their own are called in threads, of which asyncio
        # has few on a small machine.
        threads = max(32, as_concurrency(options.get("concurrency", 8)))
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(threads))
        return await acollect(requests, tiers, out, **options)

    return asyncio.run(run())


def make_cascade(tiers: object, **settings: Any) -> ChatCascade | RunnableCascade:
    """Make a cascade of the tiers: of chat models where all are, else of runnables."""
    if isinstance(tiers, str) or not isinstance(tiers, Sequence) or len(tiers) < 2:  # noqa: PLR2004
        msg = "a table needs at least two tiers, cheapest first"
        raise ConfigurationError(msg)
    made = [
        load_model(tier, f"tiers[{place}]") if isinstance(tier, str) else tier
        for place, tier in enumerate(tiers)
    ]
    if all(find_chat_model(tier) is not None for tier in made):
        return ChatCascade(tiers=made, cache=False, **settings)
    return RunnableCascade(tiers=made, **settings)


def unrun_session(
    cascade: ChatCascade | RunnableCascade, run: Any, given: Any, config: Any
) -> Session:
    """Return a request as the core sees it, with who calls models for it; it is never run."""
    if isinstance(cascade, RunnableCascade):
        return cascade._session(run, given, config, {})  # noqa: SLF001 - it is ours
    prompt = cascade._convert_input(given)  # noqa: SLF001 - it is ours
    return cascade._session(run, prompt, config, None, {})  # noqa: SLF001 - it is ours


def _input(requests: Requests, sample: Sample) -> Any:
    """Return what the tiers are given of a request."""
    if sample.messages is None:
        return sample.text
    try:
        return convert_to_messages([dict(message) for message in sample.messages])
    except Exception as error:  # noqa: BLE001 - LangChain has no one class for these
        msg = (
            f"{requests.source}, line {sample.line}, column messages: LangChain cannot read them "
            f"({type(error).__name__}); give roles such as system, user and assistant"
        )
        raise ConfigurationError(msg) from None


def _chats_asked(engine: ChatEngine) -> list[Any]:
    """Return the chat models that signals ask what the tiers are asked."""
    return [model for model in engine.partners.models if find_chat_model(model) is not None]


def priced_by(cascade: ChatCascade | RunnableCascade, judges: Sequence[Any]) -> Mapping[str, Names]:
    """Return the names models are priced by, as far as they are known before a call."""
    called = (
        {}
        if isinstance(cascade, RunnableCascade)
        else {
            tier.label: tier
            for tier in cascade._engine.plan.tiers  # noqa: SLF001 - it is ours
        }
    )
    for judge in judges:
        decides = decision_tier(judge)
        (tier,) = to_core([make_tier(judge, "a judge")]) if decides is None else (decides,)
        called[f"the judge {tier.model or ''}".strip()] = tier
    return {
        label: tier.price_names(tier.model)
        for label, tier in called.items()
        # Its models are known when it answers.
        if not isinstance(getattr(tier.native, "inner", None), ChatCascade)
    }


def _told_judge(engine: ChatEngine, model: Any) -> str:
    return _told(engine.judges[model]) if decision_model(model) is None else model_id(model)


def _told(native: Any) -> str:
    """Say which model a tier is, the same in every process and without a key."""
    if not isinstance(native, ChatTier):
        return " | ".join(_told_step(step) for step in getattr(native, "steps", [native]))
    return _told_step(native.inner)


def _told_step(step: Any) -> str:
    model = find_chat_model(step)
    if model is None:
        return f"{type(step).__name__}:{step.get_name()}"
    told = _params(model)
    listed = ", ".join(f"{key.removeprefix('ls_')}={told[key]}" for key in _TOLD if key in told)
    return f"{type(model).__name__}({listed})"


def _params(model: Any) -> Mapping[str, Any]:
    read: Callable[[], Mapping[str, Any]] | None = getattr(model, "_get_ls_params", None)
    return {} if read is None else read()
