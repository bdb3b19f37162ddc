"""What a model shows when it is asked: log-probabilities, a tool call, an object of a schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from cascade_core.blame import refuses_logprobs
from cascade_core.errors import error_name, http_status

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

_CANNOT = frozenset({400, 404, 405, 415, 422, 501})
"""Statuses by which a provider that answers otherwise says that it does not take such a request."""

_PLAIN = "Reply with the word yes."
_BY_TOOL = "Save the word yes with the tool."


class SavedWord(BaseModel):
    """Saves a word."""

    word: str


def try_model(model: BaseChatModel, *, tools: bool) -> dict[str, Any]:
    """Send a model three tiny requests.

    Args:
        model: The model.
        tools: Whether its class can bind tools at all.

    Returns:
        `logprobs` (whether they came, or `"refused"`), `usage`, `model`; `tool_call` and `schema`
        (whether they came, `"refused"`, or what the request failed with). Of a model whose first
        request fails, only the `error`.
    """
    from cascade_core.log.record import tokens_of  # noqa: PLC0415 - a command's imports
    from langchain_cascade.convert import to_draft  # noqa: PLC0415
    from langchain_cascade.wrapping import Variant, vary  # noqa: PLC0415

    plain: Any = vary(model, Variant(draft=True))
    refused = False
    try:
        try:
            message = vary(model, Variant(draft=True, logprobs=True)).invoke(_PLAIN)
        except Exception as error:
            if not refuses_logprobs(error):
                raise
            refused = True
            message = plain.invoke(_PLAIN)
    except Exception as error:  # noqa: BLE001 - whatever a provider raises is the finding
        return {"error": error_name(error)}
    draft = to_draft(message)
    return {
        "logprobs": "refused" if refused else draft.logprobs is not None,
        "usage": None if draft.usage is None else tokens_of(draft.usage),
        "model": draft.model,
        "tool_call": tools and _shown(lambda: _calls(plain)),
        "schema": _shown(lambda: _fills(plain)),
    }


def failed(tried: dict[str, Any]) -> str | None:
    """Return what a request failed with, or None where every one was answered or refused."""
    shown = (tried.get("error"), tried.get("tool_call"), tried.get("schema"))
    return next((each for each in shown if isinstance(each, str) and each != "refused"), None)


def _calls(model: Any) -> bool:
    return bool(model.bind_tools([SavedWord]).invoke(_BY_TOOL).tool_calls)


def _fills(model: Any) -> bool:
    found = model.with_structured_output(SavedWord, include_raw=True).invoke(_PLAIN)
    return isinstance(found["parsed"], SavedWord)


def _shown(ask: Callable[[], bool]) -> bool | str:
    """Return whether it came, or why not."""
    try:
        return ask()
    except NotImplementedError:
        return False
    except Exception as error:  # noqa: BLE001 - whatever a provider raises is the finding
        return "refused" if http_status(error) in _CANNOT else error_name(error)
