"""Texts are read once while somebody fits, and nothing of them is kept afterwards."""

from __future__ import annotations

import pytest

from cascade_core.fitted import features, texts
from cascade_core.fitted.texts import read_draft, read_request, read_words, texts_read_once


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Return what is read of texts from now on."""
    seen: list[tuple[str, ...]] = []

    def draft_features(request: str, draft: str) -> dict[str, float]:
        seen.append((request, draft))
        return {"words": float(len(draft.split()))}

    monkeypatch.setattr(features, "draft_features", draft_features)
    return seen


def test_a_text_is_read_once_while_it_lasts(read: list[tuple[str, ...]]) -> None:
    with texts_read_once():
        first = read_draft("a question", "an answer")
        with texts_read_once():
            assert read_draft("a question", "an answer") is first
        assert read_draft("a question", "an answer") is first
        read_draft("a question", "another")
    assert read == [("a question", "an answer"), ("a question", "another")]


def test_nothing_is_kept_before_or_after(read: list[tuple[str, ...]]) -> None:
    for _ in range(2):
        read_draft("a question", "an answer")
    with texts_read_once():
        read_draft("a question", "an answer")
    read_draft("a question", "an answer")
    assert len(read) == 4


def test_no_more_than_some_are_kept(
    read: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "MOST_TEXTS_KEPT", 1)
    with texts_read_once():
        for answer in ("one", "two", "one", "two"):
            read_draft("a question", answer)
    assert [answer for _, answer in read] == ["one", "two", "two"]


def test_requests_drafts_and_words_are_not_mixed_up() -> None:
    with texts_read_once():
        assert read_request("one two") is not read_words("one two", 64)
        assert read_words("one two", 64) is not read_words("one two", 32)
        assert read_words("one two", 64) == features.hashed_words("one two", 64)
        assert read_request("one two") == features.request_features("one two")
