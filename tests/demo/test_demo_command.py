"""`cascade demo` as its callers see it: a process with options, output and an exit status."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

pytest.importorskip("langchain_openai")

from cascade_core.policy import Policy
from cascade_core.policy.file import what_else
from cascade_demo.desk import Ticket
from cascade_demo.measure import GradedAnswer, Report
from cascade_demo.server import DemoServer
from cascade_demo.show import as_plain, print_report, show_progress
from tests.running import Run

SMALL = ["--tickets", "20", "--tune", "20"]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cascade_core.cli", "demo", *arguments]


def environment(**more: str) -> dict[str, str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    return {**env, "COLUMNS": "80", **more}


def demo(*arguments: str, without: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process, as if the package `without` were not installed."""
    code = (
        f"import sys\nsys.modules[{without!r}] = None\n"
        "from cascade_core.cli import main\nsys.argv[0] = 'cascade'\nmain()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, "demo", *arguments],
        env=environment(**env),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in ran.stderr
    return ran


# --- the embedded models --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    # Without the other framework; and a proxy of the caller's stands between nobody and here.
    proxy = "http://127.0.0.1:1"
    ran = demo(*SMALL, "--json", without="llama_index", HTTP_PROXY=proxy, OPENAI_PROXY=proxy)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""
    whole: dict[str, Any] = json.loads(ran.stdout)
    # If somebody takes it for a policy.
    assert (
        what_else(whole, Policy.model_fields) == "is what cascade demo --json printed, not a policy"
    )
    return whole


def test_json_has_the_documented_structure(plain: dict[str, Any]) -> None:
    figures = {"accuracy", "cost_usd", "latency_ms"}
    assert set(plain["cheap"]) == figures
    assert set(plain["strong"]) == figures
    assert set(plain["cascade"]) == {*figures, "escalated", "accepted_latency_ms"}
    numbers = [n for arm in ("cheap", "strong", "cascade") for n in plain[arm].values()]
    assert all(isinstance(n, float) for n in numbers)


def test_json_says_what_was_measured(plain: dict[str, Any]) -> None:
    assert plain["tickets"] == 20
    assert (plain["tune_tickets"], plain["tune_readings"]) == (20, 20)
    assert 0 < plain["threshold"] <= 1
    assert plain["models"] == {"cheap": "desk-small", "strong": "desk-large"}
    assert sum(of["tickets"] for of in plain["classes"].values()) == 20


def test_the_cascade_costs_between_the_two_and_escalates_some(plain: dict[str, Any]) -> None:
    assert plain["cheap"]["cost_usd"] < plain["cascade"]["cost_usd"] < plain["strong"]["cost_usd"]
    assert 0 < plain["cascade"]["escalated"] < 1
    assert plain["cheap"]["accuracy"] < plain["cascade"]["accuracy"]


def test_people_read_about_the_three_arms_and_of_no_progress_where_nobody_looks(
    demo_here: Run,
) -> None:
    ran = demo_here(*SMALL)
    assert (ran.status, ran.err) == (0, "")
    out = ran.out
    for text in ("20 held-out tickets", "cheap only", "strong only", "cascade", "escalated"):
        assert text in out
    assert "of always asking the strong model" in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 80
    assert "━" not in out


@pytest.mark.parametrize("quiet", [False, True])
def test_progress_is_shown_on_standard_error_of_a_terminal_unless_json_is_wanted(
    quiet: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as rich is told of a terminal
    with show_progress(quiet=quiet) as advance:
        advance("answering held-out tickets", 1, 2)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert ("answering held-out tickets" in shown.err) is not quiet


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["--tune", "19"], "--tune"),
        (["--cheap", "nonsense", "--strong", "nonsense"], "--cheap='nonsense'"),
    ],
)
def test_bad_options_are_one_line_and_status_2(
    demo_here: Run, given: list[str], named: str
) -> None:
    ran = demo_here(*given)
    assert (ran.status, ran.out) == (2, "")
    assert named in ran.err
    assert ran.err.count("\n") == 1


# --- processes ------------------------------------------------------------------------------------


