"""Which failures say that a provider is in trouble, and which are the request's own.

One table for every client that the integrations of both frameworks use. A failure is looked up by
its code, then by its HTTP status, then by its class; a wrapped one by what it wraps. Classes are
known by their names, so that no client is imported for this.

What a request brings on itself never counts: 400, 404, 413, 422, a prompt that is too long, a
content filter, a refusal, a parser's error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

from cascade_core.errors import CascadeExhausted, NotAskedError, TierOpenError, http_status
from cascade_core.guards.headers import headers_of

Trouble: TypeAlias = Literal["passing", "lasting"]
"""A provider's trouble: one that may pass any moment, or one that hardly passes by itself."""

STATUSES: Mapping[int, Trouble] = {
    401: "lasting",  # no such key
    402: "lasting",  # nothing left to pay with
    403: "lasting",  # a key without the right
    408: "passing",
    425: "passing",
    429: "passing",
    498: "passing",  # Groq: no capacity
}
"""HTTP statuses below 500 that are the provider's; all from 500 on are `passing`."""

ERROR_CODES: Mapping[str, Trouble | None] = {
    # The request's own, whatever status they come with. Words that come with any refusal, a key's
    # too (`invalid_request_error`), are none of these.
    "contextlengthexceeded": None,
    "contextwindowexceeded": None,
    "stringabovemaxlength": None,
    "requesttoolarge": None,
    "contentfilter": None,
    "contentpolicyviolation": None,
    "responsibleaipolicyviolation": None,
    "invalidprompt": None,
    "validationexception": None,
    "modelerrorexception": None,
    "resourcenotfoundexception": None,
    # OpenAI, Azure, Groq, Mistral and servers like them
    "insufficientquota": "lasting",
    "billinghardlimitreached": "lasting",
    "accountdeactivated": "lasting",
    "invalidapikey": "lasting",
    "ratelimitexceeded": "passing",
    "servererror": "passing",
    "engineoverloaded": "passing",
    # Anthropic, which says so in the middle of a stream that began with 200
    "overloadederror": "passing",
    "apierror": "passing",
    "ratelimiterror": "passing",
    "timeouterror": "passing",
    "authenticationerror": "lasting",
    "permissionerror": "lasting",
    "billingerror": "lasting",
    # Google: the status of gRPC, in words
    "resourceexhausted": "passing",
    "unavailable": "passing",
    "deadlineexceeded": "passing",
    "internal": "passing",
    "aborted": "passing",
    "apikeyinvalid": "lasting",
    "unauthenticated": "lasting",
    "permissiondenied": "lasting",
    # Amazon Bedrock, as errors and as events of a stream
    "throttlingexception": "passing",
    "toomanyrequestsexception": "passing",
    "servicequotaexceededexception": "passing",
    "serviceunavailableexception": "passing",
    "internalserverexception": "passing",
    "internalfailure": "passing",
    "modeltimeoutexception": "passing",
    "modelnotreadyexception": "passing",
    "modelstreamerrorexception": "passing",
    "requesttimeout": "passing",
    "slowdown": "passing",
    "accessdeniedexception": "lasting",
    "unrecognizedclientexception": "lasting",
    "expiredtokenexception": "lasting",
    "expiredtoken": "lasting",
    "invalidsignatureexception": "lasting",
    "invalidclienttokenid": "lasting",
}
"""Codes of errors, without case and punctuation."""

_HTTPX: Mapping[str, Trouble | None] = {
    "UnsupportedProtocol": None,
    "LocalProtocolError": None,
    "TransportError": "passing",
}
_HTTPCORE: Mapping[str, Trouble | None] = {
    "UnsupportedProtocol": None,
    "LocalProtocolError": None,
    "TimeoutException": "passing",
    "NetworkError": "passing",
    "ProtocolError": "passing",
}

