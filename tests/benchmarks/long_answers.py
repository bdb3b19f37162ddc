"""What checks of long answers, code and tool calls cost, and what they tell.

    make bench-long

`Runs`: on recorded answers of real models to GSM8K (see `recorded_data`), once by parsing alone
and once with a check that works every calculation out again. Tool calls: on pairs labelled by hand.
`Claims`: the prompts are real, for recorded answers; what its judge says is **simulated**, at error
rates that are assumed, because no judge was recorded.
"""

from __future__ import annotations

import csv
import gzip
import random
import re
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

sys.path.insert(0, str(Path(__file__).parents[2]))

from cascade_core import Runs
from cascade_core.costs.tokens import count_tokens
from cascade_core.draft import Draft
from cascade_core.effects import Ask, Drafts
from cascade_core.loop.drivers import play
from cascade_core.request import Request, ToolCall, ToolSpec
from cascade_core.signals import Claims
from cascade_core.signals.argument_values import canonical
from cascade_core.signals.tool_arguments import same_calls
from cascade_core.statistics.metrics import auroc
from cascade_core.tier import Tier
from tests.benchmarks.recorded_data import absent, data_dir
from tests.benchmarks.tool_pairs import PAIRS, TOOLS

say = partial(Console(highlight=False, soft_wrap=True).print, markup=False)

_SUM = re.compile(
    r"(?<![\w.*/+\-])((?:\$?\d[\d,]*(?:\.\d+)?%?\s*[-+*/x×÷]\s*)+\$?\d[\d,]*(?:\.\d+)?)\s*=\s*"
    r"\$?(-?\d[\d,]*(?:\.\d+)?)(?![\d%]|\s*[-+*/x×÷])"
)

_FENCES = re.compile(r"```\w*")


def adds_up(code: str, request: Request) -> bool:
    """Work out every calculation that an answer writes as `3 * 60 = 180`, from left to right."""
    del request
    return all(_right(*found) for found in _SUM.findall(code))


def _right(left: str, right: str) -> bool:
    terms = re.split(r"([-+*/x×÷])", re.sub(r"[$,\s]", "", left))
    if any("%" in term for term in terms):
        return True
    terms = [{"x": "*", "×": "*", "÷": "/"}.get(term, term) for term in terms]
    try:
        value = eval("".join(terms), {"__builtins__": {}})
    except (SyntaxError, ZeroDivisionError):  # 007, or a division by nothing
        return True
    said = right.replace(",", "")
    places = len(said.partition(".")[2])
    return bool(abs(value - float(said)) <= 0.5 * 10**-places + 1e-9)


