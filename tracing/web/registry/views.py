"""The calls of Confluent's registry, each a few lines around `schemas.registry.Registry`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.schemas.bodies import Body, body_of, version_body
from tracing.schemas.built_in import BuiltIn
from tracing.schemas.errors import LevelUnsetError, SubjectUnknownError
from tracing.schemas.parsing import TYPES
from tracing.schemas.registry import DEFAULT_LEVEL, read_level, read_version
from tracing.web.registry.answers import (
    LevelBody,
    answer,
    endpoint,
    flag,
    number_of,
    read,
    refusal,
)
from tracing.web.schemas.deeds import audited

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from tracing.schemas.registry import Verdict

_store = BuiltIn(audited)
MAX_LISTED = 500


def _name(request: HttpRequest) -> str:
    return request.user.get_username()


# Schemas by their ids


def _by_id(_request: HttpRequest, *, number: int) -> HttpResponse:
    """Return the schema of an id."""
    return answer(body_of(_store.by_id(number).draft))


def _text_of_id(_request: HttpRequest, *, number: int) -> HttpResponse:
    """Return the schema of an id, and nothing around it."""
    return _plain(_store.by_id(number).text)


def _subjects_of_id(request: HttpRequest, *, number: int) -> HttpResponse:
    """Return the subjects in which an id is registered."""
    places = _store.places(number, deleted=flag(request, "deleted"))
    return answer(sorted({subject for subject, _ in places}))


def _versions_of_id(request: HttpRequest, *, number: int) -> HttpResponse:
    """Return the subjects and versions in which an id is registered."""
    places = _store.places(number, deleted=flag(request, "deleted"))
    return answer([{"subject": subject, "version": version} for subject, version in places])


def _types(_request: HttpRequest) -> HttpResponse:
    """Return the formats that are kept."""
    return answer(TYPES)


def _listed(request: HttpRequest) -> HttpResponse:
    """Return live versions of all subjects, a bounded number from an offset on."""
    offset, limit = number_of(request, "offset", 0), number_of(request, "limit", MAX_LISTED)
    return answer([version_body(one) for one in _store.listed(offset, min(limit, MAX_LISTED))])


# Subjects and versions


def _subjects(request: HttpRequest) -> HttpResponse:
    """Return the subjects' names."""
    prefix = request.GET.get("subjectPrefix", "")
    found = _store.subjects(deleted=flag(request, "deleted"))
    return answer([name for name in found if name.startswith(prefix)])


def _look_up(request: HttpRequest, *, subject: str) -> HttpResponse:
    """Return the version that says the same as the body."""
    draft = read(request, Body).draft
    return answer(version_body(_store.look_up(subject, draft, deleted=flag(request, "deleted"))))


def _delete_subject(request: HttpRequest, *, subject: str) -> HttpResponse:
    """Delete a subject, softly or for good."""
    permanent = flag(request, "permanent")
    return answer(_store.delete_subject(subject, by=_name(request), permanent=permanent))


def _versions(request: HttpRequest, *, subject: str) -> HttpResponse:
    """Return a subject's versions."""
    return answer(_store.versions(subject, deleted=flag(request, "deleted")))


def _register(request: HttpRequest, *, subject: str) -> HttpResponse:
    """Register the body's schema."""
    entry = _store.register(subject, read(request, Body).draft, by=_name(request))
    return answer({"id": entry.id})


def _version(request: HttpRequest, *, subject: str, version: str) -> HttpResponse:
    """Return one version."""
    deleted = flag(request, "deleted")
    return answer(version_body(_store.by_version(subject, read_version(version), deleted=deleted)))


def _text_of_version(request: HttpRequest, *, subject: str, version: str) -> HttpResponse:
    """Return one version's schema, and nothing around it."""
    deleted = flag(request, "deleted")
    return _plain(_store.by_version(subject, read_version(version), deleted=deleted).text)


