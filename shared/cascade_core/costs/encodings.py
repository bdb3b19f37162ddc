"""OpenAI's tokenizers, as far as they are on this machine.

tiktoken's wheel carries no encodings: it downloads them on first use, which may
hang, and must not happen while a request is answered. So they are read here
from files that are already there, and never from the network:

1. an encoding this process has loaded through tiktoken already;
2. tiktoken's own cache (`TIKTOKEN_CACHE_DIR`, `DATA_GYM_CACHE_DIR`, or its
   folder in the temporary directory);
3. the copies LlamaIndex ships, where it is installed.

Counting does not belong here; see `tokens`.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, NoReturn

from cascade_core.costs.names import without_provider
from cascade_core.forks import free_in_child

if TYPE_CHECKING:
    from tiktoken import Encoding

_FAMILY = re.compile(r"(?:ft:)?(?:gpt-|chatgpt-|o\d|davinci|babbage|text-)")
_loaded: dict[str, Encoding | None] = {}
_lock = RLock()  # a stream collected as garbage may come from in here
free_in_child(sys.modules[__name__])


def encoding_for(model: str | None) -> Encoding | None:
    """Return the encoding of an OpenAI model, if it can be had offline.

    Args:
        model: A model's name; a provider may stand before it.

    Returns:
        The encoding; None for other vendors' models and where no file with it
        is on this machine. Either answer is remembered.
    """
    encoding = _encoding_of(model) if model else None
    if encoding is None:
        return None
    if encoding not in _loaded:
        with _lock:
            if encoding not in _loaded:
                _loaded[encoding] = _load(encoding)
    return _loaded[encoding]


def is_unread(model: str | None) -> bool:
    """Tell whether the first count for a model would read a file."""
    if not model or not any(map(_FAMILY.match, without_provider(model))):
        return False
    return "tiktoken.model" not in sys.modules or _encoding_of(model) not in {None, *_loaded}


@lru_cache(4096)
def _encoding_of(model: str) -> str | None:
    """Return the name of a model's encoding, whoever provides the model."""
    names = (name for name in without_provider(model) if _FAMILY.match(name))
    return next((encoding for name in names if (encoding := _encoding_name(name))), None)


def _encoding_name(model: str) -> str | None:
    try:
        from tiktoken.model import encoding_name_for_model  # noqa: PLC0415 - not needed by most
    except ImportError:
        return None
    try:
        return encoding_name_for_model(model)
    except KeyError:
        return None


def _load(encoding: str) -> Encoding | None:
    from tiktoken import Encoding, registry  # noqa: PLC0415

    if encoding in registry.ENCODINGS:
        return registry.ENCODINGS[encoding]
    try:
        return Encoding(**_constructors()[encoding]())
    except (ImportError, LookupError, OSError, ValueError):
        return None


def _constructors() -> dict[str, Any]:
    """Return tiktoken's descriptions of its encodings, made to read local files only.

    They come from a private copy of the module that holds them, in which the
    two functions that download are replaced; tiktoken's own stays as it is.

    Raises:
        LookupError: This release of tiktoken is built differently.
    """
    spec = importlib.util.find_spec("tiktoken_ext.openai_public")
    if spec is None or spec.loader is None:
        raise LookupError("tiktoken describes no encodings")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    inside = vars(module)
    if "load_tiktoken_bpe" not in inside or "data_gym_to_mergeable_bpe_ranks" not in inside:
        raise LookupError("tiktoken loads its encodings in a way this module does not know")
    inside["load_tiktoken_bpe"] = _local_ranks
    inside["data_gym_to_mergeable_bpe_ranks"] = _refuse
    constructors: dict[str, Any] = inside["ENCODING_CONSTRUCTORS"]
    return constructors


def _local_ranks(url: str, expected_hash: str | None = None) -> dict[bytes, int]:
    """Read the file tiktoken would download from a URL, from wherever it is on this machine.

    Raises:
        LookupError: It is nowhere, or not the file it should be.
    """
    key = hashlib.sha1(url.encode(), usedforsecurity=False).hexdigest()
    for folder in _folders():
        path = folder / key
        if path.is_file():
            content = path.read_bytes()
            # The temporary directory is anybody's: only the genuine file counts.
            if hashlib.sha256(content).hexdigest() == expected_hash:
                lines = (line.split() for line in content.splitlines() if line)
                return {base64.b64decode(token): int(rank) for token, rank in lines}
    raise LookupError(f"no local copy of {url}")


def _refuse(*_: object, **__: object) -> NoReturn:
    raise LookupError("the encodings of GPT-2 are not read offline")


def _folders() -> Iterator[Path]:
    cache = os.environ.get("TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR"))
    if cache is None:
        cache = str(Path(tempfile.gettempdir(), "data-gym-cache"))
    if cache:  # set but empty means: do not cache
        yield Path(cache)
    # `llama_index` is a namespace package: finding it imports nothing of LlamaIndex.
    found = importlib.util.find_spec("llama_index")
    for place in (found and found.submodule_search_locations) or ():
        yield Path(place, "core", "_static", "tiktoken_cache")
