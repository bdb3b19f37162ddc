import pytest

from cascade_core.draft import Draft
from cascade_core.request import ToolCall, ToolSpec
from cascade_core.signals.agreement import comparer, same
from cascade_core.signals.tool_arguments import same_calls
from tests.benchmarks.tool_pairs import PAIRS, TOOLS
from tests.core.signals.growth import in_proportion


def draft(*arguments, name="book"):
    return Draft(tool_calls=[ToolCall(name, each) for each in arguments])


def said_by(schema, a, b, name="book"):
    tools = [ToolSpec(name, schema)]
    pairs = (a, b), (b, a)
    one, other = (same_calls(draft(x, name=name), draft(y, name=name), tools) for x, y in pairs)
    assert one is other, "it does not matter which is the draft"
    return one


def said_of(schema, a, b, *, name="about", **others):
    return said_by({"properties": {name: schema}, **others}, {name: a}, {name: b})


TEXT, NUMBER = {"type": "string"}, {"type": "number"}
OPTIONAL = {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}
CITY = {"enum": ["Paris", "Rome"], "type": "string"}


@pytest.mark.parametrize(
    ("schema", "a", "b"),
    [
        (NUMBER, 5, "5"),
        (NUMBER, "1.50", 1.5),
        ({"type": "integer"}, 5.0, " 5 "),
        ({"type": ["integer", "null"]}, 5, "5"),
        ({"type": "boolean"}, True, "True"),
        (CITY, "paris", "Paris "),
        ({"type": "string", "format": "date"}, "2024-05-01", "May 1, 2024"),
        ({"type": "string", "format": "date"}, "2024/05/01", "1 May 2024"),
        (
            {"type": "string", "format": "date-time"},
            "2024-05-01T10:00:00Z",
            "2024-05-01T12:00:00+02:00",
        ),
        ({"type": "string", "format": "uuid"}, "AB12-0F", "ab12-0f"),
        (TEXT, "Hotel near  the station", "hotel near the station"),
        (TEXT, "Paris ", "Paris"),
        ({"type": "array", "uniqueItems": True, "items": NUMBER}, [1, 2], ["2", 1]),
        ({"type": "array", "items": NUMBER}, [1, 2], ["1", 2]),
        ({"type": "array", "prefixItems": [NUMBER], "items": CITY}, [1, "rome"], ["1", "Rome"]),
        (OPTIONAL, 5, "5"),
        ({"anyOf": [{"type": "string", "format": "date"}, {"type": "integer"}]}, "2024-05-01",
         "May 1, 2024"),
        ({"allOf": [{"$ref": "#/$defs/Count"}], "title": "How many"}, 3, "3"),
        ({"type": "object", "properties": {"n": NUMBER}}, {"n": 1, "m": 2}, {"m": 2.0, "n": "1"}),
        ({"type": "object", "additionalProperties": NUMBER}, {"x": 1}, {"x": "1"}),
    ],
)  # fmt: skip
def test_what_the_schema_leaves_open_is_no_difference(schema, a, b):
    assert said_of(schema, a, b, **{"$defs": {"Count": {"type": "integer"}}})


@pytest.mark.parametrize(
    ("schema", "a", "b"),
    [
        (NUMBER, 5, "6"),
        (NUMBER, 5, "5 nights"),
        (NUMBER, 1000, "1,000"),
        (NUMBER, True, 1),
        (NUMBER, 5, None),
        ({"type": "boolean"}, True, "yes"),
        ({"type": "boolean"}, True, 1),
        (CITY, "Paris", "Rome"),
        ({"enum": ["a", "A"]}, "a", "A"),
        (TEXT, 5, "5"),
        (TEXT, "2024-05-01", "May 1, 2024"),
        ({"type": "string", "format": "date"}, "2024-05-01", "05/01/2024"),
        ({"type": "string", "format": "date"}, "2024-05-01", "2024-05-02"),
        ({"type": "string", "format": "date-time"}, "2024-05-01T10:00:00", "2024-05-01T10:00:00Z"),
        (TEXT, "Paris", "paris"),
        (TEXT, "rm -R build", "rm -r build"),
        (TEXT, "one two", "one, two"),
        (TEXT, "if x:\n    run()", "if x:\nrun()"),
        ({"type": "string", "pattern": "^[A-Za-z ]+$"}, "Row A", "row a"),
        ({"type": "array", "items": NUMBER}, [1, 2], [2, 1]),
        ({"type": "array", "uniqueItems": True}, [1, 2], [1, 3]),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, 5, "5"),
        ({}, 5, "5"),
        ({"type": "object"}, {"n": 1}, {"n": 1, "m": 2}),
        ({"$ref": "#/$defs/Nowhere"}, 5, "5"),
        ({"$ref": "#/$defs/Loop"}, 5, "5"),
    ],
)
def test_what_is_doubtful_differs(schema, a, b):
    assert not said_of(schema, a, b, **{"$defs": {"Loop": {"$ref": "#/$defs/Loop"}}})


