"""What a watch tells of: each thing that it did or waits for, in plain JSON and in a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from cascade_core.errors import ConfigurationError
from cascade_core.log.policies import MeanwhileError
from cascade_core.moments import as_iso

WatchKind: TypeAlias = Literal[
    "waiting", "frozen", "activated", "proposed", "withdrawn", "adopted", "drifted", "overtaken"
]
"""`waiting`: nothing changed, and what for. `frozen`: a candidate was fitted and its test began.
`activated`: a version that passed decides from now on. `proposed`: it passed and was only saved.
`withdrawn`: what decided is taken back, for the last good version or the strongest tier.
`adopted`: somebody else activated a version, which is watched from now on. `drifted`: audits say
that harm has changed; older ones are no longer learned from. `overtaken`: another watcher did this
pass."""


@dataclass(frozen=True, slots=True)
class WatchEvent:
    """One thing that a watch did.

    Attributes:
        kind: See `WatchKind`.
        at: When, in seconds since 1970.
        said: The same in a sentence.
        version: Number of the policy's version that it is about, where there is one.
        detail: Figures, as plain JSON.
    """

    kind: WatchKind
    at: float
    said: str
    version: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {
            "event": self.kind,
            "at": as_iso(self.at),
            "said": self.said,
            "version": self.version,
            **self.detail,
        }


@contextmanager
def naming_harmful(version: int | None, limit: float) -> Iterator[None]:
    """Have an error of writing say what goes on deciding although it is to be taken back.

    Args:
        version: Which version that is; None where none is.
        limit: The most quality that may be lost.
    """
    try:
        yield
    except MeanwhileError:
        raise
    except ConfigurationError as error:
        if version is None:
            raise
        raise ConfigurationError(
            f"{error} Version {version} is in use and should be taken back: it may lose more than "
            f"{limit:g} of quality per request"
        ) from None
