"""Which errors of the real clients say that a provider is in trouble, and for how long."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from importlib import import_module
from typing import Any

import httpx
import pytest

from cascade_core.errors import BudgetExceeded, CascadeExhausted, EmptyStreamError, TierOpenError
from cascade_core.guards.breakers import read_failure
from cascade_core.guards.failures import trouble_of
from cascade_core.guards.retry_after import retry_after

Made = Callable[[], BaseException]
ASKED = httpx.Request("POST", "http://127.0.0.1/v1")
NOW = "Sun, 29 Nov 2026 01:00:00 GMT"


def answer(status: int, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, request=ASKED, json={"message": "m"})


def cls(path: str) -> Any:
    """Return a class of a client, where that is installed."""
    module, _, name = path.rpartition(".")
    pytest.importorskip(module.partition(".")[0])
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError):
        pytest.skip(f"this version has no {path}")


def by_status(package: str, name: str, status: int, body: Any = None, **headers: str) -> Made:
    """OpenAI's client, and those made by the same generator."""
    return lambda: cls(f"{package}.{name}")("m", response=answer(status, **headers), body=body)


def google(status: int, word: str, *details: Any) -> Made:
    said = {"error": {"code": status, "status": word, "message": "m", "details": list(details)}}
    kind = "ServerError" if status >= 500 else "ClientError"
    return lambda: cls(f"google.genai.errors.{kind}")(status, said, answer(status))


def bedrock(code: str, status: int | None = None, **headers: str) -> Made:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    meta = {"HTTPStatusCode": status, "HTTPHeaders": named}
    said = {"Error": {"Code": code, "Message": "m"}, "ResponseMetadata": meta if status else {}}
    return lambda: cls("botocore.exceptions.ClientError")(said, "Converse")


def plain(path: str, *args: Any, **named: Any) -> Made:
    return lambda: cls(path)(*args, **named)


def litellm(name: str) -> Made:
    return plain(f"litellm.exceptions.{name}", message="m", model="x", llm_provider="p")


