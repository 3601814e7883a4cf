"""What real frameworks wrote goes out as what they were given."""

from __future__ import annotations

import pytest

from tests.strangers.failed import failing, no_stock, recorded, to_bytes, to_text, unreadable
from tracing.codec.failure_headers import is_failure_header
from tracing.retry.outgoing import outgoing

SENT = {
    "spring-recoverer": failing("invoices"),
    "spring-retry-topics": failing("shipments"),
    "streams": no_stock(),
    "connect": unreadable("ledger"),
    "connect-without-headers": unreadable("archive"),
}


@pytest.mark.parametrize("name", SENT)
def test_a_real_dead_letter_goes_out_as_it_was_before_it_failed(name: str) -> None:
    given = {(sent.key, sent.value, sent.headers) for sent in SENT[name]}

    for record in recorded(name):
        again = outgoing(record, "the-id")

        assert (again.key, again.value, again.headers[:-1]) in given


@pytest.mark.parametrize("name", [name for name in SENT if name != "connect-without-headers"])
def test_every_record_says_that_it_failed(name: str) -> None:
    assert all(
        any(is_failure_header(header) for header, _ in record.headers) for record in recorded(name)
    )


def test_the_files_keep_every_byte() -> None:
    raw = bytes(range(256))

    assert to_bytes(to_text(raw)) == raw
