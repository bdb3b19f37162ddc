"""What rules say of a request: which fires, and what it does."""

import threading
from datetime import UTC, datetime
from importlib.util import find_spec

import pytest

from cascade_core import Policy
from cascade_core.errors import ConfigurationError
from cascade_core.policy import languages, patterns
from cascade_core.policy.matching import Rulebook
from cascade_core.request import Request, ToolSpec, Turn
from cascade_core.ruling import UNRULED

needs_language = pytest.mark.skipif(
    find_spec("py3langid") is None, reason="an extra that the oldest versions do not have"
)
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)  # a Monday
GERMAN = "Wo ist denn meine Bestellung, und wann kommt sie an?"
ENGLISH = "Where is my order, and when does it arrive at my house?"


def book(*rules, tiers=2, model=None):
    return Rulebook(Policy.load({"rules": list(rules)}).rules, tiers, model)


def rule(match, then=None, name="r"):
    return {"name": name, "match": match, "then": then or {"escalate": False}}


def ruled(rules, request=None, at=NOON, **settings):
    said = []
    ruling = book(*rules, **settings).ruling(
        request or Request.of(ENGLISH), at, lambda key, text: said.append(text)
    )
    return ruling, said


def fires(match, request=None, at=NOON, **settings):
    ruling, said = ruled([rule(match)], request, at, **settings)
    assert not said
    return ruling.rule == "r"


def asking(text=ENGLISH, **others):
    return Request((Turn("user", text),), **others)


@pytest.mark.parametrize(
    ("match", "request_", "expected"),
    [
        ({"tag": "a"}, asking(tags=["b", "a"]), True),
        ({"tag": "a"}, asking(tags=["b"]), False),
        ({"tag": ["a", "b"]}, asking(tags=["b"]), True),
        ({"class": "x"}, asking(metadata={"cascade_class": "x"}), True),
        ({"class": "x"}, asking(), False),
        ({"metadata": {"tenant": "acme"}}, asking(metadata={"tenant": "acme"}), True),
        ({"metadata": {"tenant": "acme"}}, asking(metadata={"tenant": "Acme"}), False),
        ({"metadata": {"tenant": "acme"}}, asking(), False),
        ({"metadata": {"tenant": ["a", "b"]}}, asking(metadata={"tenant": "b"}), True),
        ({"metadata": {"n": 7}}, asking(metadata={"n": "7"}), True),
        ({"metadata": {"n": "7"}}, asking(metadata={"n": 7}), True),
        ({"metadata": {"beta": True}}, asking(metadata={"beta": True}), True),
        ({"metadata": {"beta": True}}, asking(metadata={"beta": 1}), False),
        ({"metadata": {"beta": "true"}}, asking(metadata={"beta": True}), True),
        ({"metadata": {"role": "admin"}}, asking(metadata={"role": ["user", "admin"]}), True),
        ({"metadata": {"a": 1, "b": 2}}, asking(metadata={"a": 1, "b": 3}), False),
        ({"metadata": {"a": "None"}}, asking(metadata={"a": None}), False),
        ({"metadata": {"a": "x"}}, asking(metadata={"a": {"x": 1}}), False),
        ({"tool": "refund"}, asking(tools=[ToolSpec("find"), ToolSpec("refund")]), True),
        ({"tool": ["refund", "charge"]}, asking(tools=[ToolSpec("find")]), False),
        pytest.param({"language": "de"}, asking(GERMAN), True, marks=needs_language),
        pytest.param({"language": ["fr", "de"]}, asking(GERMAN), True, marks=needs_language),
        pytest.param({"language": "en"}, asking(GERMAN), False, marks=needs_language),
        pytest.param({"language": "en"}, asking(), True, marks=needs_language),
        pytest.param({"not": {"language": "en"}}, asking(GERMAN), True, marks=needs_language),
        ({"regex": "(?i)ORDER"}, asking(), True),
        ({"regex": "^order"}, asking(), False),
        ({"regex": "order"}, Request((Turn("user", "an order"), Turn("user", "no"))), False),
        ({"regex": "be kind"}, Request.of("hello", system="be kind"), False),
        ({"all": [{"tag": "a"}, {"tag": "b"}]}, asking(tags=["a", "b"]), True),
        ({"all": [{"tag": "a"}, {"tag": "b"}]}, asking(tags=["a"]), False),
        ({"any": [{"tag": "a"}, {"tag": "b"}]}, asking(tags=["b"]), True),
        ({"any": [{"tag": "a"}, {"tag": "b"}]}, asking(tags=["c"]), False),
        ({"not": {"tag": "a"}}, asking(tags=["b"]), True),
        ({"not": {"tag": "a"}}, asking(tags=["a"]), False),
        ({"tag": "a", "regex": "order"}, asking(tags=["a"]), True),
        ({"tag": "a", "regex": "refund"}, asking(tags=["a"]), False),
        ({"not": {"tag": "a", "regex": "refund"}}, asking(tags=["a"]), True),
        (lambda request: "order" in request.question, asking(), True),
        (lambda request: None, asking(), False),
        ({"any": [{"tag": "a"}, lambda request: True]}, asking(), True),
    ],
)
def test_a_rule_fires_where_its_match_holds(match, request_, expected):
    assert fires(match, request_) is expected


