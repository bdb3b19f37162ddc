"""Rows answered on a real Ray: each once, whoever dies meanwhile."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray
import sqlalchemy as sa

from cascade_core import Budget, CascadeWarning, ConfigurationError
from cascade_core.scale import Spent, answer_rows
from tests.scale import makers
from tests.scale.makers import called, of

ROOT = Path(__file__).resolve().parents[2]


def rows(n: int, text: str = "easy") -> list[dict[str, Any]]:
    return [
        {"id": f"r{i}", "request": f"r{i} {text if i % 4 else makers.MISLED}", "metadata": {"k": i}}
        for i in range(n)
    ]


def written(folder: Path, which: str = "part-*") -> list[dict[str, Any]]:
    return [row for path in sorted(folder.glob(which)) for row in pq.read_table(path).to_pylist()]


def drafts(folder: Path) -> Counter[str]:
    """How often each row was asked of the cheap model."""
    return Counter(word for _, name, word in called(folder) if name == "fake-cheap")


def test_every_row_is_answered_once_and_logged(tmp_path: Path) -> None:
    out, log = tmp_path / "out", f"sqlite:///{tmp_path / 'log.db'}"
    given = [{**row, "metadata": {"origin": row["id"]}, "class": "easy"} for row in rows(600)]
    told: list[Spent] = []
    spent = answer_rows(
        given,
        of(makers.chat, tmp_path, log=log),
        out,
        workers=2,
        batch_size=50,
        advance=told.append,
    )
    assert (spent.answered, spent.before, dict(spent.failed), spent.stopped) == (600, 0, {}, False)
    cheap, strong = Decimal(15) / 10**6, Decimal(150) / 10**6
    assert spent.cost_usd == 600 * cheap + 150 * strong
    assert spent.unpriced == 0
    assert [t.answered for t in told] == sorted(t.answered for t in told)
    assert told[-1] == spent

    found = {row["id"]: row for row in written(out)}
    assert found.keys() == {row["id"] for row in given}
    assert found["r1"]["answer"] == "fake-cheap on r1 after 1"
    assert found["r4"]["answer"] == "fake-strong on r4 after 1"
    assert (found["r4"]["tier"], found["r4"]["model"]) == (1, "fake-strong")
    assert json.loads(found["r4"]["metadata"]) == {"origin": "r4"}
    assert json.loads(found["r4"]["record"])["class"] == "easy"
    with sa.create_engine(log).connect() as database:
        kept = {row[0] for row in database.execute(sa.text("SELECT id FROM decisions"))}
    assert kept == {row["decision"] for row in found.values()}
    assert json.loads(found["r9"]["record"])["metadata"] == {"origin": "r9"}

    made = [pid for pid, *rest in called(tmp_path) if rest == ["made", "cascade"]]
    assert len(made) == len(set(made)) <= 2


def test_what_is_done_is_not_asked_again(tmp_path: Path) -> None:
    out, make = tmp_path / "out", of(makers.chat, tmp_path)
    given = rows(100)
    answer_rows(given[:60], make, out, workers=1, batch_size=16)
    spent = answer_rows(given, make, out, workers=2, batch_size=25)
    assert (spent.before, spent.answered) == (60, 40)
    assert set(drafts(tmp_path).values()) == {1}
    assert len(written(out)) == 100
    assert answer_rows(given, make, out, workers=1).before == 100
    assert sum(drafts(tmp_path).values()) == 100
    assert {path.name.partition("-")[0] for path in out.iterdir()} == {"part"}


def test_rows_that_fail_are_rows_and_are_asked_again(tmp_path: Path) -> None:
    out, make = tmp_path / "out", of(makers.chat, tmp_path)
    given = rows(20)
    given[3]["request"] = "r3 broken"
    given[5]["request"] = "  "
    spent = answer_rows(given, make, out, workers=1, batch_size=8)
    assert spent.answered == 18
    assert dict(spent.failed) == {
        "CascadeExhausted (ConnectionError)": 1,
        "request is empty, or no text": 1,
    }
    failed = {row["id"]: row for row in written(out, "failed-*")}
    assert failed.keys() == {"r3", "r5"}
    assert failed["r3"]["answer"] is None
    assert failed["r3"]["error"] == "CascadeExhausted (ConnectionError)"

    given[3]["request"] = "r3 mended"
    spent = answer_rows(given, make, out, workers=1, batch_size=8)
    assert (spent.before, spent.answered) == (18, 1)
    assert [row["id"] for row in written(out, "failed-*")] == ["r5"]
    assert sorted(row["id"] for row in written(out)) == sorted(f"r{i}" for i in range(20) if i != 5)


def test_a_worker_that_is_killed_is_replaced_and_nothing_is_lost_or_twice(tmp_path: Path) -> None:
    """Ten thousand rows, more of them than the object store holds at once."""
    out = tmp_path / "out"
    n, batch, long = 10_000, 100, "easy " + "x" * 9_000
    assert n * len(long) > 80 * 2**20
    make = of(makers.chat, tmp_path, kill_at="r6000")
    spent = answer_rows(rows(n, long), make, out, workers=2, batch_size=batch, concurrency=50)
    assert (tmp_path / "calls.killed").exists()
    assert spent.answered + spent.before == n
    assert Counter(row["id"] for row in written(out)) == Counter(f"r{i}" for i in range(n))
    assert n <= sum(drafts(tmp_path).values()) <= n + batch


SCRIPT = """
import sys
from pathlib import Path
import ray
from tests.scale import makers, test_answer_rows as these
from cascade_core.scale import answer_rows
folder = Path(sys.argv[1])
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1")
answer_rows(these.rows(600), makers.of(makers.chat, folder, seconds=0.05), folder / "out",
            workers=2, batch_size=20, concurrency=5)
