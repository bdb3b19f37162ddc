"""The OpenAI chat-completions wire format: what is asked, checked.

Pure functions over JSON values; what is sent back is in `envelope`, HTTP in `app`. A
parameter these models cannot honour is refused by name rather than ignored, because an
ignored one would look like a wrong answer.
"""

from dataclasses import dataclass, replace

from cascade_demo.checks import RequestError, read_flag, read_number, read_stops, read_whole
from cascade_demo.conversation import Conversation, read_conversation
from cascade_demo.formats import read_offer, read_schema
from cascade_demo.generate import Sampling
from cascade_demo.shaping import Form

MODELS = ("desk-small", "desk-large")
MOST_CHOICES = 16

# What the hosted API offers and these models do not: refused unless absent or empty.
_UNSUPPORTED = {
    "functions": "give 'tools' instead",
    "function_call": "give 'tool_choice' instead",
    "frequency_penalty": "these models know no penalties",
    "presence_penalty": "these models know no penalties",
    "logit_bias": "these models know no logit bias",
    "audio": "these models write text only",
}


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A checked request.

    Attributes:
        model: model name.
        conversation: what these models read of the messages.
        form: the tools that may be called, and the schema that text must have.
        samplings: how to draw each choice.
        stream: answer as server-sent events.
        include_usage: send token counts at the end of a stream.
        logprobs: report logprobs.
    """

    model: str
    conversation: Conversation
    form: Form
    samplings: tuple[Sampling, ...]
    stream: bool
    include_usage: bool
    logprobs: bool


def parse_request(body: object) -> ChatRequest:
    """Check a request body.

    Raises:
        RequestError: naming the first parameter that is wrong.
    """
    if not isinstance(body, dict):
        raise RequestError("the request body must be a JSON object")
    model = body.get("model")
    if not isinstance(model, str):
        raise RequestError(f"'model' must be one of {', '.join(MODELS)}", "model")
    if model not in MODELS:
        raise RequestError(
            f"the model {model!r} does not exist: use one of {', '.join(MODELS)}",
            "model", "model_not_found", 404,
        )  # fmt: skip
    for name, why in _UNSUPPORTED.items():
        if body.get(name):
            raise RequestError(f"'{name}' is not supported: {why}", name, "unsupported_parameter")
    form = Form(read_offer(body), read_schema(body.get("response_format")))

    stream = read_flag(body, "stream")
    options = body.get("stream_options")
    if options is not None and not (stream and isinstance(options, dict)):
        raise RequestError(
            "'stream_options' must be an object and needs 'stream': true", "stream_options"
        )
    logprobs = read_flag(body, "logprobs")
    top_logprobs = read_whole(body, "top_logprobs", 0, 20)
    if top_logprobs is not None and not logprobs:
        raise RequestError("'top_logprobs' needs 'logprobs': true", "top_logprobs")
    seed = read_whole(body, "seed", -(2**63), 2**63 - 1)
    limit = read_whole(body, "max_completion_tokens", 1, None)
    if limit is None:
        limit = read_whole(body, "max_tokens", 1, None)
    sampling = Sampling(
        temperature=read_number(body, "temperature", 0, 2, default=1.0),
        top_p=read_number(body, "top_p", 0, 1, default=1.0),
        max_tokens=limit,
        stop=read_stops(body.get("stop")),
        top_logprobs=top_logprobs or 0,
    )
    return ChatRequest(
        model=model,
        conversation=read_conversation(body.get("messages")),
        form=form,
        samplings=tuple(
            # The choices of one seeded request differ, and are the same next time.
            replace(sampling, seed=None if seed is None else (seed % 2**64, index))
            for index in range(read_whole(body, "n", 1, MOST_CHOICES) or 1)
        ),
        stream=stream,
        include_usage=bool((options or {}).get("include_usage")),
        logprobs=logprobs,
    )
