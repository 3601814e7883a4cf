"""What is noteworthy about an event or a flow: a name, a bit, and its words."""

from __future__ import annotations

import enum


class Mark(enum.IntFlag):
    """Anomalies; stored as a sum of bits, shown as chips."""

    DUPLICATE = 1
    OUT_OF_ORDER = 2
    MISSING_CAUSE = 4
    UNDECODABLE = 8
    LARGE = 16


LABELS: dict[Mark, str] = {
    Mark.DUPLICATE: "duplicate",
    Mark.OUT_OF_ORDER: "out of order",
    Mark.MISSING_CAUSE: "missing cause",
    Mark.UNDECODABLE: "undecodable",
    Mark.LARGE: "large flow",
}
# As written in addresses and in JSON.
SLUGS: dict[Mark, str] = {mark: mark.name.lower() for mark in Mark if mark.name}
BY_SLUG: dict[str, Mark] = {slug: mark for mark, slug in SLUGS.items()}


def slugs(marks: int) -> list[str]:
    """Return the names of a sum of bits, as in JSON."""
    return [slug for mark, slug in SLUGS.items() if marks & mark] if marks else []


def labels(marks: int) -> list[str]:
    """Return the names of a sum of bits, as on a page."""
    return [LABELS[mark] for mark in Mark if marks & mark]
