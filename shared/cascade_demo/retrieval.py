"""Finds passages of the knowledge base: a LlamaIndex vector index with an embedding of our own.

The embedding is a weighted bag of words and of pieces of words, which catch inflections and
typos. It needs no download and no training beyond counting in how many passages a piece
occurs, and is good enough for a score of short passages; nothing else should use it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from math import log, sqrt
from typing import Any
from zlib import crc32

import numpy as np
from llama_index.core import VectorStoreIndex
from llama_index.core.base.embeddings.base import BaseEmbedding, Embedding
from llama_index.core.schema import MetadataMode, TextNode
from pydantic import PrivateAttr

from cascade_demo.knowledge import PASSAGES, Passage

DIMENSIONS = 1024
PIECE = 4
"""Letters of a piece of a word."""

_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"[a-z0-9$%]+")


class WordEmbedding(BaseEmbedding):
    """Words and their pieces, hashed to a vector; rare ones weigh more (tf-idf).

    Hashing with signs keeps sums of collisions near zero: Weinberger et al., “Feature
    hashing for large scale multitask learning”, ICML 2009.
    """

    _weights: dict[str, float] = PrivateAttr(default_factory=dict)

    def __init__(self, texts: Sequence[str], **kwargs: Any) -> None:
        """Learn from `texts`, those to be found, how telling each piece is."""
        super().__init__(model_name="words", **kwargs)
        found = Counter(piece for text in texts for piece in set(_pieces(text)))
        self._weights = {piece: log((1 + len(texts)) / n) for piece, n in found.items()}

    def _vector(self, text: str) -> Embedding:
        vector = np.zeros(DIMENSIONS)
        for piece, n in Counter(_pieces(text)).items():
            # What no text holds cannot tell them apart, and would only collide.
            if weight := self._weights.get(piece):
                place = crc32(piece.encode())
                vector[place % DIMENSIONS] += (1 if place >> 31 else -1) * weight * sqrt(n)
        length = float(np.linalg.norm(vector))
        vector /= length or 1.0
        return [float(value) for value in vector]

    def _get_text_embedding(self, text: str) -> Embedding:
        return self._vector(text)

    def _get_query_embedding(self, query: str) -> Embedding:
        return self._vector(query)

    async def _aget_query_embedding(self, query: str) -> Embedding:
        return self._vector(query)


@lru_cache(maxsize=1)
def knowledge_index() -> VectorStoreIndex:
    """Return the index over all passages."""
    nodes = [_node(passage) for passage in PASSAGES]
    embedding = WordEmbedding([node.get_content(MetadataMode.EMBED) for node in nodes])
    return VectorStoreIndex(nodes, embed_model=embedding)


def _node(passage: Passage) -> TextNode:
    return TextNode(
        id_=passage.name,
        text=passage.text,
        metadata={"title": passage.title, "asked": passage.asked},
        # Customers' wordings lead to the passage; the model that answers needs only the rule.
        excluded_llm_metadata_keys=["asked"],
        metadata_template="{value}",
        text_template="{metadata_str}\n{content}",
    )


def _pieces(text: str) -> Iterator[str]:
    """Yield the words of a text and the pieces of each; a number is one word, whatever it is."""
    for word in _words(text):
        yield word
        marked = f"<{word}>"
        for start in range(len(marked) - PIECE + 1):
            yield marked[start : start + PIECE]


def _words(text: str) -> Iterable[str]:
    return _WORD.findall(_NUMBER.sub("0", text.lower()))
