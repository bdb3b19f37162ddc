"""What wants to know of requests: a budget, a log of its own, telemetry."""

from __future__ import annotations

from typing import Any, Literal


class Hook:
    """Told of every request of a cascade, however it was called; any method may be left out.

    No method may wait: those of an async request run on its event loop. In shadow mode the caller
    has the answer first: `decided` and `ended` come when everything is known, in a thread or a task
    behind the request. An audit is no part of the request: it may follow.
    """

    def before(self, session: Any) -> None:
        """Told before any model is called; what it raises ends the request."""

    def decided(self, session: Any) -> None:
        """Told when the session has a verdict and a record, before the caller has the answer."""

    def ended(self, session: Any) -> None:
        """Told when nothing more will be called: answered, exhausted, failed, cancelled or left.

        `session.verdict` or `session.error` says which; `session.calls` is what was paid for.
        """


def tell(session: Any, moment: Literal["decided", "ended"]) -> None:
    """Tell the hooks; one that fails costs no answer, which is paid for."""
    for hook in session.engine.hooks:
        try:
            getattr(hook, moment)(session)
        except Exception as error:  # noqa: BLE001 - the answer must get out
            session.plan.notices.give(
                f"hook:{type(hook).__name__}:{moment}",
                f"{type(hook).__name__}.{moment} raised {type(error).__name__}; "
                "the request went on without it",
            )
