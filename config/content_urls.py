"""Every address of the content origin; it answers nothing else."""

from django.urls import path

from runner.results.views import framed_result, live_outputs
from runner.sessions.views import asset, kernel_model, session_page, shutdown

urlpatterns = [
    path("results/<str:token>/", framed_result, name="framed-result"),
    # The token comes first, where logs and proxies know to forget it.
    path("results/<str:token>/live/", live_outputs, name="live-outputs"),
    path("assets/<path:name>", asset, name="asset"),
    path("live/<str:token>/", session_page, name="session-page"),
    # Where the page's scripts expect these below its channel; its socket is beside them.
    path("live/<str:token>/api/kernels/<str:kernel>", kernel_model, name="kernel"),
    path("live/<str:token>/voila/api/shutdown/<str:kernel>", shutdown, name="shutdown"),
]
