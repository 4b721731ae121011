"""Every address of the content origin; it answers nothing else."""

from django.urls import path

from runner.results.views import framed_result

urlpatterns = [
    path("results/<str:token>/", framed_result, name="framed-result"),
]
