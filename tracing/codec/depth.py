"""How deep JSON nests, told without recursion."""

from __future__ import annotations

import re

from tracing.codec.limits import MAX_DEPTH

# Possessive, and one that never ends matches too: no text makes it look at a byte twice.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_NO_BRACKET = bytes(byte for byte in range(256) if byte not in b"[]{}")


def too_deep(value: bytes) -> bool:
    """Tell whether brackets nest deeper than `MAX_DEPTH`.

    Few brackets cannot; else strings and everything but brackets are dropped, and each pass
    removes the innermost pairs: time is linear, and no recursion takes part, so the answer does
    not depend on who asks. Malformed JSON is left to the parser, unless so many brackets have no
    partner that it would have to go as deep before it noticed.
    """
    if value.count(b"[") + value.count(b"{") <= MAX_DEPTH:
        return False
    brackets = _STRING.sub(b"", value).translate(None, _NO_BRACKET)
    for _ in range(MAX_DEPTH):
        inner = brackets.replace(b"[]", b"").replace(b"{}", b"")
        if len(inner) == len(brackets):
            return len(inner) > MAX_DEPTH
        if not inner:
            return False
        brackets = inner
    return True