ERROR_CLASSES: Mapping[str, Mapping[str, Trouble | None]] = {
    "builtins": {"ConnectionError": "passing", "TimeoutError": "passing"},
    "socket": {"gaierror": "passing"},
    "ssl": {"SSLError": "passing"},
    "http": {"IncompleteRead": "passing", "BadStatusLine": "passing"},
    **dict.fromkeys(("httpx", "httpx2"), _HTTPX),
    **dict.fromkeys(("httpcore", "httpcore2"), _HTTPCORE),
    "requests": {
        "ConnectionError": "passing",
        "Timeout": "passing",
        "ChunkedEncodingError": "passing",
    },
    "urllib3": {"TimeoutError": "passing", "ProtocolError": "passing", "MaxRetryError": "passing"},
    "aiohttp": {
        "ClientConnectionError": "passing",
        "ClientPayloadError": "passing",
        "ServerTimeoutError": "passing",
    },
    "openai": {
        "APIConnectionError": "passing",
        "RateLimitError": "passing",
        "InternalServerError": "passing",
        "AuthenticationError": "lasting",
        "PermissionDeniedError": "lasting",
        "APIError": "passing",  # without a status: said in the middle of a stream
    },
    "anthropic": {"APIConnectionError": "passing"},
    "groq": {"APIConnectionError": "passing"},
    "together": {
        "APIConnectionError": "passing",
        "Timeout": "passing",
        "RateLimitError": "passing",
        "ServiceUnavailableError": "passing",
        "AuthenticationError": "lasting",
    },
    "fireworks": {
        "APIConnectionError": "passing",
        "RateLimitError": "passing",
        "InternalServerError": "passing",
        "ServiceUnavailableError": "passing",
        "BadGatewayError": "passing",
        "AuthenticationError": "lasting",
        "PermissionError": "lasting",
    },
    "litellm": {
        "ContextWindowExceededError": None,
        "ContentPolicyViolationError": None,
        "BudgetExceededError": None,
        "Timeout": "passing",
        "APIConnectionError": "passing",
    },
    "google": {
        "RetryError": "passing",
        "TransportError": "passing",
        "RefreshError": "lasting",
        "DefaultCredentialsError": "lasting",
    },
    "botocore": {
        "EndpointConnectionError": "passing",
        "HTTPClientError": "passing",
        "ConnectionError": "passing",
        "NoCredentialsError": "lasting",
        "PartialCredentialsError": "lasting",
        "TokenRetrievalError": "lasting",
    },
    "mistralai": {"NoResponseError": "passing"},
    "huggingface_hub": {"InferenceTimeoutError": "passing", "OverloadedError": "passing"},
    "text_generation": {"OverloadedError": "passing", "RateLimitExceededError": "passing"},
    "vllm": {"EngineDeadError": "lasting", "AsyncEngineDeadError": "lasting"},
    "cascade_core": {"EmptyStreamError": "passing"},
    "langchain_core": {"OutputParserException": None, "ContextOverflowError": None},
}
"""Classes of errors by package; an heir counts as its nearest ancestor that stands here."""

_FIRST_OF_ALL = frozenset({"ContextOverflowError", "ContextWindowExceededError"})
_FILTERED = re.compile(
    r"context_?(?:length|window|overflow)|content_?(?:filter|policy)", re.IGNORECASE
)
_WORDS: Mapping[int | None, tuple[re.Pattern[str], Trouble | None]] = {
    # It asks for more than a minute allows, and would at any time.
    429: (re.compile(r"^(?:Error code: 429 - .{0,40})?Request too large\b"), None),
    # Anthropic's, with the code of any bad request.
    400: (re.compile(r"\bcredit balance is too low\b"), "lasting"),
}
"""What is told in words only, by the status that comes with them."""
_DEPTH = 8


