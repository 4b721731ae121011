"""Outputs made from a kernel's messages, which are untrusted: rebuilt from parts that were checked."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from runner.kernelhost.guarded import is_shallow

MAX_MIME_DEPTH = 32
MAX_NAME_CHARS = 200
MAX_TRACEBACK_LINES = 500
STREAMS = ("stdout", "stderr")
JSON_MIME = re.compile(r"application/(.*\+)?json")


def clean_text(value: Any) -> str:
    """Text without lone surrogates, which no file could hold."""
    text = value if isinstance(value, str) else str(value)
    return text.encode("utf-8", "replace").decode("utf-8")


def clean_json(value: Any) -> Any:
    """JSON with text cleaned and numbers that JSON lacks (NaN, infinities) as null."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, list):
        return [clean_json(item) for item in value]
    if isinstance(value, dict):
        return {clean_text(key): clean_json(item) for key, item in value.items()}
    return (
        value
        if isinstance(value, (int, float, bool)) or value is None
        else clean_text(value)
    )


def size_of(output: dict[str, Any]) -> int:
    """Bytes of an output as it will be written."""
    return len(json.dumps(output, ensure_ascii=False).encode("utf-8", "replace"))


def _bundle(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not is_shallow(value, MAX_MIME_DEPTH):
        return {}
    cleaned: dict[str, Any] = clean_json(value)
    return cleaned


def _data(value: Any) -> dict[str, Any]:
    """A bundle whose parts nbformat allows: text, but for the kinds that are JSON."""
    return {
        mime: part
        if JSON_MIME.fullmatch(mime) or _is_text(part)
        else json.dumps(part, ensure_ascii=False)
        for mime, part in _bundle(value).items()
    }


def _is_text(part: Any) -> bool:
    lines = part if isinstance(part, list) else [part]
    return all(isinstance(line, str) for line in lines)


def _count(value: Any) -> int | None:
    return (
        value
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
        else None
    )


def output_from(msg_type: str, content: dict[str, Any]) -> dict[str, Any] | None:
    """The nbformat output of one message, rebuilt from parts that were checked; None if it is none."""
    if msg_type == "stream":
        name = content.get("name")
        return {
            "output_type": "stream",
            "name": name if name in STREAMS else "stdout",
            "text": clean_text(content.get("text", "")),
        }
    if msg_type == "error":
        traceback = content.get("traceback")
        lines = traceback if isinstance(traceback, list) else []
        return {
            "output_type": "error",
            "ename": clean_text(content.get("ename", ""))[:MAX_NAME_CHARS],
            "evalue": clean_text(content.get("evalue", "")),
            "traceback": [clean_text(line) for line in lines[:MAX_TRACEBACK_LINES]],
        }
    if msg_type not in ("display_data", "execute_result", "update_display_data"):
        return None
    output: dict[str, Any] = {
        "output_type": "execute_result"
        if msg_type == "execute_result"
        else "display_data",
        "data": _data(content.get("data")),
        "metadata": _bundle(content.get("metadata")),
    }
    if msg_type == "execute_result":
        output["execution_count"] = _count(content.get("execution_count"))
    return output


def display_id_of(content: dict[str, Any]) -> str | None:
    """The display id of a message, if it has a usable one."""
    transient = content.get("transient")
    value = transient.get("display_id") if isinstance(transient, dict) else None
    return (
        value if isinstance(value, str) and 0 < len(value) <= MAX_NAME_CHARS else None
    )
