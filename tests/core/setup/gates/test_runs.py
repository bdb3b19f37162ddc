import asyncio
import pickle
import threading
import warnings

import pytest

from cascade_core import Runs
from cascade_core.draft import Draft
from cascade_core.errors import ConfigurationError
from cascade_core.likeness import likeness
from cascade_core.loop import drivers
from cascade_core.loop.judging import failed_custom_gate
from cascade_core.request import Request, ToolCall
from cascade_core.setup.gates import make_gates
from cascade_core.setup.gates.code_blocks import CodeBlock, code_blocks
from cascade_core.signals.make import make_signals
from tests.core.making import plan_for

REQUEST = Request.of("Write a function.")


def passes(text, gate=None):
    return (gate or Runs())(REQUEST, Draft(text))


def block(code, language="python"):
    return f"Here it is:\n\n```{language}\n{code}\n```\n\nThat is all."


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "def f(x):\n    return x + 1"),
        ("py", "  x = 1\n  y = 2"),
        ("python", ">>> 1 + 1\n2\n>>> for x in y:\n...     x"),
        ("python", "await f()"),
        ("Python title=a.py", "x: int = 1"),
        ("{.python}", "x = 1"),
        ("python", r"x = '\d'"),
        ("json", '{"a": [1, 2]}'),
        ("jsonl", '{"a": 1}\n\n{"a": 2}'),
        ("toml", "[a.b]\nc = 1.5 # so it is. Or is it?"),
        ("xml", "<a b='1'>&amp;</a>"),
        ("yaml", "a: [1, 2]\nb: 1"),
        ("rust", "fn main() {"),
        ("", "def f(:"),
    ],
)
def test_code_that_can_be_read_passes_and_so_does_what_nobody_here_can_read(language, code):
    assert passes(block(code, language))


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("python", "def f(:"),
        ("python", "return 1"),
        ("py3", "def f(a, a): pass"),
        ("python", "x = 1\0"),
        ("python", "x = '\ud800'"),
        ("json", '{"a": 1,}'),
        ("jsonl", '{"a": 1}\n{"a": 2'),
        ("toml", "a = 1\na = 2"),
        ("xml", "<a><b></a>"),
        ("xml", '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
        ("yml", "a: [1"),
    ],
)
def test_code_that_cannot_be_read_does_not(language, code):
    assert not passes(block(code, language))


@pytest.mark.parametrize("text", ["", "No code at all.", "`def f(:` is a line of it.", "def f(:"])
def test_an_answer_without_code_passes_unless_code_is_required(text):
    assert passes(text)
    assert not passes(text, Runs(language="python", required=True))


def test_where_code_is_required_an_answer_without_a_fence_is_code_as_a_whole():
    seen = []
    gate = Runs(lambda code, _: not seen.append(code), language="python", required=True)
    assert passes("x = 1", gate)
    assert passes(block("y = 2"), gate)
    assert seen == ["x = 1", "y = 2"]


def test_a_fence_that_is_not_closed_reaches_to_the_end():
    assert passes("```python\nx = 1\ny = 2")
    assert not passes("```python\nx = 1\ny = (")


@pytest.mark.parametrize("code", ["(" * 9_000, "-" * 9_000 + "1", "1+" * 9_000 + "1", "a" + ".b" * 9_000,
    "9" * 9_000, "lambda:" * 9_000 + "1", "f'" + "{" * 9_000, "x = 1\n" * 20_000,
])  # fmt: skip
def test_python_without_end_does_not_pass_and_does_no_harm(code):
    assert not passes(block(code))
    outcome = []
    thread = threading.Thread(target=lambda: outcome.append(passes(block(code))))
    thread.start()
    thread.join()
    assert outcome == [False]


@pytest.mark.parametrize(
    ("language", "code"),
    [
        ("json", "[" * 90_000),
        ("json", "9" * 90_000),
        ("toml", "a" + ".a" * 40_000 + " = 1"),
        ("toml", "a = " + "[" * 90_000),
        ("toml", '"a"' + '."a"' * 20_000 + " = 1"),
        ("xml", "<a>" * 30_000),
        ("yaml", "[" * 90_000),
        ("yaml", "- " * 40_000),
    ],
)
def test_documents_without_end_do_not_pass(language, code):
    assert not passes(block(code, language))


