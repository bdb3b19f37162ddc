"""Which failed calls may have to be paid for: those whose request had left when they broke off.

What a provider refuses it does not bill, nor what never reached it. Where a connection broke, or
nobody waited any longer, it may have gone on. Classes are known by their names, as in `failures`.
"""

from __future__ import annotations

from cascade_core.guards.failures import chained

NOT_SENT = frozenset(
    {
        *("ConnectError", "ConnectTimeout", "PoolTimeout", "ConnectionRefusedError", "gaierror"),
        *("ClientConnectorError", "ConnectTimeoutError", "EndpointConnectionError"),
        *("NewConnectionError", "ProxyError", "SSLCertVerificationError", "UnsupportedProtocol"),
    }
)
"""Errors of clients whose request never left."""

SENT = frozenset(
    {
        *("ReadError", "WriteError", "CloseError", "RemoteProtocolError", "ProtocolError"),
        *("ConnectionResetError", "ConnectionAbortedError", "BrokenPipeError", "IncompleteRead"),
        *("ServerDisconnectedError", "ClientPayloadError", "ChunkedEncodingError"),
        *("ConnectionClosedError", "ResponseStreamingError", "EndOfStream"),
    }
)
"""Errors of clients whose request may have been answered, and billed, when the connection broke."""

_GIVEN_UP = ("Timeout", "DeadlineExceeded")
"""What is in the name of an error by which a client stops waiting; its provider may go on."""


def may_be_billed(*names: str) -> bool:
    """Tell whether a call that failed may have to be paid for all the same.

    Args:
        *names: Those of its error and of all that it wraps.
    """
    if NOT_SENT.intersection(names):
        return False
    return any(name in SENT or any(each in name for each in _GIVEN_UP) for name in names)


def error_names(error: BaseException) -> list[str]:
    """Return the names of an error and of all that it wraps."""
    return [type(each).__name__ for each in chained(error)]
