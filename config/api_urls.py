"""The addresses of the HTTP API, version 1."""

from django.urls import include, path
from drf_spectacular.views import SpectacularJSONAPIView

from config.operations import StatusView

app_name = "api"
urlpatterns = [
    path("schema/", SpectacularJSONAPIView.as_view(), name="schema"),
    path("status/", StatusView.as_view(), name="status"),
    path("", include("accounts.api_urls")),
    path("", include("audit.api_urls")),
    path("", include("gallery.api_urls")),
    path("", include("reviews.api_urls")),
    path("", include("runner.api_urls")),
]
