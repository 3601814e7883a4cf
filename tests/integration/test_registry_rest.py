"""The REST interface of the built-in registry: who may call it, and what it refuses."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from tests.integration.people import somebody
from tracing.models import ApiToken, AuditEntry, SubjectVersion
from tracing.web.access import Role

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

MEDIA_TYPE = "application/vnd.schemaregistry.v1+json"
ORDER = {"type": "record", "name": "Order", "fields": [{"name": "id", "type": "string"}]}
BODY = {"schema": json.dumps(ORDER)}


def client(role: Role, scheme: str = "bearer") -> Client:
    user = somebody(f"robot-{role.group}-{scheme}", role)
    token = ApiToken.issue(user_id=user.pk, name="test")
    if scheme == "basic":
        token = base64.b64encode(f"anybody:{token}".encode()).decode()
    return Client(headers={"Authorization": f"{scheme} {token}"})


def post(who: Client, path: str, body: Any) -> Any:
    return who.post(f"/registry/{path}", body, content_type=MEDIA_TYPE)


def test_who_is_not_known_is_refused_in_the_form_of_the_registry() -> None:
    answer = Client().get("/registry/subjects")

    assert answer.status_code == 401
    assert answer.json()["error_code"] == 401
    wrong = Client(headers={"Authorization": "Basic bm90:OnRva2Vu"}).get("/registry/subjects")
    assert wrong.status_code == 401


def test_roles_decide_what_may_be_done() -> None:
    viewer, operator = client(Role.VIEWER), client(Role.OPERATOR, "basic")

    assert post(viewer, "subjects/s/versions", BODY).json() == {
        "error_code": 403,
        "message": "This needs the role operator.",
    }
    assert post(operator, "subjects/s/versions", BODY).status_code == 200
    # Looking up and checking change nothing.
    assert post(viewer, "subjects/s", BODY).json()["version"] == 1
    checked = post(viewer, "compatibility/subjects/s/versions/latest", BODY)
    assert checked.json() == {"is_compatible": True}
    assert operator.delete("/registry/subjects/s").status_code == 403
    assert client(Role.ADMIN).delete("/registry/subjects/s").json() == [1]
    assert SubjectVersion.objects.get().registered_by == "robot-operator-basic"
    done = AuditEntry.objects.order_by("id").values_list("who", "what", "target")
    assert list(done) == [
        ("robot-operator-basic", "schema registered", "s version 1"),
        ("robot-admin-bearer", "schema deleted", "s, all versions"),
    ]


def test_a_form_of_another_page_changes_nothing() -> None:
    operator = client(Role.OPERATOR)
    foreign = operator.post(
        "/registry/subjects/s/versions",
        BODY,
        content_type=MEDIA_TYPE,
        headers={"Origin": "http://elsewhere.example"},
    )
    simple = operator.post("/registry/subjects/s/versions", BODY)

    assert (foreign.status_code, simple.status_code) == (403, 415)


def nested(levels: int) -> str:
    return '{"type":"array","items":' * levels + '"int"' + "}" * levels


NODE = {"type": "record", "name": "N", "fields": [{"name": "next", "type": ["null", "N"]}]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (json.dumps({"type": "string", "doc": "x" * 1_100_000}), "at most 1,000,000"),
        (json.dumps({"type": "string", "doc": "x" * 5_000_000}), "at most 1,000,000"),
        (nested(1_000), "nests deeper than 64 levels"),
        ('{"type": "record",\n "name": }', "Line 2, column 10"),
        ("", "It is empty."),
        ("{}", "It is no Avro schema"),
        ('{"type":"record","name":"A","fields":[{"name":"b","type":"B"}]}', "no Avro schema"),
        ('{"type":"record","name":"A b","fields":[]}', "no Avro schema"),
        (
            '{"type":"record","name":"A","fields":[{"name":"b","type":"int","default":"x"}]}',
            "Default value <x> must match schema type: int",
        ),
        ('"\\u0000"', "the character NUL"),
    ],
    ids=["1 MB", "5 MB", "deep", "syntax", "empty", "none", "unknown", "name", "default", "nul"],
)
def test_a_schema_that_cannot_be_used_is_said_to_be_none(text: str, said: str) -> None:
    answer = post(client(Role.OPERATOR), "subjects/s/versions", {"schema": text})

    assert (answer.status_code, answer.json()["error_code"]) == (422, 42201)
    assert said in answer.json()["message"]
    assert not SubjectVersion.objects.exists()


def test_a_schema_may_contain_itself() -> None:
    operator = client(Role.OPERATOR)
    grown = {**NODE, "fields": [*NODE["fields"], {"name": "label", "type": "string"}]}

    assert post(operator, "subjects/s/versions", {"schema": json.dumps(NODE)}).status_code == 200
    refused = post(operator, "subjects/s/versions", {"schema": json.dumps(grown)})

    assert refused.status_code == 409
    assert "`label` is new and has no default" in refused.json()["message"]


def test_a_reference_to_itself_leads_nowhere() -> None:
    itself = {"name": "N", "subject": "s", "version": 1}
    body = {"schema": json.dumps(ORDER), "references": [itself]}

    answer = post(client(Role.OPERATOR), "subjects/s/versions", body)

    assert answer.json()["error_code"] == 42201
    assert "which is not registered" in answer.json()["message"]


@pytest.mark.parametrize("body", [b"", b"garbage", b"[]", b'{"schema": 7}', b"\xff", b"[" * 9_999])
def test_a_body_that_is_none_is_a_clear_error(body: bytes) -> None:
    answer = post(client(Role.OPERATOR), "subjects/s/versions", body)

    assert answer.status_code in {400, 415, 422}
    assert answer.json()["message"]


def test_with_another_registry_set_this_one_is_none(settings: Settings) -> None:
    settings.EVENTVIZ_SCHEMA_REGISTRY_URL = "http://schemas.example"

    answer = client(Role.VIEWER).get("/registry/subjects")

    assert answer.status_code == 404
    assert "another one is set" in answer.json()["message"]
