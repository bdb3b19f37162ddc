"""The page `Policy`: changes, versions, activation, and what happens when others act meanwhile."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from cascade_core.log.policies import PolicyStore
from cascade_core.policy.document import Policy
from cascade_core.review.policy_homes import FileHome, NoHome, find_home
from cascade_core.review.saving import DONE, LONGEST_NOTE
from cascade_core.review.source import open_source
from cascade_core.review.workbench import Workbench
from tests.core.review.serving import asking, shown_text
from tests.core.traffic.making import audit, decision, sent_on
from tests.core.traffic.storing import store

LEGAL = {"name": "legal", "match": {"tag": "legal"}, "then": {"bypass": True}}
BASE = {"name": "desk", "thresholds": [0.9], "rules": [LEGAL]}
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e\"'&"


class Page:
    """The page, and forms that are sent from it."""

    def __init__(self, bench: Workbench) -> None:
        self.bench = bench
        self.client: TestClient = asking(bench)

    def get(self, path: str = "/policy") -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, shown_text(answer.text)
        return answer.text

    def send(self, name: str, status: int = 200, /, **form: Any) -> str:
        answer = self.client.post(f"/policy/{name}", data=form)
        assert answer.status_code == status, shown_text(answer.text)
        return shown_text(answer.text)

    @property
    def mark(self) -> str:
        """What the page says that it has seen deciding."""
        found = re.search(r'name="instead_of" value="(\w+)"', self.get())
        assert found is not None
        return found[1]


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder / 'log.db'}"


@pytest.fixture
def log(tmp_path: Path) -> str:
    entries = []
    for n in range(12):
        picked = {"probability": 1.0, "picked": True}
        entries.append(decision(f"d{n}", confidence=0.95, audit=picked))
        tiers = [
            {"tier": 0, "model": "small", "quality": n % 2, "cost_usd": 0.001, "drawn": False,
             "response": None, "judged_by": None, "signals": {"p": 0.9 + n / 200}},
            {"tier": 1, "model": "large", "quality": 1, "cost_usd": 0.01, "drawn": True,
             "response": None, "judged_by": None, "signals": {}},
        ]  # fmt: skip
        entries.append(audit(f"d{n}", float(1 - n % 2), probability=1.0, tiers=tiers))
    entries.append(sent_on("s"))
    url = store(entries, url_of(tmp_path))
    kept = PolicyStore(url)
    kept.activate(kept.save(Policy.load(BASE), "the first")[0])
    return url


def over(log: str, policy: str | None = None, **settings: Any) -> Page:
    return Page(Workbench(open_source(log), home=find_home(log, policy), **settings))


@pytest.fixture
def page(log: str) -> Page:
    return over(log)


def active(log: str) -> int | None:
    return PolicyStore(log).active_number()


def test_a_policy_is_changed_saved_activated_and_taken_back(page: Page, log: str) -> None:
    assert "Nothing is changed." in shown_text(page.get())
    assert "The draft was changed. Nothing is saved yet." in page.send(
        "threshold", tier="0", value="0.8"
    )
    said = page.send("bypass", kind="tag", value="vip")
    assert "thresholds: [0.9] -> [0.8]" in said
    assert "rule tag vip goes straight to the last tier: new" in said
    assert "Saved as version 2. It is not in use yet." in page.send("save", note="lower")
    assert active(log) == 1
    assert "kept as version 2 and not in use" in shown_text(page.get())
    said = page.send("activate", number="2", instead_of=page.mark)
    assert "Version 2 is in use. Running cascades take it within two seconds." in said
    assert "Nothing is changed." in said
    assert active(log) == 2
    saved = PolicyStore(log).read(2).policy
    assert (saved.thresholds, saved.rules[0].then.bypass) == ((0.8,), True)
    assert "Take back: return to version 1" in said
    said = page.send("activate", number="1", instead_of=page.mark, back="1")
    assert "Taken back: version 1 is in use again." in said
    assert active(log) == 1


def test_a_double_click_does_a_thing_once(page: Page, log: str) -> None:
    page.send("threshold", tier="0", value="0.8")
    page.send("save", note="lower")
    assert "This is version 2, which was saved before" in page.send("save", note="lower")
    assert len(PolicyStore(log).versions()) == 2
    mark = page.mark
    page.send("activate", number="2", instead_of=mark)
    assert "Version 2 was in use already." in page.send("activate", number="2", instead_of=mark)
    assert [number for number, _ in PolicyStore(log).history()] == [1, 2]


def test_a_change_is_undone_once(page: Page) -> None:
    page.send("threshold", tier="0", value="0.8")
    page.send("bypass", kind="class", value="billing")
    number = page.bench.draft.now.edits[0].number
    assert "That change was taken back." in page.send("undo", number=number)
    assert "had been taken back already" in page.send("undo", number=number)
    assert [each.about[0] for each in page.bench.draft.now.edits] == ["rule"]
    page.send("forget")
    assert not page.bench.draft.changed


@pytest.mark.parametrize(
    ("name", "form", "said"),
    [
        ("threshold", {"tier": "0", "value": "1.5"}, "thresholds[0]: must be at most 1"),
        ("threshold", {"tier": "0", "value": "much"}, "threshold: must be a number from 0 to 1"),
        ("threshold", {"tier": "x", "value": "0.5"}, "tier: must be a whole number"),
        ("threshold", {"tier": "7", "value": "0.5"}, "tier 7 has no threshold"),
        ("threshold", {}, "threshold: must be a number from 0 to 1"),
        ("bypass", {"kind": "tag", "value": " "}, "name the class or the tag"),
        ("bypass", {"kind": "pin", "value": "x"}, "name the class or the tag"),
        ("rules", {"rules": "[{]"}, "not valid JSON: line 1, column 3"),
        ("rules", {"rules": '[{"name": 1, "name": 2}]'}, "the key 'name' stands there twice"),
        ("rules", {"rules": "[" * 200_000}, "not valid JSON"),
        ("rules", {"rules": '[{"name": "x", "match": {"tga": "y"}}]'}, "did you mean tag?"),
        ("remove", {"name": "nobody"}, "the draft has no rule 'nobody'"),
        ("save", {"note": "x" * (LONGEST_NOTE + 1)}, "note: 501 characters; 500 at the most"),
        ("activate", {"number": "9", "instead_of": ""}, "no policy of number 9"),
        ("activate", {"number": "1" * 20}, "number: must be a whole number"),
    ],
)
def test_what_cannot_be_is_refused_and_what_was_typed_stays(
    page: Page, log: str, name: str, form: dict[str, str], said: str
) -> None:
    page.send("threshold", tier="0", value="0.8")
    before = page.bench.draft.now
    answer = page.client.post(f"/policy/{name}", data=form)
    assert answer.status_code == 400
    assert said in shown_text(answer.text).replace("&#39;", "'")
    if name == "rules" and len(form["rules"]) < 100:
        assert html.escape(form["rules"], quote=False) in html.unescape(answer.text)
    assert page.bench.draft.now is before
    assert len(PolicyStore(log).versions()) == 1


def test_rules_are_written_by_hand(page: Page) -> None:
    text = html.unescape(page.get()).split("<textarea", 1)[1].split(">", 1)[1]
    assert json.loads(text.split("</textarea>")[0])[0]["name"] == "legal"
    rules = [{**LEGAL, "match": {"not": {"tag": ["a", "b"]}}}]
    said = page.send("rules", rules=json.dumps(rules))
    assert "rules by hand: the same names, other content or order" in said
    assert page.bench.draft.policy.rules[0].match.not_ is not None
    page.send("remove", name="legal")
    assert page.bench.draft.policy.rules == ()


def test_a_draft_is_checked_beside_what_decides(page: Page) -> None:
    said = page.send("threshold", tier="0", value="0.99")
    assert "Replayed on 12 labelled rows" in said
    assert "So few labelled rows say little" in said
    assert "beyond every confidence of these rows" in said
    said = page.send("bypass", kind="class", value="billing")
    assert "bypasses a tier for 100 % of the requests" in said
    assert "Asked of all 13 decisions of this period" in said


def test_a_draft_without_rows_is_not_replayed_and_why_is_said(tmp_path: Path) -> None:
    by_none = decision("d", policy=None, policy_version=None)
    page = over(store([by_none], url_of(tmp_path)))
    said = page.send("threshold", tier="0", value="0.8")
    assert "Not replayed: " in said
    assert "none of its 1 decisions was audited" in said


def test_a_policy_without_thresholds_is_replayed_with_those_that_requests_met(log: str) -> None:
    PolicyStore(log).activate(PolicyStore(log).save(Policy.load({"name": "bare"}))[0])
    said = over(log).send("threshold", tier="0", value="0.99")
    assert "those that the log's latest requests met stand in for them here" in said
    assert "thresholds: new, [0.99]" in said


def test_rules_that_are_lost_are_told_before_and_after(page: Page) -> None:
    lacks = "lacks rule 'legal' of"
    assert f"the draft {lacks} the policy that decides" in page.send("remove", name="legal")
    page.send("save", note="")
    assert f"version 2 {lacks} the policy in use" in shown_text(page.get("/policy/version/2"))
    said = page.send("activate", number="2", instead_of=page.mark)
    assert f"version 2 {lacks} version 1" in said


def test_versions_are_shown_and_compared(page: Page) -> None:
    page.send("threshold", tier="0", value="0.8")
    page.send("save", note="lower")
    said = shown_text(page.get())
    assert "Version 1 in use" in said.replace("✓ ", "")
    assert "lower" in said
    one = shown_text(page.get("/policy/version/2"))
    assert '"thresholds": [ 0.8 ]' in one
    assert "thresholds: [0.9] -> [0.8]" in one
    assert "thresholds: [0.8] -> [0.9]" in shown_text(page.get("/policy/diff?a=2&b=1"))
    assert "Nothing." in shown_text(page.get("/policy/diff?a=2&b=2"))
    for wrong in (
        "/policy/version/9",
        f"/policy/version/{'9' * 30}",
        "/policy/diff?a=1",
        "/policy/diff?a=1&b=9",
    ):
        assert page.client.get(wrong).status_code == 400
    for wrong in ("x", "9" * 5000):
        assert page.client.get(f"/policy/version/{wrong}").status_code == 400


def test_the_draft_is_downloaded(page: Page) -> None:
    page.send("threshold", tier="0", value="0.8")
    answer = page.client.get("/policy/draft.json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="policy.json"'
    assert Policy.load(answer.json()) == page.bench.draft.policy


def test_the_period_is_kept_by_every_form(page: Page) -> None:
    found = page.get("/policy?since=2026-03-01")
    actions = re.findall(r'<form method="post" action="([^"]*)"', found)
    assert actions
    assert all("since=2026-03-01" in action for action in actions)
    answer = page.client.post(
        "/policy/threshold?since=2026-03-01",
        data={"tier": "0", "value": "0.8"},
        follow_redirects=False,
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == "/policy?since=2026-03-01&done=changed"
    assert page.client.get("/policy/threshold?since=2026-03-01").status_code == 200


def test_what_an_address_says_was_done_is_none_of_its_own_words(page: Page) -> None:
    said = page.get("/policy?done=saved&version=<b>1</b>")
    assert "Saved as version ?." in said
    assert "<b>1</b>" not in said
    assert 'aria-live="polite"></p>' in page.get("/policy?done=evil")
    assert "done=" not in page.get("/policy?done=saved&version=1").partition("<main")[2]
    assert all("<" not in text for text in DONE.values())


# --- others who act meanwhile --------------------------------------------------------------------


def other_saves(log: str, **fields: Any) -> int:
    kept = PolicyStore(log)
    number, _ = kept.save(Policy.load({**BASE, **fields}))
    kept.activate(number)
    return number


def test_a_draft_without_changes_follows(page: Page, log: str) -> None:
    page.get()
    other_saves(log, thresholds=[0.7])
    assert "version 2, desk" in shown_text(page.get())
    assert page.bench.draft.base.thresholds == (0.7,)


def test_other_pages_follow_too(page: Page, log: str, monkeypatch: pytest.MonkeyPatch) -> None:
    other_saves(log, thresholds=[0.7])
    monkeypatch.setattr("cascade_core.review.workbench.CHECK_EVERY", 0)
    assert page.bench.draft.base.thresholds == (0.7,)
    page.bench.draft.set_threshold(0, 0.6)
    other_saves(log, thresholds=[0.5])
    assert page.bench.draft.base.thresholds == (0.7,)


def test_a_draft_with_changes_says_so_and_moves(page: Page, log: str) -> None:
    page.send("bypass", kind="tag", value="vip")
    other_saves(log, thresholds=[0.7])
    said = shown_text(page.get())
    assert "Another policy decides now than the one that your changes were begun from." in said
    assert "It is version 2." in said
    said = page.send("move")
    assert "Your changes are made to the policy that decides now." in said
    assert "Another policy decides now" not in said
    policy = page.bench.draft.policy
    assert (policy.thresholds, len(policy.rules)) == ((0.7,), 2)


def test_what_both_changed_is_said_after_moving(page: Page, log: str) -> None:
    page.send("threshold", tier="0", value="0.8")
    other_saves(log, thresholds=[0.7])
    said = page.send("move")
    assert "both had changed this; yours is in the draft: threshold of tier 0: 0.8" in said
    page.send("threshold", tier="0", value="0.6")
    assert "both had changed this" not in shown_text(page.get())


def test_nothing_is_activated_over_what_was_not_seen(page: Page, log: str) -> None:
    page.send("threshold", tier="0", value="0.8")
    page.send("save", note="")
    mark = page.mark
    other_saves(log, thresholds=[0.7])
    said = page.send("activate", 400, number="2", instead_of=mark)
    assert "nothing was activated: version 3 has been made to decide meanwhile" in said
    assert active(log) == 3
    page.send("activate", number="2", instead_of=page.mark)
    assert active(log) == 2


def test_a_policy_that_cannot_be_read_is_told_and_nothing_breaks(log: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    Policy.load(BASE).save(path)
    page = over(log, str(path))
    page.send("threshold", tier="0", value="0.8")
    path.write_text("{broken")
    assert "The policy that decides cannot be read" in shown_text(page.get())
    assert "is not valid JSON" in page.send("save", 400, note="")
    assert path.read_text() == "{broken"


# --- where it lives ------------------------------------------------------------------------------


def test_a_file_is_changed_and_taken_back(log: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.json"
    Policy.load(BASE).save(path)
    page = over(log, str(path))
    assert isinstance(page.bench.home, FileHome)
    page.send("threshold", tier="0", value="0.8")
    page.send("save", note="lower")
    assert Policy.load(path).thresholds == (0.9,)
    page.send("activate", number="2", instead_of=page.mark)
    assert Policy.load(path).thresholds == (0.8,)
    page.send("activate", number="1", instead_of=page.mark, back="1")
    assert Policy.load(path).thresholds == (0.9,)
    assert active(log) == 1  # the log's own are left alone


def test_toml_is_kept_and_what_to_do_is_said(log: str, tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text("thresholds = [0.9]\n")
    page = over(log, str(path))
    page.send("threshold", tier="0", value="0.8")
    said = page.send("save", note="")
    assert "writing it would lose its comments" in said
    assert 'aria-label="Activate' not in page.get()
    assert "lose its comments" in page.send("activate", 400, number="2", instead_of="")


def test_a_table_without_a_policy_offers_the_draft(log: str) -> None:
    home = NoHome("A file of rows holds no policies")
    page = Page(Workbench(open_source(log), home=home))
    page.send("threshold", tier="0", value="0.8")
    said = shown_text(page.get())
    assert "A file of rows holds no policies" in said
    assert "Download the draft" in said
    assert "Save as a new version" not in said
    assert "holds no policies" in page.send("save", 400, note="")
    assert "holds no policies" in page.send("activate", 400, number="1", instead_of="")


def test_read_only_means_it(log: str) -> None:
    page = over(log, read_only=True)
    found = page.get() + page.get("/policy/version/1")
    assert 'method="post"' not in found
    for name in (
        "threshold",
        "bypass",
        "rules",
        "remove",
        "undo",
        "forget",
        "move",
        "save",
        "activate",
    ):
        assert page.client.post(f"/policy/{name}", data={"number": "1"}).status_code == 403
    assert (active(log), page.bench.draft.changed) == (1, False)


def test_a_database_without_a_policy_gets_its_first(tmp_path: Path) -> None:
    log = store([decision("d")], url_of(tmp_path))
    page = over(log)
    page.send("threshold", tier="0", value="0.8")
    page.send("save", note="")
    page.send("activate", number="1", instead_of=page.mark)
    assert PolicyStore(log).active().policy.thresholds == (0.8,)


# --- what people write is text -------------------------------------------------------------------


def test_hostile_texts_are_only_ever_text(page: Page) -> None:
    rule = {**LEGAL, "name": HOSTILE, "match": {"tag": HOSTILE}, "then": {"class": HOSTILE}}
    page.send("rules", rules=json.dumps([rule]))
    page.send("threshold", tier="0", value="0.8", **{"class": HOSTILE})
    page.send("save", note=HOSTILE)
    refused = page.client.post("/policy/rules", data={"rules": f"</textarea>{HOSTILE}"})
    assert refused.status_code == 400
    for found in (
        page.get(),
        page.get("/policy/version/2"),
        page.get("/policy/diff?a=1&b=2"),
        refused.text,
    ):
        assert "<script>alert" not in found
        assert "\x1b" not in found
        assert "&lt;script&gt;alert(1)" in found


def test_a_long_rule_is_shortened_where_it_is_said(page: Page) -> None:
    rule = {**LEGAL, "name": "long", "match": {"tag": "y" * 100_000}}
    page.send("rules", rules=json.dumps([LEGAL]))
    page.bench.draft.add_rule(rule)
    assert all(len(each.said) < 300 for each in page.bench.draft.now.edits)
    assert "long" in page.get()


@pytest.mark.parametrize(
    ("rules", "said"), [("[" * 100_000, "nested too deeply"), (f"[{'1' * 5000}]", "is too long")]
)
def test_rules_that_no_program_can_read_are_refused(page: Page, rules: str, said: str) -> None:
    assert said in page.send("rules", 400, rules=rules)
