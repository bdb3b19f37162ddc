"""Policy files: what they may hold, and where an error says it is."""

import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from pydantic import ValidationError

from cascade_core import Policy
from cascade_core.errors import ConfigurationError
from cascade_core.log.policies import kept_document

JSON = '{"version": 1, "name": "spring", "thresholds": [0.7, 1], "defaults": {"mode": "shadow"}}'
TOML = """
version = 1
name = "spring"
thresholds = [0.7, 1]

[defaults]
mode = "shadow"
"""
SCORE = {"kind": "signal", "signal": "a"}
EXPECTED = Policy(name="spring", thresholds=(0.7, 1.0), defaults={"mode": "shadow"})


@pytest.mark.parametrize(("name", "text"), [("p.json", JSON), ("p.toml", TOML), ("p", JSON)])
@pytest.mark.parametrize("kind", [str, Path])
def test_a_policy_is_read_from_json_or_toml(tmp_path, name, text, kind):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    assert Policy.load(kind(path)) == EXPECTED


def test_a_policy_may_be_given_as_it_is():
    content = EXPECTED.model_dump()
    assert Policy.load(content) == EXPECTED
    assert Policy.load(MappingProxyType(content)) == EXPECTED
    assert Policy.load(EXPECTED) is EXPECTED
    assert Policy.load(None) == Policy()


def test_an_empty_policy_leaves_everything_to_the_cascade():
    assert (Policy().thresholds, Policy().defaults, Policy().name) == (None, {}, None)


def test_a_policy_does_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        EXPECTED.name = "autumn"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"thresholds": [0.7, 1.5]}', "thresholds[1]: must be at most 1"),
        ('{"thresholds": [-0.1]}', "thresholds[0]: must be at least 0"),
        ('{"thresholds": [NaN]}', "thresholds[0]: must be a finite number"),
        ('{"thresholds": ["high"]}', "thresholds[0]: must be a number"),
        ('{"thresholds": [true]}', "thresholds[0]: must be a number"),
        ('{"thresholds": 0.7}', "thresholds: must be a list of entries"),
        ('{"treshold": [0.7]}', "treshold: is no key that belongs here; did you mean thresholds?"),
        ('{"version": 2}', "version: must be 1"),
        ('{"name": 5}', "name: must be a text"),
        ('{"classes": {"a": {}}}', "classes.a.thresholds: is missing"),
        ('{"route": {"stages": []}}', "route.stages: must hold 1 or more"),
        ('{"defaults": {"mode": "off"}}', "defaults: mode='off': choose one of 'serve', 'shadow'"),
        (
            '{"defaults": {"modus": "serve"}}',
            "defaults: unknown setting 'modus'; known: on_no_score, on_tool_call, on_exhausted",
        ),
        ('{"defaults": {"mode": 5}}', "defaults.mode: must be a text"),
        ("[]", "policy.json must be an object of keys and values"),
        ('"text"', "policy.json must be an object of keys and values"),
        ("[" * 100_000, "policy.json is nested too deeply to be a policy"),
        ('{"name": "a", "name": "b"}', "the key 'name' stands there twice; keep one"),
        ('{"defaults": {"mode": "serve", "mode": "shadow"}}', "the key 'mode' stands there twice"),
        ('{"name": ', "is not valid JSON: "),
        ("", "policy.json is empty; cascade tune writes one"),
    ],
)
def test_an_error_names_the_file_and_the_field(tmp_path, content, said):
    path = tmp_path / "policy.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        Policy.load(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"id": "1", "reason": "confident", "calls": []}, "is the record of a decision, not a"),
        (
            {"event": "feedback", "id": "1", "decision": "2"},
            "is feedback or an audit of a log, not a policy",
        ),
        ({"id": "1", "t0_quality": 1, "t0_cost_usd": 0}, "is a row of a labelled table, not a"),
        (
            {"policy": "p.json", "replaced": None, "thresholds": [0.5]},
            "cascade tune --json printed",
        ),
        (
            {"weak_quality": 1, "strong_quality": 1, "intervals": {}},
            "cascade replay --json printed",
        ),
        ({"cheap": {}, "strong": {}, "cascade": {}}, "is what cascade demo --json printed, not a"),
        ({"a": 1}, "has none of a policy's keys, which are version, name, calibrators, "),
    ],
)
def test_what_is_no_policy_is_told_by_what_it_is(tmp_path, content, said):
    path = tmp_path / "policy.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        Policy.load(path)
    assert str(caught.value).startswith(f"policy {path} ")
    assert said in str(caught.value)
    assert "no key that belongs here" not in str(caught.value)


