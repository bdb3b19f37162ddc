"""A page whose code does not do what the page says is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.rewrite import rewritten
from tests.docs.running import run, set_up_fault

NOWHERE = 9  # no page here asks a provider


def page(folder: Path, text: str) -> Path:
    path = folder / "page.md"
    path.write_text(text.replace("'''", "```"), encoding="utf-8")
    return path


GOOD = """
# Page

<!-- invisible-code-block: python
hidden = 1
-->

'''python
shown = hidden + 1
'''

- A list:

    '''python
    assert shown == 2, "not two"
    '''

'''toml title="sub/settings.toml"
a = 1
'''

'''python title="script.py"
print("two", 2)
'''

'''console
$ python script.py
two 2
$ cat \\
    sub/settings.toml
a = 1
$ cat nowhere
cat: nowhere: No such file or directory
'''

'''sh
pip install 'model-cascade[langchain]'   # the extra
make demo PYTHON=python3.12
'''
"""


def test_a_page_that_is_right(tmp_path: Path) -> None:
    ran = run(page(tmp_path, GOOD), NOWHERE)
    assert ran.commands == ["python script.py", "cat      sub/settings.toml", "cat nowhere"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("hidden + 1", "1 / 0"), "division by zero"),
        (("shown == 2", "shown == 3"), "not two"),
        (("two 2\n", "two 3\n"), r"\+ two 2"),
        (("$ python script.py\ntwo 2\n", ""), "no command runs script.py"),
        (("cat: nowhere: No such file or directory\n", ""), "cat: nowhere"),
        (("cat: nowhere: No such file or directory", "…"), "ended with status 1"),
        (("sub/settings.toml\na", "../settings.toml\na"), "No such file"),
        (('"sub/settings.toml"', '"../settings.toml"'), "belongs into the page's folder"),
        (("[langchain]", "[langchian]"), "no such extra: langchian"),
        (("make demo", "make dmeo"), "no such target"),
        (("make demo", "cascade demo"), "show this as `console`"),
        (("$ ", "% "), "begins with"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_page_that_is_wrong(tmp_path: Path, change: tuple[str, str], told: str) -> None:
    assert change[0] in GOOD
    with pytest.raises(Exception, match=told):
        run(page(tmp_path, GOOD.replace(*change)), NOWHERE)


def test_a_command_may_go_on_behind_the_others(tmp_path: Path) -> None:
    text = "'''console\n$ sleep 100 &\n$ echo hello\nhello\n'''\n"
    assert run(page(tmp_path, text), NOWHERE).commands == ["sleep 100 &", "echo hello"]


def test_outputs_are_written_in_place(tmp_path: Path) -> None:
    text = GOOD.replace("two 2\n", "old\nolder\n").replace("a = 1\n$", "…\n$")
    path = page(tmp_path, text)
    fresh = run(path, NOWHERE, rewrite=True).fresh
    path.write_text(rewritten(path.read_text("utf-8"), fresh), "utf-8")
    assert path.read_text("utf-8").replace("```", "'''") == GOOD.replace("a = 1\n$", "…\n$")
    assert run(path, NOWHERE, rewrite=True).fresh == {}


@pytest.mark.parametrize(
    "line", ["", "# a comment", "export OPENAI_API_KEY=…", "python3 -m venv .venv", "make test"]
)
def test_what_sets_a_machine_up(line: str) -> None:
    assert set_up_fault(line) is None


def test_no_page_reaches_the_network(tmp_path: Path) -> None:
    ask = "import socket; socket.create_connection(('192.0.2.1', 80), 1)"
    path = page(
        tmp_path, f"'''python title=\"a.py\"\n{ask}\n'''\n\n'''console\n$ python a.py\n'''\n"
    )
    with pytest.raises(AssertionError, match="runs without a network"):
        run(path, NOWHERE)
