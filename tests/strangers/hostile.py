"""Records of a producer that means harm, or that is only broken."""

from __future__ import annotations

import json

from tests.strangers.producing import Sent, envelope
from tracing.domain.record import Record

TOPIC = "hostile"
SCRIPT = "<script>window.pwned = 1</script>"
IMAGE = '"\'><img src=x onerror="window.pwned = 2; alert(1)">'
HTMX = '<b hx-get="/logout/" hx-trigger="load">x</b><i hx-on:load="window.pwned = 3">'
SOCKET = '<div id="main" hx-swap-oob="true">gone</div></main></body>'
TEMPLATE = "{{ settings.SECRET_KEY }}{% load x %}</svg></style><style>*{display:none}</style>"
BIDI = "\u202egnp.exe\u200b\u0000\r\nSet-Cookie: a=b"
TEXTS = {
    "script": SCRIPT,
    "image": IMAGE,
    "htmx": HTMX,
    "socket": SOCKET,
    "template": TEMPLATE,
    "bidi": BIDI,
    "path": "../../etc/passwd?x=1#y",
    "dots": "..",
    "slash": "/",
    "percent": "%2e%2e%2f%00%zz",
    "long": "W" * 400,
    "space": " \t\n ",
    "url": "javascript:alert(1)",
}
DEEP = 5_000
MEGABYTE = 1_000_000


class NotText(str):
    """A header name that is not UTF-8 on the wire, as a producer in another language may write."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        """Return bytes that no decoder takes."""
        return b"\xff\xfe"


def texts() -> list[Sent]:
    """Return, for each hostile text, two events that bear it in every field."""
    records = []
    for text in TEXTS.values():
        header = text.encode()
        headers = (("source", header), ("event-type", header), (text[:200], header))
        for number, cause in ((0, None), (1, f"{text}0")):
            value = envelope(
                text or "empty",
                correlation_id=text,
                event_id=f"{text}{number}",
                causation_id=cause,
                payload={text: [text, {"reason": text}], "reason": text},
            )
            records.append(Sent(TOPIC, value, header, headers))
    return records


def broken() -> list[Sent]:
    """Return records that are too large, too deep, or not what they seem."""
    opened, closed = b"[" * DEEP, b"]" * DEEP
    values: dict[str, bytes | None] = {
        "megabyte": envelope("Big", correlation_id="big", payload="x" * MEGABYTE),
        "rows": envelope("Wide", correlation_id="wide", payload=list(range(150_000))),
        "utf-8": b'{"eventId":"e","eventType":"T","payload":"\xff\xfe\x80"}',
        "deep": b'{"eventId":"deep","eventType":"T","payload":' + opened + closed + b"}",
        "deep open": b'{"eventId":"open","eventType":"T","payload":' + opened,
        "deep bare": opened + closed,
        "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        "nul": envelope("N\x00UL", correlation_id="n\x00ul", payload={"\x00": "\x00"}),
        "nul bytes": b"\x00" * 64,
        "empty": b"",
        "tombstone": None,
        "half": b'{"eventId":"half","eventTy',
        "numbers": b'{"eventId":1e999,"eventType":123,"timestamp":1e400,"payload":NaN}',
        "surrogate": b'{"eventId":"\\ud800","eventType":"\\udfff T","correlationId":"\\ud800"}',
        "huge number": b'{"eventId":"n","eventType":"T","payload":' + b"9" * 10_000 + b"}",
        "time": envelope("Time", correlation_id="time", timestamp="9999-99-99T99:99:99Z"),
        "far": envelope("Far", correlation_id="far", timestamp=2**62),
        "types": json.dumps({"eventId": {}, "eventType": [], "correlationId": True}).encode(),
        "self": envelope("Self", correlation_id="self", event_id="s", causation_id="s"),
        "picture": bytes(range(256)) * 16,
    }
    return [Sent(TOPIC, value, name.encode()) for name, value in values.items()]


def records() -> list[Record]:
    """Return all of them as the consumer would, from one partition."""
    return [
        Record(
            topic=sent.topic,
            partition=0,
            offset=offset,
            timestamp_ms=5,
            key=sent.key,
            value=sent.value,
            headers=sent.headers,
            value_length=len(sent.value or b""),
        )
        for offset, sent in enumerate([*texts(), *broken()])
    ]
