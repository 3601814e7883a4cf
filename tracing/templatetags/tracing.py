"""Tags and filters that every page shares; words and symbols come from `tracing.web.present`."""

from __future__ import annotations

import functools
import re
import time
from typing import TYPE_CHECKING

from django import template
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from tracing.domain.failure import LEFT_OUT
from tracing.domain.rules import Roles
from tracing.projections.saga_decisions import applied_sagas
from tracing.web import address, present

if TYPE_CHECKING:
    from django.template.context import Context

_LEFT_OUT = re.compile(f"({'|'.join(LEFT_OUT)})")
# A strip is one line high: more than this is never seen at once.
MAX_STEPS = 14

register = template.Library()
register.filter("duration", present.duration)
register.filter("ago", present.ago)
register.filter("iso", present.iso)
register.filter("clock", present.clock)
register.filter("short_id", present.short_id)
register.filter("reason_words", present.reason_words)
register.simple_tag(address.flow_url, name="flow_url")
register.simple_tag(address.element_id, name="element_id")


@register.simple_tag(takes_context=True)
def when(context: Context, ms: int) -> SafeString:
    """Show how long ago something was; `shell.js` keeps the words fresh."""
    return when_at(ms, context.get("now_ms") or int(time.time() * 1_000))


def when_at(ms: int, now_ms: int) -> SafeString:
    """Show how long before a moment something was."""
    absolute = present.iso(ms)
    return format_html(
        '<time datetime="{}" title="{}" data-ms="{}">{}</time>',
        absolute,
        absolute.replace("T", " ").replace("Z", " UTC"),
        ms,
        present.ago(ms, now_ms),
    )


@register.simple_tag(name="service")
def service_tag(name: str) -> SafeString:
    """Show a service by its initials, its colour and its name."""
    shown = present.service_of(name)
    return format_html(
        '<span class="svc svc-{}"><b>{}</b> {}</span>',
        shown.colour,
        shown.initials,
        shown.name or "no service",
    )


@register.simple_tag
def state_chip(state: str, words: str = "") -> SafeString:
    """Show a state as a chip: symbol and word. `words` replaces the word."""
    sign = present.STATES[state]
    return format_html(
        '<span class="chip {}"><span aria-hidden="true">{}</span> {}</span>',
        sign.tone,
        sign.symbol,
        words or sign.word,
    )


@register.simple_tag
@functools.cache
def state_symbol(state: str) -> SafeString:
    """Show a state as its symbol alone, with the word for screen readers."""
    sign = present.STATES[state]
    return format_html(
        '<span class="sym {}" title="{}"><span aria-hidden="true">{}</span>'
        '<span class="sr">{}</span></span>',
        sign.tone,
        sign.word,
        sign.symbol,
        sign.word,
    )


@register.simple_tag
def marks(bits: int) -> SafeString:
    """Show the marks in a sum of bits as small chips; nothing when there is none."""
    if not bits:
        return SafeString()
    return format_html_join(" ", '<span class="mark mark-{}">{}</span>', present.mark_signs(bits))


@register.simple_tag
def strip(held: tuple[tuple[str, str, int], ...]) -> str:
    """Show a flow's types in order. Most flows of a kind have the same, so it is drawn once."""
    return _strip(held, applied_sagas().roles)


@functools.lru_cache(maxsize=1_000)
def _strip(held: tuple[tuple[str, str, int], ...], roles: Roles) -> str:
    steps = present.steps_of(held, roles)
    return render_to_string(
        "tracing/partials/_strip.html",
        {"steps": steps[:MAX_STEPS], "more": max(len(steps) - MAX_STEPS, 0)},
    )


@register.simple_tag
@functools.lru_cache(maxsize=1_000)
def node(event_type: str, service: str) -> str:
    """Show a type and the service that writes it, as two cells; drawn once, as `strip`."""
    context = {"type": event_type, "service": present.service_of(service)}
    return render_to_string("tracing/partials/_node.html", context)


@register.simple_tag
@functools.cache
def icon(name: str) -> SafeString:
    """Draw one of our own icons; decorative, so hidden from screen readers."""
    return format_html(
        '<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="{}"/></svg>',
        ICONS[name],
    )


@register.filter
def thousands(number: int) -> str:
    """Return a whole number with separators."""
    return f"{number:,}"


@register.filter
def ticks(text: str) -> SafeString:
    """Show what stands between backticks as code."""
    parts = text.split("`")
    pairs = zip(parts[::2], [*parts[1::2], ""], strict=False)
    return format_html_join(
        "",
        "{}{}",
        ((said, format_html("<code>{}</code>", code) if code else "") for said, code in pairs),
    )


