"""Errors name types and status codes, and never quote a text."""

import pickle
from types import SimpleNamespace

import pytest

from cascade_core import CascadeError, CascadeExhausted, CascadeWarning, ConfigurationError
from cascade_core.blame import logprobs_blamed, refuses_logprobs
from cascade_core.errors import error_name, http_status, remedy


class ClientError(Exception):
    def __init__(self, text="", **fields):
        super().__init__(text)
        vars(self).update(fields)


def test_the_tree_is_as_drawn():
    assert issubclass(ConfigurationError, CascadeError)
    assert issubclass(ConfigurationError, ValueError)
    assert issubclass(CascadeExhausted, CascadeError)
    assert issubclass(CascadeWarning, UserWarning)
    assert not issubclass(CascadeError, ValueError)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ClientError(status_code=429), 429),
        (ClientError(response=SimpleNamespace(status_code=503)), 503),
        (ClientError(status_code=None, response=SimpleNamespace(status_code=400)), 400),
        (ClientError(status_code="429"), None),
        (ClientError(response=None), None),
        (ValueError("429"), None),
    ],
)
def test_the_status_is_found_where_clients_keep_it(error, status):
    assert http_status(error) == status


def test_an_error_is_described_by_its_type_and_status_alone():
    assert error_name(ClientError("key sk-1", status_code=401)) == "ClientError (HTTP 401)"
    assert error_name(TimeoutError("prompt: …")) == "TimeoutError"


@pytest.mark.parametrize(
    ("error", "refuses"),
    [
        (ClientError("'logprobs' is not supported with this model", status_code=400), True),
        (ClientError("You are not allowed to request TopLogProbs", status_code=403), True),
        (ClientError("unknown field: top_logprobs", status_code=422), True),
        (ClientError("logprobs", status_code=500), False),
        (ClientError("logprobs"), False),
        (ClientError("temperature is not supported", status_code=400), False),
        (ClientError("too many requests: {'logprobs': True}", status_code=429), False),
        (ClientError("timed out: {'logprobs': True}", status_code=408), False),
    ],
)
def test_only_a_4xx_that_names_logprobs_refuses_them(error, refuses):
    assert refuses_logprobs(error) == refuses


NOT_THEIRS = "Invalid content in messages[0]: 'how do I read logprobs?'"


@pytest.mark.parametrize(
    ("error", "blamed"),
    [
        (ClientError("no", param="logprobs"), "clearly"),
        (ClientError("no", param="top_logprobs"), "clearly"),
        (ClientError("no", body={"param": "logprobs"}), "clearly"),
        (ClientError("no", body={"error": {"param": "top_logprobs"}}), "clearly"),
        (ClientError(NOT_THEIRS, param="messages", body={"error": "logprobs"}), None),
        (ClientError("`logprobs` is not supported with this model"), "clearly"),
        (ClientError("'logprobs' are not enabled for reasoning models"), "clearly"),
        (ClientError("This model does not support logprobs"), "somewhere"),
        (ClientError("You are not allowed to request logprobs from this model"), "somewhere"),
        (ClientError("Unsupported parameter: 'logprobs'"), "clearly"),
        (ClientError("unknown field: top_logprobs"), "clearly"),
        (ClientError("top_logprobs: unknown field"), "clearly"),
        (ClientError("logprobs can't be used here"), "clearly"),
        (ClientError("logprobs is not supported: " + "x" * 200), "somewhere"),
        (ClientError("Bad content: 'why is logprobs not supported?'"), "somewhere"),
        (ClientError("no", body={"message": "Unsupported parameter: 'logprobs'"}), "clearly"),
        (ClientError("[{'type': 'extra_forbidden', 'loc': ('body', 'logprobs')}]"), "somewhere"),
        (ClientError("Error code: 400 - {'error': {'param': 'logprobs'}}"), "somewhere"),
        (ClientError("a message has no content: {'model': 'm', 'logprobs': True}"), None),
        (ClientError(NOT_THEIRS), None),
        (ClientError("logprobs"), None),
    ],
    ids=lambda value: repr(value)[-50:],
)
def test_blaming_the_parameter_is_more_than_mentioning_it(error, blamed):
    assert logprobs_blamed(error) == blamed


CAUSES = [("tier 0 (cheap)", ClientError("sk-secret", status_code=401)), ("tier 1", OSError("x"))]


def test_exhausted_names_every_cause_without_its_text():
    error = CascadeExhausted(CAUSES, ["a call"])
    assert str(error) == (
        "no tier of the cascade gave an answer "
        "(tier 0 (cheap): ClientError (HTTP 401); tier 1: OSError): check the API key"
    )
    assert error.causes == tuple(CAUSES)
    assert error.trail == ("a call",)
    assert "secret" not in str(error)


class APIConnectionError(Exception): ...


class ClientAuthenticationError(Exception): ...


@pytest.mark.parametrize(
    ("error", "helps"),
    [
        (ClientError("", status_code=403), "check the API key"),
        (ClientError("api_key must be set", status_code=500), None),
        (RuntimeError("The api_key client option must be set"), "check the API key"),
        (TypeError("Could not resolve authentication method"), "check the API key"),
        (ClientAuthenticationError(), "check the API key"),
        (ClientError("", status_code=404), "check the model's name and the address"),
        (APIConnectionError(), "check that the server runs, and its address"),
        (ConnectionRefusedError(), "check that the server runs, and its address"),
        (ClientError("", status_code=429), None),
        (OSError("x"), None),
    ],
)
def test_what_helps_is_said_where_the_kind_of_an_error_tells(error, helps):
    assert remedy(error) == helps
    both = str(CascadeExhausted([("a", error), ("b", error)]))
    assert both.endswith(f"): {helps}" if helps else ")")


def test_exhausted_crosses_to_another_process():
    error = CascadeExhausted([("tier 0", OSError("x"))], ["a call"])
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert again.trail == ("a call",)
    assert isinstance(again.causes[0][1], OSError)


def test_exhausted_without_causes_says_that_nobody_was_asked():
    assert "no tier was called" in str(CascadeExhausted([]))
