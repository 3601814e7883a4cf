"""Addresses of sign-in, sign-out, health and the icon."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.templatetags.static import static
from django.urls import path
from django.views.generic import RedirectView

from tracing.web.accounts.views import health, link

urlpatterns = [
    path(
        "login/",
        LoginView.as_view(template_name="tracing/login.html", redirect_authenticated_user=True),
        name="login",
    ),
    path("login/link/<str:token>", link, name="login-link"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("health/", health, name="health"),
    path("favicon.ico", RedirectView.as_view(url=static("brand.svg")), name="icon"),
]