def _delete_version(request: HttpRequest, *, subject: str, version: str) -> HttpResponse:
    """Delete a version, softly or for good."""
    number, permanent = read_version(version), flag(request, "permanent")
    return answer(_store.delete_version(subject, number, by=_name(request), permanent=permanent))


def _referenced_by(_request: HttpRequest, *, subject: str, version: str) -> HttpResponse:
    """Return the ids of what builds on a version."""
    return answer(_store.referenced_by(subject, read_version(version)))


# Compatibility


def _check(request: HttpRequest, *, subject: str, version: str) -> HttpResponse:
    """Tell whether the body's schema may follow one version."""
    draft, number = read(request, Body).draft, read_version(version)
    try:
        return _judged(request, _store.check(subject, draft, number))
    except SubjectUnknownError:
        if number is not None:
            raise
        # Nothing is there that it could break.
        return _judged(request, _store.check_all(subject, draft))


def _check_all(request: HttpRequest, *, subject: str) -> HttpResponse:
    """Tell whether the body's schema could be registered."""
    return _judged(request, _store.check_all(subject, read(request, Body).draft))


def _judged(request: HttpRequest, verdict: Verdict) -> HttpResponse:
    said: dict[str, object] = {"is_compatible": verdict.compatible}
    if flag(request, "verbose"):
        said["messages"] = verdict.reasons
    return answer(said)


def _level(request: HttpRequest, *, subject: str = "") -> HttpResponse:
    """Return a level."""
    level = _store.level(subject)
    if level is None and flag(request, "defaultToGlobal"):
        level = _store.level()
    if level is None:
        raise LevelUnsetError(f"This is {subject!r}.")
    return answer({"compatibilityLevel": level})


def _set_level(request: HttpRequest, *, subject: str = "") -> HttpResponse:
    """Set a level."""
    level = read_level(read(request, LevelBody).compatibility)
    _store.set_level(subject, level, by=_name(request))
    return answer({"compatibility": level})


def _clear_level(request: HttpRequest, *, subject: str = "") -> HttpResponse:
    """Remove a level; return what it was."""
    was = _store.level(subject) or DEFAULT_LEVEL
    _store.clear_level(subject, by=_name(request))
    return answer({"compatibilityLevel": was})


# What clients ask on their way


def _mode(_request: HttpRequest, *, subject: str = "") -> HttpResponse:  # noqa: ARG001
    """Say that this registry always takes both."""
    return answer({"mode": "READWRITE"})


def _set_mode(_request: HttpRequest, *, subject: str = "") -> HttpResponse:  # noqa: ARG001
    """Refuse any mode."""
    return refusal(42205, "This registry always reads and writes.")


def _contexts(_request: HttpRequest) -> HttpResponse:
    """Return the only context that there is."""
    return answer(["."])


def _root(_request: HttpRequest) -> HttpResponse:
    """Say that somebody is here."""
    return answer({})


def _plain(text: str) -> HttpResponse:
    found = answer(None)
    found.content = text.encode("utf-8", "replace")
    return found


by_id = endpoint(GET=_by_id)
text_of_id = endpoint(GET=_text_of_id)
subjects_of_id = endpoint(GET=_subjects_of_id)
versions_of_id = endpoint(GET=_versions_of_id)
listed = endpoint(GET=_listed)
types = endpoint(GET=_types)
subjects = endpoint(GET=_subjects)
# Looking up and checking change nothing.
subject = endpoint(POST=_look_up, DELETE=_delete_subject, reading=("POST",))
versions = endpoint(GET=_versions, POST=_register)
version = endpoint(GET=_version, DELETE=_delete_version)
text_of_version = endpoint(GET=_text_of_version)
referenced_by = endpoint(GET=_referenced_by)
check = endpoint(POST=_check, reading=("POST",))
check_all = endpoint(POST=_check_all, reading=("POST",))
level = endpoint(GET=_level, PUT=_set_level, DELETE=_clear_level)
mode = endpoint(GET=_mode, PUT=_set_mode)
contexts = endpoint(GET=_contexts)
root = endpoint(GET=_root)