@register.filter
def left_out(message: str) -> SafeString:
    """Show a group's message; what stands in it for times, ids and numbers says so."""
    parts = _LEFT_OUT.split(message)
    return format_html_join(
        "",
        "{}{}",
        (
            (said, format_html('<i class="left-out" title="{}">{}</i>', _differs(sign), sign))
            if sign
            else (said, "")
            for said, sign in zip(parts[::2], [*parts[1::2], ""], strict=True)
        ),
    )


@register.filter
def left_out_words(message: str) -> str:
    """Return what stands in a group's message for what differs, as a legend; '' for nothing."""
    signs = dict.fromkeys(_LEFT_OUT.findall(message))
    words = [
        f"{sign} {'for' if n else 'stands for'} {LEFT_OUT[sign]}" for n, sign in enumerate(signs)
    ]
    return ", ".join(words)


def _differs(sign: str) -> str:
    return f"{LEFT_OUT[sign]} that differs from message to message"


@register.filter
def us_clock(us: int) -> str:
    """Return microseconds since 1970 as a time of day in UTC."""
    return present.clock(us // 1_000)


@register.filter
def minus(number: int, other: int) -> int:
    """Return the difference of two whole numbers."""
    return number - other


@register.filter
def rate(per_second: float) -> str:
    """Return events a second: one decimal below ten, so that a trickle is not shown as nothing."""
    return f"{per_second:,.0f}" if per_second >= 10 or not per_second else f"{per_second:.1f}"


# Paths on a 16 by 16 grid, drawn as strokes.
ICONS: dict[str, str] = {
    "flows": "M2.5 4h4v3.5h-4zM9.5 9h4v3.5h-4zM6.5 5.7h3.2a1.8 1.8 0 0 1 1.8 1.8V9",
    "tail": "M2 4h12M2 8h12M2 12h7",
    "topics": "M8 2.5v8M4.8 7.4 8 10.6l3.2-3.2M3 13.5h10",
    "schemas": "M5.5 2.5c-1.8 0-2 .8-2 2.2 0 1.8-.3 2.6-1.5 3.3 1.2.7 1.5 1.5 1.5 3.3 0 1.4.2 2.2 "
    "2 2.2M10.5 2.5c1.8 0 2 .8 2 2.2 0 1.8.3 2.6 1.5 3.3-1.2.7-1.5 1.5-1.5 3.3 0 1.4-.2 2.2-2 2.2",
    "retries": "M13.2 6.4A5.5 5.5 0 0 0 3.6 4.6L2 6.4M2 2.6v3.8h3.8M2.8 9.6a5.5 5.5 0 0 0 9.6 1.8"
    "L14 9.6M14 13.4V9.6h-3.8",
    "sagas": "M2 5h9.5M9 2.5 11.5 5 9 7.5M14 11H4.5M7 8.5 4.5 11 7 13.5",
    "shop": "M2.5 6.5v6.2h11V6.5M1.8 6.3 3.2 3h9.6l1.4 3.3M1.8 6.3c0 2 3.1 2 3.1 0 0 2 3.1 2 3.1 0"
    " 0 2 3.1 2 3.1 0 0 2 3.1 2 3.1 0",
    "admin": "M8 1.8 13 4v3.6c0 3.2-2 5.4-5 6.6-3-1.2-5-3.4-5-6.6V4zM5.8 8l1.6 1.6L10.4 6.6",
    "dead": "M2.5 4.5 8 8.5l5.5-4M2.5 3.5h11v9h-11zM6 10.5l-3.2 1.8M10 10.5l3.2 1.8",
    "search": "M7 2.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM10.3 10.3 14 14",
    "sun": "M8 5a3 3 0 1 1 0 6 3 3 0 0 1 0-6zM8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.2 1.2"
    "M11.8 11.8 13 13M13 3l-1.2 1.2M4.2 11.8 3 13",
    "moon": "M13.5 9.6A5.9 5.9 0 0 1 6.4 2.5a5.9 5.9 0 1 0 7.1 7.1z",
    "system": "M2 3h12v8.2H2zM5.5 13.8h5M8 11.2v2.6",
    "help": "M6 6a2 2 0 1 1 2.9 1.8c-.6.3-.9.8-.9 1.5M8 11.6v.2M8 1.8a6.2 6.2 0 1 1 0 12.4 6.2 6.2"
    " 0 0 1 0-12.4z",
    "copy": "M5.5 5.5h8v8h-8zM3 10.5h-.5v-8h8V3",
    "fit": "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
    "close": "M4 4l8 8M12 4l-8 8",
    "down": "M4.5 6.5 8 10l3.5-3.5",
    "up": "M8 13V3.5M4 7l4-4 4 4",
    "pause": "M5.5 3.5v9M10.5 3.5v9",
    "play": "M5 3.2v9.6L12.5 8z",
    "out": "M6.5 2.5h-4v11h4M10 5l3 3-3 3M13 8H6",
    "alert": "M8 2.2 14.3 13.3H1.7zM8 6.5v3.2M8 11.5v.2",
}
