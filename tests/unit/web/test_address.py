"""Every id has an address that leads back to it."""

from __future__ import annotations

from urllib.parse import unquote, urljoin, urlsplit

from hypothesis import example, given
from hypothesis import strategies as st

from tracing.web.address import decode_id, element_id, encode_id, flow_url


@given(st.text(min_size=1))
@example(".")
@example("..")
@example("~")
@example("a/../b")
@example("/")
@example("a b?c#d%2F\n")
def test_an_id_survives_its_address(text: str) -> None:
    segment = encode_id(text)

    assert decode_id(unquote(segment)) == text
    assert "/" not in segment
    # A browser must not resolve it away.
    assert urlsplit(urljoin("http://host/page", flow_url(text))).path == f"/flows/{segment}"


def test_element_ids_are_safe_and_distinct() -> None:
    assert element_id("event", '"><script>') != element_id("event", "other")
    assert element_id("event", "\n\"'<").removeprefix("event-").isalnum()
