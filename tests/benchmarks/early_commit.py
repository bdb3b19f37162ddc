"""How soon a draft that is committed to is shown, and whether the promise of the rule holds.

    python tests/benchmarks/early_commit.py [--tickets 2400] [--streams 200] [--draws 1000] [--json]

The embedded models answer tickets; a policy is tuned with `commit=True` on some of them. Streams of
others then go through real clients over HTTP: when the first word of an accepted draft is shown,
as a share of how long the draft takes, beside the same cascade that waits for the whole of it. The
server pauses for 20 ms after every token, as models of the size that is bought write; without the
pause most of what a draft of seven tokens takes is reading the prompt, which comes before any word.

The promise: the rule is fitted once, and again and again 1,000 rows are drawn from others with
replacement; the threshold that `tune` would ship is certified on them, and all of the others tell
whether it was broken.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
from langchain_openai import ChatOpenAI
from promise import DELTA, DRAWN, Population
from rich.console import Console

from cascade_core.calibration import tune
from cascade_core.evaluation.scoring import score
from cascade_core.labels import Table, read_table
from cascade_core.policy import Policy
from cascade_core.statistics.fixed_sequence import Refused, certify_sweep
from cascade_core.trajectory import trajectory_cell
from cascade_demo.desk import Ticket, grade, normalise, tickets
from cascade_demo.generate import Sampling, Token, generate
from cascade_demo.model import load_embedded
from cascade_demo.server import spawn
from langchain_cascade import ChatCascade

PAUSE_MS = 20.0
HARM = 0.02
BAR = 0.35
"""Most of a draft's duration that may pass before an accepted one is shown, at the median."""
MODELS = ("desk-small", "desk-large")
FITTED = 0.4
"""Share of the tickets that the rule of the simulated promises is fitted to."""


@dataclass(frozen=True)
class Soon:
    """How soon accepted streams are shown.

    Attributes:
        streams: How many were asked for.
        accepted: How many drafts were accepted.
        committed: How many of these by their first tokens.
        share: Median time to the first word ÷ the draft's duration, of the accepted.
        waiting: The same where the whole draft is waited for.
        switched: Answers in which anything but one model's own words was shown.
        wrong: Committed drafts that failed a gate afterwards, or broke.
    """

    streams: int
    accepted: int
    committed: int
    share: float
    waiting: float
    switched: int
    wrong: int


@dataclass(frozen=True)
class Kept:
    """Whether the promise was kept.

    Attributes:
        draws: How many tables were drawn.
        broken: How many of them led to a broken promise.
        most: So many may be, two standard errors of chance included.
        refused: How many led to none.
        accepted: Mean share accepted.
        whole: The same where drafts are accepted as a whole alone.
        hindsight: Largest share that could be accepted within the harm.
    """

    draws: int
    broken: int
    most: int
    refused: int
    accepted: float
    whole: float
    hindsight: float


def labelled(asked: Sequence[Ticket]) -> Table:
    """Have both models answer tickets; return the labelled table."""
    rows: list[dict[str, Any]] = []
    for ticket in asked:
        row: dict[str, Any] = {"id": ticket.id, "request": ticket.text}
        for tier, name in enumerate(MODELS):
            text, logprobs = _answer(name, ticket.text)
            row |= {
                f"t{tier}_model": name,
                f"t{tier}_response": text,
                f"t{tier}_quality": int(grade(text, ticket)),
                f"t{tier}_cost_usd": 10.0**tier / 10,
            }
            if tier == 0:
                row["t0_trajectory"] = trajectory_cell(logprobs)
                row["t0_signal_sequence_logprob"] = math.exp(math.fsum(logprobs) / len(logprobs))
        rows.append(row)
    return read_table(rows)


def _answer(name: str, text: str) -> tuple[str, list[float]]:
    model = load_embedded(name)
    prompt = [*model.tokenizer.encode(normalise(text)), model.tokenizer.separator]
    sampling = Sampling(temperature=0, max_tokens=100)
    pieces = [piece for step in generate(model, prompt, sampling) for piece in step]
    spoken = [piece for piece in pieces if isinstance(piece, Token)]
    return "".join(token.text for token in spoken), [token.logprob for token in spoken] or [0.0]


