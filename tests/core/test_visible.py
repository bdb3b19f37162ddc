"""What a terminal is shown of texts that would steer it."""

import pytest
from rich.console import Console

from cascade_core.visible import SafeText, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jrefunds", r"\x1b[2Jrefunds"),
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("a\rb\x08\x7f\x9b31m", r"a\rb\x08\x7f\x9b31m"),
        ("\u202eabc", r"\u202eabc"),
        ("two\nlines\tü 漢 😀", "two\nlines\tü 漢 😀"),
    ],
)
def test_what_steers_a_terminal_is_written_out(text, shown):
    assert visible(text) == shown
    console = Console(width=80, force_terminal=True)
    with console.capture() as capture:
        console.print(SafeText(text, style="bold"), "[x]")
    assert text == shown or ("\x1b[2J" not in capture.get() and "\x07" not in capture.get())
