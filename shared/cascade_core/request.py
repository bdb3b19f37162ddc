"""What the caller asked, seen the same way from every framework.

Only plain data lives here. Adapters build a `Request` from their own messages
and keep those messages in `native`, so that a tier is always called with
exactly what the caller wrote; gates and signals read the neutral view.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from copy import copy
from dataclasses import field
from typing import Any, Literal

from cascade_core.abilities import Load, Missing, size_of
from cascade_core.frozen import frozen
from cascade_core.held import Held, Left
from cascade_core.ruling import UNRULED, Ruling

Role = Literal["system", "user", "assistant", "tool"]


@frozen
class ToolCall:
    """One call of a tool that a model proposed; nothing has been executed.

    Attributes:
        name: The tool's name as the model wrote it.
        arguments: The parsed arguments, or None where they did not parse.
        id: The provider's id of the call, where there is one.
    """

    name: str
    arguments: Mapping[str, Any] | None = field(default=None, repr=False)
    id: str | None = None


@frozen
class ToolSpec:
    """A tool the caller offered.

    Attributes:
        name: The name a call must use.
        schema: JSON schema of the arguments, or None where it is not known.
        open: Whether it brings tools whose names are not known (those of a server, or of
            a search): a call may then have any name.
    """

    name: str
    schema: Mapping[str, Any] | None = field(default=None, repr=False)
    open: bool = False


@frozen
class Turn:
    """One message of the conversation, as text.

    Attributes:
        role: Who speaks.
        text: The message's text; parts that are not text are left out.
        tool_calls: Tools called in this turn.
        unseen: What was left out: "image", "audio", "video", "file".
        record: Of the decision that it comes from, where the message carries it.
    """

    role: Role
    text: str = field(repr=False)
    tool_calls: tuple[ToolCall, ...] = ()
    unseen: tuple[str, ...] = ()
    record: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)


class Request:
    """A framework-neutral view of one request.

    The turns are built on first use: most requests are judged without anybody
    reading the prompt again, and converting long histories is not free.

    Args:
        turns: The conversation, or a function that makes it when it is needed.
        native: The framework's own input, handed to tiers untouched.
        tools: Tools the caller offered.
        tool_choice: None or "auto" (free), "none", "required" (any tool), or
            the name of the one tool that must be called.
        output_schema: JSON schema the answer must fit, if the caller set one.
        contexts: Texts retrieved for this request.
        tags: The caller's tags.
        metadata: The caller's metadata; `cascade_class` names the class, and
            `cascade_deadline` the seconds it may take.
        mute: Indexes of tiers whose answers to this request come without log-probabilities.
        needs: What a tier must be able to do to serve it.
        load: How long it is and what it holds beside text, or a function that finds out when
            it matters; by default what the turns say.
        max_tokens: The most tokens an answer may have, where this request says
            so itself; it goes before a tier's own limit.
        first: The cheapest tier to ask, where this is a further step of an
            answer that a later tier has begun.
        thread: The conversation that it belongs to, where the caller named one.
        run: The run of an agent or a chain that it belongs to, as far as it is known.
        beside: Tokens at the most of what its arguments add to the prompt.
        unread: The argument that names what nobody here can read, such as a conversation that its
            provider keeps.
        answers: How many answers it asks for, where it says so itself; as `max_tokens`.
        further: Whether it goes on with a turn that a model has begun: after the user's last
            message stand tools' results, or an answer.
        acts_in_text: Whether it is asked by an agent that calls tools by what is said in a text.

    Attributes:
        ruling: What the policy's rules say of it, once they have been asked.
        held: What earlier steps have decided for it, once they have been looked for.
        left: The stronger tier that its conversation comes down from, where its cache is warm.
        judged_to_end: Whether the last tier's answer is judged as well: then it is called like any
            draft.
        audit: With which probability it was to be audited, and whether it is, as its record says
            it; None where nothing is audited.
    """

    __slots__ = (
        "_load",
        "_turns",
        "acts_in_text",
        "answers",
        "audit",
        "beside",
        "contexts",
        "first",
        "further",
        "held",
        "judged_to_end",
        "left",
        "max_tokens",
        "metadata",
        "mute",
        "native",
        "needs",
        "output_schema",
        "ruling",
        "run",
        "tags",
        "thread",
        "tool_choice",
        "tools",
        "unread",
    )

    def __init__(  # noqa: PLR0913 - a request has this many sides
        self,
        turns: Sequence[Turn] | Callable[[], Sequence[Turn]] = (),
        *,
        native: Any = None,
        tools: Sequence[ToolSpec] = (),
        tool_choice: str | None = None,
        output_schema: Mapping[str, Any] | None = None,
        contexts: Sequence[str] = (),
        tags: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        mute: Collection[int] = (),
        needs: Collection[Missing] = (),
        load: Load | Callable[[], Load] | None = None,
        max_tokens: int | None = None,
        beside: int = 0,
        unread: str | None = None,
        first: int = 0,
        thread: str | None = None,
        run: str | None = None,
        answers: int | None = None,
        further: bool = False,
        acts_in_text: bool = False,
    ) -> None:
        self._turns = turns
        self.native = native
        self.tools = tools
        self.tool_choice = tool_choice
        self.output_schema = output_schema
        self.contexts = contexts
        self.tags = tags
        self.metadata: Mapping[str, Any] = metadata or {}
        self.mute = mute
        self.needs = needs
        self._load = load
        self.max_tokens = max_tokens
        self.beside = beside
        self.unread = unread
        self.first = first
        self.thread = thread
        self.run = run
        self.answers = answers
        self.further = further
        self.acts_in_text = acts_in_text
        self.held: Held | None = None
        self.left: Left | None = None
        self.ruling: Ruling = UNRULED
        self.judged_to_end = False
        self.audit: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, text: str, *, system: str | None = None) -> Request:
        """Make a request of one user message, optionally with a system message."""
        head = (Turn("system", system),) if system else ()
        return cls((*head, Turn("user", text)))

    @property
    def turns(self) -> Sequence[Turn]:
        """The conversation so far, oldest first."""
        if callable(self._turns):
            self._turns = tuple(self._turns())
        return self._turns

    @property
    def load(self) -> Load:
        """How long it is, and what it holds beside text."""
        if callable(self._load):
            self._load = self._load()
        if self._load is None:
            texts = [turn.text for turn in self.turns]
            self._load = Load(sum(map(size_of, texts)), len(texts))
        return self._load

    @property
    def question(self) -> str:
        """The last user turn's text, or an empty string."""
        return next((t.text for t in reversed(self.turns) if t.role == "user"), "")

    @property
    def class_name(self) -> str | None:
        """The kind of request: what a rule named, else `metadata["cascade_class"]`."""
        if self.ruling.class_name is not None:
            return self.ruling.class_name
        named = self.metadata.get("cascade_class")
        return None if named is None else str(named)

    def answered_by(self, last: int) -> int:
        """Return the index of the tier whose draft is the answer whatever it says.

        Args:
            last: The last tier's; a rule may pin the request to another one.

        Returns:
            -1 where the last tier's is judged as well.
        """
        if self.judged_to_end:
            return -1
        pin = self.ruling.pin
        return last if pin is None else pin

    def holds(self, tier: int) -> bool:
        """Tell whether it is a tier's because earlier steps were."""
        return self.held is not None and self.held.tier == tier

    def reads_held(self, tier: int) -> bool:
        """Tell whether a tier's answer in words is judged, as tool calls alone are held to it."""
        return self.held is not None and self.held.tier == tier and self.held.by == "tools"

    @property
    def needs_tool(self) -> bool:
        """Whether the answer must be a tool call."""
        return bool(self.tools) and self.tool_choice not in (None, "auto", "none")

    def asking(self, schema: Mapping[str, Any] | None) -> Request:
        """Return the request as it is put to a tier that is set up for JSON of a schema."""
        if schema is None or self.output_schema is not None:
            return self
        asking = copy(self)
        asking.output_schema = schema
        return asking

    def __repr__(self) -> str:
        """Say what kind of request this is, without any of its text."""
        return f"Request(tools={[t.name for t in self.tools]}, class={self.class_name!r})"


def response_schema(kwargs: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the JSON schema that a `response_format` argument asks for, if any."""
    asked = kwargs.get("response_format")
    if not isinstance(asked, Mapping):
        return None
    if asked.get("type") == "json_object":
        return {"type": "object"}
    schema = asked.get("json_schema")
    return schema.get("schema") if isinstance(schema, Mapping) else None
