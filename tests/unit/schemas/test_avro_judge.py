"""Reasons that a person can act on, for both directions."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tracing.schemas.compatibility import Candidate, judge
from tracing.schemas.registry import Level
from tracing.schemas.words import fields, words


def candidate(fields_: list[Any], label: str = "the new version", name: str = "Order") -> Candidate:
    body = {"type": "record", "name": name, "namespace": "shop", "fields": fields_}
    return Candidate("AVRO", json.dumps(body), label=label)


def field(name: str, kind: Any = "string", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, **more}


def enum(*symbols: str) -> dict[str, Any]:
    return {"type": "enum", "name": "State", "symbols": list(symbols)}


def inner(*names: str) -> dict[str, Any]:
    return {"type": "record", "name": "Item", "fields": [field(name) for name in names]}


@pytest.mark.parametrize(
    ("level", "old", "new", "said"),
    [
        (Level.BACKWARD, [], [field("a")], "`a` is new and has no default"),
        (Level.FORWARD, [field("a")], [], "`a` is gone and had no default"),
        (
            Level.BACKWARD,
            [field("a", "string")],
            [field("a", "int")],
            "`a` of version 1 is string, which cannot be read as int",
        ),
        (
            Level.FORWARD,
            [field("s", enum("A"))],
            [field("s", enum("A", "B"))],
            "`s` of the new version may be B, which version 1 does not know",
        ),
        (
            Level.BACKWARD,
            [field("items", {"type": "array", "items": inner("sku")})],
            [field("items", {"type": "array", "items": inner("sku", "size")})],
            "`items[].size` is new and has no default",
        ),
        (
            Level.BACKWARD,
            [field("a", ["null", "string"])],
            [field("a", "string")],
            "`a` of version 1 may be null, which cannot be read as string",
        ),
    ],
)
def test_a_reason_names_the_field(level: Level, old: list[Any], new: list[Any], said: str) -> None:
    verdict = judge(level, candidate(new), [candidate(old, "version 1")])

    [reason] = verdict.reasons
    assert (verdict.compatible, verdict.judged) == (False, True)
    assert reason.startswith(said)


def test_another_name_is_said() -> None:
    verdict = judge(Level.BACKWARD, candidate([], name="B"), [candidate([], "version 1", "A")])

    assert "is named shop.A, and shop.B is expected: use an alias" in verdict.reasons[0]


def test_a_format_without_a_judge_is_not_guessed_at() -> None:
    old, new = (Candidate("PROTOBUF", text, label="version 1") for text in ("a", "b"))

    verdict = judge(Level.FULL, new, [old])

    assert (verdict.compatible, verdict.judged) == (True, False)
    assert "Nobody here can tell" in verdict.reasons[0]
    assert not judge(Level.FULL, candidate([]), [old]).compatible


def test_fields_and_their_words() -> None:
    body = {"fields": [field("items", {"type": "array", "items": inner("unitPrice", "SKUCode")})]}

    assert fields(body) == ["items", "items[].unitPrice", "items[].SKUCode"]
    assert fields({"properties": {"a": {"properties": {"b": {}}}}}) == ["a", "a.b"]
    assert words("SKUCode") == {b"skucode", b"code"}
    assert words("order_id") == {b"order_id", b"id"}
