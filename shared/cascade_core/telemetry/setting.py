"""The setting `telemetry=`: whether requests are told to OpenTelemetry, and to whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from cascade_core.errors import ConfigurationError
from cascade_core.lazy import not_installed
from cascade_core.named_arguments import names_checked


@names_checked
@dataclass(frozen=True, slots=True)
class Telemetry:
    """Tells OpenTelemetry of requests: spans and metrics.

    Args:
        tracer_provider: Makes the spans; by default the program's, as
            `opentelemetry.trace.set_tracer_provider` has it. A copy of the cascade in another
            process uses that one: providers cannot be sent.
        meter_provider: Makes the metrics; by default the program's.
        content: Whether spans also hold prompts and answers, through the cascade's `redact=`.

    Raises:
        ConfigurationError: An argument is none of these.
    """

    tracer_provider: Any = field(default=None, repr=False)
    meter_provider: Any = field(default=None, repr=False)
    content: bool = False

    def __post_init__(self) -> None:
        """Check the arguments."""
        for name, method in (("tracer_provider", "get_tracer"), ("meter_provider", "get_meter")):
            given = getattr(self, name)
            if given is not None and not callable(getattr(given, method, None)):
                msg = f"Telemetry({name}=…): {type(given).__name__} has no {method}()"
                raise ConfigurationError(msg)
        if not isinstance(self.content, bool):
            msg = f"Telemetry(content=…) takes True or False, not {type(self.content).__name__}"
            raise ConfigurationError(msg)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave the providers out: they hold threads and locks."""
        return type(self), (None, None, self.content)


def read_telemetry(given: Any) -> Telemetry | None:
    """Read the `telemetry=` argument of a cascade.

    Args:
        given: None, True, False, or a `Telemetry`.

    Returns:
        What to do; None where nothing is ever told.

    Raises:
        ConfigurationError: It is none of these.
        MissingPackageError: It was asked for, and OpenTelemetry is not installed.
    """
    if given is False:
        return None
    if given is None:
        return Telemetry()
    if given is not True and not isinstance(given, Telemetry):
        msg = f"telemetry= takes True, False or a Telemetry(…), not {type(given).__name__}"
        raise ConfigurationError(msg)
    try:
        import_module("opentelemetry.trace")
        import_module("opentelemetry.metrics")
    except ModuleNotFoundError as error:
        raise not_installed(error, "telemetry=", "otel") from error
    return Telemetry() if given is True else given
