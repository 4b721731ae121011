"""Every address of the content origin; it answers nothing else."""

from django.urls import path

from runner.results.views import framed_result, live_outputs

urlpatterns = [
    path("results/<str:token>/", framed_result, name="framed-result"),
    # The token comes first, where logs and proxies know to forget it.
    path("results/<str:token>/live/", live_outputs, name="live-outputs"),
]
