"""Checks of single parameters of a request, and the error that names the wrong one."""

from typing import Any

from cascade_core.errors import CascadeError

Json = dict[str, Any]

MOST_STOPS = 4


class RequestError(CascadeError):
    """A request that cannot be served, as the client is told.

    Attributes:
        status: HTTP status.
        param: name of the offending parameter, if one is to blame.
        code: machine-readable reason, if there is one.
    """

    def __init__(
        self, message: str, param: str | None = None, code: str | None = None, status: int = 400
    ) -> None:
        super().__init__(message)
        self.param = param
        self.code = code
        self.status = status

    def as_json(self) -> Json:
        """Give the body of the error response."""
        return {
            "error": {
                "message": str(self),
                "type": "invalid_request_error",
                "param": self.param,
                "code": self.code,
            }
        }


def read_flag(body: Json, name: str, *, default: bool = False) -> bool:
    """Read true or false."""
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool):
        return value
    raise RequestError(f"'{name}' must be true or false, not {value!r}", name)


def read_whole(body: Json, name: str, least: int, most: int | None) -> int | None:
    """Read a whole number within limits."""
    value = body.get(name)
    if value is None:
        return None
    fits = isinstance(value, int) and not isinstance(value, bool) and value >= least
    if not fits or (most is not None and value > most):
        limits = f"at least {least}" if most is None else f"from {least} to {most}"
        raise RequestError(f"'{name}' must be a whole number {limits}, not {value!r}", name)
    return int(value)


def read_number(body: Json, name: str, least: float, most: float, default: float) -> float:
    """Read a number within limits."""
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise RequestError(f"'{name}' must be from {least} to {most}, not {value!r}", name)
    return float(value)


def read_stops(value: object) -> tuple[str, ...]:
    """Read the texts that end an answer."""
    given = [] if value is None else [value] if isinstance(value, str) else value
    if isinstance(given, list) and len(given) <= MOST_STOPS:
        texts = tuple(stop for stop in given if isinstance(stop, str) and stop)
        if len(texts) == len(given):
            return texts
    raise RequestError(f"'stop' must be a text or a list of up to {MOST_STOPS} texts", "stop")
