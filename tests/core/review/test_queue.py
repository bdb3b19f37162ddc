"""The queue: what most needs a label comes first, and what is labelled is kept, once and in order."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

from cascade_core.log.reading import read_events
from cascade_core.loop import feedback
from cascade_core.review import labelling
from cascade_core.review.label_needs import (
    NEED_WEIGHTS,
    LabelNeed,
    balanced,
    disagreement,
    nearness,
    seldomness,
)
from cascade_core.review.periods import Period, period_of
from cascade_core.review.queue_items import QUEUE_ITEMS, QueueFound, queue_of
from cascade_core.review.source import Source
from tests.core.review.asking import Pages
from tests.core.traffic.making import audit, decision, nobody, said, sent_on
from tests.core.traffic.storing import store

FAR = {"confidence": 0.99, "threshold": 0.5}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'decisions.db'}"


def queue(url: str, *entries: dict[str, Any], **asked: Any) -> QueueFound:
    pages = Pages(store(list(entries), url))
    return queue_of(pages.bench.snapshot(), asked.pop("period", Period()), **asked)


def ids(found: QueueFound) -> list[str]:
    return [item.row.id for item in found.items]


def test_nearness_ends_at_a_tenth() -> None:
    near = nearness([0.9, 0.85, 0.8, 0.95, np.nan, 0.1], [0.9, 0.9, 0.9, 0.9, 0.9, np.nan])
    assert near.tolist() == pytest.approx([1, 0.5, 0, 0.5, 0, 0])


@pytest.mark.parametrize(
    ("readings", "apart"),
    [([], 0), ([0.1], 0), ([None, 0.1], 0), ([0.5, 0.6], 0), ([0.2, None, 0.7], 0.5), ([0, 1], 1)],
)
def test_signals_that_are_close_agree(readings: list[float | None], apart: float) -> None:
    assert disagreement(readings) == pytest.approx(apart)


def test_a_class_is_seldom_judged_up_to_ten() -> None:
    assert seldomness([0, 5, 10, 99]).tolist() == [1, 0.5, 0, 0]


def test_the_score_is_the_weighted_sum() -> None:
    need = LabelNeed(near=0.5, disagree=1, seldom=0.2, in_vain=0.1, dear=1)
    assert need.score == pytest.approx(0.5 + 0.8 + 0.14 + 0.06 + 0.3)
    assert LabelNeed().score == 0
    assert LabelNeed(**dict.fromkeys(NEED_WEIGHTS, 1.0)).score == sum(NEED_WEIGHTS.values())


def test_every_class_has_its_turn() -> None:
    scores = [("a", 0.9), ("a", 0.8), ("b", 0.1), ("a", 0.85), ("c", 0.95)]
    assert balanced(scores, 4) == [4, 0, 2, 3]
    assert balanced([], 4) == []


def test_what_is_nearest_to_its_threshold_comes_first_and_says_so(url: str) -> None:
    entries = [decision(f"{far}", confidence=0.5 + far / 100) for far in (9, 1, 5, 30)]
    found = queue(url, *entries)
    assert ids(found) == ["1", "5", "9", "30"]
    assert found.items[0].why[0] == "0.010 above its threshold"


def test_signals_that_disagree_come_before_those_that_agree(url: str) -> None:
    agreed = decision("agreed", signals={"judge": 0.9, "logprob": 0.95}, **FAR)
    apart = decision("apart", signals={"judge": 0.1, "logprob": 0.95, "none": None}, **FAR)
    found = queue(url, agreed, apart)
    assert ids(found) == ["apart", "agreed"]
    assert "signals disagree: logprob says 0.95, judge 0.10" in found.items[0].why


def test_classes_that_nobody_looked_at_come_first(url: str) -> None:
    known = [decision(f"known {n}", **FAR, **{"class": "known"}) for n in range(20)]
    done = [audit(f"known {n}") for n in range(8)]
    new = decision("new", **FAR, **{"class": "new"})
    found = queue(url, *known, new, *done)
    assert ids(found)[0] == "new"
    assert found.items[0].why == ["none of its class judged so far"]
    assert found.items[1].why == ["only 8 of its class judged so far"]
    assert (found.left, found.judged) == (13, 8)


def test_classes_that_are_sent_on_in_vain_come_before_others(url: str) -> None:
    entries: list[dict[str, Any]] = []
    for name, good in (("vain", 1.0), ("right", 0.0)):
        entries += [sent_on(f"{name} {n}", **{"class": name}) for n in range(12)]
        tiers = [{"tier": 0, "quality": good}, {"tier": 1, "quality": 1.0}]
        entries += [audit(f"{name} {n}", tiers=tiers) for n in range(10)]
    found = queue(url, *entries)
    assert [each.partition(" ")[0] for each in ids(found)] == ["vain", "right", "vain", "right"]
    (why,) = found.items[0].why
    assert why.startswith("sent on, and in 10 of 10 such audits of its class")
    assert found.items[1].why == ["nobody judged it yet"]


def test_what_is_dear_comes_before_what_is_not(url: str) -> None:
    entries = [decision(f"{n}", **FAR, cost_usd=5.0 if n == 3 else 0.001) for n in range(40)]
    found = queue(url, *entries)
    assert ids(found)[0] == "3"
    assert "among the dearest 5 %" in found.items[0].why
    assert "among the dearest 5 %" not in found.items[1].why


def test_what_was_judged_or_has_no_answer_of_its_own_is_left_out(url: str) -> None:
    entries = [
        decision("open"),
        decision("said"), said("said", 1.0),
        decision("audited"), audit("audited"),
        decision("failed"), audit("failed", status="failed", quality=None, harm=None),
        decision("kept", reason="cached", calls=[]),
        nobody("nobody"),
    ]  # fmt: skip
    assert set(ids(queue(url, *entries))) == {"open", "failed"}
    pages = Pages(url)
    again = queue_of(pages.bench.snapshot(), Period(), reopened=frozenset({"said"}))
    assert set(ids(again)) == {"open", "failed", "said"}


def test_a_period_and_a_class_narrow_it(url: str) -> None:
    entries = [decision(f"{day} {name}", day, **{"class": name}) for day in (1, 5) for name in "ab"]
    assert ids(queue(url, *entries, class_name="a", period=period_of({"since": "2026-03-03"}))) == [
        "5 a"
    ]


def test_a_long_log_fills_one_page(url: str) -> None:
    found = queue(url, *(decision(f"{n}") for n in range(QUEUE_ITEMS * 3)))
    assert (len(found.items), found.left) == (QUEUE_ITEMS, QUEUE_ITEMS * 3)
    assert queue_of(Pages(url).bench.snapshot(), period_of({"since": "2027-01-01"})).items == []


def test_a_label_is_kept_and_leaves_the_queue(url: str) -> None:
    pages = Pages(store([decision("a/b"), decision("c")], url))
    assert "2 of this period nobody has judged" in pages.text("/queue")
    sent = pages.give("/queue/label", id="a%2Fb", quality="0", by="anna", query="class=billing")
    assert (sent.status_code, sent.headers["location"]) == (303, "/queue?class=billing")
    text = pages.text("/queue")
    assert "1 of this period nobody has judged" in text
    assert "Last kept: bad" in text
    (event,) = read_events(url, "feedback")
    assert (event["decision"], event["quality"], event["by"]) == ("a/b", 0.0, "anna")


def test_a_correction_is_a_label_too(url: str) -> None:
    pages = Pages(store([decision("a")], url))
    pages.give("/queue/label", id="a", quality="between", between="0.5", corrected="Right:\r\nso")
    pages.give("/queue/label", id="a", quality="1", corrected="what the field held at first")
    correction, word = read_events(url, "feedback")
    assert (correction["quality"], correction["corrected"]) == (0.5, "Right:\nso")
    assert (word["quality"], word["corrected"]) == (1.0, None)


def test_a_label_that_is_sent_again_is_kept_once(url: str) -> None:
    pages = Pages(store([decision("a")], url))
    for _ in range(3):
        answer = pages.post(
            "/queue/label",
            data={"csrf": pages.bench.csrf, "id": "a", "quality": "1", "key": "k1"},
            headers={"Accept": "application/json"},
        )
        assert answer.json() == {"saved": 1.0}
    assert len(list(read_events(url, "feedback"))) == 1


def test_the_queue_is_shown_while_a_label_is_written(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = Pages(store([decision("a"), decision("b")], url))
    seen: list[str] = []

    def slow(*_: object) -> None:
        reader = Thread(target=lambda: seen.append(pages.text("/queue")), daemon=True)
        reader.start()
        reader.join(60)

    monkeypatch.setattr("cascade_core.review.queue.settle", slow)
    pages.give("/queue/label", id="a", quality="1", key="k")
    assert len(seen) == 1


def test_a_label_that_could_not_be_kept_can_be_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "decisions.jsonl"
    file.write_text(json.dumps(decision("a")) + "\n")
    pages = Pages(str(file))

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "no space left")

    with monkeypatch.context() as broken:
        broken.setattr(labelling, "record_feedback", full)
        failed = pages.give("/queue/label", id="a", quality="1", key="k")
        assert failed.status_code == 503
        assert "nothing is kept" in failed.text
    assert list(read_events(file, "feedback")) == []
    assert pages.give("/queue/label", id="a", quality="1", key="k").status_code == 303
    assert len(list(read_events(file, "feedback"))) == 1
    assert labelling.record_feedback is feedback.record_feedback


def test_a_label_that_waits_to_be_written_is_not_handed_over_twice(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = Pages(store([decision("a")], url))
    with monkeypatch.context() as busy:
        busy.setattr(labelling, "flush_log", lambda _: False)
        assert pages.give("/queue/label", id="a", quality="1", key="k").status_code == 503
    assert pages.give("/queue/label", id="a", quality="1", key="k").status_code == 303
    assert len(list(read_events(url, "feedback"))) == 1


def test_what_is_taken_back_is_in_the_queue_again_until_it_is_said_anew(url: str) -> None:
    pages = Pages(store([decision("a"), decision("b")], url))
    pages.give("/queue/label", id="a", quality="1")
    assert 'data-id="a"' not in pages.get("/queue").text
    pages.give("/queue/undo")
    text = pages.text("/queue")
    assert 'data-id="a"' in pages.get("/queue").text
    assert "Said before: 1.000" in text
    pages.give("/queue/label", id="a", quality="0")
    assert 'data-id="a"' not in pages.get("/queue").text
    assert [event["quality"] for event in read_events(url, "feedback")] == [1.0, 0.0]
    assert pages.text("/decisions/a").index("0.000 somebody") < pages.text("/decisions/a").index(
        "1.000 somebody"
    )


def test_nothing_can_be_taken_back_where_nothing_was_said(url: str) -> None:
    pages = Pages(store([decision("a")], url))
    assert pages.give("/queue/undo").status_code == 400
    assert pages.give("/queue/undo", id="a").status_code == 400


def test_a_label_of_nothing_is_refused(url: str) -> None:
    pages = Pages(store([decision("a")], url))
    assert pages.give("/queue/label", id="b", quality="1").status_code == 400
    assert pages.give("/queue/label", id="a", quality="7").status_code == 400
    assert pages.post("/queue/label", data={"id": "a", "quality": "1"}).status_code == 403
    assert list(read_events(url)) == []


def test_who_may_only_look_is_offered_no_button(url: str) -> None:
    pages = Pages(store([decision("a")], url), read_only=True)
    assert "nothing can be labelled" in pages.text("/queue")
    assert 'value="0"' not in pages.get("/queue").text
    table = Pages(Source("t.csv", "t.csv", "table", url))
    assert "takes no feedback" in table.text("/queue")


def test_an_empty_queue_is_said(url: str) -> None:
    pages = Pages(store([decision("a"), said("a", 1.0)], url))
    assert "Nothing is waiting for a label" in pages.text("/queue")


@pytest.mark.parametrize("signals", [{"a": "x", "b": 0.5}, [], None, {"<u>": 0.1, "\u202e": 0.9}])
def test_odd_signals_are_no_harm(url: str, signals: Any) -> None:
    pages = Pages(store([decision("a", signals=signals)], url))
    assert "<u>" not in pages.get("/queue").text