@pytest.mark.parametrize("name", ["id", "order_id", "userId", "path", "query", "branch"])
def test_ids_and_their_kind_go_letter_by_letter(name):
    assert not said_of(TEXT, "Row A", "row a", name=name)
    assert said_of(TEXT, "Row A", "row a", name="seat")


@pytest.mark.parametrize(
    ("schema", "a", "b", "alike"),
    [
        ({"default": 3}, {}, {"n": 3}, True),
        ({"default": 3, "type": "integer"}, {}, {"n": "3"}, True),
        ({"default": 3}, {}, {"n": 4}, False),
        ({"default": 3}, {}, {"n": None}, False),
        (OPTIONAL, {}, {"n": None}, True),
        (OPTIONAL, {}, {"n": 0}, False),
        (NUMBER, {}, {"n": None}, True),
        ({"default": False, "type": "boolean"}, {}, {"n": False}, True),
        ({"default": False, "type": "boolean"}, {}, {"n": 0}, False),
    ],
)
def test_an_argument_left_out_is_its_default(schema, a, b, alike):
    assert said_by({"properties": {"n": schema}}, a, b) is alike


def test_a_required_argument_that_is_null_is_not_one_left_out():
    assert not said_by({"properties": {"n": OPTIONAL}, "required": ["n"]}, {}, {"n": None})


def test_kinds_are_told_apart_by_what_they_must_say():
    circle = {"properties": {"kind": {"const": "circle"}, "r": NUMBER}, "type": "object"}
    square = {"properties": {"kind": {"const": "square"}, "r": TEXT}, "type": "object"}
    shape = {"oneOf": [circle, square]}
    assert said_of(shape, {"kind": "circle", "r": 1}, {"kind": "circle", "r": "1"})
    assert not said_of(shape, {"kind": "square", "r": 1}, {"kind": "square", "r": "1"})
    assert not said_of(shape, {"kind": "square", "r": 1}, {"kind": "circle", "r": 1})


def test_parallel_calls_are_the_same_in_any_order_and_each_counts_once():
    tools = [ToolSpec("book", {"properties": {"n": NUMBER}})]
    assert same_calls(draft({"n": 1}, {"n": 2}), draft({"n": "2"}, {"n": "1"}), tools)
    assert not same_calls(draft({"n": 1}, {"n": 1}), draft({"n": "1"}, {"n": 2}), tools)
    assert not same_calls(draft({"n": 1}, {"n": 1}), draft({"n": 1}), tools)


def test_what_cannot_be_read_to_its_end_differs():
    deep: dict[str, object] = {"n": "1"}
    for _ in range(3_000):
        deep = {"n": deep}
    assert not same_calls(draft(deep), draft({"n": {"n": 1}}), [ToolSpec("book", {})])
    huge = 10**5_000
    assert not said_of(NUMBER, huge, "1")
    assert not said_of({"type": "array", "uniqueItems": True}, [*range(300)], [*range(299, -1, -1)])


def test_samples_and_audits_compare_by_the_same_table():
    tools = [ToolSpec("book", {"properties": {"n": NUMBER}})]
    a, b = draft({"n": 1}), draft({"n": "1"})
    assert comparer("auto")(a, b, tools)
    assert same(a, b, tools) is True
    assert not comparer("auto")(a, b)
    assert same(a, b) is False


@pytest.mark.parametrize("piece", ["a", "a ", "a' ", "a, ", "_ ", "1", " ", "ﬁ ", "2024-"])
def test_texts_are_compared_in_proportion_to_their_length(piece):
    for schema in (TEXT, NUMBER, {"type": "string", "format": "date"}):
        assert in_proportion(lambda text, s=schema: said_of(s, text, text.upper()), "", piece, "_")


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_pairs_labelled_by_hand_are_told_right(pair):
    assert said_by(TOOLS[pair.tool], pair.a, pair.b, name=pair.tool) is pair.same
