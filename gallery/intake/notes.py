"""What intake removed or changed, counted while it works and told in plain words afterwards."""

from collections import Counter

# key: (one, many); "{n}" is the count. Order is the order of telling.
_SENTENCES: dict[str, tuple[str, str]] = {
    "format_3": ("The notebook was in format 3 and was brought to format 4.5.",) * 2,
    "encoding": ("The file was not in plain UTF-8 and was converted to it.",) * 2,
    "kernel_assumed": ("No kernel was named, so python3 is assumed.",) * 2,
    "own_kernel": (
        "The kernel was an installation of the author's own; python3 is used in its place.",
    )
    * 2,
    "ids": (
        "1 cell had no usable id of its own and was given one.",
        "{n} cells had no usable id of their own and were given one.",
    ),
    "line_endings": (
        "Line endings of 1 cell were changed to LF.",
        "Line endings of {n} cells were changed to LF.",
    ),
    "outputs": (
        "Outputs of 1 cell were removed.",
        "Outputs of {n} cells were removed.",
    ),
    "execution_counts": (
        "The execution number of 1 cell was removed.",
        "Execution numbers of {n} cells were removed.",
    ),
    "widgets": ("Saved widget state was removed.",) * 2,
    "signature": ("A notebook signature was removed.",) * 2,
    "execution": (
        "1 record of an earlier execution (times, papermill) was removed.",
        "{n} records of earlier executions (times, papermill) were removed.",
    ),
    "editor": (
        "1 editor setting (folding, scrolling, window state) was removed.",
        "{n} editor settings (folding, scrolling, window state) were removed.",
    ),
    "gallery": (
        "1 block of gallery metadata that came with the file was removed; the gallery keeps its own.",
        "{n} blocks of gallery metadata that came with the file were removed; the gallery keeps its own.",
    ),
    "kernel_details": (
        "1 detail of the author's kernel installation was removed.",
        "{n} details of the author's kernel installation were removed.",
    ),
    "other_metadata": (
        "1 metadata entry that Countersign does not use was removed.",
        "{n} metadata entries that Countersign does not use were removed.",
    ),
    "tags": (
        "1 tag that is not a plain word was removed.",
        "{n} tags that are not plain words were removed.",
    ),
    "attachments_kept": (
        "1 attached image was kept and saved afresh, without the data hidden in its file; reviewers see it.",
        "{n} attached images were kept and saved afresh, without the data hidden in their files; reviewers see them.",
    ),
    "attachments_removed": (
        "1 attachment was removed: it is not an image, or its cell does not show it.",
        "{n} attachments were removed: they are not images, or their cells do not show them.",
    ),
}


class Notes:
    """A tally of removals; holds no text of the file itself, which may hold patient data."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, key: str, count: int = 1) -> None:
        """Count ``count`` more removals of the kind ``key``."""
        if key not in _SENTENCES:
            raise KeyError(key)
        self._counts[key] += count

    def sentences(self) -> list[str]:
        """Return one sentence per kind, in a fixed order."""
        result = []
        for key, (one, many) in _SENTENCES.items():
            count = self._counts[key]
            if count:
                result.append((one if count == 1 else many).format(n=count))
        return result
