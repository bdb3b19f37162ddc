"""`cascade policy`: versions of a policy in a log's database."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import run
from sys import executable

import pytest

from cascade_core.log.policies import PolicyStore
from tests.core.commands.test_replay import refused
from tests.policies import by, fitted
from tests.running import Run

URL = "sqlite:///decisions.db"


def write(file: str, **policy: object) -> str:
    Path(file).write_text(json.dumps({"name": "desk", **policy}))
    return file


def test_a_policy_is_saved_brought_into_use_and_taken_back(cascade: Run) -> None:
    first, second = write("a.json", thresholds=[0.5]), write("b.json", thresholds=[0.6])
    ran = cascade("policy", URL, "save", first, "--note", "by hand", "--activate")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == "a.json saved as version 1\nversion 1 is in use\n"
    assert cascade("policy", URL, "save", second).out == (
        f"b.json saved as version 2\nnot in use: cascade policy {URL} activate 2\n"
    )
    assert cascade("policy", URL, "save", first).out == (
        "a.json is version 1, which was saved before: nothing new is kept\n"
    )
    ran = cascade("policy", URL, "activate", "2")
    assert ran.out == "version 2 is in use; before, it was version 1\n"
    assert cascade("policy", URL, "activate", "2").out == "version 2 was in use already\n"
    ran = cascade("policy", URL, "save", first, "--activate")
    assert ran.out.endswith("\nversion 1 is in use; before, it was version 2\n")
    listed = json.loads(cascade("policy", URL, "list", "--json").out)
    assert listed["active"] == 1
    assert [(v["version"], v["note"], v["active"]) for v in listed["versions"]] == [
        (1, "by hand", True),
        (2, None, False),
    ]
    assert [each["version"] for each in listed["activations"]] == [1, 2, 1]
    lines = cascade("policy", URL, "list").out.splitlines()
    assert lines[1].startswith("* 1 ")
    assert lines[1].endswith("by hand")
    assert lines[2].startswith("  2 ")
    assert [line.split()[-1] for line in lines[-3:]] == ["1", "2", "1"]


STAYS = {"name": "stays here", "match": {"class": "acme"}, "then": {"pin": 0}}
UP = {"name": "goes up", "match": {"tag": "vip"}, "then": {"bypass": True}}


def test_a_version_without_the_rules_of_the_one_in_use_is_warned_of(cascade: Run) -> None:
    first = write("a.json", thresholds=[0.5], rules=[STAYS, UP])
    assert cascade("policy", URL, "save", first, "--activate").err == ""
    cascade("policy", URL, "save", write("b.json", thresholds=[0.6]))
    cascade("policy", URL, "save", write("c.json", thresholds=[0.7], rules=[STAYS, UP]))
    assert cascade("policy", URL, "activate", "3").err == ""
    ran = cascade("policy", URL, "activate", "2")
    assert (ran.status, ran.out) == (0, "version 2 is in use; before, it was version 3\n")
    assert "version 2 lacks rules 'stays here', 'goes up' of version 3" in ran.err
    assert f"`cascade policy {URL} activate 3` goes back" in ran.err
    assert cascade("policy", URL, "activate", "2", "--json").err == ""
    assert cascade("policy", URL, "activate", "1").err == ""
    ran = cascade("policy", URL, "save", write("d.json", rules=[STAYS]), "--activate", "--json")
    assert json.loads(ran.out)["active"]
    assert "version 4 lacks rule 'goes up' of version 1" in ran.err


def test_what_is_shown_can_be_saved_again(cascade: Run) -> None:
    cascade("policy", URL, "save", write("a.json", thresholds=[0.5]))
    Path("b.json").write_text(cascade("policy", URL, "show", "1").out)
    assert "version 1, which was saved before" in cascade("policy", URL, "save", "b.json").out
    shown = json.loads(cascade("policy", URL, "show", "1", "--json").out)
    assert shown["document"]["thresholds"] == [0.5]


def test_a_toml_file_is_saved_too(cascade: Run) -> None:
    Path("a.toml").write_text("thresholds = [0.5]\n")
    assert json.loads(cascade("policy", URL, "save", "a.toml", "--json").out)["version"] == 1


def test_the_difference_is_told_in_a_few_lines(cascade: Run) -> None:
    cascade("policy", URL, "save", write("a.json", thresholds=[0.5]))
    second = {**fitted(0.6), "classes": {"billing": {"thresholds": [0.9]}}}
    cascade("policy", URL, "save", write("b.json", **second))
    third = {**second, "calibrators": [{**by(), "curve": {"kind": "isotonic", "x": [0], "y": [0]}}]}
    cascade("policy", URL, "save", write("c.json", **third))
    assert cascade("policy", URL, "diff", "1", "2").out.splitlines() == [
        'name: "desk" -> "tuned"',
        "thresholds: [0.5] -> [0.6]",
        "calibrators[0]: new, signal of sequence_logprob with isotonic curve",
        'classes.billing: new, {"thresholds": [0.9]}',
    ]
    assert cascade("policy", URL, "diff", "2", "3").out == (
        "calibrators[0]: signal of sequence_logprob with isotonic curve, fitted anew\n"
    )
    assert cascade("policy", URL, "diff", "1", "1").out == "versions 1 and 1 are the same\n"


BAD = {
    "no such version": (["activate", "7"], "no policy of number 7"),
    "no number a database could hold": (["show", "9" * 30], f"no policy of number {'9' * 30}"),
    "no number": (["show", "last"], "'last' is no version"),
    "too few": (["diff", "1"], "cascade policy LOG diff A B"),
    "too many": (["list", "1"], "cascade policy LOG list"),
    "no file": (["save", "no.json"], "cannot be read"),
    "an option of save": (["list", "--activate"], "cascade policy LOG save FILE"),
    "no policy": (["save", "bad.json"], "thresholds"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_done_is_said_in_one_line(cascade: Run, case: str) -> None:
    cascade("policy", URL, "save", write("a.json", thresholds=[0.5]))
    write("bad.json", thresholds=[5])
    args, problem = BAD[case]
    assert problem in refused(cascade("policy", URL, *args))
    assert [each.number for each in PolicyStore(URL).versions()] == [1]


def test_a_log_that_is_no_database_is_refused(cascade: Run) -> None:
    assert "give its URL" in refused(cascade("policy", "decisions.jsonl", "list"))


def test_only_save_makes_a_database(cascade: Run) -> None:
    assert "there is no file" in refused(cascade("policy", URL, "list"))
    assert not Path("decisions.db").exists()


def test_a_bad_file_makes_no_database(cascade: Run) -> None:
    refused(cascade("policy", URL, "save", write("bad.json", thresholds=[5])))
    assert not Path("decisions.db").exists()


SAVES = """
import sys
from cascade_core.log.policies import PolicyStore
from cascade_core.policy.document import Policy
store = PolicyStore(sys.argv[1], create=True)
for k in range(5):
    number, _ = store.save(Policy(name=f"{sys.argv[2]}-{k}"))
    store.activate(number)
    print(number)
"""


@pytest.mark.processes
def test_processes_that_save_at_once_get_numbers_of_their_own(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/decisions.db"

    def save(who: int) -> list[int]:
        done = run([executable, "-c", SAVES, url, str(who)], capture_output=True, check=True)
        return [int(line) for line in done.stdout.split()]

    with ThreadPoolExecutor(3) as pool:
        given = [number for numbers in pool.map(save, range(3)) for number in numbers]
    assert sorted(given) == list(range(1, 16))
    assert sorted(number for number, _ in PolicyStore(url).history()) == list(range(1, 16))
