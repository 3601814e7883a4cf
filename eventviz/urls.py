"""The project's addresses are the app's."""

from django.urls import include, path

urlpatterns = [path("", include("tracing.urls"))]
handler400 = "tracing.web.refused.refused"
handler500 = "tracing.web.failed.failed"