@pytest.mark.parametrize(
    ("hours", "day", "clock", "expected"),
    [
        ({"from": "09:00", "to": "17:00"}, 23, (9, 0), True),
        ({"from": "09:00", "to": "17:00"}, 23, (8, 59), False),
        ({"from": "09:00", "to": "17:00"}, 23, (17, 0), False),
        ({"from": "22:00", "to": "06:00"}, 23, (23, 0), True),
        ({"from": "22:00", "to": "06:00"}, 23, (5, 59), True),
        ({"from": "22:00", "to": "06:00"}, 23, (6, 0), False),
        ({"from": "22:00", "to": "06:00", "days": ["mon"]}, 23, (23, 0), True),
        ({"from": "22:00", "to": "06:00", "days": ["mon"]}, 24, (5, 0), True),
        ({"from": "22:00", "to": "06:00", "days": ["mon"]}, 23, (5, 0), False),
        ({"from": "22:00", "to": "06:00", "days": ["mon"]}, 24, (23, 0), False),
        ({"from": "22:00"}, 23, (23, 59), True),
        ({"from": "22:00", "to": "00:00"}, 23, (23, 59), True),
        ({"to": "06:00"}, 23, (0, 0), True),
        ({"to": "06:00"}, 23, (22, 0), False),
        ({"days": ["Saturday", "sun"]}, 23, (12, 0), False),
        ({"days": ["Saturday", "sun"]}, 22, (12, 0), True),
        ({"from": "09:00", "to": "10:00", "zone": "Europe/Berlin"}, 23, (8, 30), True),
        ({"from": "09:00", "to": "10:00", "zone": "Europe/Berlin"}, 23, (9, 30), False),
        ({"days": "tue", "zone": "Asia/Tokyo"}, 23, (16, 0), True),
    ],
)
def test_hours_are_of_their_zone_and_go_past_midnight(hours, day, clock, expected):
    at = datetime(2026, 11, day, *clock, tzinfo=UTC)
    assert fires({"time": hours}, at=at) is expected


@pytest.mark.parametrize("model", [None, "gpt-4o-mini"])
@pytest.mark.parametrize(
    ("size", "words", "expected"),
    [
        ({"over": 100}, 10, False),
        ({"over": 100}, 1_000, True),
        ({"under": 100}, 10, True),
        ({"under": 100}, 1_000, False),
        ({"over": 100, "under": 5_000}, 1_000, True),
        ({"over": 100, "under": 500}, 30_000, False),
    ],
)
def test_input_tokens_are_counted(size, words, expected, model):
    assert fires({"input_tokens": size}, asking("word " * words), model=model) is expected


def test_tokens_are_counted_to_the_one():
    from cascade_core.costs.tokens import estimate_usage

    turns = (Turn("system", "Be kind."), Turn("user", "Where is it? " * 3_000))
    for model in (None, "gpt-4o-mini"):
        count = estimate_usage([t.text for t in turns], "", model, 0).input_tokens
        near = 12 if model else 2  # pieces are counted by themselves
        assert fires({"input_tokens": {"over": count - near}}, Request(turns), model=model)
        assert not fires({"input_tokens": {"over": count + near}}, Request(turns), model=model)


@needs_language
def test_nothing_is_counted_or_read_where_no_rule_asks(monkeypatch):
    def asked(*args):
        raise AssertionError

    monkeypatch.setattr("cascade_core.policy.facts.count_tokens", asked)
    monkeypatch.setattr(languages, "language_of", asked)
    turns = Request(asked, tags=["a"])
    first, second = rule({"tag": "a"}), rule({"language": "de", "input_tokens": {"over": 1}})
    ruling, said = ruled([first, {**second, "name": "s"}], turns)
    assert (ruling.rule, said) == ("r", [])
    ruling, said = ruled([rule({"tag": "b", "input_tokens": {"over": 1}})], turns)
    assert (ruling.rule, said) == (None, [])


@needs_language
def test_the_language_of_a_short_text_is_not_known():
    for match in ({"language": "en"}, {"not": {"language": "en"}}):
        assert not fires(match, asking("ok"))
        assert not fires(match, asking(""))


def test_a_pattern_that_never_ends_does_not_match_and_is_told_of_once():
    worst = asking("a" * 1_000_000 + "b")
    for match in ({"regex": "(a+)+$"}, {"not": {"regex": "(a+)+$"}}):
        done = []
        thread = threading.Thread(
            target=lambda match=match, done=done: done.append(ruled([rule(match)], worst)),
            daemon=True,
        )
        thread.start()
        thread.join(30)
        ((ruling, said),) = done
        assert ruling is UNRULED
        assert said == ["rule 'r' has a pattern that took too long on a message; it does not match"]


