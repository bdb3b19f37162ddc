"""A review that has another policy than decided, or none, says so and whose figures it shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from cascade_core.log.policies import PolicyStore
from cascade_core.policy.document import Policy
from cascade_core.review.missing_policy import LATEST, other_policy
from cascade_core.review.policy_homes import find_home
from cascade_core.review.source import open_source
from cascade_core.review.workbench import Workbench
from tests.core.review.serving import asking, bench_over, shown_text
from tests.core.traffic.making import audit, decision
from tests.core.traffic.storing import store

HAD = Policy.load({"name": "had", "thresholds": [0.5]})
OTHER = Policy.load({"name": "had", "thresholds": [0.7]})
NONE = {"policy": None, "policy_version": None}


def by(policy: Policy | None, n: int = 40) -> list[dict[str, Any]]:
    """Requests that a policy decided, audited, so that there are labelled rows."""
    said: dict[str, Any] = {"audit": {"probability": 1.0, "picked": True}}
    said |= (
        NONE if policy is None else {"policy": policy.name, "policy_version": policy.fingerprint}
    )
    entries: list[dict[str, Any]] = []
    for number in range(n):
        name = f"{said['policy_version']} {number}"
        tiers = [{"tier": 0, "quality": 1.0}, {"tier": 1, "quality": 1.0}]
        entries += [decision(name, **said), audit(name, tiers=tiers)]
    return entries


def over(entries: list[dict[str, Any]], folder: Path, policy: Policy | None = None) -> Workbench:
    """Review a log in a database with what `--policy` gives, if anything."""
    url = store(entries, f"sqlite:///{folder / 'log.db'}")
    file = folder / "policy.json"
    if policy is not None:
        policy.save(file)
    return Workbench(open_source(url), home=find_home(url, policy and str(file)))


def warnings(pages: TestClient) -> str:
    html = pages.get("/").text
    return html[html.index('id="warnings"') : html.index('id="time"')]


def test_figures_are_called_the_default_policys_without_the_one_that_decided(
    tmp_path: Path,
) -> None:
    pages = asking(over(by(HAD), tmp_path))
    answer = pages.get("/thresholds")
    said = shown_text(answer.text)
    assert answer.status_code == 200
    assert f"a policy that this review was not given: had, version {HAD.fingerprint}" in said
    assert f"cascade review sqlite:///{tmp_path}/log.db --policy FILE" in said
    assert f"cascade policy sqlite:///{tmp_path}/log.db save FILE --activate" in said
    assert "At those of the default policy, and at those of the sliders" in said
    assert 'data-label="Now"' not in answer.text
    assert 'id="use"' not in answer.text
    assert pages.get("/thresholds/answer", params={"t0": "0.9"}).status_code == 200
    assert 'data-warning="policy_missing"' in warnings(pages)


def test_thresholds_of_a_policy_that_is_not_known_go_into_no_draft(tmp_path: Path) -> None:
    bench = over(by(HAD), tmp_path)
    refused = asking(bench).post("/thresholds", data={"csrf": bench.csrf, "t0": "0.9"})
    assert refused.status_code == 400
    assert "was not given: had" in shown_text(refused.text)
    assert not bench.draft.changed


def test_a_draft_is_not_compared_with_a_policy_that_is_not_the_one_that_decided(
    tmp_path: Path,
) -> None:
    bench = over(by(HAD), tmp_path)
    pages = asking(bench)
    bench.draft.set_threshold(0, 0.8)
    said = shown_text(pages.get("/policy").text)
    assert "Not replayed: The latest requests were decided by a policy" in said
    assert "Replayed on" not in said


@pytest.mark.parametrize("policy", [HAD, Policy.load({"name": "renamed", "thresholds": [0.5]})])
def test_the_policy_that_decided_is_told_by_what_it_decides(tmp_path: Path, policy: Policy) -> None:
    bench = over(by(HAD), tmp_path, policy)
    assert other_policy(bench) is None
    assert "data-figure" in asking(bench).get("/thresholds").text


def test_what_the_log_keeps_of_the_policy_that_decided_is_taken(tmp_path: Path) -> None:
    entries = by(HAD)
    url = store(entries, f"sqlite:///{tmp_path / 'log.db'}")
    PolicyStore(url).save(OTHER)
    PolicyStore(url).save(HAD)
    bench = Workbench(open_source(url), home=find_home(url))
    assert bench.draft.base == HAD
    assert other_policy(bench) is None
    PolicyStore(url).activate(1)
    assert Workbench(open_source(url), home=find_home(url)).draft.base == OTHER


@pytest.mark.parametrize("path", ["/thresholds", "/policy"])
def test_another_policy_than_decided_is_an_open_warning(tmp_path: Path, path: str) -> None:
    pages = asking(over(by(HAD), tmp_path, OTHER))
    assert 'data-warning="policy_other"' in warnings(pages)
    html = pages.get(path).text
    assert f"({'had, version ' + HAD.fingerprint}) than this review was given" in shown_text(html)
    assert 'class="banner warn"' in html


def test_a_version_is_known_by_its_number_where_the_log_keeps_it(tmp_path: Path) -> None:
    numbered = [entry | {"policy_version": 1} if "tier" in entry else entry for entry in by(HAD)]
    url = store(numbered, f"sqlite:///{tmp_path / 'log.db'}")
    policies = PolicyStore(url)
    policies.save(HAD)
    policies.save(OTHER)
    for given, is_other in ((HAD, False), (OTHER, True)):
        given.save(tmp_path / "policy.json")
        home = find_home(url, str(tmp_path / "policy.json"))
        assert (other_policy(Workbench(open_source(url), home=home)) is not None) is is_other


def test_a_version_that_was_put_in_use_since_is_no_other_policy(tmp_path: Path) -> None:
    before = {"at": "2001-01-01T00:00:00+00:00"}
    entries = [entry | before if "tier" in entry else entry for entry in by(HAD)]
    url = store(entries, f"sqlite:///{tmp_path / 'log.db'}")
    policies = PolicyStore(url)
    policies.save(OTHER)
    policies.activate(1)
    bench = Workbench(open_source(url), home=find_home(url))
    assert bench.draft.base == OTHER
    assert other_policy(bench) is None


def test_requests_of_another_cascade_in_the_same_log_are_no_other_policy(tmp_path: Path) -> None:
    entries = [*by(HAD, 5), *by(OTHER, LATEST - 1)]
    assert other_policy(over(entries, tmp_path, HAD)) is None


def test_no_policy_is_asked_for_where_the_last_requests_had_none(tmp_path: Path) -> None:
    assert other_policy(over([*by(HAD, 5), *by(None)], tmp_path)) is None


def test_an_empty_log_asks_for_no_policy(tmp_path: Path) -> None:
    assert other_policy(bench_over([], tmp_path)) is None
