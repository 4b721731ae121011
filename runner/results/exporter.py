"""The one nbconvert exporter of a process; making another costs 50 ms each time."""

from functools import cache
from pathlib import Path
from typing import Any

from nbconvert.exporters import HTMLExporter, TemplateExporter
from nbformat import NotebookNode
from traitlets.config import Config

TEMPLATES = Path(__file__).parent / "templates"


class ResultExporter(HTMLExporter):
    """Renders with our own template, which names no other address and no script."""

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Render; skip HTMLExporter's second parse, which the sanitiser does anyway."""
        html, resources = TemplateExporter.from_notebook_node(self, nb, resources, **kw)
        return html, resources


@cache
def exporter() -> ResultExporter:
    """Return this process's exporter, which reads no configuration but its own."""
    return ResultExporter(
        config=Config(),
        template_name="countersign",
        # They change code and metadata, and none is left here to be changed.
        default_preprocessors=[],
        extra_template_basedirs=[str(TEMPLATES)],
        exclude_raw=True,
        exclude_unknown=True,
        exclude_input=True,
    )
