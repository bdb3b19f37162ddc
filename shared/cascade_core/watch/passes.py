"""A watch over a log: reads its audits, has the steward decide, and writes down what it did."""

from __future__ import annotations

from cascade_core.watch.events import WatchEvent


class LogWatch:
    """Watches a log, and the policies of a database.

    Any number of them may watch at once, in any processes: what one does is one transaction, and
    what was decided on an older state is dropped (`overtaken`). All it knows is in the database, so
    that it may be ended at any time.

    Args:
        log: The log that audits are read from: a file, or a database's URL.
        policy: The URL of the database whose active version cascades go by; None is the log's.
        harm: The most quality that may be lost by not asking the strongest tier, per request.
        confidence: Chance, at the least, that no version which it activates ever passes that.
        propose: Whether to save what passes without activating it.
        cascade: The cascade whose decisions are read, where several write to the log.

    Raises:
        ConfigurationError: An argument is out of range, or the home of policies is no database.
    """

    def __init__(  # noqa: PLR0913 - what it watches, and what for
        self,
        log: str,
        policy: str | None = None,
        *,
        harm: float,
        confidence: float = 0.95,
        propose: bool = False,
        cascade: str | None = None,
    ) -> None:
        raise NotImplementedError

    def once(self, at: float | None = None) -> list[WatchEvent]:
        """Read what is new, and do what it carries.

        Without any audits in the log it waits and says so (`waiting`); it never raises for that.

        Args:
            at: Now, in seconds since 1970; the clock's by default.

        Returns:
            What happened, at least one event. The version that decides afterwards is the
            database's active one; before a first promise holds there may be none.

        Raises:
            ConfigurationError: The log cannot be read, or the database not written.
        """
        raise NotImplementedError
