"""The embedded default: a support desk answered by two small, real language models.

Everything needed to try, test and measure a cascade without a key or a network. The models
were trained from scratch on generated tickets and run with numpy, so their mistakes and
their token logprobs are real. Billing dates and password resets the small one answers
well; disputes, exceptions and sums it often gets wrong, and mostly knows it.

The models were taught to answer tickets, and nothing about tools, schemas or conversations.
Yet agents and structured output run on them, because the server fills the form that is asked
for with the words of the model's answer. What is real in such an answer: every word and
figure that stands in it, right or wrong, and their probabilities. What is forced: keys,
quotes and braces (probability 1), which tool is called (the one whose name says what the
answer says) and a tool's result, which is put word for word behind the answer that follows
it. What the answer does not say is never made up: the field is null, the tool is not called,
or the model refuses and says what is missing. As at OpenAI, text and JSON come with logprobs
and tool calls come without.

- `desk`: draws tickets with their right answers, and grades. Start reading here.
- `cases`, `phrases`: the desk's rules, and how customers word things.
- `tokenizer`, `model`, `generate`: from text to tokens, logits and an answer.
- `filling`, `tools`, `shaping`: JSON and tool calls, made of the words of an answer.
- `protocol`, `envelope`, `app`, `server`: the OpenAI-compatible HTTP interface.
- `prices`: what the two models are said to cost.
- `knowledge`, `retrieval`: the desk's knowledge base, and how a passage is found.
- `measure`, `asking`: `cascade demo`, the same for every framework, and what it needs of one.

Importing this package imports nothing else; `desk` and `prices` need the standard library
only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cascade_demo.server import DemoProcess

__all__ = ["start"]


def start(token_delay_ms: float = 0) -> DemoProcess:
    """Start the server with the two models; it ends with this program.

        desk = cascade_demo.start()
        ChatOpenAI(base_url=desk.base_url, api_key="unused", model="desk-small")

    Args:
        token_delay_ms: Pause in milliseconds after every token, to watch an answer grow.

    Returns:
        The server, answering already; its `base_url` is what an OpenAI client takes, and its
        `prices` what a cascade takes to say what an answer cost.

    Raises:
        RuntimeError: It ended before it was ready.
        ModuleNotFoundError: The extra `demo` is not installed.
    """
    import atexit
    import sys

    from cascade_demo.server import spawn

    server = spawn(token_delay_ms).__enter__()
    atexit.register(server.__exit__, None, None, None)
    # What is registered last is called first, and audits of a program that ends ask these models.
    if core := sys.modules.get("cascade_core.telemetry.worker"):
        core.end_before_others()
    return server
