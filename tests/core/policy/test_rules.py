"""Rules as a document writes them: what is read, what is refused, what is saved."""

import json
import pickle

import pytest

from cascade_core import Policy
from cascade_core.errors import ConfigurationError
from cascade_core.policy.languages import CODES
from cascade_core.policy.rules import Rule

EVERY_KEY = {
    "version": 1,
    "rules": [
        {
            "name": "everything",
            "match": {
                "tag": ["legal", "law"],
                "class": "contract",
                "metadata": {"tenant": ["acme", 7, True]},
                "tool": "refund",
                "input_tokens": {"over": 10, "under": 8000},
                "language": ["de", "fr"],
                "regex": "(?i)charge|dispute",
                "time": {"from": "22:00", "to": "06:00:30", "days": ["mon"], "zone": "UTC"},
                "all": [{"tag": "a"}, {"tag": "b"}],
                "any": [{"tag": "c"}, {"not": {"tag": "d"}}],
                "not": {"tag": "e"},
            },
            "then": {"class": "x", "bypass": [0], "audit": 0.5, "log_content": False},
        },
        {"name": "local", "match": {"tag": "local"}, "then": {"pin": 0}},
        {"name": "all", "match": {"tag": "strong"}, "then": {"bypass": True}},
        {"name": "more", "match": {"tag": "more"}, "then": {"thresholds": [0.9, 0.8]}},
        {"name": "kept", "match": {"tag": "kept"}, "then": {"escalate": False}},
    ],
}


def rule(match=None, then=None, name="r"):
    return {"name": name, "match": match or {"tag": "a"}, "then": then or {"pin": 0}}


def refusal(*rules, **others):
    with pytest.raises(ConfigurationError) as caught:
        Policy.load({"rules": list(rules), **others})
    return str(caught.value)


def test_every_key_is_read_and_saved_under_its_name(tmp_path):
    policy = Policy.load(EVERY_KEY)
    policy.save(tmp_path / "p.json")
    assert Policy.load(tmp_path / "p.json") == policy
    assert Policy.load(policy.model_dump()) == policy
    saved = json.loads((tmp_path / "p.json").read_text())["rules"][0]
    given = EVERY_KEY["rules"][0]
    assert saved.keys() == given.keys()
    assert saved["match"].keys() == given["match"].keys()
    assert saved["match"]["time"] == given["match"]["time"] | {"from": "22:00:00"}
    assert saved["then"] == given["then"]


def test_one_text_stands_for_a_list_of_it():
    assert Policy.load({"rules": [rule({"tag": "a", "metadata": {"k": 1}})]}) == Policy.load(
        {"rules": [rule({"tag": ["a"], "metadata": {"k": [1]}})]}
    )


def test_toml_may_use_its_own_times(tmp_path):
    path = tmp_path / "p.toml"
    path.write_text(
        '[[rules]]\nname = "night"\nmatch.time = {from = 22:00:00, to = 06:00:00}\n'
        "then.bypass = true\n"
    )
    (read,) = Policy.load(path).rules
    assert (read.match.time.start.hour, read.match.time.end.hour) == (22, 6)


@pytest.mark.parametrize(
    ("match", "said"),
    [
        ({"tga": "a"}, "match.tga: is no key that belongs here; did you mean tag?"),
        ({"not": {"any": [{"tagg": "a"}]}}, "match.not.any[0].tagg: is no key"),
        ({"tag": 5}, "match.tag: must be a text"),
        ({"tag": []}, "match.tag: must hold 1 or more"),
        ({"tag": ""}, "match.tag: must not be empty"),
        ({"tag": ["a", 1]}, "match.tag[1]: must be a text"),
        ("legal", "match: must be an object of keys and values"),
        ({"metadata": {}}, "match.metadata: must hold 1 or more"),
        ({"metadata": {"a": None}}, "match.metadata.a: must be a list of entries"),
        ({"metadata": {"a": [{}]}}, "match.metadata.a[0]: must be a text, a number, true or false"),
        ({"input_tokens": 8000}, "match.input_tokens: must be an object of keys and values"),
        ({"input_tokens": {}}, "match.input_tokens: give over, under or both"),
        ({"input_tokens": {"over": -1}}, "match.input_tokens.over: must be at least 0"),
        ({"input_tokens": {"above": 1}}, "match.input_tokens.above: is no key"),
        ({"input_tokens": {"over": 5, "under": 6}}, "match.input_tokens: no number is over"),
        ({"language": "german"}, "match.language: 'german' is no two-letter code"),
        ({"language": "en-US"}, "of a language that can be told; did you mean en?"),
        ({"regex": "(a"}, "match.regex: is no regular expression: missing ) at its character 3"),
        ({"time": {}}, "match.time: give from, to, days or several of them"),
        ({"time": {"from": "10 pm"}}, 'match.time.from: must be a time of day such as "22:00"'),
        ({"time": {"from": "22:00+01:00"}}, "match.time.from: must be a time of day"),
        ({"time": {"from": "22:00", "to": "22:00"}}, "match.time: from and to are the same time"),
        ({"time": {"days": ["monday", "wendsday"]}}, "match.time.days[1]: must be days of the"),
        ({"time": {"days": "mon", "zone": "Mars"}}, "match.time.zone: is no time zone that this"),
        ({"all": []}, "match.all: must hold 1 or more"),
        ({"any": [{}]}, "match.any[0]: says nothing of a request; give one or more of tag, class"),
    ],
)
def test_a_match_that_cannot_be_meant_is_named(match, said):
    assert f"rules[0].{said}" in (text := refusal({**rule(), "match": match})) or said in text
    assert text.startswith("policy: rules[0].match")
    assert "\n" not in text


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ({"bypas": True}, "then.bypas: is no key that belongs here; did you mean bypass?"),
        ({"bypass": False}, "then.bypass: must be true, or a list of tiers counted from 0"),
        ({"bypass": 0}, "then.bypass: must be true, or a list of tiers counted from 0"),
        ({"bypass": []}, "then.bypass: must hold 1 or more"),
        ({"bypass": ["0"]}, "then.bypass[0]: must be a whole number"),
        ({"pin": True}, "then.pin: must be a whole number"),
        ({"pin": -1}, "then.pin: must be at least 0"),
        ({"thresholds": 0.5}, "then.thresholds: must be a list of entries"),
        ({"thresholds": [97]}, "then.thresholds[0]: must be at most 1"),
        ({"escalate": True}, "then.escalate: must be false"),
        ({"audit": 2}, "then.audit: must be at most 1"),
        ({"audit": True}, "then.audit: must be a number"),
        ({"log_content": "no"}, "then.log_content: must be true or false"),
        ({"pin": 0, "bypass": [0]}, "then: pin asks tier 0 alone and bypass leaves it out"),
        ({"pin": 0, "thresholds": [0.5]}, "then: pin takes what the tier says"),
        ({"pin": 0, "audit": 0.1}, "then: pin keeps a request from every other tier and audit"),
        ({"escalate": False, "thresholds": [0.5]}, "then: escalate: false returns the first"),
        ({"bypass": True, "thresholds": [0.5]}, "then: bypass leaves no draft"),
    ],
)
def test_an_action_that_cannot_be_meant_is_named(then, said):
    text = refusal({**rule(), "then": then})
    assert text.startswith(f"policy: rules[0].{said}")


