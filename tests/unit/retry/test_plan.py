"""What says that a dead letter's event was processed after all."""

from __future__ import annotations

import pytest

from tracing.retry.plan import _counts


@pytest.mark.parametrize(
    ("effect", "given_up", "counts"),
    [
        ((5, "email"), (9, "inventory"), False),
        ((5, "inventory"), (9, "inventory"), True),
        ((5, "inventory"), (9, "inventory-group"), True),
        ((12, "email"), (9, "inventory"), True),
        ((5, ""), (9, "inventory"), False),
        ((5, "email"), (9, ""), True),
        ((5, "email"), None, True),
    ],
)
def test_what_another_service_did_before_says_nothing(
    effect: tuple[int, str], given_up: tuple[int, str] | None, *, counts: bool
) -> None:
    assert _counts(effect, given_up) is counts
