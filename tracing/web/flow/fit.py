"""How an event's payload stands to its schema, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.projections.reading import decode_stored, stored_records
from tracing.schemas.wire import Checked, Expectations, check_event

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tracing.domain.event import Event
    from tracing.domain.record import Record
    from tracing.projections.reading import StoredRecord
    from tracing.schemas.checking import Finding
    from tracing.web.flow.payload import Steps


class Fit(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown of a check: the schema's name, what breaks it, what it does not list.

    `name` is empty when no schema says anything; `unknown` when nobody registered the version.
    """

    name: str = ""
    unknown: bool = False
    checked: bool = False
    error: str = ""
    violations: tuple[Finding, ...] = ()
    unlisted: tuple[Finding, ...] = ()

    @property
    def steps(self) -> frozenset[Steps]:
        """Return where in the payload something is wrong."""
        return frozenset(one.steps for one in self.violations if one.steps)

    @property
    def words(self) -> str:
        """Return what breaks the schema as one line, the first of it."""
        said = [f"{one.path or 'the payload'} {one.reason}" for one in self.violations[:3]]
        more = len(self.violations) - len(said)
        return "; ".join(said) + (f"; and {more} more" if more else "")


def fit_of(event: Event, record: StoredRecord) -> Fit:
    """Return how a stored event fits its schema. Two queries, three for a frame's schema."""
    return _told(check_event(event, record.payload, record.schema, Expectations(), record.record))


def fit_of_record(record: Record, expectations: Expectations | None = None) -> Fit:
    """Return how the events of a record fit: the first one that does not, else the first.

    Also for a record that nobody has sent yet. Two queries for each type of an event.
    """
    said = decode_stored(record)
    expectations = expectations or Expectations()
    fits = [
        _told(check_event(event, payload, said.schema, expectations, record))
        for event, payload in zip(said.events, said.payloads, strict=True)
    ]
    return next((fit for fit in fits if fit.violations), fits[0])


def misfits(record_ids: Iterable[int], topics: Mapping[int, str]) -> dict[int, str]:
    """Return what is wrong with records, in words; those that fit are not in it.

    `topics` tells on which topic each would be. One query, and two for each type.
    """
    expectations = Expectations()
    found: dict[int, str] = {}
    for number, record in stored_records(record_ids).items():
        there = msgspec.structs.replace(record, topic=topics.get(number, record.topic))
        fit = fit_of_record(there, expectations)
        if fit.violations:
            found[number] = fit.words
        elif fit.unknown:
            found[number] = "unknown schema version"
    return found


def _told(found: Checked) -> Fit:
    expected = found.expected
    name = expected.subject
    if name and expected.version is not None and not expected.unknown:
        name = f"{name} version {expected.version}"
    return Fit(
        name=name,
        unknown=expected.unknown,
        checked=expected.schema is not None and not found.error,
        error=found.error,
        violations=tuple(found.violations),
        unlisted=tuple(one for one in found.findings if not one.listed),
    )