def children(of: int) -> list[int]:
    ran = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(of)], capture_output=True, text=True, check=False
    )
    return [int(pid) for pid in ran.stdout.split()]


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until(true: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_demo_that_is_stopped_leaves_no_process_behind(how: signal.Signals) -> None:
    running = subprocess.Popen(
        command("--tickets", "100000", "--json"),
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A suite run in the background of a shell ignores SIGINT, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    try:
        wait_until(lambda: bool(children(running.pid)))
        (server,) = children(running.pid)
        running.send_signal(how)
        out, err = running.communicate(timeout=120)
        assert running.returncode != 0
        assert out == ""
        assert "Traceback" not in err
        wait_until(lambda: not alive(server))
    finally:
        running.kill()
        running.communicate()


# --- hosted models --------------------------------------------------------------------------------


@pytest.fixture
def hosted(demo_here: Run, server: DemoServer) -> Run:
    env = {"OPENAI_BASE_URL": server.base_url, "OPENAI_API_KEY": "k"}
    return lambda *arguments: demo_here(*arguments, **env)


def test_a_hosted_pair_is_measured_and_unpriced_is_never_free(hosted: Run) -> None:
    pair = ["--cheap", "openai:desk-small", "--strong", "openai:desk-large"]
    ran = hosted("--tickets", "5", "--tune", "20", *pair, "--json")
    assert ran.status == 0, ran.err
    said = json.loads(ran.out)
    assert [said[arm]["cost_usd"] for arm in ("cheap", "strong", "cascade")] == [None] * 3
    assert said["cheap"]["accuracy"] > 0


def test_one_model_may_be_hosted_and_the_other_embedded(hosted: Run, server: DemoServer) -> None:
    before = server.counters.requests
    ran = hosted("--tickets", "2", "--tune", "20", "--cheap", "openai:desk-small", "--json")
    assert ran.status == 0, ran.err
    assert server.counters.requests == before + 20 + 2 + 2  # tune, alone, in the cascade
    assert json.loads(ran.out)["cheap"]["cost_usd"] > 0


def test_a_hosted_model_that_fails_is_one_line(hosted: Run) -> None:
    ran = hosted(*SMALL, "--cheap", "openai:no-such-model", "--json")
    assert (ran.status, ran.out) == (2, "")
    assert "no-such-model gave no answer to a ticket" in ran.err
    assert "HTTP 404" in ran.err
    assert ran.err.count("\n") == 1


class Choosy:
    """Stands in for models: the cheap one sends no logprobs, or refuses to be asked for them."""

    def __init__(self, *, refuses: bool) -> None:
        from tests.langchain.fakes import FakeChat, ProviderError, Say

        class Cheap(FakeChat):
            def _say(self, messages: Any, stop: Any, kwargs: Any, *, streamed: bool) -> Say:
                if self.logprobs and refuses:
                    raise ProviderError("logprobs are not supported", 400)
                return super()._say(messages, stop, kwargs, streamed=streamed)

        self.cheap = Cheap(Say("no idea", p=None), model_name="quiet")
        self.strong = FakeChat("You are welcome.", model_name="loud")

    def load(self, name: str, where: str) -> Any:
        return self.cheap if where == "--cheap" else self.strong


@pytest.mark.filterwarnings("ignore::cascade_core.errors.CascadeWarning")
@pytest.mark.parametrize("refuses", [False, True], ids=["silent", "refusing"])
def test_a_cheap_model_without_logprobs_is_never_trusted_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, refuses: bool
) -> None:
    from cascade_demo import asking_langchain, measure

    monkeypatch.setattr(asking_langchain, "load_model", Choosy(refuses=refuses).load)
    report = measure.run_demo(
        n_tickets=8, n_tune=20, seed=0, cheap="quiet", strong="loud", advance=lambda *_: None
    )
    assert (report.threshold, report.n_read) == (1.0, 0)
    said = json.loads(as_plain(report))
    assert said["cascade"]["escalated"] == 1.0
    assert said["cascade"]["accepted_latency_ms"] is None
    shown = text_of(report)
    assert "no log-probabilities on any of 20 other tickets" in shown
    assert "every ticket goes on to the strong model" in shown
    assert "Agreement(model)" in shown


# --- wording --------------------------------------------------------------------------------------


def answer(
    right: bool, tier: int = 0, cost: str | None = "0.001", text: str = "yes"
) -> GradedAnswer:
    usd = None if cost is None else float(Decimal(cost))
    call = {
        "model": "m[1]", "usage": {"input_tokens": 3, "output_tokens": 4}, "cost_usd": usd,
        "latency_ms": 5.0, "outcome": "accepted",
    }  # fmt: skip
    record = {
        "tier": tier, "cost_usd": usd, "confidence": 0.9, "merit": 0.9, "threshold": 0.8,
        "reason": "confident", "signals": {"sequence_logprob": 0.9}, "calls": [call],
    }  # fmt: skip
    ticket = Ticket("t", "Is [order 7] here? [/bold]", "no [3 - 1 = 2]", "two_questions", "", False)
    return GradedAnswer(ticket, text, right, 0.01, record)


def report(cheap: Any, strong: Any, cascade: Any, **more: Any) -> Report:
    given: dict[str, Any] = {
        "threshold": 0.8, "n_tune": 40, "n_read": 40, "models": ("small[a]", "large"),
        "prices": "invented",
    }  # fmt: skip
    return Report(cheap, strong, cascade, **{**given, **more})


def text_of(what: Report, width: int = 80) -> str:
    console = Console(width=width, record=True, file=open(os.devnull, "w"))  # noqa: SIM115, PTH123
    print_report(what, console)
    out = console.export_text()
    assert max(map(len, out.splitlines())) <= width
    return " ".join(out.split())


def compared(ours: int, theirs: int, cost: str | None = "0.001") -> str:
    cascade = [answer(n < ours, cost=cost) for n in range(200)]
    strong = [answer(n < theirs, 0, "0.002") for n in range(200)]
    return text_of(report(cascade, strong, cascade))


@pytest.mark.parametrize(
    ("ours", "theirs", "sentence"),
    [
        (190, 191, "costs 50% of always asking the strong model and is right 0.5 percentage points less often (95.0% against 95.5%)."),
        (196, 190, "costs 50% of always asking the strong model and is right 3.0 percentage points more often (98.0% against 95.0%)."),
        (190, 190, "costs 50% of always asking the strong model and is right just as often (95.0%)."),
    ],
    ids=["worse", "better", "equal"],
)  # fmt: skip
def test_the_comparison_reads_well(ours: int, theirs: int, sentence: str) -> None:
    assert f"The cascade {sentence}" in compared(ours, theirs)


def test_the_difference_is_that_of_the_two_numbers_beside_it() -> None:
    cascade, strong = ([answer(n < right) for n in range(300)] for right in (286, 287))
    shown = text_of(report(cascade, strong, cascade))
    assert "0.4 percentage points less often (95.3% against 95.7%)" in shown


def test_a_difference_too_small_for_the_numbers_is_said_in_tickets() -> None:
    cascade, strong = ([answer(n < right) for n in range(3000)] for right in (2860, 2859))
    shown = text_of(report(cascade, strong, cascade))
    assert "right just as often but for 1 ticket (95.3%)" in shown
    assert "0.0 percentage points" not in shown


def test_unpriced_models_are_compared_without_a_price() -> None:
    shown = compared(190, 191, cost=None)
    assert "unpriced" in shown
    assert (
        "0.5 percentage points less often (95.0% against 95.5%); the costs are not known." in shown
    )
    assert "$0" not in shown


def test_brackets_in_tickets_answers_and_names_are_shown_as_they_are() -> None:
    kept, sent = answer(False), answer(True, 1, text="[3 - 1 = 2] You get $2 back.")
    wrong = [answer(False), answer(False)]
    shown = text_of(report(wrong, wrong, [kept, sent]))
    for text in ("[3 - 1 = 2] You get", "Is [order 7] here? [/bold]", "small[a]", "m[1]", "no [3"):
        assert text in shown


def test_one_ticket_is_not_tickets() -> None:
    one = [answer(True)]
    nothing = [answer(False, 1)]
    assert "in full" not in text_of(report(nothing, nothing, nothing))
    shown = text_of(report(one, one, one, n_tune=20, n_read=19))
    assert "1 held-out ticket," in shown
    assert "1 decision in full" in shown
    assert "1 of them had no reading" in shown


@pytest.mark.parametrize("escalates", [0, 1])
def test_where_nothing_is_right_nothing_is_praised(escalates: int) -> None:
    wrong = [answer(False, escalates)] * 3
    shown = text_of(report(wrong, wrong, wrong))
    assert "Not one answer of either model was right" in shown
    assert "of always asking the strong model" not in shown


def test_a_strong_model_that_is_no_better_is_said_to_buy_nothing() -> None:
    assert "it buys nothing" in compared(190, 190)
    right = [answer(True)]
    assert "it buys nothing" not in text_of(report(right, right, right))
    assert "it buys nothing" not in text_of(report([answer(False)] * 2, right * 2, right * 2))


# --- what it will cost ----------------------------------------------------------------------------


def announced(monkeypatch: pytest.MonkeyPatch, **given: Any) -> str:
    """What is said before hosted models are asked; they are not."""
    from cascade_demo import asking_langchain, measure
    from cascade_demo.estimate import in_words
    from tests.langchain.fakes import FakeChat

    class StoppedError(Exception):
        pass

    said: list[str] = []

    def announce(shares: Any) -> None:
        said.append(in_words(shares))
        raise StoppedError

    models = {name: FakeChat(model_name=name) for name in (given["cheap"], given["strong"])}
    monkeypatch.setattr(asking_langchain, "load_model", lambda name, _: models[name])
    with pytest.raises(StoppedError):
        measure.run_demo(
            n_tickets=300, n_tune=600, seed=0, advance=lambda *_: None, announce=announce, **given
        )
    assert not any(model.journal.calls for model in models.values())
    (text,) = said
    return text


def test_calls_and_cost_are_estimated_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = announced(monkeypatch, cheap="gpt-4o-mini", strong="gpt-4o")
    told = re.fullmatch(
        r"This asks gpt-4o-mini 1,200 times and gpt-4o 900 to 1,200 times, "
        r"for about USD (\d+\.\d\d) to (\d+\.\d\d)\.",
        text,
    )
    assert told
    assert 0 < float(told[1]) < float(told[2]) < 20
    text = announced(monkeypatch, cheap="gpt-4o-mini", strong="house-model")
    assert "what that costs is not known, as house-model has no known price" in text


def test_the_estimate_is_for_people_and_is_what_comes_to_pass(
    hosted: Run, server: DemoServer
) -> None:
    before = server.counters.requests
    ran = hosted("--tickets", "2", "--tune", "20", "--cheap", "openai:desk-small", "--yes")
    assert ran.status == 0, ran.err
    asked = server.counters.requests - before
    assert f"This asks desk-small {asked} times, for about USD 0.00." in ran.err
    assert "only tier" not in ran.err