ALIKE = [
    (f"{package}-{status}", by_status(package, name, status), trouble)
    for package in ("openai", "anthropic", "groq")
    for name, status, trouble in (
        ("RateLimitError", 429, "passing"),
        ("InternalServerError", 500, "passing"),
        ("InternalServerError", 529, "passing"),
        ("AuthenticationError", 401, "lasting"),
        ("PermissionDeniedError", 403, "lasting"),
        ("BadRequestError", 400, None),
        ("NotFoundError", 404, None),
        ("UnprocessableEntityError", 422, None),
    )
]
UNSENT = [
    (f"{package}-{name}", plain(f"{package}.{name}", request=ASKED), "passing")
    for package in ("openai", "anthropic", "groq")
    for name in ("APIConnectionError", "APITimeoutError")
]
TOO_LARGE = {"code": "rate_limit_exceeded", "message": "Request too large for m on tokens per min"}
UNPAID = {
    "type": "error",
    "error": {"type": "invalid_request_error", "message": "Your credit balance is too low to ask"},
}
OTHERS: list[tuple[str, Made, str | None]] = [
    ("quota", by_status("openai", "RateLimitError", 429, {"code": "insufficient_quota"}), "lasting"),
    ("too-large", by_status("openai", "RateLimitError", 429, TOO_LARGE), None),
    (
        "do-not-retry",
        by_status("openai", "InternalServerError", 503, x_should_retry="false"),
        "lasting",
    ),
    (
        "key-in-general-words",
        by_status("openai", "AuthenticationError", 401, {"type": "invalid_request_error"}),
        "lasting",
    ),
    (
        "too-long",
        by_status("openai", "BadRequestError", 400, {"code": "context_length_exceeded"}),
        None,
    ),
    (
        "too-long-500",  # what some servers make of it
        by_status("openai", "InternalServerError", 500, {"code": "context_length_exceeded"}),
        None,
    ),
    ("filtered", plain("openai.ContentFilterFinishReasonError"), None),
    ("openai-stream", plain("openai.APIError", "m", ASKED, body={"type": "server_error"}), "passing"),
    ("openai-stream-words", plain("openai.APIError", "m", ASKED, body={"message": "m"}), "passing"),
    ("openai-stream-code", plain("openai.APIError", "m", ASKED, body={"code": 502}), "passing"),
    (
        "openai-stream-own",
        plain("openai.APIError", "m", ASKED, body={"type": "invalid_request_error"}),
        None,
    ),
    ("openai-stream-own-code", plain("openai.APIError", "m", ASKED, body={"code": 400}), None),
    ("in-a-200", plain("builtins.ValueError", {"message": "m", "code": 502}), "passing"),
    ("in-a-200-key", plain("builtins.ValueError", {"message": "m", "code": 401}), "lasting"),
    ("in-a-200-word", plain("builtins.ValueError", {"type": "server_error"}), "passing"),
    ("in-a-200-own", plain("builtins.ValueError", {"message": "m", "code": 400}), None),
    (
        "anthropic-stream",
        by_status("anthropic", "APIStatusError", 200, {"error": {"type": "overloaded_error"}}),
        "passing",
    ),
    ("gemini-429", google(429, "RESOURCE_EXHAUSTED"), "passing"),
    ("gemini-503", google(503, "UNAVAILABLE"), "passing"),
    ("gemini-403", google(403, "PERMISSION_DENIED"), "lasting"),
    ("gemini-key", google(400, "INVALID_ARGUMENT", {"reason": "API_KEY_INVALID"}), "lasting"),
    ("gemini-400", google(400, "INVALID_ARGUMENT"), None),
    ("gemini-404", google(404, "NOT_FOUND"), None),
    ("vertex-429", plain("google.api_core.exceptions.ResourceExhausted", "m"), "passing"),
    ("vertex-504", plain("google.api_core.exceptions.DeadlineExceeded", "m"), "passing"),
    ("vertex-400", plain("google.api_core.exceptions.InvalidArgument", "m"), None),
    ("bedrock-429", bedrock("ThrottlingException", 429), "passing"),
    ("bedrock-503", bedrock("ServiceUnavailableException", 503), "passing"),
    ("bedrock-quota", bedrock("ServiceQuotaExceededException", 400), "passing"),
    ("bedrock-stream", bedrock("throttlingException"), "passing"),
    ("bedrock-403", bedrock("AccessDeniedException", 403), "lasting"),
    ("bedrock-expired", bedrock("ExpiredTokenException", 400), "lasting"),
    ("bedrock-400", bedrock("ValidationException", 400), None),
    ("bedrock-404", bedrock("ResourceNotFoundException", 404), None),
    (
        "bedrock-unsent",
        plain("botocore.exceptions.EndpointConnectionError", endpoint_url="u"),
        "passing",
    ),
    (
        "bedrock-timeout",
        plain("botocore.exceptions.ReadTimeoutError", endpoint_url="u"),
        "passing",
    ),
    ("bedrock-no-key", plain("botocore.exceptions.NoCredentialsError"), "lasting"),
    ("mistral-429", plain("mistralai.client.errors.SDKError", "m", answer(429), "m"), "passing"),
    ("mistral-400", plain("mistralai.client.errors.SDKError", "m", answer(400), "m"), None),
    ("cohere-429", plain("cohere.errors.TooManyRequestsError", body={}), "passing"),
    ("cohere-401", plain("cohere.errors.UnauthorizedError", body={}), "lasting"),
    ("cohere-400", plain("cohere.errors.BadRequestError", body={}), None),
    ("cohere-502", plain("cohere.core.api_error.ApiError", status_code=502), "passing"),
    ("ollama-503", plain("ollama.ResponseError", "m", 503), "passing"),
    ("ollama-404", plain("ollama.ResponseError", "model not found", 404), None),
    ("huggingface-503", plain("huggingface_hub.errors.HfHubHTTPError", "m", response=answer(503)), "passing"),
    ("huggingface-timeout", plain("huggingface_hub.errors.InferenceTimeoutError", "m"), "passing"),
    *((f"litellm-{name}", litellm(name), trouble) for name, trouble in (
        ("RateLimitError", "passing"),
        ("Timeout", "passing"),
        ("ServiceUnavailableError", "passing"),
        ("InternalServerError", "passing"),
        ("AuthenticationError", "lasting"),
        ("BadRequestError", None),
        ("ContextWindowExceededError", None),
        ("ContentPolicyViolationError", None),
    )),
    ("anthropic-unpaid", by_status("anthropic", "BadRequestError", 400, UNPAID), "lasting"),
    ("anthropic-reads", plain("httpx2.ReadError", "m"), "passing"),
    ("anthropic-breaks-off", plain("httpx2.RemoteProtocolError", "m"), "passing"),
    ("httpcore2", plain("httpcore2.ReadTimeout", "m"), "passing"),
    *((f"httpx-{name}", plain(f"httpx.{name}", "m"), trouble) for name, trouble in (
        ("ConnectError", "passing"),
        ("ReadTimeout", "passing"),
        ("RemoteProtocolError", "passing"),
        ("LocalProtocolError", None),
        ("DecodingError", None),
    )),
    ("requests", plain("requests.exceptions.ConnectionError"), "passing"),
    ("requests-json", plain("requests.exceptions.JSONDecodeError", "m", "d", 0), None),
    ("aiohttp", plain("aiohttp.ServerDisconnectedError"), "passing"),
    ("aiohttp-429", plain("aiohttp.ClientResponseError", ASKED, (), status=503), "passing"),
    ("parser", plain("langchain_core.exceptions.OutputParserException", "m"), None),
    ("dropped", ConnectionResetError, "passing"),
    ("late", TimeoutError, "passing"),
    ("ssl", ssl.SSLError, "passing"),
    ("an empty stream", EmptyStreamError, "passing"),
    ("a chain's own", ValueError, None),
    ("unread", lambda: OSError(2, "no such file"), None),
]  # fmt: skip


