"""Every address of the application origin."""

from django.urls import include, path

from config import health, operations

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("status/", operations.status_page, name="status"),
    path("api/v1/", include("config.api_urls")),
    path("audit/", include("audit.urls")),
    path("", include("accounts.urls")),
    path("", include("reviews.urls")),
    path("", include("runner.urls")),
    path("", include("gallery.urls")),
]
handler404 = "config.missing.not_found"
handler500 = "config.missing.failed"
