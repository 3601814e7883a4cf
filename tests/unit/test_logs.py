"""The logs leave out what is no news."""

from __future__ import annotations

import logging

import pytest
from django.core.exceptions import RequestAborted

from eventviz.logs import is_news


@pytest.mark.parametrize(
    ("error", "expected"), [(RequestAborted(), False), (ValueError("x"), True), (None, True)]
)
def test_only_a_visitor_who_left_is_no_news(error: Exception | None, *, expected: bool) -> None:
    exc_info = (type(error), error, None) if error else None
    record = logging.LogRecord("asyncio", logging.ERROR, __file__, 1, "lost", (), exc_info)

    assert is_news(record) is expected
