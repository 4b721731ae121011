"""Addresses of this app below /api/v1/.

`audit/verify/` is answered where signatures are known, too: in `reviews`.
"""

from django.urls import path

from audit import api

urlpatterns = [
    path("audit/events/", api.EventsView.as_view(), name="audit-events"),
    path("audit/export/", api.ExportView.as_view(), name="audit-export"),
]