def test_a_rule_that_says_nothing_is_named():
    assert "rules[0].match: says nothing of a request" in refusal({**rule(), "match": {}})
    assert "rules[0].then: says nothing to do" in refusal({**rule(), "then": {}})
    assert (
        refusal({"match": {"tag": "a"}, "then": {"pin": 0}}) == "policy: rules[0].name: is missing"
    )
    assert refusal({"name": "a", "then": {"pin": 0}}) == "policy: rules[0].match: is missing"


def test_two_rules_of_one_name_are_refused():
    said = refusal(rule(name="a"), rule(name="b"), rule(name="a"))
    assert said.startswith("policy: rules[2].name: rules[0] has the same name")


@pytest.mark.parametrize(
    ("then", "said"),
    [
        ({"pin": 2}, "pin: there is no tier 2: there are 2 tiers, counted from 0"),
        ({"bypass": [0, 2]}, "bypass[1]: there is no tier 2"),
        ({"bypass": [1]}, "bypass[0]: tier 1 is the last, which answers what no other does"),
        ({"bypass": True, "pin": 0}, "pin: pin asks tier 0 alone and bypass leaves it out"),
        ({"thresholds": [0.5] * 3}, "thresholds: 3 given, but 2 tiers need 1"),
    ],
)
def test_an_action_for_other_tiers_is_named(then, said):
    text = refusal(rule(), rule(then=then, name="other"), thresholds=[0.5])
    assert text.startswith(f"policy: rules[1].then.{said}")


def test_a_function_can_be_asked_from_python_and_not_saved(tmp_path):
    policy = Policy(rules=[Rule(name="r", match=lambda request: True, then={"pin": 0})])
    with pytest.raises(ConfigurationError, match=r"rule 'r' asks a function.*Policy\(rules"):
        policy.save(tmp_path / "p.json")
    assert not (tmp_path / "p.json").exists()
    nested = Policy.load({"rules": [rule({"any": [{"tag": "a"}, lambda request: True]})]})
    with pytest.raises(ConfigurationError, match="asks a function"):
        nested.save(tmp_path / "p.json")


def test_an_async_function_is_refused():
    async def later(request):
        return True

    assert "rules[0].match: must be a plain function" in refusal({**rule(), "match": later})


def test_a_fingerprint_tells_functions_apart_by_what_they_do():
    def made(limit):
        match = lambda request: len(request.question) > limit  # noqa: E731
        return Policy(rules=[Rule(name="r", match=match, then={"pin": 0})]).fingerprint

    assert made(5) == made(5) != made(6)


def test_rules_are_part_of_a_fingerprint_and_their_absence_is_not():
    without = Policy(thresholds=(0.5,))
    assert without.fingerprint == Policy(thresholds=(0.5,), rules=()).fingerprint
    assert Policy(thresholds=(0.5,), rules=[rule()]).fingerprint != without.fingerprint


def always(request):
    return True


def test_a_policy_with_rules_crosses_processes():
    policy = Policy.load({**EVERY_KEY, "rules": [*EVERY_KEY["rules"], rule(always)]})
    copied = pickle.loads(pickle.dumps(policy))
    assert copied == policy
    assert copied.rules[-1].match.predicate is always


def test_the_languages_are_those_that_can_be_told():
    langid = pytest.importorskip("py3langid.langid")
    known = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True).labels
    assert {code for code in known if len(code) == 2} == CODES