@pytest.mark.parametrize(("made", "trouble"), [
    pytest.param(made, trouble, id=name) for name, made, trouble in (*ALIKE, *UNSENT, *OTHERS)
])  # fmt: skip
def test_a_clients_error_counts_as_the_providers_or_the_requests_own(
    made: Made, trouble: str | None
) -> None:
    assert trouble_of(made()) == trouble


@pytest.mark.parametrize(("made", "seconds"), [
    (by_status("openai", "RateLimitError", 429, retry_after="7"), 7),
    (by_status("openai", "RateLimitError", 429, retry_after="7", retry_after_ms="250"), 0.25),
    (by_status("anthropic", "RateLimitError", 429, date=NOW,
               retry_after="Sun, 29 Nov 2026 01:00:20 GMT"), 20),
    (by_status("groq", "InternalServerError", 503, retry_after="1.5"), 1.5),
    (by_status("openai", "RateLimitError", 429, x_ratelimit_remaining_requests="0",
               x_ratelimit_reset_requests="6m0s", x_ratelimit_remaining_tokens="30",
               x_ratelimit_reset_tokens="9m"), 360),
    (by_status("openai", "RateLimitError", 429, x_ratelimit_reset_tokens="20ms"), 0.02),
    (by_status("anthropic", "RateLimitError", 429, date=NOW,
               anthropic_ratelimit_requests_remaining="0",
               anthropic_ratelimit_requests_reset="2026-11-29T01:00:30Z"), 30),
    (google(429, "RESOURCE_EXHAUSTED", {"retryDelay": "34.5s"}), 34.5),
    (bedrock("ThrottlingException", 429, retry_after="3"), 3),
    (plain("mistralai.client.errors.SDKError", "m", answer(429, retry_after="4"), "m"), 4),
    (plain("cohere.errors.TooManyRequestsError", body={}, headers={"Retry-After": "5"}), 5),
    (plain("aiohttp.ClientResponseError", ASKED, (), status=429, headers={"Retry-After": "2"}), 2),
    # Limits that are not used up, what a success would say as well, and what is no time at all.
    (by_status("openai", "RateLimitError", 429, x_ratelimit_remaining_requests="4",
               x_ratelimit_reset_requests="6m0s"), None),
    (by_status("openai", "InternalServerError", 500, x_ratelimit_reset_requests="6m0s"), None),
    (by_status("openai", "RateLimitError", 429, retry_after="soon"), None),
    (by_status("openai", "RateLimitError", 429, retry_after="-3"), None),
    (by_status("openai", "RateLimitError", 429, retry_after="nan"), None),
])  # fmt: skip
def test_when_a_provider_takes_requests_again_is_read_from_what_it_sends(
    made: Made, seconds: float | None
) -> None:
    assert retry_after(made()) == (None if seconds is None else pytest.approx(seconds))


def wrapped(inner: BaseException) -> BaseException:
    try:
        raise RuntimeError("an integration's own words") from inner
    except RuntimeError as error:
        return error


def test_an_error_counts_as_what_it_wraps() -> None:
    late = by_status("openai", "RateLimitError", 429, retry_after="7")()
    own = by_status("openai", "BadRequestError", 400)()
    for wrap in (
        wrapped,
        lambda inner: ExceptionGroup("several", [inner]),
        lambda inner: CascadeExhausted([("tier 0", ValueError()), ("tier 1", inner)]),
    ):
        assert (trouble_of(wrap(late)), retry_after(wrap(late))) == ("passing", 7)
        assert trouble_of(wrap(own)) is None


def test_a_cascade_inside_counts_by_why_its_last_tier_did_not_answer() -> None:
    alone = CascadeExhausted([("tier 1", TierOpenError("tier 1", 4.0, 1))])
    assert (trouble_of(alone), retry_after(alone)) == ("passing", 4.0)
    short = CascadeExhausted(
        [("tier 0", ConnectionError()), ("b", BudgetExceeded("b", "day", None))]
    )
    assert trouble_of(short) is None


def test_an_error_that_cannot_be_read_says_nothing() -> None:
    class Odd(Exception):  # noqa: N818
        @property
        def code(self) -> int:
            raise KeyError("code")

    assert read_failure(Odd()) == (None, None)