"""


def test_a_run_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    out = tmp_path / "out"
    child = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        cwd=ROOT,
        env=os.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until = time.monotonic() + 120
    while len(list(out.glob("part-*"))) < 3 and time.monotonic() < until:
        assert child.poll() is None
        time.sleep(0.02)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    there = len(written(out))
    assert 0 < there < 600
    spent = answer_rows(rows(600), of(makers.chat, tmp_path), out, workers=2, batch_size=20)
    assert spent.before >= there
    assert spent.before + spent.answered == 600
    assert Counter(row["id"] for row in written(out)) == Counter(f"r{i}" for i in range(600))
    assert sum(drafts(tmp_path).values()) <= 600 + 2 * 20


def test_a_budget_that_is_used_up_leaves_failed_rows_for_another_day(tmp_path: Path) -> None:
    budget = Budget(usd=0.001, when_short="refuse")
    make = of(makers.chat, tmp_path, budget=budget)
    with pytest.warns(CascadeWarning, match="each worker has the whole budget for itself"):
        spent = answer_rows(rows(100), make, tmp_path / "out", workers=1, concurrency=1)
    assert set(spent.failed) == {"CascadeExhausted (BudgetExceeded)"}
    assert 10 < spent.answered == 100 - sum(spent.failed.values()) < 90
    assert Decimal("0.0003") < spent.cost_usd <= Decimal("0.001")


def test_no_batch_begins_beyond_what_may_be_spent(tmp_path: Path) -> None:
    given = ray.data.from_items(rows(400), override_num_blocks=40)
    make = of(makers.chat, tmp_path, seconds=0.05)
    spent = answer_rows(
        given, make, tmp_path / "out", workers=1, batch_size=10, concurrency=10, max_cost=0.0001
    )
    assert spent.stopped
    assert spent.answered < 400
    done = answer_rows(rows(400), make, tmp_path / "out", workers=2, concurrency=50)
    assert done.before + done.answered == 400


@pytest.mark.parametrize("kind", ["parquet", "jsonl", "csv"])
def test_rows_come_from_files_and_go_to_either_format(kind: str, tmp_path: Path) -> None:
    source = tmp_path / f"rows.{kind}"
    given = [{"id": f"00{i}", "request": f"{i} easy", "class": "c"} for i in range(30)]
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(given), source)
    elif kind == "jsonl":
        source.write_text("".join(json.dumps(row) + "\n" for row in given))
    else:
        source.write_text(
            "id,request,class\n" + "".join(f"{','.join(row.values())}\n" for row in given)
        )
    out, make = tmp_path / "out", of(makers.chat, tmp_path)
    spent = answer_rows(source, make, out, format="jsonl", workers=1)
    assert spent.answered == 30
    lines = [json.loads(line) for path in out.glob("*") for line in path.read_text().splitlines()]
    assert {line["id"] for line in lines} == {row["id"] for row in given}
    assert answer_rows(source, make, out, format="jsonl", workers=1).before == 30


def test_ids_may_be_texts_and_numbers_and_a_file_may_begin_with_a_mark(tmp_path: Path) -> None:
    make, given = of(makers.chat, tmp_path), [{"id": "a", "request": "r1"}, *rows(1)]
    given[1] |= {"id": 7, "class": 3, "unread": object()}
    assert answer_rows(given, make, tmp_path / "out", workers=1).answered == 2
    source = tmp_path / "rows.jsonl"
    source.write_text("\ufeff" + '{"id": 7, "request": "r7"}\n\n{"id": "b", "request": "r8"}\n')
    spent = answer_rows(source, make, tmp_path / "out", workers=1)
    assert (spent.before, spent.answered) == (1, 1)


def test_a_part_that_is_damaged_is_named(tmp_path: Path) -> None:
    make, out = of(makers.chat, tmp_path), tmp_path / "out"
    for kind, damage, said in (
        ("parquet", b"PAR1", "is damaged; delete it"),
        ("jsonl", b'{"answer": "a"}\n', "a row without its id; delete it"),
    ):
        answer_rows(rows(4), make, out / kind, workers=1, format=kind)
        (part,) = (out / kind).glob("part-*")
        part.write_bytes(damage)
        with pytest.raises(ConfigurationError, match=said):
            answer_rows(rows(4), make, out / kind, workers=1, format=kind)
        part.unlink()
        assert answer_rows(rows(4), make, out / kind, workers=1, format=kind).answered == 4


def test_chains_and_conversations_and_llamaindex_are_answered_too(tmp_path: Path) -> None:
    talk = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]
    talks = [{"id": 1, "messages": [*talk, {"role": "user", "content": "r1 easy"}]}]
    answer_rows(talks, of(makers.chat, tmp_path), tmp_path / "talk", workers=1)
    assert written(tmp_path / "talk")[0]["answer"] == "fake-cheap on r1 after 3"

    answer_rows(rows(3), of(makers.chain, tmp_path), tmp_path / "chain", workers=1)
    found = {row["id"]: row["answer"] for row in written(tmp_path / "chain")}
    assert found["r1"] == "fake-cheap on r1 after 2"

    given = [{**row, "class": "odd"} for row in rows(3)]
    answer_rows(given, of(makers.llm, tmp_path), tmp_path / "llm", workers=1)
    by_id = {row["id"]: row for row in written(tmp_path / "llm")}
    assert by_id["r0"]["answer"] == "fake-strong on r0"
    assert json.loads(by_id["r0"]["record"])["class"] == "odd"


def test_what_cannot_work_is_said_in_one_error(tmp_path: Path) -> None:
    make, out = of(makers.chat, tmp_path), tmp_path / "out"
    broken = tmp_path / "broken.parquet"
    broken.write_text("secret")
    wrong: list[tuple[str, Any]] = [
        ("give a function that makes it", lambda: answer_rows(rows(1), make(), out, workers=1)),
        ("cannot be pickled", lambda: answer_rows(rows(1), _holding(threading.Lock()), out)),
        (
            "columns id and request",
            lambda: answer_rows([{"id": 1, "text": "a"}], make, out, workers=1),
        ),
        (
            "a row has no id",
            lambda: answer_rows([{"id": None, "request": "a"}], make, out, workers=1),
        ),
        (
            "'r0' stands there twice",
            lambda: answer_rows([*rows(9), *rows(1)], make, out, workers=1, batch_size=3),
        ),
        (
            "'r0' stands there twice",
            lambda: answer_rows(ray.data.from_items(rows(1) * 2), make, out, workers=1),
        ),
        (
            "rows are no table .ArrowTypeError.",
            lambda: answer_rows(
                [{"id": 1, "request": "secret"}, {"id": 2, "request": 5}], make, out
            ),
        ),
        ("broken.parquet cannot be read", lambda: answer_rows(broken, make, out)),
        ("out is int", lambda: answer_rows(rows(1), make, 7)),
        ("max_cost '5'", lambda: answer_rows(rows(1), make, out, max_cost="5")),
        ("advance is int", lambda: answer_rows(rows(1), make, out, advance=7)),
        ("there are none", lambda: answer_rows([], make, out)),
        ("is not there", lambda: answer_rows("nowhere.csv", make, out)),
        ("rows is int", lambda: answer_rows(7, make, out)),
        ("workers 0", lambda: answer_rows(rows(1), make, out, workers=0)),
        ("format 'xml'", lambda: answer_rows(rows(1), make, out, format="xml")),
        (
            "raised OSError",
            lambda: answer_rows(rows(1), of(makers.fails, tmp_path), out, workers=1),
        ),
        (
            "returned object",
            lambda: answer_rows(rows(1), of(makers.nothing, tmp_path), out, workers=1),
        ),
    ]
    for said, call in wrong:
        with pytest.raises(ConfigurationError, match=said) as caught:
            call()
        assert type(caught.value) is ConfigurationError
        assert "secret" not in str(caught.value)
    assert not list(out.glob("*"))


def _holding(what: object) -> Any:
    return lambda: what
