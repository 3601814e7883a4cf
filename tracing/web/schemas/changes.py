"""What changes a registry's entries: operators register and set levels, admins delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from tracing.domain.errors import EventvizError
from tracing.domain.text import clean
from tracing.schemas import subject_reading as reading
from tracing.schemas.current import current_registry
from tracing.schemas.errors import EntryError, SubjectDeletedError
from tracing.schemas.references import references_of
from tracing.schemas.registry import Draft, read_level
from tracing.web.access import Role, has_role
from tracing.web.schemas import form, present
from tracing.web.schemas.deeds import audited, named

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from tracing.models import SubjectVersion
    from tracing.web.context import HtmxRequest


@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HtmxRequest) -> HttpResponse:
    """Show the editor; with POST, say what would be, or register it."""
    by = _allowed(request, Role.OPERATOR)
    given = form.parse(request.POST if request.method == "POST" else request.GET)
    if request.method != "POST":
        return render(request, "tracing/schema_register.html", form.first(given))
    look = bool(request.POST.get("look"))
    context = form.checked(given, look=look)
    if request.htmx or not request.POST.get("save"):
        template = "partials/_schema_verdict.html" if request.htmx else "schema_register.html"
        return render(request, f"tracing/{template}", context)
    if context["draft"] is not None and not context["refused"]:
        try:
            return _registered(given.subject, context["draft"], by)
        except EventvizError as error:
            context["error"] = str(error)
    return render(request, "tracing/schema_register.html", context, status=422)


@require_POST
def level(request: HttpRequest) -> HttpResponse:
    """Set the level of a subject, or of the registry; nothing chosen lets it follow."""
    by = _allowed(request, Role.OPERATOR)
    subject, chosen = clean(request.POST.get("subject", "")), request.POST.get("level", "")
    try:
        if chosen:
            current_registry(audited).set_level(subject, read_level(chosen), by=by)
        else:
            current_registry(audited).clear_level(subject, by=by)
    except EventvizError as error:
        return _refused(request, error)
    return redirect(present.subject_url(subject) if subject else "/schemas/")


@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest) -> HttpResponse:
    """Ask whether a version, or a subject with all of its versions, shall go; with POST, do it."""
    by = _allowed(request, Role.ADMIN)
    values = request.POST if request.method == "POST" else request.GET
    name, number = clean(values.get("subject", "")), form.number_of(values.get("version", ""))
    subject = reading.subject(name)
    row = reading.version(subject, number) if subject and number else None
    if subject is None or (number and row is None):
        raise Http404
    gone = row.deleted_at is not None if row else not subject.latest
    context = _deletion(name, number, permanent=gone) | {
        "users": reading.users(subject, [number] if number else range(1, subject.latest + 1)),
    }
    if request.method != "POST":
        return render(request, "tracing/schema_delete.html", context)
    # The page that asked said which of the two it would be.
    if bool(values.get("permanent")) != gone:
        return _refused(request, SubjectDeletedError("Somebody else was here: look again."))
    if gone and values.get("name", "").strip() != name:
        context["error"] = "Write the subject's name to delete it for good."
        return render(request, "tracing/schema_delete.html", context, status=422)
    try:
        if number:
            current_registry(audited).delete_version(name, number, by=by, permanent=gone)
        else:
            current_registry(audited).delete_subject(name, by=by, permanent=gone)
    except EventvizError as error:
        return _refused(request, error)
    return redirect(present.subject_url(name) if reading.subject(name) else "/schemas/")


@require_POST
def restore(request: HttpRequest) -> HttpResponse:
    """Register again what a softly deleted version says: it keeps its id, its number is new."""
    by = _allowed(request, Role.OPERATOR)
    subject = reading.subject(clean(request.POST.get("subject", "")))
    number = form.number_of(request.POST.get("version", ""))
    row = reading.version(subject, number) if subject else None
    if subject is None or row is None:
        raise Http404
    try:
        return _registered(subject.name, _draft(row), by)
    except EventvizError as error:
        return _refused(request, error)


def _registered(subject: str, draft: Draft, by: str) -> HttpResponse:
    """Register, and lead to the version beside the one before."""
    entry = current_registry(audited).register(subject, draft, by=by)
    return redirect(f"{present.subject_url(subject)}?new={entry.version}")


def _draft(row: SubjectVersion) -> Draft:
    return Draft(row.text, row.type, references_of(row))


def _deletion(name: str, number: int, *, permanent: bool) -> dict[str, Any]:
    return {
        "name": name,
        "number": number,
        "what": named(name, number),
        "permanent": permanent,
        "url": present.subject_url(name),
        "error": "",
    }


def _allowed(request: HttpRequest, role: Role) -> str:
    """Return who asks. Raises PermissionDenied for somebody who may not."""
    if not has_role(request.user, role):
        raise PermissionDenied
    return request.user.get_username()


def _refused(request: HttpRequest, error: EventvizError) -> HttpResponse:
    status = 422 if isinstance(error, EntryError) else 503
    context = {"reason": str(error), "code": status}
    return render(request, "tracing/schema_refused.html", context, status=status)
