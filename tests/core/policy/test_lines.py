"""What is wrong with a policy file is told with the line and the column where it stands."""

import pytest

from cascade_core import Policy
from cascade_core.errors import ConfigurationError
from cascade_core.policy.lines import find_place, find_second

TOML = '''# a comment with [brackets] and name = "none"
name = "x"
thresholds = [
  0.5,  # one, [2
  0.6,
]

[[rules]]
name = "legal"
match = { tag = ["a", "b"], metadata = { "ten.ant" = "acme" } }
then.bypass = true

[[rules]]
name = """two
lines = [ """
[rules.match]
regex = '(?i)[a-z]"'
[rules.then]
bypass = [0, 1]
[classes.legal]
thresholds = [0.9, 0.9]
[tuned]
first = 1979-05-27 07:32:00
'''
JSON = """{
  "name": "x \\" { [",
  "thresholds": [0.5, 0.6],
  "empty": [{}, [], {"a": null}],
  "rules": [
    {"name": "a", "match": {"tag": "x"}, "then": {"pin": 0}},
    {"name": "b",
     "then": {"bypass": [0, 1]}}
  ]
}
"""


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("name",), (2, 1)),
        (("thresholds",), (3, 1)),
        (("thresholds", 1), (5, 3)),
        (("rules",), (8, 1)),
        (("rules", 0), (8, 1)),
        (("rules", 0, "match", "tag", 1), (10, 23)),
        (("rules", 0, "match", "metadata", "ten.ant"), (10, 42)),
        (("rules", 0, "then", "bypass"), (11, 1)),
        (("rules", 1), (13, 1)),
        (("rules", 1, "name"), (14, 1)),
        (("rules", 1, "match"), (16, 1)),
        (("rules", 1, "match", "regex"), (17, 1)),
        (("rules", 1, "then", "bypass", 1), (19, 14)),
        (("rules", 1, "then", "missing"), (18, 1)),
        (("classes", "legal", "thresholds", 0), (21, 15)),
        (("tuned", "first"), (23, 1)),
        (("gone",), None),
        ((), None),
    ],
)
def test_a_part_of_toml_is_found(path, place):
    assert find_place(TOML, path, toml=True) == place


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("name",), (2, 3)),
        (("thresholds", 1), (3, 23)),
        (("empty", 2, "a"), (4, 22)),
        (("rules", 0, "match", "tag"), (6, 29)),
        (("rules", 1), (7, 5)),
        (("rules", 1, "then", "bypass", 1), (8, 29)),
        (("rules", 1, "match"), (7, 5)),
        (("gone",), None),
    ],
)
def test_a_part_of_json_is_found(path, place):
    assert find_place(JSON, path, toml=False) == place


def test_a_list_of_tables_in_a_list_of_tables_is_found():
    text = "[[a]]\n[[a.b]]\n[[a.b]]\nx = 1\n[[a]]\n[[a.b]]\nx = 1\n"
    assert find_place(text, ("a", 0, "b", 1, "x"), toml=True) == (4, 1)
    assert find_place(text, ("a", 1, "b", 0, "x"), toml=True) == (7, 1)


def test_a_key_that_stands_there_twice_is_found_the_second_time():
    assert find_second('{"a": {"b": 1,\n"b": 2}}', toml=False) == (2, 1)
    assert find_second(JSON, toml=False) is None


@pytest.mark.parametrize("toml", [True, False])
@pytest.mark.parametrize("end", range(0, len(TOML), 7))
def test_looking_in_a_broken_document_ends(end, toml):
    text = (TOML if toml else JSON)[:end]
    place = find_place(text, ("rules", 1, "then"), toml=toml)
    assert place is None or place[0] <= text.count("\n") + 1


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "p.toml",
            TOML.replace("[0, 1]", "[0, 'x']").replace("[tuned]", "[gone]"),
            ", line 19, column 14: rules[1].then.bypass[1]: must be a whole number",
        ),
        (
            "p.toml",
            TOML.replace("bypass = true", "bypas = true"),
            ", line 11, column 1: rules[0].then.bypas: is no key that belongs here; did you mean",
        ),
        ("p.toml", "name = 'a'\nname = 'b'\n", ", line 2, column 11: is not valid TOML"),
        ("p.toml", "\nname = [1,\n", ", line 2, column 11: is not valid TOML"),
        ("p.json", '{\n"name": 5}', ", line 2, column 1: name: must be a text"),
        ("p.json", '{\n"name" 5}', ", line 2, column 8: is not valid JSON: Expecting ':'"),
        ("p.json", '{"name": "a",\n"name": "b"}', ", line 2, column 1: is not valid JSON: the key"),
        ("p.json", '{"thresholds":\n[0.5, 0.5],"rules": []}', None),
    ],
)
def test_an_error_says_where(tmp_path, name, text, said):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    if said is None:
        assert Policy.load(path).thresholds == (0.5, 0.5)
        return
    with pytest.raises(ConfigurationError) as caught:
        Policy.load(path)
    assert str(caught.value).startswith(f"policy {path}{said}")
