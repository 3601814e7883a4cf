"""Who asks, told from an ASGI scope: for sockets, and for what answers beside the middleware."""

from __future__ import annotations

from importlib import import_module
from io import BytesIO
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user, get_user_model
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import User
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, JsonResponse, parse_cookie
from django.http.request import split_domain_port, validate_host

from tracing.web.access import (
    demo_user,
    is_demo_client,
    is_own_origin,
    refuse_api,
    token_user,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


def api_caller(scope: Mapping[str, Any]) -> tuple[int, HttpResponse | None]:
    """Return whose request of the API this is, and the refusal if it is nobody's.

    For what answers beside Django's middleware, by the same rules. At most two queries: call it
    in a thread.
    """
    request = ASGIRequest(scope, BytesIO())
    try:
        request.get_host()
    except DisallowedHost:
        return 0, JsonResponse({"error": "This is not an address of these pages."}, status=400)
    SessionMiddleware(_nothing).process_request(request)
    AuthenticationMiddleware(_nothing).process_request(request)
    refusal = refuse_api(request)
    return (0, refusal) if refusal else (request.user.pk or 0, None)


def _nothing(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    return HttpResponse()


def scope_allowed(scope: Mapping[str, Any]) -> User | None:
    """Return who opens a websocket, or None when it must be refused.

    A browser always sends Origin: it must be our own scheme, host and port, or a trusted origin,
    and the visitor must be signed in. A socket without it is a script and needs a token (except
    in a demo). The Host header must be one of ALLOWED_HOSTS, so that a name which somebody
    pointed at this machine gains nothing. At most two queries: call it in a thread, at connect
    and again from time to time.
    """
    headers = {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }
    host = headers.get("host", "")
    domain, _ = split_domain_port(host)
    if not domain or not validate_host(domain, settings.ALLOWED_HOSTS):
        return None
    origin = headers.get("origin")
    if origin is not None and not is_own_origin(
        origin, scheme=_scope_scheme(scope, headers), host=host
    ):
        return None
    if "authorization" in headers:
        return token_user(headers["authorization"])
    client = scope.get("client") or ("", 0)
    user = _session_user(headers.get("cookie", "")) if origin is not None else None
    if user is None and is_demo_client(str(client[0]), headers):
        return demo_user()
    return user


def _scope_scheme(scope: Mapping[str, Any], headers: Mapping[str, str]) -> str:
    if settings.SECURE_PROXY_SSL_HEADER:
        name, value = settings.SECURE_PROXY_SSL_HEADER
        if headers.get(name.removeprefix("HTTP_").replace("_", "-").lower()) == value:
            return "https"
    return "https" if scope.get("scheme") in {"wss", "https"} else "http"


def _session_user(cookie: str) -> User | None:
    key = parse_cookie(cookie).get(settings.SESSION_COOKIE_NAME)
    if not key:
        return None
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = get_user(request)
    return user if isinstance(user, get_user_model()) and user.is_active else None