def soon(policy: Policy, asked: Sequence[Ticket]) -> Soon:
    """Stream answers to tickets, committing and waiting."""
    with spawn(token_delay_ms=PAUSE_MS) as server:
        at = {"base_url": server.base_url, "api_key": "unused", "temperature": 0}
        models = [ChatOpenAI(model=name, max_tokens=100, **at) for name in MODELS]
        committing, waiting = (
            ChatCascade(tiers=models, policy=policy, streaming_policy=how, prices=server.prices)
            for how in ("commit", "abort")
        )
        found = [timed(committing, ticket) for ticket in asked]
        beside = [timed(waiting, ticket) for ticket in asked]
        alone = {
            (tier, place): model.invoke(asked[place].text).text
            for place, (_, _, record) in enumerate(found)
            for tier, model in enumerate(models)
            if tier == record["tier"]
        }
    accepted = [one for one in found if one[2]["tier"] == 0]
    committed = [one[2]["committed"] for one in accepted if "committed" in one[2]]
    return Soon(
        streams=len(found),
        accepted=len(accepted),
        committed=len(committed),
        share=median(share for share, _, _ in accepted),
        waiting=median(share for share, _, record in beside if record["tier"] == 0),
        switched=sum(
            text != alone[record["tier"], place] for place, (_, text, record) in enumerate(found)
        ),
        wrong=sum("error" in one for one in committed),
    )


def timed(llm: ChatCascade, ticket: Ticket) -> tuple[float, str, dict[str, Any]]:
    """Return when the first word came ÷ how long the draft took; the text; the record."""
    began, first, text = perf_counter(), math.nan, ""
    record: dict[str, Any] = {}
    for chunk in llm.stream(ticket.text):
        if chunk.text and not text:
            first = perf_counter() - began
        text += chunk.text
        record = chunk.response_metadata.get("cascade", record)
    return first / (record["calls"][0]["latency_ms"] / 1000), text, record


def kept(table: Table, draws: int) -> Kept:
    """Certify the rule on tables that are drawn again and again."""
    fitted = int(FITTED * len(table))
    policy = tune(table.take(np.arange(fitted)), max_escalated=0.5, commit=True)
    rest = table.take(np.arange(fitted, len(table)))
    scored = score(rest, policy)
    harm = scored.losses()[0]
    population = Population(scored.confidences[0], harm)
    whole = Population(scored.early[0].whole, harm)
    rng = np.random.default_rng(1)
    broken = refused = 0
    shares, without = [], []
    for _ in range(draws):
        drawn = rng.integers(0, len(rest), DRAWN)
        accepted, lost = population.at(certified(population, drawn))
        broken += lost > HARM + 1e-12
        refused += not accepted
        shares.append(accepted)
        without.append(whole.at(certified(whole, drawn))[0])
    most = math.floor(DELTA * draws + 2 * math.sqrt(DELTA * (1 - DELTA) * draws))
    return Kept(
        draws=draws,
        broken=int(broken),
        most=most,
        refused=int(refused),
        accepted=float(np.mean(shares)),
        whole=float(np.mean(without)),
        hindsight=population.hindsight(HARM),
    )


def certified(population: Population, drawn: Any) -> float:
    """Return the threshold that stands on the rows drawn; infinite where none does."""
    found = certify_sweep(
        population.confidence[drawn], population.harm[drawn], limit=HARM, delta=DELTA
    )
    return math.inf if isinstance(found, Refused) else found.threshold


def main() -> int:
    """Measure and print; exit 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tickets", type=int, default=2400)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    table = labelled(tickets("tune", asked.tickets))
    policy = tune(table, harm=HARM, commit=True)
    shown = soon(policy, tickets("test", asked.streams))
    promise = kept(table, asked.draws)
    good = shown.share <= BAR and not shown.switched and promise.broken <= promise.most
    if asked.json:
        json.dump({"shown": asdict(shown), "promise": asdict(promise), "good": good}, sys.stdout)
        return not good
    Console(width=120, highlight=False).print(
        f"{shown.streams} streams, {shown.accepted} drafts accepted, "
        f"{shown.committed} of them by their first tokens\n"
        f"first word of an accepted draft after {shown.share:.0%} of its duration at the median "
        f"(at most {BAR:.0%}); {shown.waiting:.0%} where the whole draft is waited for\n"
        f"{shown.switched} answers switched after the first word; {shown.wrong} committed drafts "
        "failed a gate afterwards, or broke\n"
        f"harm ≤ {HARM:.0%}: {promise.broken} of {promise.draws:,} promises broken "
        f"(at most {promise.most}), {promise.refused} refused; {promise.accepted:.1%} accepted, "
        f"{promise.whole:.1%} as whole drafts alone, {promise.hindsight:.1%} in hindsight"
    )
    return not good


if __name__ == "__main__":
    sys.exit(main())
