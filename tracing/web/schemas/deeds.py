"""Changes of the registry's entries in the audit, whoever made them by whichever way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracing.retry import audit
from tracing.web.schemas.present import subject_url

if TYPE_CHECKING:
    from tracing.schemas.registry import Deed


def audited(deed: Deed) -> None:
    """Write a deed into the audit, in the transaction that it is in."""
    url = subject_url(deed.subject) if deed.subject else "/schemas/"
    outcome = dict(deed.outcome)
    chosen = f"?new={outcome['version']}" if "version" in outcome else ""
    of_versions = deed.version or deed.what.startswith("schema deleted")
    target = named(deed.subject, deed.version) if of_versions else deed.subject or "all subjects"
    audit.write(who=deed.by, what=deed.what, target=target, url=url + chosen, outcome=outcome)


def named(subject: str, number: int) -> str:
    """Return a version of a subject, or all of them, in words."""
    return f"{subject} version {number}" if number else f"{subject}, all versions"
