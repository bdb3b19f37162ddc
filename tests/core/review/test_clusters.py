"""Clusters of requests by their words, and rules by words that are tried before they are added."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cascade_core.review.clusters import (
    FEWEST_TEXTS,
    TextSample,
    clusters_of,
    matched,
    question_in,
    sample_of,
)
from cascade_core.review.workbench import Workbench
from tests.core.review.serving import asking, bench_over, shown_text
from tests.core.traffic.making import decision, sent_on

pytest.importorskip("sklearn")

KINDS = {
    "refund": "Please refund my order number {}",
    "password": "The password reset mail number {} never came",
    "invoice": "Send the invoice for month {} to accounting",
}


def entries(n: int = 90, **changes: Any) -> list[dict[str, Any]]:
    texts = list(KINDS.values())
    found = []
    for number in range(n):
        text = texts[number % len(texts)].format(number)
        turns = [
            {"role": "user", "text": "first"},
            {"role": "assistant", "text": "refund password"},
            {"role": "user", "text": text},
        ]
        made = sent_on if number % 3 == 0 else decision
        found.append(
            made(f"d{number:03}", 1 + number // 10, request=turns, response="x", **changes)
        )
    return found


def sample(texts: Sequence[str]) -> TextSample:
    return TextSample(len(texts), len(texts), np.arange(len(texts)), texts)


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return bench_over(entries(), tmp_path)


def test_texts_are_what_the_user_said_last(bench: Workbench) -> None:
    found = sample_of(bench.snapshot(), 0, 90)
    assert (found.looked, found.of, len(found.texts)) == (90, 90, 90)
    assert all("number" in text or "month" in text for text in found.texts)
    assert question_in("no JSON") == question_in("[]") == question_in('{"a": 1}') == ""


def test_a_sample_is_spread_over_the_period_and_bounded(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cascade_core.review.clusters.MOST_TEXTS", 30)
    found = sample_of(bench.snapshot(), 10, 90)
    assert (found.looked, found.of) == (30, 80)
    assert (found.rows[0], found.rows[-1]) == (0, 79)
    assert set(np.diff(found.rows)) <= {2, 3}


def test_kinds_that_use_other_words_are_found_apart_and_always_alike(bench: Workbench) -> None:
    found = sample_of(bench.snapshot(), 0, 90)
    clusters = clusters_of(found)
    for cluster in clusters:
        kinds = {
            re.sub(r"\d+", "", found.texts[at]) for at in np.flatnonzero(cluster.members).tolist()
        }
        assert len(kinds) == 1
    assert sum(int(each.members.sum()) for each in clusters) == 90
    again = clusters_of(found)
    assert [each.words for each in again] == [each.words for each in clusters]


def test_a_pattern_matches_its_own_cluster(bench: Workbench) -> None:
    found = sample_of(bench.snapshot(), 0, 90)
    for cluster in clusters_of(found):
        hits = matched(found, cluster.pattern)
        assert hits.tried == 90
        assert np.all(hits.found[cluster.members])


def test_words_of_any_script_are_found() -> None:
    texts = [f"größe straße {n}" for n in range(20)] + [f"возврат денег {n}" for n in range(25)]
    clusters = clusters_of(sample(texts))
    words = {word for cluster in clusters for word in cluster.words}
    assert words <= {"größe", "straße", "возврат", "денег"}
    assert len(words) > 1


@pytest.mark.parametrize(
    "texts", [["refund"] * (FEWEST_TEXTS - 1), [f"word{chr(97 + n)}" for n in range(25)], [""] * 30]
)
def test_too_little_makes_no_clusters(texts: list[str]) -> None:
    assert clusters_of(sample(texts)) == ()


def test_a_pattern_that_never_ends_is_given_up() -> None:
    hits = matched(sample(["a" * 40 + "!"] * 50), r"(a|a|aa)+$", 0.25)
    assert hits.tried < 50
    assert hits.slow == hits.tried > 0
    assert not hits.found.any()


def test_no_pattern_says_where_it_ends() -> None:
    with pytest.raises(ValueError, match="is no regular expression"):
        matched(sample(["a"]), "(")


# --- the page ------------------------------------------------------------------------------------


def test_a_cluster_becomes_a_rule_by_words_and_is_taken_back(bench: Workbench) -> None:
    client = asking(bench)
    html = client.get("/classes?by=cluster").text
    said = shown_text(html)
    assert "It matches 30 of 30 of this cluster, and 0 of 60 other requests." in said
    name = re.findall(r'name="name" value="([^"]*)"', html)[0]
    form = {"name": name, "pattern": "(?i)refund", "do": "bypass yes"}
    html = client.post("/classes/pattern", data=form).text
    (rule,) = bench.draft.policy.rules
    assert (rule.name, rule.match.regex) == (f"bypass requests about {name}", "(?i)refund")
    assert 'aria-checked="true"' in html
    assert 'value="(?i)refund"' in html
    client.post("/classes/pattern", data={**form, "do": "bypass no"})
    assert not bench.draft.changed


def test_a_pattern_is_tried_before_it_is_added(bench: Workbench) -> None:
    form = {"name": "x", "at": "0", "pattern": "number", "do": "try"}
    html = asking(bench).post("/classes/pattern", data=form)
    part = html.text[html.text.index('id="cluster-0"') :]
    own, others = (
        int(float(re.findall(f'data-name="{n}" data-value="(\\d+)"', part)[0]))
        for n in ("own", "others")
    )
    assert own + others == 60
    assert not bench.draft.changed


@pytest.mark.parametrize("pattern", ["(", "x" * 2_001])
def test_no_pattern_is_refused_in_words(bench: Workbench, pattern: str) -> None:
    client = asking(bench)
    html = client.get("/classes", params={"by": "cluster", "at": "0", "pattern": pattern}).text
    assert 'aria-invalid="true"' in html
    form = {"name": "x", "pattern": pattern, "do": "bypass yes"}
    assert client.post("/classes/pattern", data=form).status_code == 400
    assert not bench.draft.changed


def test_without_texts_it_says_what_to_switch_on(tmp_path: Path) -> None:
    bench = bench_over([decision("a")], tmp_path)
    assert "log_content=True" in shown_text(asking(bench).get("/classes?by=cluster").text)


def test_few_texts_are_said_to_be_few(tmp_path: Path) -> None:
    bench = bench_over(entries(5), tmp_path)
    said = shown_text(asking(bench).get("/classes?by=cluster").text)
    assert "Only 5 of the 5 requests looked at have a text" in said


def test_without_scikit_learn_it_says_what_to_install(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_: TextSample) -> Any:
        raise ModuleNotFoundError("sklearn")

    monkeypatch.setattr("cascade_core.review.cluster_pages.clusters_of", missing)
    said = shown_text(asking(bench).get("/classes?by=cluster").text)
    assert "pip install 'model-cascade[calibrate]'" in said


def test_hostile_texts_are_text(tmp_path: Path) -> None:
    made = []
    for number in range(40):
        about = "refund" if number % 2 else "delivery"
        text = f"<script>alert({number})</script> \x1b[2J \u202e {about} <{about}> {'x' * 300}"
        made.append(decision(f"d{number}", request=[{"role": "user", "text": text}]))
    html = asking(bench_over(made, tmp_path)).get("/classes?by=cluster").text
    assert 'id="cluster-0"' in html
    assert "<script>alert" not in html
    assert not {"\x1b", "\u202e"} & set(html)
