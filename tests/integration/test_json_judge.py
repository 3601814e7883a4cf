"""Whether a JSON Schema may follow another one: proved, disproved by a value, or left open."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tracing.schemas import json_judge
from tracing.schemas.compatibility import Candidate, judge
from tracing.schemas.registry import Level

pytestmark = pytest.mark.slow

DRAFT = "http://json-schema.org/draft-07/schema#"
TEXT, WHOLE, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}


def thing(_needed: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    return {"$schema": DRAFT, "type": "object", "properties": fields, "required": list(_needed)}


def closed(_needed: tuple[str, ...] = (), **fields: Any) -> dict[str, Any]:
    return {**thing(_needed, **fields), "additionalProperties": False}


def candidate(schema: Any, label: str = "the new version", **others: Any) -> Candidate:
    built_on = tuple((name, json.dumps(one)) for name, one in others.items())
    return Candidate("JSON", json.dumps(schema), built_on, label)


def of(amount: Any) -> dict[str, Any]:
    money = {"type": "object", "properties": {"amount": amount}}
    return {**thing(price={"$ref": "#/definitions/money"}), "definitions": {"money": money}}


# The old schema, the new one, in which directions data is understood.
CASES = [
    ("the same", thing(a=TEXT), thing(a=TEXT), "BF"),
    ("words alone", thing(a=TEXT), thing(a={**TEXT, "description": "a word"}), "BF"),
    # Whoever wrote by the old one may have written anything there.
    ("added to what is open", thing(a=TEXT), thing(a=TEXT, b=TEXT), "F"),
    ("added to what is closed", closed(a=TEXT), closed(a=TEXT, b=TEXT), "B"),
    ("added and required", closed(a=TEXT), closed(("b",), a=TEXT, b=TEXT), ""),
    ("removed from what is open", thing(a=TEXT, b=TEXT), thing(a=TEXT), "B"),
    ("removed from what is closed", closed(a=TEXT, b=TEXT), closed(a=TEXT), "F"),
    ("renamed", closed(("a",), a=TEXT), closed(("b",), b=TEXT), ""),
    ("type widened", thing(a=WHOLE), thing(a=NUMBER), "B"),
    ("type narrowed", thing(a=NUMBER), thing(a=WHOLE), "F"),
    ("type changed", thing(("a",), a=TEXT), thing(("a",), a=WHOLE), ""),
    ("made nullable", thing(a=TEXT), thing(a={"type": ["string", "null"]}), "B"),
    ("enum grown", thing(a={"enum": ["x", "y"]}), thing(a={"enum": ["x", "y", "z"]}), "B"),
    ("shorter", thing(a={**TEXT, "maxLength": 9}), thing(a={**TEXT, "maxLength": 5}), "F"),
    ("nested", thing(to=thing(a=TEXT)), thing(to=thing(("a",), a=TEXT)), "F"),
    ("in a list", thing(a={"items": WHOLE}), thing(a={"items": NUMBER}), "B"),
    (
        "one alternative more",
        {"oneOf": [TEXT, WHOLE]},
        {"oneOf": [TEXT, WHOLE, {"type": "object"}]},
        "B",
    ),
    ("what it refers to", of(WHOLE), of(NUMBER), "B"),
]


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_compatibility_of_real_cases(case: Any) -> None:
    _, old, new, fits = case
    for letter, level in (("B", Level.BACKWARD), ("F", Level.FORWARD)):
        verdict = judge(level, candidate(new), [candidate(old, "version 1")])
        assert verdict.judged, verdict
        assert verdict.compatible == (letter in fits), (level, verdict)
        assert bool(verdict.reasons) == (letter not in fits)


def test_the_reason_names_the_field_and_shows_a_value() -> None:
    old, new = closed(orderId=TEXT, note=TEXT), closed(orderId=TEXT)

    verdict = judge(Level.BACKWARD, candidate(new), [candidate(old, "version 1")])

    assert verdict.reasons == (
        "`note` is not allowed by the schema for the new version, and version 1 takes that: "
        + json.dumps({"orderId": "a", "note": "a"}, separators=(",", ":")),
    )


def test_a_transitive_level_counts_every_version() -> None:
    olds = [candidate(thing(a=WHOLE), "version 1"), candidate(thing(a=TEXT), "version 2")]
    new = candidate(thing(a=TEXT))

    assert judge(Level.BACKWARD, new, olds).compatible
    [reason] = judge(Level.BACKWARD_TRANSITIVE, new, olds).reasons
    assert reason.startswith("`a` is a whole number instead of text for the new version")


def test_registered_references_are_followed() -> None:
    schema = thing(price={"$ref": "money"})
    old = candidate(schema, "version 1", money=WHOLE)

    assert judge(Level.FULL, candidate(schema, money=WHOLE), [old]).compatible


def test_what_is_neither_proved_nor_disproved_is_left_open_and_said() -> None:
    old, new = ({"type": "string", "pattern": one} for one in ("^a+$", "^(a|b)+$"))

    verdict = judge(Level.BACKWARD, candidate(new), [candidate(old, "version 1")])

    assert (verdict.compatible, verdict.judged) == (True, False)
    assert "neither proved nor disproved" in verdict.reasons[0]


def test_what_takes_too_long_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    # No process starts, reads and answers in so little time.
    monkeypatch.setattr(json_judge, "BUDGET_S", 0.001)
    schema = candidate(thing(a=TEXT))

    verdict = judge(Level.BACKWARD, schema, [candidate(thing(a=TEXT), "version 1")])

    assert (verdict.compatible, verdict.judged) == (True, False)