def trouble_of(error: BaseException) -> Trouble | None:
    """Tell whether a failure is the provider's, and of which kind.

    Args:
        error: What a call raised.

    Returns:
        None where it is the request's own, or says nothing of the provider.
    """
    if isinstance(error, NotAskedError):
        # What is left alone in a cascade inside the tier; other guards say nothing of providers.
        return "passing" if isinstance(error, TierOpenError) else None
    for each in chained(error):
        if isinstance(each, NotAskedError):
            return None
        known, trouble = _look_up(each)
        if known:
            return trouble
    return None


def chained(error: BaseException) -> Iterator[BaseException]:
    """Return an error and what it wraps, the outermost first."""
    each: BaseException | None = error
    for _ in range(_DEPTH):
        if each is None:
            return
        yield each
        if isinstance(each, CascadeExhausted) and each.causes:
            each = each.causes[-1][1]
        elif isinstance(each, BaseExceptionGroup):
            each = each.exceptions[0]
        else:
            each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)


def _look_up(error: BaseException) -> tuple[bool, Trouble | None]:
    """Return whether an error is known, and what it is."""
    kinds = type(error).__mro__
    if any(_FILTERED.search(kind.__name__) or kind.__name__ in _FIRST_OF_ALL for kind in kinds):
        return True, None
    status = http_status(error) or _status_said(error)
    if status in _WORDS and _WORDS[status][0].search(_said(error)):
        return True, _WORDS[status][1]
    codes = list(_codes(error))
    for code in codes:
        if code in ERROR_CODES:
            return True, ERROR_CODES[code]
    if status is not None and status >= 400:  # noqa: PLR2004
        return True, _by_status(error, status)
    if "invalidrequesterror" in codes:
        return True, None
    for kind in kinds:
        table = ERROR_CLASSES.get(kind.__module__.partition(".")[0])
        if table is not None and kind.__name__ in table:
            return True, table[kind.__name__]
    return False, None


def _by_status(error: BaseException, status: int) -> Trouble | None:
    trouble: Trouble | None = "passing" if status >= 500 else STATUSES.get(status)  # noqa: PLR2004
    if trouble == "passing" and headers_of(error).get("x-should-retry") == "false":
        return "lasting"
    return trouble


def _codes(error: BaseException) -> Iterator[str]:
    """Return the codes that an error carries, the most exact first."""
    made_by = type(error).__module__.partition(".")[0]
    if made_by == "aiohttp":
        return  # it has its status only, once more under a name that it warns of
    body = _body(error)
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):  # botocore
        body = response.get("Error", {})
        yield _plain(body.get("Code") if isinstance(body, Mapping) else None)
        return
    yield from _reasons(getattr(error, "details", None))
    for name in ("code", "type", "status"):
        value = getattr(error, name, None)
        if callable(value) and made_by == "grpc":
            value = getattr(value(), "name", None)
        yield _plain(value)
        yield _plain(body.get(name))


def _reasons(details: Any) -> Iterator[str]:
    """Return the reasons that Google gives beside a status: a key it refuses is a 400."""
    if isinstance(details, Mapping):
        yield _plain(details.get("reason"))
        details = (details.get("error"), details.get("details"))
    if isinstance(details, list | tuple):
        for each in details:
            yield from _reasons(each)


def _body(error: BaseException) -> Mapping[str, Any]:
    body = getattr(error, "body", None)
    if type(error) is ValueError and error.args:
        body = error.args[0]  # LangChain's, of an error in an answer with the status 200
    body = body.get("error", body) if isinstance(body, Mapping) else None
    return body if isinstance(body, Mapping) else {}


def _status_said(error: BaseException) -> int | None:
    """Return the status that stands in an answer whose own is 200, as OpenRouter has it."""
    code = _body(error).get("code")
    return code if isinstance(code, int) and 400 <= code < 600 else None  # noqa: PLR2004


def _said(error: BaseException) -> str:
    said = _body(error).get("message")
    return said if isinstance(said, str) else str(error)


def _plain(code: object) -> str:
    return re.sub(r"[^a-z]", "", code.casefold()) if isinstance(code, str) else ""
