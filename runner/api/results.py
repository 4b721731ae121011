"""The bytes that a run left, to its owner alone, as downloads."""

from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.negotiation import OneAnswer
from runner.api.runs import own_run_or_404
from runner.presenters import header_of
from runner.results.document import compose
from runner.results.reading import download_result
from runner.results.responses import attachment_response


class RunIpynbView(APIView):
    """The executed notebook."""

    content_negotiation_class = OneAnswer

    @extend_schema(responses={(200, "application/x-ipynb+json"): OpenApiTypes.BINARY})
    def get(self, request: Request, run_id: UUID) -> HttpResponse:
        """Answer the executed notebook; the look is recorded first."""
        run = own_run_or_404(request, run_id)
        data = download_result(
            run=run,
            kind="notebook",
            format_name="ipynb",
            by=request.user,
            now=timezone.now(),
        )
        return attachment_response(
            data,
            filename=f"{run.notebook.slug}-{run.incident}.ipynb",
            content_type="application/x-ipynb+json",
        )


class RunHtmlView(APIView):
    """The rendered result, below whose rights it shows."""

    content_negotiation_class = OneAnswer

    @extend_schema(responses={(200, "text/html"): OpenApiTypes.BINARY})
    def get(self, request: Request, run_id: UUID) -> HttpResponse:
        """Answer the result as a page that says whose rights it shows."""
        run = own_run_or_404(request, run_id)
        html = download_result(
            run=run,
            kind="html",
            format_name="html",
            by=request.user,
            now=timezone.now(),
        )
        page = compose(html, title=run.notebook.title, header=header_of(run))
        return attachment_response(
            page,
            filename=f"{run.notebook.slug}-{run.incident}.html",
            content_type="text/html; charset=utf-8",
        )
