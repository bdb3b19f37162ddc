"""The transformer's forward pass in numpy: token ids in, logits out.

Only arithmetic is here. How tokens are drawn from the logits is in `generate`, what the
ids mean in `tokenizer`. Weights are shared and never written to; everything that changes
while a text grows is in a `ModelRun`, so any number of threads or coroutines may each have one.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cascade_core.errors import CascadeError
from cascade_demo.tokenizer import Tokenizer

Floats = npt.NDArray[np.float32]

CONTEXT = 512
"""Most tokens a prompt and its answer may have together."""

HEAD_WIDTH = 32
ROTARY_BASE = 1000.0
WEIGHTS = Path(__file__).parent / "weights"
MODEL_FILES = {"desk-small": "small.npz", "desk-large": "large.npz"}


@dataclass(frozen=True, slots=True)
class Layer:
    """The matrices of one block, laid out for ``row @ matrix``."""

    qkv: Floats
    out: Floats
    up: Floats
    down: Floats


class ContextLengthError(CascadeError, ValueError):
    """The prompt leaves no room in the model's context."""


class LanguageModel:
    """Weights of one model and its tokenizer.

    Attributes:
        name: as used in requests, ``desk-small`` or ``desk-large``.
        tokenizer: its vocabulary.
        parameters: how many weights it has.
        silence: added to logits, keeps a model from writing tokens that are not text.
    """

    def __init__(self, name: str, arrays: dict[str, Floats], tokenizer: Tokenizer) -> None:
        """Convert float16 `arrays` once to the float32 that all steps compute in."""
        self.name = name
        self.tokenizer = tokenizer
        self.parameters = sum(array.size for array in arrays.values())
        weights = {key: array.astype(np.float32) for key, array in arrays.items()}
        self.embedding = weights["embed"]
        # Normalised here rather than at every step; the last product needs the raw ones.
        self.inputs = _normalised(self.embedding)
        self.output = np.ascontiguousarray(self.embedding.T)
        self.width = self.embedding.shape[1]
        self.heads = self.width // HEAD_WIDTH
        self.layers = []
        for index in range(sum(key.endswith(".qkv") for key in weights)):
            qkv = weights[f"{index}.qkv"].copy()
            qkv[:, : self.width] *= HEAD_WIDTH**-0.5  # attention's scale, once for all steps
            rest = (weights[f"{index}.{part}"] for part in ("out", "up", "down"))
            self.layers.append(Layer(qkv, *rest))
        self.cos, self.sin = _rotary_tables()
        self.silence = np.zeros(len(tokenizer), dtype=np.float32)
        self.silence[list(tokenizer.unspeakable)] = -np.inf

    def start(self, prompt: list[int]) -> "ModelRun":
        """Read a prompt in one pass; `ModelRun.logits` then predict the first answer token.

        Raises:
            ContextLengthError: if the prompt leaves no room for an answer.
        """
        self.check_room(prompt)
        return ModelRun(self, prompt)

    def check_room(self, prompt: list[int]) -> None:
        """Refuse a prompt that is too long.

        Raises:
            ContextLengthError: if it leaves no room for an answer.
        """
        if len(prompt) >= CONTEXT:
            raise ContextLengthError(
                f"the prompt has {len(prompt)} tokens, and {self.name} reads at most "
                f"{CONTEXT - 1} of its {CONTEXT}-token context: shorten the message"
            )