@pytest.mark.parametrize("content", [b"SQLite format 3\x00\xff", b"SQLite format 3\x00"])
def test_the_path_of_a_database_given_as_a_policy_is_told_its_address(tmp_path, content):
    path = tmp_path / "decisions.db"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"give its address, sqlite:///{path.as_posix()}"):
        Policy.load(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("log.jsonl", b'{"id": "1"}\n{"id": "2"}\n'),
        ("labels.csv", b"id,t0_quality\n1,1\n"),
        ("labels.parquet", b"PAR1\xff\xfe"),
    ],
)
def test_a_table_or_a_log_given_as_a_policy_is_told_by_its_name(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(
        ConfigurationError, match="by its name it is a table or a log, and a policy"
    ):
        Policy.load(path)


@pytest.mark.parametrize(
    ("calibrator", "said"),
    [
        ({"score": {}}, "score: has no 'kind' to tell what it is"),
        ({"score": {"kind": "magic"}}, "score: has a 'kind' that is none of 'signal', 'logistic'"),
        ({"score": {"kind": "signal"}}, "score.signal: is missing"),
        ({"score": {"kind": "signal", "signal": 5}}, "score.signal: must be a text"),
        (
            {"score": SCORE, "curve": {"kind": "platt", "slope": -1, "intercept": 0}},
            "curve.slope: must be at least 0",
        ),
        (
            {"score": SCORE, "curve": {"kind": "isotonic", "x": [1, 0], "y": [0, 1]}},
            "curve: x must increase from point to point",
        ),
    ],
)
def test_a_branch_of_the_format_is_not_taken_for_a_key(calibrator, said):
    with pytest.raises(ConfigurationError) as caught:
        Policy.load({"calibrators": [calibrator]})
    assert str(caught.value).startswith(f"policy: calibrators[0].{said}")


@pytest.mark.parametrize(("name", "text"), [("p.json", JSON), ("p.toml", TOML)])
def test_a_byte_order_mark_is_no_trouble(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(f"\ufeff{text}", encoding="utf-8")
    assert Policy.load(path) == EXPECTED


def test_a_copy_is_checked_like_what_is_read():
    assert EXPECTED.model_copy(update={"name": "autumn"}).name == "autumn"
    with pytest.raises(ConfigurationError, match=r"^policy: name: must be a text$"):
        EXPECTED.model_copy(update={"name": 5})
    with pytest.raises(ConfigurationError, match="different numbers of tiers"):
        EXPECTED.model_copy(update={"calibrators": ()})


def test_a_copy_shares_its_parts_unless_it_is_said():
    assert EXPECTED.model_copy().defaults is EXPECTED.defaults
    deep = EXPECTED.model_copy(deep=True)
    assert deep == EXPECTED
    assert deep.defaults is not EXPECTED.defaults


def test_a_copy_without_changes_is_not_checked_anew(monkeypatch):
    monkeypatch.setattr(Policy, "_checked", None)
    assert EXPECTED.model_copy() == EXPECTED


def test_toml_that_is_nested_too_deeply_is_named(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text("name = " + "[" * 100_000, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r"policy\.toml is nested too deeply"):
        Policy.load(path)


def test_broken_toml_is_called_toml(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_text("name = ", encoding="utf-8")
    with pytest.raises(
        ConfigurationError, match=r"policy\.toml, line 1, column 7: is not valid TOML: "
    ):
        Policy.load(path)


def test_in_another_format_it_is_said_which_a_policy_has(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text("version: 1\n", encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        Policy.load(path)
    assert str(caught.value).endswith("; a policy is JSON, or TOML in a file that ends in .toml")


def test_a_file_that_is_no_text_is_an_error_of_configuration(tmp_path):
    path = tmp_path / "policy.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError) as caught:
        Policy.load(path)
    assert str(caught.value) == f"policy {path} is not UTF-8 text; save the file as UTF-8"


def test_a_file_that_is_not_there_is_named_with_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        Policy.load("polcy.json")
    assert str(caught.value) == (
        "policy polcy.json cannot be read: No such file or directory "
        f"in {tmp_path}, where this program runs"
    )
    with pytest.raises(ConfigurationError, match=r"gone\.json cannot be read: No such file"):
        Policy.load(tmp_path / "gone.json")
    with pytest.raises(
        ConfigurationError, match=r"cannot be read: Is a directory; name the file in it$"
    ):
        Policy.load(tmp_path)


def test_a_file_that_cannot_be_read_for_no_known_reason_is_named(monkeypatch):
    def fail(*_args, **_kwargs):
        raise PermissionError

    monkeypatch.setattr("builtins.open", fail)
    monkeypatch.setattr("io.open", fail)
    with pytest.raises(ConfigurationError, match=r"p\.json cannot be read: PermissionError$"):
        Policy.load("p.json")


def test_what_is_no_policy_is_refused_by_its_kind():
    with pytest.raises(ConfigurationError) as caught:
        Policy.load(5)
    assert str(caught.value) == "policy= takes a Policy, a mapping or a file path, not int"


# --- written ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [str, Path])
def test_a_policy_that_is_written_is_read_again_as_it_was(tmp_path, kind):
    path = tmp_path / "policy.json"
    policy = EXPECTED.model_copy(update={"name": "Frühling"})
    policy.save(kind(path))
    assert Policy.load(path) == policy
    assert list(tmp_path.iterdir()) == [path], "nothing unfinished is left behind"


def test_a_policy_is_written_to_be_read_by_people_too(tmp_path):
    path = tmp_path / "policy.json"
    Policy(name="Frühling", thresholds=(0.5,)).save(path)
    lines = path.read_text(encoding="utf-8").split("\n")
    assert lines[:3] == ["{", '  "version": 1,', '  "name": "Frühling",']
    assert lines[-2:] == ["}", ""]
    assert "null" not in "".join(lines)


def test_a_policy_takes_the_place_of_the_one_before(tmp_path):
    path = tmp_path / "policy.json"
    for policy in (EXPECTED, Policy(name="autumn")):
        policy.save(path)
    assert Policy.load(path).name == "autumn"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (PermissionError(), "PermissionError"),
    ],
)
def test_a_policy_that_cannot_be_written_leaves_what_was_there_and_nothing_else(
    tmp_path, monkeypatch, error, said
):
    def fail(*_args):
        raise error

    path = tmp_path / "policy.json"
    EXPECTED.save(path)
    with monkeypatch.context() as patched:
        patched.setattr("os.replace", fail)
        patched.setattr(Path, "replace", fail)
        with pytest.raises(ConfigurationError) as caught:
            Policy().save(path)
    assert str(caught.value) == f"policy {path} cannot be written: {said}"
    assert Policy.load(path) == EXPECTED
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(ConfigurationError, match="cannot be written: No such file or directory"):
        EXPECTED.save(tmp_path / "nowhere" / "policy.json")


# --- what it says of itself ---------------------------------------------------------------------


def test_policies_that_decide_alike_have_one_fingerprint():
    renamed = EXPECTED.model_copy(update={"name": "autumn"})
    assert renamed.fingerprint == EXPECTED.fingerprint
    for other in ({"thresholds": (0.7, 0.9)}, {"defaults": {"mode": "serve"}}):
        assert EXPECTED.model_copy(update=other).fingerprint != EXPECTED.fingerprint


def test_a_policy_says_how_many_tiers_it_is_for_and_what_it_reads():
    stages = [{"cost_usd": 1.0, "quality": 0.5}] * 3
    by = [{"score": {"kind": "signal", "signal": name}} for name in ("b", "a")]
    assert Policy().tiers is None
    assert EXPECTED.tiers == 3
    assert Policy.load({"route": {"stages": stages}}).tiers == 3
    assert Policy.load({"calibrators": by[:1]}).tiers == 2
    assert Policy().signals is None
    assert Policy.load({"calibrators": [*by, by[0]]}).signals == ("b", "a")


def test_parts_for_different_numbers_of_tiers_are_named():
    parts = {"thresholds": [0.5], "classes": {"a": {"thresholds": [0.5] * 3}}}
    with pytest.raises(ConfigurationError) as caught:
        Policy.load(parts)
    assert str(caught.value).endswith(
        "its parts are for different numbers of tiers: classes.a for 4 tiers, thresholds for 2 tiers"
    )


def test_an_error_in_a_mapping_is_the_policys():
    with pytest.raises(ConfigurationError, match=r"^policy: thresholds\[0\]: "):
        Policy.load({"thresholds": [2]})


def test_a_value_is_not_quoted_in_the_error():
    with pytest.raises(ConfigurationError) as caught:
        Policy.load({"api_key": "sk-secret"})
    assert "sk-secret" not in str(caught.value)


PROMISED: dict[str, Any] = {
    "thresholds": [0.5],
    "promises": [
        {
            "kind": "harm",
            "limit": 0.02,
            "confidence": 0.95,
            "rows": 100,
            "seen": 0.01,
            "p_value": 0.01,
            "method": "exact",
        }
    ],
}


@pytest.mark.parametrize("seen", [float("nan"), float("inf"), -0.1])
def test_a_promise_that_no_test_can_have_made_is_refused(seen: float) -> None:
    """As JSON it was null, and a database could not read back what it had kept."""
    assert Policy.load(PROMISED).promises
    content = {**PROMISED, "promises": [{**PROMISED["promises"][0], "seen": seen}]}
    with pytest.raises(ConfigurationError, match="seen"):
        Policy.load(content)


def test_half_of_a_surrogate_pair_is_refused_where_it_comes_in() -> None:
    with pytest.raises(ConfigurationError, match="half of a surrogate pair"):
        Policy.load({"name": "de\ud800sk"})
    with pytest.raises(ConfigurationError, match="half of a surrogate pair"):
        kept_document(Policy(name="de\ud800sk"))