def test_no_warning_is_shown_of_a_drafts_code():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert passes(block("x = '\\d'\nif x is 'y': pass"))
    assert not seen
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert passes(block("x = '\\d'\nif x is 'y': pass"))


def test_nothing_is_executed():
    assert passes(block("raise SystemExit(1)"))


def test_the_check_sees_the_code_of_all_blocks_and_the_request():
    seen = []
    gate = Runs(lambda *given: not seen.append(given))
    assert passes(block("x = 1") + block("ls", "sh"), gate)
    assert seen == [("x = 1\n\nls", REQUEST)]


def test_with_a_language_blocks_in_others_do_not_count():
    seen = []
    gate = Runs(lambda code, _: not seen.append(code), language="py")
    assert passes(block("x = 1") + block("[broken", "json") + block("1", ""), gate)
    assert passes(block("x = 2", ""), gate)
    assert not passes(block("x = ", ""), gate)
    assert seen == ["x = 1", "x = 2"]


def test_the_check_is_not_asked_about_code_that_does_not_parse():
    assert not passes(block("x ="), Runs(lambda *_: 1 / 0))


def test_the_check_may_be_awaited():
    async def check(code, request):
        await asyncio.sleep(0)
        return code == "x = 1"

    assert asyncio.run(passes(block("x = 1"), Runs(check))) is True
    assert asyncio.run(passes(block("x = 2"), Runs(check))) is False


def test_a_tool_call_is_no_code():
    draft = Draft(block("x ="), [ToolCall("run", {"code": "x ="})])
    assert Runs(required=True)(REQUEST, draft)


def test_it_is_a_gate_of_a_reason_of_its_own_that_no_event_loop_waits_for():
    made = make_gates([Runs(), lambda *_: True])[-2:]
    assert [(gate.reason, gate.own, gate.blocks) for gate in made] == [
        ("gate_runs", False, True),
        ("gate_custom", False, False),
    ]


def test_its_check_runs_where_no_event_loop_waits_for_it():
    threads = []

    def check(code, request):
        threads.append(threading.get_ident())
        return True

    plan = plan_for(2, gates=[Runs(check)])
    flow = failed_custom_gate(plan, REQUEST, Draft(block("x = 1")))
    assert asyncio.run(drivers.arun(flow, Nobody())) is None
    assert threads != [threading.get_ident()]


class Nobody:
    """A port that nothing is asked of."""

    fatal = ()

    async def close(self):
        """Close nothing."""


@pytest.mark.parametrize(
    "settings",
    [
        {"check": "f"},
        {"language": "?"},
        {"language": 3},
        {"language": "sql"},  # of which nothing would be checked
        {"required": "yes"},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings):
    with pytest.raises(ConfigurationError, match=next(iter(settings))):
        Runs(**settings)


def test_what_is_not_parsed_is_for_a_check_or_has_to_be_there():
    assert not passes("Here it is.\n```sql\n```", Runs(language="sql", required=True))
    assert Runs(print, language="sql").language == "sql"


def test_a_gate_in_place_of_a_signal_is_refused():
    with pytest.raises(ConfigurationError, match=r"a gate, Runs\(…\): it goes into gates="):
        make_signals([Runs()])


def test_a_class_in_place_of_a_gate_is_refused():
    with pytest.raises(ConfigurationError, match=r"make one: Runs\(…\)"):
        make_gates([Runs])


def test_gates_that_check_otherwise_are_told_apart():
    gates = [Runs(), Runs(print), Runs(repr), Runs(language="py"), Runs(required=True)]
    assert len({gate.__qualname__ for gate in gates}) == len(gates)
    assert len({likeness(gate) for gate in gates}) == len(gates)
    assert likeness(Runs(print)) == likeness(Runs(print))


def test_it_can_be_pickled_and_shows_its_settings():
    gate = pickle.loads(pickle.dumps(Runs(print, language="py")))
    assert repr(gate) == "Runs(check=print, language='python', required=False)"


def test_blocks_are_found_in_lists_and_with_longer_fences():
    text = (
        "1. Do:\n   ```py\n   x = 1\n   ```\n2. Then:\n\n````md\n```py\nx\n```\n````\n~~~\ny\n~~~"
    )
    assert code_blocks(text) == [
        CodeBlock("python", "x = 1"),
        CodeBlock("md", "```py\nx\n```"),
        CodeBlock(None, "y"),
    ]
