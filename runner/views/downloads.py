"""Downloads of a result: its page, its notebook, its tables; to its owner only."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from runner.models import Run
from runner.presenters import header_of
from runner.queries import runs_of
from runner.results.csv_export import csv_bytes
from runner.results.document import compose
from runner.results.reading import Kind, download_result, download_tables
from runner.results.responses import attachment_response
from runner.results.tables import Table


@require_GET
def download_html(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Send the rendered result as one page."""
    run = _own(request, run_id)
    html = _download(request, run, "html", "html")
    page = compose(html, title=run.notebook.title, header=header_of(run))
    return attachment_response(
        page, filename=f"{run.notebook.title}.html", content_type="text/html"
    )


@require_GET
def download_ipynb(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Send the executed notebook."""
    run = _own(request, run_id)
    return attachment_response(
        _download(request, run, "notebook", "ipynb"),
        filename=f"{run.notebook.title}.ipynb",
        content_type="application/x-ipynb+json",
    )


@require_GET
def result_tables(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """List the tables of a result, each to be downloaded."""
    run = _own(request, run_id)
    context = {
        "run": run,
        "notebook": run.notebook,
        "tables": _tables(request, run, "list of tables"),
    }
    return render(request, "runner/tables.html", context)


@require_GET
def table_csv(request: HttpRequest, run_id: UUID, number: int) -> HttpResponse:
    """Send one table of the result as CSV that no spreadsheet takes for a formula."""
    run = _own(request, run_id)
    found = _tables(request, run, f"csv of table {number}")
    if not 1 <= number <= len(found):
        raise Http404
    return attachment_response(
        csv_bytes(found[number - 1]),
        filename=f"{run.notebook.title}, table {number}.csv",
        content_type="text/csv; charset=utf-8",
    )


def _own(request: HttpRequest, run_id: UUID) -> Run:
    return get_object_or_404(runs_of(request.user), pk=run_id)


def _download(request: HttpRequest, run: Run, kind: Kind, format_name: str) -> bytes:
    return download_result(
        run=run,
        kind=kind,
        format_name=format_name,
        by=request.user,
        now=timezone.now(),
    )


def _tables(request: HttpRequest, run: Run, format_name: str) -> list[Table]:
    return download_tables(
        run=run, format_name=format_name, by=request.user, now=timezone.now()
    )
