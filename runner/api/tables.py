"""The tables of a result, to its owner alone."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.negotiation import OneAnswer
from runner.api.runs import own_run_or_404
from runner.models import Run
from runner.results.csv_export import csv_bytes
from runner.results.reading import download_tables
from runner.results.responses import attachment_response


class TableSerializer(serializers.Serializer[Any]):
    """One table that the notebook showed; its rows come as CSV."""

    number = serializers.IntegerField()
    caption = serializers.CharField()
    header = serializers.ListField(child=serializers.CharField())
    rows = serializers.IntegerField(help_text="How many there are.")
    shortened = serializers.BooleanField(
        help_text="The notebook showed only the first and last rows or columns."
    )


class TablesView(GenericAPIView[Run]):
    """The tables of a result."""

    queryset = Run.objects.none()
    serializer_class = TableSerializer

    @extend_schema(responses=TableSerializer(many=True))
    def get(self, request: Request, run_id: UUID) -> Response:
        """List the tables of a result of the caller's; the look is recorded first."""
        found = download_tables(
            run=own_run_or_404(request, run_id),
            format_name="list of tables",
            by=request.user,
            now=timezone.now(),
        )
        listed = [
            {
                "number": number,
                "caption": table.caption,
                "header": table.header,
                "rows": len(table.rows),
                "shortened": table.shortened,
            }
            for number, table in enumerate(found, start=1)
        ]
        page = self.paginate_queryset(listed)
        return self.get_paginated_response(TableSerializer(page, many=True).data)


class TableCsvView(APIView):
    """One table of a result."""

    content_negotiation_class = OneAnswer

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.BINARY})
    def get(self, request: Request, run_id: UUID, number: int) -> HttpResponse:
        """Answer one table as CSV that no spreadsheet takes for a formula."""
        run = own_run_or_404(request, run_id)
        found = download_tables(
            run=run,
            format_name=f"csv of table {number}",
            by=request.user,
            now=timezone.now(),
        )
        if not 1 <= number <= len(found):
            raise Http404
        return attachment_response(
            csv_bytes(found[number - 1]),
            filename=f"{run.notebook.slug}-{run.incident}-table-{number}.csv",
            content_type="text/csv; charset=utf-8",
        )
