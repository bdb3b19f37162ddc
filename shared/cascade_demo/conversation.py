"""What of a conversation these models read: the last ticket, and what tools have said since.

They were taught to answer one ticket. So the last message of the customer is the ticket,
and everything before it is passed over. They were not taught to read a tool's result: how
one is stated all the same is in `shaping`.
"""

from dataclasses import dataclass

from cascade_demo.checks import Json, RequestError
from cascade_demo.desk import normalise


@dataclass(frozen=True, slots=True)
class Conversation:
    """The part of a conversation that counts.

    Attributes:
        ticket: the customer's last message, normalised.
        called: names of the tools that have answered since.
        results: what they said.
    """

    ticket: str
    called: tuple[str, ...] = ()
    results: tuple[str, ...] = ()

    @property
    def stated(self) -> str:
        """What the tools said, as it stands behind an answer."""
        return "".join(f" {result}" for result in self.results)


def read_conversation(messages: object) -> Conversation:
    """Check the messages of a request and give the part that counts.

    Raises:
        RequestError: naming the first message that is wrong.
    """
    if not isinstance(messages, list) or not messages:
        raise RequestError("'messages' must be a list of at least one message", "messages")
    reader = _Reader()
    for index, message in enumerate(messages):
        where = f"messages[{index}]"
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise RequestError(f"'{where}' must be an object with a 'role'", where)
        if message["role"] == "tool":
            reader.result(message, where)
        else:
            reader.nothing_waits(where, "must come after a result for every tool call")
            reader.message(message, where)
    reader.nothing_waits("messages", "must end with a result for every tool call")
    if reader.ticket is None:
        raise RequestError("'messages' must contain a user message", "messages")
    return Conversation(normalise(reader.ticket), tuple(reader.called), tuple(reader.results))


class _Reader:
    """Reads messages in turn."""

    def __init__(self) -> None:
        self.ticket: str | None = None
        self.called: list[str] = []
        self.results: list[str] = []
        self._waiting: dict[str, str] = {}  # calls without a result: id to tool

    def message(self, message: Json, where: str) -> None:
        if message["role"] == "user":
            self.ticket = _content_text(message.get("content"), f"{where}.content")
            self.called, self.results = [], []
        elif message["role"] == "assistant" and message.get("tool_calls"):
            self._waiting = _calls(message["tool_calls"], f"{where}.tool_calls")

    def result(self, message: Json, where: str) -> None:
        name = self._waiting.pop(str(message.get("tool_call_id")), None)
        if name is None:
            raise RequestError(
                f"'{where}' must answer, by its 'tool_call_id', a tool call made before it", where
            )
        text = _content_text(message.get("content"), f"{where}.content").strip()
        self.called.append(name)
        self.results.append(text or f"{name} gave no result.")

    def nothing_waits(self, where: str, rule: str) -> None:
        if self._waiting:
            missing = ", ".join(self._waiting)
            raise RequestError(f"'{where}' {rule}: {missing} has none", where)


def _calls(calls: object, where: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for index, call in enumerate(calls if isinstance(calls, list) else [None]):
        function = call.get("function") if isinstance(call, dict) else None
        name = function.get("name") if isinstance(function, dict) else None
        if not isinstance(call, dict) or not isinstance(name, str):
            raise RequestError(
                f"'{where}[{index}]' must be an object with an 'id' and a 'function'",
                f"{where}[{index}]",
            )
        found[str(call.get("id"))] = name
    return found


def _content_text(content: object, where: str) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(map(_is_text, content)):
        return "".join(part["text"] for part in content)
    raise RequestError(f"'{where}' must be a string or a list of text parts", where)


def _is_text(part: Json) -> bool:
    return (
        isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)
    )
