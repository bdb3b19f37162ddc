"""Equal requests have equal digests, under a key that is the environment's, the log's or ours."""

import subprocess
import sys
import threading

import pytest

from cascade_core.log import registry
from cascade_core.log.digest import KEY_VARIABLE, digest_of, read_key
from cascade_core.log.registry import RegisteredLog
from cascade_core.request import Request, ToolCall, ToolSpec, Turn

KEY = b"key"
ASKED = Request.of("Where is my order?", system="Be kind.")


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)


def test_equal_requests_have_equal_digests_and_nothing_of_their_text():
    again = Request.of("Where is my order?", system="Be kind.")
    assert digest_of(ASKED, KEY) == digest_of(again, KEY)
    assert len(digest_of(ASKED, KEY)) == 32


def called(arguments):
    return Request([Turn("assistant", "", (ToolCall("find", arguments, "id"),))])


@pytest.mark.parametrize(
    "other",
    [
        Request.of("Where is my order", system="Be kind."),
        Request.of("Where is my order?"),
        Request([Turn("user", "Be kind."), Turn("user", "Where is my order?")]),
        Request([Turn("system", "Be kind.Where is my order?")]),
        Request([*ASKED.turns, Turn("assistant", "")]),
        Request(ASKED.turns, tools=[ToolSpec("find_order")]),
        Request(ASKED.turns, contexts=["Orders take a week."]),
        Request([ASKED.turns[0], Turn("user", "Where is my order?", unseen=("image",))]),
    ],
)
def test_another_word_role_tool_text_or_picture_is_another_digest(other):
    assert digest_of(other, KEY) != digest_of(ASKED, KEY)


def test_the_arguments_of_calls_count_and_the_order_of_their_names_does_not():
    assert digest_of(called({"a": 1, "b": 2}), KEY) == digest_of(called({"b": 2, "a": 1}), KEY)
    assert digest_of(called({"a": 1}), KEY) != digest_of(called({"a": 2}), KEY)
    assert digest_of(called({"a": object()}), KEY) == digest_of(called({"a": object()}), KEY)


def test_half_of_a_surrogate_pair_has_a_digest_too():
    assert digest_of(Request.of("\ud83d"), KEY)


class Log:
    def __init__(self, key=b"own", error=None):
        self.own, self.error, self.asked = key, error, 0

    def digest_key(self):
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.own


def test_the_key_is_the_environments_else_the_logs_else_this_processs(monkeypatch):
    assert read_key(object()) == read_key(object())
    assert read_key(Log()) == b"own"
    assert read_key(Log("text")) == b"text"
    assert read_key(Log(None)) is None
    monkeypatch.setenv(KEY_VARIABLE, "of the environment")
    assert read_key(Log()) == read_key(object()) == b"of the environment"
    monkeypatch.setenv(KEY_VARIABLE, "x" * 999)
    assert len(read_key(Log())) == 64


def test_another_process_has_another_key():
    code = "from cascade_core.log.digest import read_key; print(read_key(None).hex())"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert bytes.fromhex(run.stdout) != read_key(None)


@pytest.mark.parametrize("log", [Log(None), Log(error=OSError())])
def test_a_log_that_gives_no_key_is_asked_again_behind_the_requests(log, monkeypatch):
    registered = RegisteredLog(log, None)
    assert registered.cold
    assert registered.digest(ASKED) is None
    assert not registered.cold
    assert registered.digest(ASKED) is None
    assert log.asked == 1
    now = registry.monotonic() + registry.AGAIN
    monkeypatch.setattr(registry, "monotonic", lambda: now)
    log.own, log.error = b"own", None
    before = set(threading.enumerate())
    registered.digest(ASKED)
    for thread in set(threading.enumerate()) - before:
        thread.join()
    assert registered.digest(ASKED) == digest_of(ASKED, b"own")
    assert log.asked == 2