class ModelRun:
    """One text in the making: the attention cache and the logits of what comes next.

    Attributes:
        length: tokens read so far.
        logits: of the next token, shape (vocabulary,).
    """

    def __init__(self, model: LanguageModel, prompt: list[int]) -> None:
        """Read `prompt`; see `LanguageModel.start`."""
        self._model = model
        # Room for a usual answer; grows when a text is longer.
        room = min(CONTEXT, len(prompt) + 64)
        shape = (len(model.layers), 2, model.heads, room, HEAD_WIDTH)
        self._cache = np.empty(shape, dtype=np.float32)
        self.length = 0
        self.logits = self._read(prompt)

    @property
    def full(self) -> bool:
        """Whether the context has no room for another token."""
        return self.length >= CONTEXT

    def step(self, token: int) -> Floats:
        """Append `token`; give (and keep) the logits of the one after it."""
        if self.full:
            raise ContextLengthError(f"the context of {CONTEXT} tokens is full")
        if self.length == self._cache.shape[3]:
            wider = list(self._cache.shape)
            wider[3] = min(CONTEXT, 2 * wider[3])
            cache = np.empty(wider, dtype=np.float32)
            cache[:, :, :, : self.length] = self._cache
            self._cache = cache
        self.logits = self._append(token)
        return self.logits

    def _read(self, prompt: list[int]) -> Floats:
        """Run all prompt tokens through the blocks at once."""
        model, count = self._model, len(prompt)
        x = model.inputs[prompt]
        cos, sin = model.cos[:count, None], model.sin[:count, None]
        future = np.triu(np.full((count, count), -np.inf, dtype=np.float32), 1)
        for layer, (keys, values) in zip(model.layers, self._cache, strict=True):
            qkv = (_normalised(x) @ layer.qkv).reshape(count, 3 * model.heads, HEAD_WIDTH)
            qk = _rotated(qkv[:, : 2 * model.heads], cos, sin).transpose(1, 0, 2)
            keys[:, :count] = qk[model.heads :]
            values[:, :count] = qkv[:, 2 * model.heads :].transpose(1, 0, 2)
            scores = qk[: model.heads] @ keys[:, :count].transpose(0, 2, 1) + future
            scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
            scores /= scores.sum(axis=-1, keepdims=True)
            mixed = (scores @ values[:, :count]).transpose(1, 0, 2)
            x = x + mixed.reshape(count, model.width) @ layer.out
            hidden = np.maximum(_normalised(x) @ layer.up, 0)
            x = x + (hidden * hidden) @ layer.down
        self.length = count
        logits: Floats = _normalised(x[-1:])[0] @ model.output
        return logits

    def _append(self, token: int) -> Floats:
        """Run one token through the blocks; the same arithmetic as `_read`, on vectors."""
        model, at = self._model, self.length
        now = at + 1
        x = model.inputs[token]
        cos, sin = model.cos[at], model.sin[at]
        for layer, (keys, values) in zip(model.layers, self._cache, strict=True):
            qkv = (_scaled(x) @ layer.qkv).reshape(3 * model.heads, HEAD_WIDTH)
            qk = _rotated(qkv[: 2 * model.heads], cos, sin)
            keys[:, at] = qk[model.heads :]
            values[:, at] = qkv[2 * model.heads :]
            scores = keys[:, :now] @ qk[: model.heads, :, None]
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            mixed = (scores.transpose(0, 2, 1) @ values[:, :now])[:, 0]
            mixed /= scores.sum(axis=1)
            x = x + mixed.reshape(-1) @ layer.out
            hidden = np.maximum(_scaled(x) @ layer.up, 0)
            x = x + (hidden * hidden) @ layer.down
        self.length = now
        logits: Floats = _scaled(x) @ model.output
        return logits


def _normalised(x: Floats) -> Floats:
    """RMSNorm of every row."""
    scale = np.sqrt(np.einsum("ij,ij->i", x, x)[:, None] / x.shape[1] + np.float32(1e-5))
    result: Floats = x / scale
    return result


def _scaled(x: Floats) -> Floats:
    """RMSNorm of one vector: a dot product is several times quicker than `_normalised`."""
    result: Floats = x * np.float32((float(x.dot(x)) / x.size + 1e-5) ** -0.5)
    return result


def _rotary_tables() -> tuple[Floats, Floats]:
    """Cosines doubled to head width, and sines with the sign of their half."""
    half = HEAD_WIDTH // 2
    speeds = ROTARY_BASE ** (-np.arange(half) / half)
    angles = np.arange(CONTEXT)[:, None] * speeds
    cos, sin = np.cos(angles), np.sin(angles)
    return (
        np.concatenate((cos, cos), axis=1).astype(np.float32),
        np.concatenate((-sin, sin), axis=1).astype(np.float32),
    )


# Where each element of a head finds its partner of the other half.
_OTHER_HALF = np.roll(np.arange(HEAD_WIDTH), HEAD_WIDTH // 2)


def _rotated(x: Floats, cos: Floats, sin: Floats) -> Floats:
    """Turn queries and keys by their position, so that only distances matter."""
    result: Floats = x * cos + x[..., _OTHER_HALF] * sin
    return result


@cache
def load_embedded(name: str) -> LanguageModel:
    """Load a shipped model, once a process.

    Raises:
        KeyError: if there is no model called `name`.
    """
    if name not in MODEL_FILES:
        raise KeyError(f"no model {name!r}: the demo has {', '.join(MODEL_FILES)}")
    return read_model(name, WEIGHTS / MODEL_FILES[name], WEIGHTS / "vocab.json")


def read_model(name: str, weights: Path, vocabulary: Path) -> LanguageModel:
    """Read a model from an ``.npz`` file of weights and a vocabulary."""
    with np.load(weights) as stored:
        arrays = {key: stored[key] for key in stored.files}
    return LanguageModel(name, arrays, Tokenizer.load(vocabulary))
