"""`warn`: a `CascadeWarning` that names the line of the caller's code, however deep it is given.

A cascade is called through frameworks, generators and event loops, so no fixed number of frames
leads back to who called it. Where no line of the caller's is what it is about, it names none.
"""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from pathlib import Path
from types import FrameType

from cascade_core.errors import CascadeWarning

NOT_THE_CALLER = sys.stdlib_module_names | {
    "anyio",
    "cascade_core",
    "cascade_demo",
    "langchain",
    "langchain_cascade",
    "langchain_classic",
    "langchain_core",
    "langgraph",
    "langsmith",
    "llama_index",
    "llama_index_instrumentation",
    "llamaindex_cascade",
    "pydantic",
    "tenacity",
    "tqdm",
    "typer",
    "workflows",
    "wrapt",
}
"""Packages between a cascade and the code that uses it."""


BEHIND = "cascade-"
"""How the names of our own threads begin that work behind the requests: nobody waits for them."""

_NOWHERE = "<cascade>"
_logger = logging.getLogger("cascade_core")
_INSTALLED = {"site-packages", "dist-packages"}
_shown: dict[str | tuple[str, type[Warning], int], int] = {}


def warn(text: str) -> None:
    """Warn with `CascadeWarning`, at the caller's line.

    Where the caller is in another thread (a batch runs in a pool of them), it is the main thread's
    line if that waits. A thread of ours that nobody waits for has no caller, and a main thread in
    the middle of another library's work may do so for anybody: then it is at `<cascade>`.

    Args:
        text: What to say; no prompt, answer or key.
    """
    frame = _outside(sys._getframe(1))  # noqa: SLF001 - as `warnings` itself does
    if frame is None and not threading.current_thread().name.startswith(BEHIND):
        main = threading.main_thread().ident
        frame = _outside(sys._current_frames().get(main or 0))  # noqa: SLF001
        if frame is not None and not _INSTALLED.isdisjoint(Path(frame.f_code.co_filename).parts):
            frame = None
    if frame is None:
        warnings.warn_explicit(text, CascadeWarning, _NOWHERE, 0, "cascade_core", _shown)
        return
    warnings.warn_explicit(
        text,
        CascadeWarning,
        frame.f_code.co_filename,
        frame.f_lineno,
        frame.f_globals.get("__name__", "<unknown>"),
        frame.f_globals.setdefault("__warningregistry__", {}),
    )


def warn_or_log(text: str) -> None:
    """Warn while requests are answered; where warnings are errors, log it.

    An answer that is paid for must get out, whatever a caller's filters or `showwarning` raise.

    Args:
        text: As for `warn`.
    """
    try:
        warn(text)
    except Exception:  # noqa: BLE001 - also what a `showwarning` of the caller's raises
        _logger.warning("%s", text)


def _outside(frame: FrameType | None) -> FrameType | None:
    """Return the innermost frame of code that is none of ours or a framework's."""
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package not in NOT_THE_CALLER:
            return frame
        frame = frame.f_back
    return None
