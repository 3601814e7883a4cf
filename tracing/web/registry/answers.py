"""Answers and refusals in the form of Confluent's registry, and who may ask for what.

Source: the reference of Confluent's Schema Registry API, version 1.
"""

from __future__ import annotations

import functools
import logging
from typing import TYPE_CHECKING, Any

import msgspec
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from tracing.schemas.bodies import MEDIA_TYPE
from tracing.schemas.errors import BadSchemaError, EntryError
from tracing.schemas.parsing import MAX_BYTES
from tracing.web.access import Role, has_role

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

# A schema within JSON: each of its characters may take two.
MAX_BODY = 2 * MAX_BYTES + 100_000
_ROLES = {"PUT": Role.OPERATOR, "POST": Role.OPERATOR, "DELETE": Role.ADMIN}


class LevelBody(msgspec.Struct):
    """A level to set."""

    compatibility: str


def answer(data: Any, status: int = 200) -> HttpResponse:
    """Return JSON in the registry's media type."""
    return HttpResponse(msgspec.json.encode(data), status=status, content_type=MEDIA_TYPE)


def refusal(code: int, message: str) -> HttpResponse:
    """Return an error: the status is what its code begins with."""
    return answer({"error_code": code, "message": message}, int(str(code)[:3]))


def flag(request: HttpRequest, name: str) -> bool:
    """Return a yes or no of the address."""
    return request.GET.get(name, "").lower() == "true"


def number_of(request: HttpRequest, name: str, default: int) -> int:
    """Return a number of the address that is not negative; the default for anything else."""
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


def read(request: HttpRequest, kind: type[Any]) -> Any:
    """Return the body. Raises EntryError or msgspec's errors."""
    try:
        raw = request.body
    except RequestDataTooBig:
        raw = None
    if raw is None or len(raw) > MAX_BODY:
        raise BadSchemaError(f"It is too long; a schema has at most {MAX_BYTES:,} bytes.")
    return msgspec.json.decode(raw, type=kind)


def endpoint(
    *, reading: tuple[str, ...] = (), **views: Callable[..., HttpResponse]
) -> Callable[..., HttpResponse]:
    """Return one view of the views by method; errors become answers.

    `reading` names methods that change nothing although they are POST.
    """

    @functools.wraps(next(iter(views.values())))
    def guarded(request: HttpRequest, **captured: Any) -> HttpResponse:
        method = "GET" if request.method == "HEAD" else str(request.method)
        if settings.EVENTVIZ_SCHEMA_REGISTRY_URL:
            return refusal(404, "This is no registry: another one is set, talk to that.")
        if method not in views:
            refused = refusal(405, "HTTP 405 Method Not Allowed")
            refused["Allow"] = ", ".join(views)
            return refused
        role = Role.VIEWER if method in reading else _ROLES.get(method, Role.VIEWER)
        if not has_role(request.user, role):
            return refusal(403, f"This needs the role {role.group}.")
        if method in {"POST", "PUT"} and "json" not in str(request.content_type):
            return refusal(415, f"Send JSON: Content-Type: {MEDIA_TYPE}.")
        try:
            return views[method](request, **captured)
        except EntryError as error:
            return refusal(error.code, str(error))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            return refusal(42200 if isinstance(error, msgspec.ValidationError) else 400, str(error))
        except DatabaseError as error:
            log.warning("The registry's tables: %s", error)
            return refusal(50001, "The database does not answer.")

    return csrf_exempt(guarded)


def nothing(request: HttpRequest, **_: Any) -> HttpResponse:  # noqa: ARG001 - a view
    """Say that there is nothing at this address."""
    return refusal(404, "HTTP 404 Not Found")
