"""Addresses of runs."""

from django.urls import path

from runner import views

app_name = "runner"
_RUN = "runs/<uuid:run_id>/"
urlpatterns = [
    path("notebooks/<slug:slug>/run/", views.launch, name="launch"),
    path(
        "notebooks/<slug:slug>/versions/<int:number>/preview/",
        views.preview,
        name="preview",
    ),
    path("runs/", views.runs, name="runs"),
    path(_RUN, views.run, name="run"),
    path(f"{_RUN}progress/", views.progress, name="run-progress"),
    path(f"{_RUN}frame/", views.frame, name="frame"),
    path(f"{_RUN}events/", views.events, name="run-events"),
    path(f"{_RUN}again/", views.repeat, name="repeat"),
    path(f"{_RUN}cancel/", views.cancel, name="cancel"),
    path(f"{_RUN}ipynb/", views.download_ipynb, name="download-ipynb"),
    path(f"{_RUN}html/", views.download_html, name="download-html"),
    path(f"{_RUN}record/", views.record, name="record"),
    path(f"{_RUN}replay/", views.replay, name="replay"),
    path(f"{_RUN}tables/", views.result_tables, name="tables"),
    path(f"{_RUN}tables/<int:number>.csv", views.table_csv, name="table-csv"),
]
