"""Every address of the content origin; it answers nothing else."""

from django.urls import path

from runner.results import views

urlpatterns = [
    path("results/<str:token>/", views.framed_result, name="framed-result"),
]
