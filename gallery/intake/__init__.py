"""From an uploaded file to the one form in which a notebook is reviewed, stored and run.

Normalised once, here: text in UTF-8, strict JSON, notebook format 4.5, cell ids, LF, no outputs, only
metadata that has a meaning. Equal bytes give equal documents. Everything refused has a class of its own
in ``gallery.intake.errors``.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from gallery.intake.canonical import canonical_bytes, compact
from gallery.intake.cells import clean_cell
from gallery.intake.decoding import decode
from gallery.intake.errors import IntakeError, NumberTooLarge, TooLarge, TooMuchMetadata
from gallery.intake.kernel import read_kernel
from gallery.intake.limits import MAX_BYTES, MAX_INTEGER, MAX_METADATA_BYTES
from gallery.intake.metadata import notebook_metadata
from gallery.intake.notes import Notes
from gallery.intake.strict_json import parse
from gallery.intake.structure import as_format_4

__all__ = ["Intake", "IntakeError", "read_notebook"]


@dataclass(frozen=True)
class Intake:
    """A notebook as it was taken in.

    ``document`` is ``notebook`` in its canonical bytes; ``original_sha256`` (hex) is of the uploaded
    bytes, which are not kept, because their outputs may hold patient data; ``removed`` says in plain words
    what is not in it any more.
    """

    notebook: dict[str, Any]
    document: bytes
    original_sha256: str
    removed: list[str]
    kernel_name: str
    language: str


def read_notebook(data: bytes, *, max_bytes: int = MAX_BYTES) -> Intake:
    """Return the notebook in ``data``, normalised and stripped. Raises IntakeError, by a subclass per reason."""
    notes = Notes()
    if data[:3] == b"\xef\xbb\xbf" or b"\0" in data[:4]:
        notes.add("encoding")
    uploaded = as_format_4(parse(decode(data, max_bytes=max_bytes)), notes)
    metadata = uploaded["metadata"]
    kernel = read_kernel(metadata, notes)
    notebook: dict[str, Any] = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": kernel.metadata() | notebook_metadata(metadata, notes),
        "cells": [
            clean_cell(cell, index, notes)
            for index, cell in enumerate(uploaded["cells"])
        ],
    }
    _refuse_too_much_metadata(notebook)
    _refuse_inexact_integers(notebook)
    document = canonical_bytes(notebook)
    if len(document) > max_bytes:
        raise TooLarge(
            f"This notebook has {len(document):,} bytes without its outputs; the limit is {max_bytes:,}.",
            size_bytes=len(document),
            max_bytes=max_bytes,
        )
    return Intake(
        notebook=notebook,
        document=document,
        original_sha256=hashlib.sha256(data).hexdigest(),
        removed=notes.sentences(),
        kernel_name=kernel.name,
        language=kernel.language,
    )


def _all_metadata(notebook: dict[str, Any]) -> list[Any]:
    return [notebook["metadata"], *(cell["metadata"] for cell in notebook["cells"])]


def _refuse_too_much_metadata(notebook: dict[str, Any]) -> None:
    size = len(compact(_all_metadata(notebook)).encode())
    if size > MAX_METADATA_BYTES:
        raise TooMuchMetadata(
            f"The metadata of this notebook has {size:,} bytes; the limit is {MAX_METADATA_BYTES:,}.",
            size_bytes=size,
            max_bytes=MAX_METADATA_BYTES,
        )


def _refuse_inexact_integers(notebook: dict[str, Any]) -> None:
    waiting = _all_metadata(notebook)
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, int) and abs(item) > MAX_INTEGER:
            raise NumberTooLarge(
                "The metadata of this notebook holds an integer that browsers would round."
            )
