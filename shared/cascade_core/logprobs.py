"""Token log-probabilities in one shape, whoever sent them.

Providers disagree on the shape; what is normalised here is the payload an
integration hands over, as dicts or as a client's objects:

- OpenAI Chat Completions, Groq, vLLM, llama.cpp: `{"content": [entry, …]}`,
  where an entry is `{"token", "logprob", "top_logprobs": [{"token", "logprob"}]}`
- Ollama, OpenAI's Responses API, ChatVertexAI: the bare list of such entries
- legacy completions: `{"tokens", "token_logprobs", "top_logprobs": [{token: logprob}]}`
- Google: `{"chosen_candidates": [entry, …], "top_candidates": [{"candidates": [entry, …]}]}`,
  where an entry is `{"token", "log_probability"}`
- Together's streams: the one number of the token in a chunk
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain, repeat
from typing import Any, TypeAlias

Entries: TypeAlias = Sequence[Mapping[str, Any]]


class Logprobs:
    """Log-probabilities of the tokens a model wrote, in natural log.

    Args:
        values: Log-probability of each written (sampled) token.
        entries: The tokens in OpenAI's shape, one entry each, or what makes
            them when alternatives or token texts are asked for: most answers
            are judged by their values alone.
        tokens: Gives the tokens' texts, where that takes less than making the entries.
    """

    __slots__ = ("_entries", "_tokens", "values")

    def __init__(
        self,
        values: Sequence[float],
        entries: Entries | Callable[[], Entries] = (),
        tokens: Callable[[], Sequence[str]] | None = None,
    ) -> None:
        self.values = values
        self._entries = entries
        self._tokens = tokens

    @classmethod
    def joined(cls, parts: Sequence[Logprobs]) -> Logprobs:
        """Put the tokens of several answers, or of a stream's chunks, one after another."""
        return cls(
            [value for part in parts for value in part.values],
            partial(_joined_entries, parts),
            partial(_joined_tokens, parts),
        )

    def part(self, start: int, end: int) -> Logprobs:
        """Return the tokens from `start` up to `end`."""
        if start == 0 and end == len(self.values):
            return self
        return Logprobs(self.values[start:end], self.entries[start:end])

    @property
    def entries(self) -> Entries:
        """The tokens in OpenAI's shape; empty where only their values were sent."""
        if callable(self._entries):
            self._entries = self._entries()
        return self._entries

    @property
    def tokens(self) -> Sequence[str]:
        """The tokens' texts; empty where only their values were sent."""
        if self._tokens is not None:
            return self._tokens()
        return [_text(entry.get("token")) for entry in self.entries]

    @property
    def spelled(self) -> str:
        """The tokens' texts as one; empty where only their values were sent."""
        if self._tokens is None:
            try:
                return "".join([entry["token"] for entry in self.entries])
            except (KeyError, TypeError):  # a token without a text
                pass
        return "".join(self.tokens)

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.values)

    def __repr__(self) -> str:
        """Say how many tokens there are, without their text."""
        return f"Logprobs({len(self.values)} tokens)"

    def alternatives(self, position: int) -> list[tuple[str, float]]:
        """Return what the model could have written at a position.

        Args:
            position: Index of the token.

        Returns:
            Pairs of token text and log-probability, likeliest first. The
            written token is among them only where the provider lists it; empty
            where the provider sent no alternatives.
        """
        if position >= len(self.entries):
            return []
        found = [
            (str(a["token"]), float(a["logprob"]))
            for a in self.entries[position].get("top_logprobs") or ()
        ]
        return sorted(found, key=lambda pair: -pair[1])


def is_number(payload: Any) -> bool:
    """Tell whether a chunk's log-probabilities are sent as one number, without the token."""
    return isinstance(payload, int | float) and not isinstance(payload, bool)


