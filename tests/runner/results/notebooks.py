"""Small executed notebooks, made where they are used."""

import base64
import io
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo


def notebook(*cells: dict[str, Any], metadata: dict[str, Any] | None = None):
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": metadata or {},
        "cells": list(cells),
    }


def markdown(source: str, **more: Any) -> dict[str, Any]:
    return {
        "cell_type": "markdown",
        "id": "m",
        "metadata": {},
        "source": source,
        **more,
    }


def code(*outputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "id": "c",
        "metadata": {},
        "execution_count": 1,
        "source": "the_source = 1",
        "outputs": list(outputs),
        **more,
    }


def shown(data: dict[str, Any], metadata: dict[str, Any] | None = None):
    return {"output_type": "display_data", "data": data, "metadata": metadata or {}}


def html(source: str) -> dict[str, Any]:
    return shown({"text/html": source, "text/plain": "<object>"})


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def error(message: str) -> dict[str, Any]:
    return {
        "output_type": "error",
        "ename": message,
        "evalue": message,
        "traceback": [f"\x1b[31m{message}\x1b[0m"],
    }


def png(size: tuple[int, int] = (4, 3), comment: str = "") -> str:
    """Return base64 of a small picture, with a comment inside if one is given."""
    target, info = io.BytesIO(), PngInfo()
    if comment:
        info.add_text("Comment", comment)
        info.add_itxt("Title", comment)
    Image.new("RGB", size, "teal").save(target, "PNG", pnginfo=info)
    return base64.b64encode(target.getvalue()).decode()
