"""What frameworks and providers call what a request asks of a model beside reading text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cascade_core.abilities import Missing

_KINDS: Mapping[str, Missing] = {
    "image": "image",
    "image_url": "image",
    "input_image": "image",
    "image_file": "image",
    "audio": "audio",
    "audio_url": "audio",
    "input_audio": "audio",
    "video": "video",
    "video_url": "video",
    "input_video": "video",
    "file": "file",
    "input_file": "file",
    "document": "file",
    "media": "file",
}

_BY_MIME: Mapping[str, Missing] = {"image": "image", "audio": "audio", "video": "video"}

_MIME_KEYS = ("mime_type", "media_type", "mimetype", "document_mimetype")


def part_kind(part: Mapping[str, Any]) -> Missing | None:
    """Return what a part of a message is beside text; None for text and all that is not known."""
    kind = _KINDS.get(str(part.get("type")))
    if kind != "file":
        return kind
    source = part.get("source")
    if isinstance(source, Mapping) and source.get("type") in {"text", "content"}:
        return None  # a document that is text
    holders = (part, part.get("file"), source)
    for holder in holders:
        if isinstance(holder, Mapping):
            for key in _MIME_KEYS:
                mime = holder.get(key)
                if isinstance(mime, str):
                    head, _, _ = mime.partition("/")
                    return None if head == "text" else _BY_MIME.get(head, "file")
    return kind


def needs_of(kwargs: Mapping[str, Any]) -> tuple[Missing, ...]:
    """Return what the arguments of a call ask of a model."""
    needs: list[Missing] = []
    wanted = kwargs.get("response_format")
    if isinstance(wanted, Mapping) and wanted.get("type") == "json_schema":
        needs.append("structured_output")
    several = kwargs.get("n")
    if type(several) is int and several > 1:
        needs.append("n")
    return tuple(needs)
