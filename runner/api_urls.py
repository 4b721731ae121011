"""Addresses of this app below /api/v1/."""

from django.urls import path

from runner.api import record, results, runs, tables, waiting

_NOTEBOOK = "notebooks/<slug:slug>/"
_RUN = "runs/<uuid:run_id>/"
urlpatterns = [
    path(
        f"{_NOTEBOOK}runs/",
        waiting.preferring_to_wait(runs.RunRequestsView.as_view()),
        name="run-requests",
    ),
    path(
        f"{_NOTEBOOK}versions/<int:number>/previews/",
        waiting.preferring_to_wait(runs.PreviewRequestsView.as_view()),
        name="preview-requests",
    ),
    path("runs/", runs.RunsView.as_view(), name="runs"),
    path(_RUN, runs.RunView.as_view(), name="run"),
    path(
        f"{_RUN}events/",
        waiting.streaming(waiting.RunEventsView.as_view()),
        name="run-events",
    ),
    path(
        f"{_RUN}repeat/",
        waiting.preferring_to_wait(runs.RepeatView.as_view()),
        name="repeat",
    ),
    path(f"{_RUN}cancel/", runs.CancelView.as_view(), name="cancel"),
    path(f"{_RUN}ipynb/", results.RunIpynbView.as_view(), name="run-ipynb"),
    path(f"{_RUN}html/", results.RunHtmlView.as_view(), name="run-html"),
    path(f"{_RUN}record/", record.RecordView.as_view(), name="record"),
    path(f"{_RUN}replay/", record.ReplayView.as_view(), name="replay"),
    path(f"{_RUN}tables/", tables.TablesView.as_view(), name="tables"),
    path(
        f"{_RUN}tables/<int:number>.csv",
        tables.TableCsvView.as_view(),
        name="table-csv",
    ),
]
