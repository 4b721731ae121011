"""Pages of the audit log, below /audit/."""

from django.urls import path

from audit import views

app_name = "audit"
urlpatterns = [
    path("", views.events_page, name="events"),
    path("verify/", views.verify_page, name="verify"),
    path("export/", views.export, name="export"),
]