def test_however_many_patterns_never_end_a_request_waits_for_a_few_of_them(monkeypatch):
    allowed, clock = [], [0.0]

    def never_ends(pattern, text, seconds):
        allowed.append(seconds)
        clock[0] += 0.125
        return found(pattern, text, 0.0)

    found = patterns.found
    monkeypatch.setattr(patterns, "found", never_ends)
    monkeypatch.setattr("cascade_core.policy.facts.perf_counter", lambda: clock[0])
    rules = [rule({"regex": "order"}, name=f"r{number}") for number in range(8)]
    ruling, said = ruled([*rules, rule({"tag": "a"})], asking(tags=["a"]))
    assert (ruling.rule, len(said)) == ("r", 8)
    assert allowed == [0.5, 0.375, 0.25, 0.125, 0.0, -0.125, -0.25, -0.375]


def test_a_pattern_that_takes_too_long_hides_no_other_way_to_match(monkeypatch):
    monkeypatch.setattr(patterns, "found", lambda pattern, text, seconds: None)
    ruling, said = ruled([rule({"any": [{"regex": "x"}, {"tag": "a"}]})], asking(tags=["a"]))
    assert (ruling.rule, said) == ("r", [])


def test_a_function_that_raises_does_not_match_and_is_told_of():
    def broken(request):
        raise RuntimeError("secret text")

    ruling, said = ruled([rule(broken), rule({"tag": "a"}, name="s")], asking(tags=["a"]))
    assert ruling.rule == "s"
    assert said == ["rule 'r' asks a function that raised RuntimeError; it does not match"]
    assert not ruled([rule({"not": broken})])[0].rule


def test_what_cannot_be_read_costs_no_answer():
    def unreadable():
        raise RuntimeError("secret text")

    ruling, said = ruled([rule({"regex": "a"})], Request(unreadable))
    assert ruling is UNRULED
    assert said == ["rule 'r' could not be asked (RuntimeError); it does not match"]


def test_the_first_match_wins():
    rules = [
        rule({"tag": "b"}, name="1"),
        rule({"tag": "a"}, name="2"),
        rule({"tag": "a"}, name="3"),
    ]
    assert ruled(rules, asking(tags=["a"]))[0].rule == "2"
    assert ruled(rules, asking())[0] is UNRULED


def test_a_rule_that_only_names_a_class_lets_the_search_go_on():
    rules = [
        rule({"regex": "order"}, {"class": "orders"}, "name"),
        rule({"regex": "order"}, {"class": "other"}, "too late"),
        rule({"class": "orders", "tag": "vip"}, {"bypass": True}, "vip"),
    ]
    plain, _ = ruled(rules)
    assert (plain.rule, plain.class_name, plain.bypass) == ("name", "orders", frozenset())
    vip, _ = ruled(rules, asking(tags=["vip"]))
    assert (vip.rule, vip.class_name, vip.bypass) == ("vip", "orders", frozenset({0}))


def test_a_class_that_a_rule_names_goes_before_the_callers():
    request = asking(metadata={"cascade_class": "theirs"})
    rules = [rule({"class": "theirs"}, {"class": "ours"}), rule({"class": "theirs"}, name="never")]
    ruling, _ = ruled(rules, request)
    assert (ruling.rule, ruling.class_name) == ("r", "ours")


def test_a_function_sees_the_class_that_a_rule_named():
    seen = []
    rules = [
        rule({"regex": "order"}, {"class": "orders"}),
        rule(lambda request: seen.append(request.class_name), name="s"),
    ]
    ruled(rules)
    assert seen == ["orders"]


def test_a_request_that_is_asked_again_is_asked_anew():
    rules = book(rule({"tag": "a"}, {"class": "x"}), rule({"class": "x"}, {"audit": 1}, "s"))
    request = asking(tags=["a"])
    for _ in range(2):
        request.ruling = rules.ruling(request, NOON, print)
        assert request.ruling.rule == "s"


def test_every_action_is_in_the_ruling():
    then = {"class": "x", "bypass": [0, 1], "audit": 0.25, "log_content": True, "escalate": False}
    ruling, _ = ruled([rule({"tag": "a"}, then)], asking(tags=["a"]), tiers=3)
    assert (ruling.class_name, ruling.bypass) == ("x", {0, 1})
    assert (ruling.audit, ruling.log_content, ruling.escalate) == (0.25, True, False)
    assert ruled([rule({"tag": "a"}, {"pin": 0})], asking(tags=["a"]))[0].pin == 0
    more, _ = ruled([rule({"tag": "a"}, {"thresholds": [0.1]})], asking(tags=["a"]))
    assert more.thresholds == (0.1,)


def test_what_a_language_needs_is_asked_for_when_the_rules_are_made(monkeypatch):
    monkeypatch.setattr(languages, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'model-cascade\[language\]'"):
        book(rule({"any": [{"tag": "a"}, {"not": {"language": "de"}}]}))
    book(rule({"tag": "a"}))


@needs_language
def test_a_text_of_a_megabyte_has_a_language():
    assert languages.language_of(ENGLISH * 20_000) == "en"


def test_rules_can_cross_processes():
    import pickle

    rules = book(rule({"regex": "order", "time": {"days": "mon", "zone": "Europe/Berlin"}}))
    copied = pickle.loads(pickle.dumps(rules))
    assert copied.ruling(asking(), NOON, print).rule == "r"
