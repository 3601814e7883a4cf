"""Rows that live pages draw by the hundred: Jinja templates, in a third of the time (ADR 33)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.template.defaultfilters import truncatechars
from django.template.loader import get_template
from django.utils.safestring import SafeString
from jinja2 import Environment, StrictUndefined

from tracing.templatetags import tracing as tags

if TYPE_CHECKING:
    from collections.abc import Iterable


def environment(**options: Any) -> Environment:
    """Return what these templates know: the words, symbols and numbers of all pages."""
    made = Environment(**options | {"undefined": StrictUndefined})  # noqa: S701 - Django escapes
    made.filters |= tags.register.filters | {"truncatechars": truncatechars}
    made.globals |= {
        "marks": tags.marks,
        "node": tags.node,
        "state_symbol": tags.state_symbol,
        "strip": tags.strip,
        "when_at": tags.when_at,
    }
    return made


def drawn(name: str, contexts: Iterable[dict[str, Any]]) -> list[SafeString]:
    """Return a row for each of these contexts."""
    render = get_template(name, using="jinja2").render
    return [SafeString(render(context)) for context in contexts]