def rows_of(name: str) -> list[dict[str, str]]:
    with gzip.open(data_dir() / name, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def told(name: str, gate: Runs, answers: Sequence[tuple[str, str, bool]]) -> None:
    """Print how many right and how many wrong answers a gate fails."""
    began = time.perf_counter()
    passed = [bool(gate(Request.of(asked), Draft(text))) for asked, text, _ in answers]
    micros = (time.perf_counter() - began) / len(answers) * 1e6
    right = [ok for ok, (_, _, good) in zip(passed, answers, strict=True) if good]
    wrong = [ok for ok, (_, _, good) in zip(passed, answers, strict=True) if not good]
    area = auroc([float(ok) for ok in passed], [float(good) for _, _, good in answers])
    say(
        f"  {name:46} {len(answers):5}  {wrong.count(False) / len(wrong):7.1%}  "
        f"{right.count(False) / len(right):7.1%}  {area:6.3f}  {micros:7.0f}"
    )


def runs() -> None:
    say("Runs, on recorded answers: 0 calls, 0 tokens\n")
    say(f"  {'':46} {'n':>5}  {'of wrong':>8} {'of right':>8} {'AUROC':>6}  {'µs each':>7}")
    say(f"  {'':46} {'':5}  {'failed':>8} {'failed':>8}")
    mixtral = [
        (row["prompt"], row["weak_response"], row["weak_correct"] == "1")
        for row in rows_of("routellm_gsm8k.csv.gz")
    ]
    told("Mixtral-8x7B-Instruct-v0.1, calculations", Runs(adds_up, required=True), mixtral)
    by_model: dict[str, list[tuple[str, str, bool]]] = {}
    for row in rows_of("zeroeval_gsm.csv.gz"):
        answer = row["prompt"], row["weak_response"], float(row["weak_correct"]) == 1
        by_model.setdefault(row["weak_model"], []).append(answer)
    for model, answers in by_model.items():
        told(f"{model}, JSON parses", Runs(language="json", required=True), answers)
        bare = [(asked, _FENCES.sub("", text), good) for asked, text, good in answers]
        told(f"{model}, calculations", Runs(adds_up, required=True), bare)


def tools() -> None:
    say(f"\nTool calls, on {len(PAIRS)} pairs labelled by hand: 0 calls, 0 tokens\n")
    same = sum(pair.same for pair in PAIRS)
    specs = {name: [ToolSpec(name, schema)] for name, schema in TOOLS.items()}

    def draft(tool: str, arguments: dict[str, object]) -> Draft:
        return Draft(tool_calls=(ToolCall(tool, arguments),))

    ways: dict[str, Callable[..., bool]] = {
        "equal JSON": lambda p: canonical(p.a) == canonical(p.b),
        "by the tool's schema": lambda p: same_calls(
            draft(p.tool, p.a), draft(p.tool, p.b), specs[p.tool]
        ),
    }
    say(f"  {'':22} {f'of {same} alike':>14} {f'of {len(PAIRS) - same} different':>17}")
    say(f"  {'':22} {'found alike':>14} {'found alike':>17}  {'µs a pair':>9}")
    for name, way in ways.items():
        began = time.perf_counter()
        found = [way(pair) for pair in PAIRS]
        micros = (time.perf_counter() - began) / len(PAIRS) * 1e6
        hits = sum(f and p.same for f, p in zip(found, PAIRS, strict=True))
        false = sum(f and not p.same for f, p in zip(found, PAIRS, strict=True))
        say(f"  {name:22} {hits:14} {false:17}  {micros:9.0f}")


def claims_cost() -> None:
    say("\nClaims, what its judge is paid for (prompts for recorded answers, replies of one line a")
    say("statement), as a share of asking the strong model, whose answer is recorded too\n")
    asked: list[tuple[int, int, int, float]] = []
    for row in rows_of("routellm_gsm8k.csv.gz")[:300]:
        signal = Claims("judge")
        seen: list[Request] = []

        def answer(effect: object, seen: list[Request] = seen) -> Drafts | None:
            if not isinstance(effect, Ask):
                return None
            seen.append(effect.request)
            count = effect.request.turns[1].text.count(" ===\n") - 3
            return Drafts([Draft("\n".join(f"{n}: A" for n in range(1, count + 1)))])

        request, draft = Request.of(row["prompt"]), Draft(row["weak_response"])
        play(signal.measure(request, draft, Tier(0)), answer)
        if not seen:
            continue
        statements = len(signal.split(draft.text))
        read = sum(_tokens(turn.text) for each in seen for turn in each.turns)
        ratio = (read + 3 * 4 * statements) / (
            _tokens(row["prompt"]) + 3 * _tokens(row["strong_response"])
        )
        asked.append((statements, len(seen), read, ratio))
    means = [sum(column) / len(asked) for column in zip(*asked, strict=True)]
    say(f"  {len(asked)} answers to GSM8K: {means[0]:.1f} statements, {means[1]:.2f} calls, "
          f"{means[2]:.0f} tokens read, {4 * means[0]:.0f} written")  # fmt: skip
    say(f"  the strong model as judge: {means[3]:.2f} of what asking it costs "
          "(a written token at three times a read one)")  # fmt: skip
    say("  an answer of n statements of 20 tokens to a question of 60:")
    for n in (1, 5, 10, 25, 50):
        text = " ".join(f"Number {k} of the things that are so is told here in all its twenty "
                        "plain words, more or less." for k in range(n))  # fmt: skip
        signal = Claims("judge")
        calls: list[int] = []

        def reply(effect: object, calls: list[int] = calls) -> Drafts | None:
            if not isinstance(effect, Ask):
                return None
            calls.append(sum(_tokens(turn.text) for turn in effect.request.turns))
            return Drafts([Draft("\n".join(f"{k}: A" for k in range(1, 51)))])

        play(signal.measure(Request.of("Tell me of it. " * 15), Draft(text), Tier(0)), reply)
        strong = 60 + 3 * _tokens(text)
        share = (sum(calls) + 3 * 4 * len(signal.split(text))) / strong
        say(
            f"    n = {n:2}: {len(calls)} calls, {sum(calls):5} tokens read, {share:5.2f} of asking"
        )


def _tokens(text: str) -> int:
    return count_tokens(text, "gpt-4o")[0]


def claims_told() -> None:
    say("\nClaims, SIMULATED: a judge that takes a right statement for wrong, and a wrong one for")
    say("right, this often; half of 4,000 answers hold one to three wrong statements. AUROC of an")
    say("answer without a wrong statement:\n")
    names = f"{'statements':>10} {'right as wrong':>15} {'wrong as right':>15}  {'mean':>6}"
    say(f"  {names} {'weakest':>8}   {'with P: mean':>12} {'weakest':>8}")
    for n in (5, 20, 50):
        for false_alarm, miss in ((0.01, 0.1), (0.03, 0.3), (0.1, 0.3)):
            areas = _simulated(n, false_alarm, miss, random.Random(f"{n} {false_alarm} {miss}"))
            say(f"  {n:10} {false_alarm:15.0%} {miss:15.0%}  {areas[0]:6.3f} {areas[1]:8.3f}"
                  f"   {areas[2]:12.3f} {areas[3]:8.3f}")  # fmt: skip


def _simulated(n: int, false_alarm: float, miss: float, draw: random.Random) -> list[float]:
    """Return the areas of mean and weakest: of verdicts, and of probabilities of such verdicts."""
    good: list[float] = []
    readings: list[list[float]] = [[], [], [], []]
    for _ in range(4_000):
        wrong = set() if draw.random() < 0.5 else set(draw.sample(range(n), draw.randint(1, 3)))
        verdicts, supports = [], []
        for k in range(n):
            errs = draw.random() < (miss if k in wrong else false_alarm)
            right = (k not in wrong) is not errs
            verdicts.append(float(right))
            # Surer where it is right than where it errs: P is uniform on a half, or on all of it.
            sure = draw.uniform(0.5, 1) if errs else draw.uniform(0.8, 1)
            supports.append(sure if right else 1 - sure)
        good.append(float(not wrong))
        for place, values in enumerate((verdicts, supports)):
            readings[2 * place].append(sum(values) / n)
            readings[2 * place + 1].append(min(values))
    return [auroc(values, good) for values in readings]


def main() -> None:
    if (reason := absent()) is not None:
        say(reason)
        tools()
        claims_told()
        return
    runs()
    tools()
    claims_cost()
    claims_told()


if __name__ == "__main__":
    main()
