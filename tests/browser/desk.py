"""Makes a small log as a team would have one: texts, audits, classes, tags, feedback, a policy."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cascade_core import Audit, flush_log, record_feedback
from cascade_core.log.policies import PolicyStore
from cascade_core.policy.document import Policy
from cascade_demo.desk import grade, tickets
from cascade_demo.prices import price_table
from langchain_cascade import ChatCascade

RULES: list[dict[str, Any]] = [
    {"name": "legal stays strong", "match": {"tag": "legal"}, "then": {"bypass": True}},
    {"name": "returns", "match": {"regex": "(?i)return"}, "then": {"class": "returns"}},
    {"name": "plans", "match": {"regex": "(?i)plan|account"}, "then": {"class": "account"}},
]
TEN_DAYS = 864_000


def make_desk_log(file: Path, requests: int = 240) -> str:
    """Ask the embedded models about tickets, spread over ten days; return the log's address."""
    url = f"sqlite:///{file}"
    rows = tickets("test", requests)
    answers = {ticket.text: ticket for ticket in rows}

    def right(request: Any, draft: Any, strong: Any) -> tuple[float, ...]:
        ticket = answers[request.question]
        return tuple(float(grade(answer.text, ticket)) for answer in (draft, strong))

    store = PolicyStore(url, create=True)
    store.save(Policy.load({"name": "desk", "thresholds": [0.9], "rules": RULES}), "the first")
    store.activate(1)
    llm = ChatCascade.from_models(
        "demo:desk-small",
        "demo:desk-large",
        policy=url,
        prices=price_table(),
        log=url,
        log_content=True,
        log_metadata=["tenant"],
        audit=Audit(rate=0.3, compare=right),
    )
    chance = random.Random(7)
    llm._engine.chance = chance.random  # which are audited is the same every time
    ids = []
    for ticket in rows:
        tags = [["vip"], ["free"], ["legal"]][min(2, int(chance.random() * 2.1))]
        metadata = {"tenant": chance.choice(["acme", "globex"])}
        answer = llm.invoke(ticket.text, {"tags": tags, "metadata": metadata})
        ids.append(answer.response_metadata["cascade"]["id"])
    flush_log()
    for each in ids[::40]:
        record_feedback(each, chance.choice([0.0, 1.0]), by="anna", log=url)
    flush_log()
    _spread(file, ids)
    return url


def _spread(file: Path, ids: Sequence[str]) -> None:
    database = sqlite3.connect(file)
    (last,) = database.execute("select max(at) from decisions").fetchone()
    database.executemany(
        "update decisions set at = ? where id = ?",
        [(last - TEN_DAYS * (1 - row / len(ids)), each) for row, each in enumerate(ids)],
    )
    database.commit()
    database.execute("pragma wal_checkpoint(truncate)")
    database.close()