def read_logprobs(payload: Any, text: str = "") -> Logprobs | None:
    """Normalise a provider's log-probabilities.

    Args:
        payload: What the integration handed over; any of the shapes above.
        text: The chunk's text, which a number is the log-probability of.

    Returns:
        The tokens' log-probabilities, or None where the payload holds none.
        A value that is not a number becomes NaN, which signals read as
        probability 0: a broken reading never helps an answer.
    """
    entries = payload
    if is_number(payload):
        entries = [{"token": text, "logprob": payload}] if text else None
    elif not isinstance(payload, _LISTS):
        entries = _of(payload, "content")
        if not entries and (rows := _of(payload, "token_logprobs")) and isinstance(rows, _LISTS):
            entries = list(_legacy_entries(payload, rows))
        elif not entries and isinstance(chosen := _of(payload, "chosen_candidates"), _LISTS):
            entries = list(_google_entries(payload, chosen))
    if not entries or not isinstance(entries, _LISTS):
        return None
    try:
        if isinstance(entries[0], dict):
            return Logprobs([float(entry["logprob"]) for entry in entries], entries)
        values = [float(entry.logprob) for entry in entries]
    except _NOT_A_NUMBER:
        values = [_number(entry) for entry in entries]
    return Logprobs(values, partial(_plain, entries), partial(_token_texts, entries))


def _joined_entries(parts: Sequence[Logprobs]) -> Entries:
    """Return the entries of all parts; none where positions would shift."""
    if any(len(part.entries) != len(part.values) for part in parts):
        return ()
    return [entry for part in parts for entry in part.entries]


def _joined_tokens(parts: Sequence[Logprobs]) -> Sequence[str]:
    return [token for part in parts for token in part.tokens]


def _token_texts(entries: Sequence[Any]) -> Sequence[str]:
    try:
        tokens = [entry.token for entry in entries]
        "".join(tokens)
    except (AttributeError, TypeError):
        return [_text(_of(entry, "token")) for entry in entries]
    return tokens


def _text(found: Any) -> str:
    return found if isinstance(found, str) else ""


_LISTS = (list, tuple)
_NOT_A_NUMBER = (AttributeError, KeyError, OverflowError, TypeError, ValueError)


def _of(source: Any, name: str) -> Any:
    if isinstance(source, dict):
        return source.get(name)
    return source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)


def _number(entry: Any) -> float:
    try:
        return float(_of(entry, "logprob"))
    except _NOT_A_NUMBER:
        return float("nan")


def _plain(entries: Sequence[Any]) -> Entries:
    """Return entries as mappings: a client's objects are read, all else is empty."""
    return [entry if isinstance(entry, Mapping) else _as_mapping(entry) for entry in entries]


def _as_mapping(entry: Any) -> Mapping[str, Any]:
    found = {
        "token": getattr(entry, "token", ""),
        "logprob": getattr(entry, "logprob", None),
        "top_logprobs": _plain(getattr(entry, "top_logprobs", None) or ()),
    }
    given = getattr(entry, "bytes", None)
    return found if given is None else {**found, "bytes": given}


def _legacy_entries(payload: Any, values: Sequence[Any]) -> Iterable[dict[str, Any]]:
    tokens = _column(payload, "tokens")
    tops = _column(payload, "top_logprobs")
    for token, value, top in zip(tokens, values, tops, strict=False):
        if value is None:  # the first token of an echoed prompt has no probability
            continue
        others = top.items() if isinstance(top, Mapping) else ()
        yield {
            "token": "" if token is None else token,
            "logprob": value,
            "top_logprobs": [{"token": t, "logprob": p} for t, p in others],
        }


def _google_entries(payload: Any, chosen: Sequence[Any]) -> Iterable[dict[str, Any]]:
    for entry, top in zip(chosen, _column(payload, "top_candidates"), strict=False):
        others = _of(top, "candidates") or ()
        yield {**_google_entry(entry), "top_logprobs": [_google_entry(other) for other in others]}


def _google_entry(entry: Any) -> dict[str, Any]:
    return {"token": _of(entry, "token") or "", "logprob": _of(entry, "log_probability")}


def _column(payload: Any, name: str) -> Iterable[Any]:
    """Return a column of a payload, filled up so that no token is lost."""
    column = _of(payload, name)
    return chain(column if isinstance(column, _LISTS) else (), repeat(None))
