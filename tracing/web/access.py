"""Who may see what: sign-in by default, roles, tokens for scripts, and no other origin."""

from __future__ import annotations

import base64
import enum
import ipaddress
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlsplit

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, Group, User
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.functional import SimpleLazyObject

from tracing.models import ApiToken

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DEMO_USER = "demo"
# Where a user in memory keeps its role.
_ROLE = "eventviz_role"
API = "/api/"
# The built-in schema registry: its clients are programs too, and read errors in its own form.
REGISTRY = "/registry/"
ADMIN = "/admin/"
HEALTH = "/health/"
# What browsers ask for beside pages that name no icon: JSON, the admin's.
ICON = "/favicon.ico"
# One-time links, for who has no password yet.
LINKS = "/login/link/"


class Role(enum.IntEnum):
    """What a person may do, each including the one before; kept as a group of that name."""

    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @property
    def group(self) -> str:
        """Return the group's name."""
        return self.name.lower()


def role_of(user: User | AnonymousUser) -> Role:
    """Return the highest role of a signed-in person; without any group they may look.

    One query, the first time: a page asks more than once, and each request has a user of its own.
    """
    found: Role | None = getattr(user, _ROLE, None)
    if found is None:
        found = Role.ADMIN if user.is_superuser else _highest(user)
        setattr(user, _ROLE, found)
    return found


def _highest(user: User | AnonymousUser) -> Role:
    names = set(user.groups.values_list("name", flat=True))
    return max((role for role in Role if role.group in names), default=Role.VIEWER)


def has_role(user: User | AnonymousUser, role: Role) -> bool:
    """Return whether a person is signed in and has at least this role."""
    return user.is_authenticated and role_of(user) >= role


def give_role(user: User, role: Role) -> None:
    """Make this the person's only role; an admin also gets Django's admin pages."""
    group, _ = Group.objects.get_or_create(name=role.group)
    user.groups.set([group])
    setattr(user, _ROLE, role)
    user.is_staff = user.is_superuser = role is Role.ADMIN
    user.save(update_fields=["is_staff", "is_superuser"])


def demo_user() -> User:
    """Return the operator as whom a demo's visitors act; made when first needed."""
    user, created = User.objects.get_or_create(
        username=DEMO_USER, defaults={"password": "!no password signs in"}
    )
    if created:
        give_role(user, Role.OPERATOR)
    return user


def _demo_visitor() -> User:
    """Return the same, asked for when somebody wants to know: most answers do not."""
    return cast("User", SimpleLazyObject(demo_user))


def is_demo(request: HttpRequest) -> bool:
    """Return whether this visitor of a demo needs no sign-in."""
    return is_demo_client(request.META.get("REMOTE_ADDR", ""), request.headers)


def is_signed_in(request: HttpRequest) -> bool:
    """Return whether a person is known; also when the request never came to sign-in."""
    return hasattr(request, "user") and request.user.is_authenticated


def is_demo_client(address: str, headers: Mapping[str, str]) -> bool:
    """Return whether who asks from here, with these headers, is a demo's visitor."""
    # A proxy on this machine would make the whole world a loopback client: its marks end the demo.
    if not settings.EVENTVIZ_DEMO or "x-forwarded-for" in headers or "forwarded" in headers:
        return False
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return parsed.is_loopback or bool(mapped and mapped.is_loopback)


def token_user(authorization: str) -> User | None:
    """Return whose token `Bearer ev_...` is, or None. One query.

    Clients that know only a name and a password send the token as the password (`Basic`).
    """
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() == "basic":
        text = _password(text)
    elif scheme.lower() != "bearer":
        return None
    if not text:
        return None
    found = ApiToken.objects.select_related("user").filter(
        sha256=ApiToken.digest(text.strip()), user__is_active=True
    )
    token = found.first()
    return token.user if token else None


def _password(credentials: str) -> str:
    try:
        decoded = base64.b64decode(credentials.strip(), validate=True).decode()
    except ValueError:
        return ""
    return decoded.partition(":")[2]


def is_own_origin(origin: str, *, scheme: str, host: str) -> bool:
    """Return whether an Origin header names these pages, or an origin that settings trust."""
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True
    try:
        given, own = urlsplit(origin), urlsplit(f"{scheme}://{host}")
        return bool(given.hostname) and _parts(given) == _parts(own)
    except ValueError:
        return False


def _parts(url: Any) -> tuple[str, str | None, int | None]:
    return url.scheme, url.hostname, url.port or {"http": 80, "https": 443}.get(url.scheme)


class AccessMiddleware:
    """Ask for sign-in but on the login and health pages, and guard what programs call."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep the next handler, a plain function."""
        if iscoroutinefunction(get_response):
            raise TypeError("AccessMiddleware reads the database: it is synchronous.")
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer 401, 403 or a redirect instead of the page where access is missing."""
        by_program = request.path_info.startswith((API, REGISTRY))
        refusal = refuse_api(request) if by_program else _refuse(request)
        return refusal or self.get_response(request)


def _refuse(request: HttpRequest) -> HttpResponse | None:
    if request.path_info in {HEALTH, ICON} or request.path_info.startswith(settings.STATIC_URL):
        return None
    signed_in = request.user.is_authenticated
    if not signed_in and is_demo(request):
        request.user, signed_in = _demo_visitor(), True
    if signed_in:
        if request.path_info.startswith(ADMIN) and not has_role(request.user, Role.ADMIN):
            raise PermissionDenied
        return None
    if request.path_info == settings.LOGIN_URL or request.path_info.startswith(LINKS):
        return None
    if request.headers.get("HX-Request") == "true":
        # A redirect would swap the login page into a fragment's place.
        target = f"{settings.LOGIN_URL}?next={quote(request.get_full_path())}"
        return HttpResponse(status=401, headers={"HX-Redirect": target})
    return redirect_to_login(request.get_full_path())


def refuse_api(request: HttpRequest) -> HttpResponse | None:
    """Return the refusal of a program's request, or None; then the request has its user."""
    origin = request.headers.get("Origin")
    scheme, host = request.scheme or "http", request.get_host()
    foreign = origin is not None and not is_own_origin(origin, scheme=scheme, host=host)
    # Browsers leave Origin out of simple GET requests, but say where those come from.
    site = request.headers.get("Sec-Fetch-Site", "none")
    if foreign or (origin is None and site not in {"same-origin", "none"}):
        return _refused(request, 403, "This page is from another origin.")
    authorization = request.headers.get("Authorization", "")
    user = token_user(authorization) if authorization else None
    if user is None and not authorization:
        if request.user.is_authenticated:
            return None
        user = _demo_visitor() if is_demo(request) else None
    if user is None:
        refused = _refused(request, 401, "Sign in, or send a token: Authorization: Bearer ev_...")
        refused["WWW-Authenticate"] = "Bearer"
        return refused
    request.user = user
    return None


def _refused(request: HttpRequest, status: int, message: str) -> HttpResponse:
    """Return a refusal in the form that the caller reads."""
    if request.path_info.startswith(REGISTRY):
        return JsonResponse({"error_code": status, "message": message}, status=status)
    return JsonResponse({"error": message}, status=status)
