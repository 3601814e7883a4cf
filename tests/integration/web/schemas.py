"""Schemas as the pages read and register them."""

from __future__ import annotations

import json
from html import unescape

from django.test import Client

from tests.integration import pages
from tracing.schemas.current import current_registry
from tracing.schemas.registry import Draft, Reference


def avro(*fields: str, name: str = "OrderPlaced") -> str:
    """Return a record's schema; a field is `name` or `name=default`."""
    listed = []
    for field in fields:
        named, _, default = field.partition("=")
        one = {"name": named, "type": "string"}
        listed.append({**one, "default": default} if default else one)
    return json.dumps({"type": "record", "name": name, "namespace": "shop", "fields": listed})


def registered(subject: str, *texts: str, references: tuple[Reference, ...] = ()) -> None:
    """Register versions as somebody else did."""
    for text in texts:
        current_registry().register(subject, Draft(text, "AVRO", references), by="linus")


def page(browser: Client, address: str) -> str:
    """Return the words of a page that is fine."""
    return unescape(pages.page(browser, address))


def edited(subject: str, text: str, **more: str) -> dict[str, str]:
    """Return the editor's form."""
    return {"subject": subject, "kind": "AVRO", "text": text, "references": "", **more}
