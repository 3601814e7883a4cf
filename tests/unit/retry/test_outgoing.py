"""What goes out equals what is stored, minus what the failure added."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tests.examples import share
from tracing.codec.failure_headers import NAMES, PREFIXES, is_failure_header
from tracing.domain.record import Header, Record
from tracing.retry.outgoing import RETRY_ID, outgoing, retry_id_of, why_not

FAILURE = st.one_of(
    st.sampled_from(sorted(NAMES)),
    st.builds(lambda prefix, rest: prefix + rest, st.sampled_from(PREFIXES), st.text(max_size=9)),
).map(lambda name: "".join(random.Random(name).choice((c, c.upper())) for c in name))
OWN = st.text(max_size=12).filter(lambda name: not is_failure_header(name))
VALUE = st.none() | st.binary(max_size=40)
# Headers: whether a failure added it, its name and value.
NAMED = st.lists(
    st.tuples(st.just(True), FAILURE, VALUE) | st.tuples(st.just(False), OWN, VALUE), max_size=8
)


def record(headers: tuple[Header, ...], **fields: bytes | None) -> Record:
    return Record(topic="a", partition=0, offset=1, timestamp_ms=1, headers=headers, **fields)  # type: ignore[arg-type]


@share(50)
@given(NAMED, VALUE, VALUE)
def test_all_but_the_failure_stays_byte_for_byte(
    parts: list[tuple[bool, str, bytes | None]], key: bytes | None, value: bytes | None
) -> None:
    headers = tuple((name, held) for _, name, held in parts)
    own = tuple((name, held) for is_failed, name, held in parts if not is_failed)

    sent = outgoing(record(headers, key=key, value=value), "the-id")

    assert (sent.key, sent.value) == (key, value)
    assert sent.headers == (*own, (RETRY_ID, b"the-id"))


@share(50)
@given(NAMED, VALUE)
def test_nothing_grows_however_often_it_is_sent(
    parts: list[tuple[bool, str, bytes | None]], value: bytes | None
) -> None:
    headers = tuple((name, held) for _, name, held in parts)
    once = outgoing(record(headers, value=value), "1")

    # A consumer copies all headers and adds its failure's again.
    failed_again = record((*once.headers, *headers), value=value)
    first = sum(len(name) for name, _ in once.headers)
    again = outgoing(failed_again, "2")

    assert sum(len(name) for name, _ in again.headers) <= 2 * first
    assert [name for name, _ in again.headers].count(RETRY_ID) == 1


def test_an_edited_value_takes_the_place_of_the_stored_one() -> None:
    sent = outgoing(record((("a", None),), key=b"k", value=b"old"), "id", b"")

    assert (sent.key, sent.value, sent.headers[0]) == (b"k", b"", ("a", None))


def test_the_id_of_a_retry_is_read_back() -> None:
    assert retry_id_of(record(((RETRY_ID, b"abc"),))) == "abc"
    assert retry_id_of(record(())) is None
    assert retry_id_of(record(((RETRY_ID, b"\xff"),))) is None
    assert retry_id_of(record(((RETRY_ID, b"a" * 65),))) is None


def test_what_the_log_does_not_have_whole_cannot_be_sent() -> None:
    whole = record((), value=b"x")
    unread = Record(topic="a", partition=0, offset=1, timestamp_ms=1, error="bad checksum")
    cut = Record(
        topic="a", partition=0, offset=1, timestamp_ms=1, value_length=9_000, value_sha256=b"h"
    )

    assert why_not(whole) == ""
    assert "only its place" in why_not(unread)
    assert "9,000 bytes" in why_not(cut)
