"""The same calls to Apicurio and to the built-in registry, the same answers by Confluent's rules.

What Apicurio answers otherwise than the reference says is listed, so that we notice if it changes.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.contracts.registry_calls import APICURIO, Caller, enum, field, record, text
from tests.servers.embedded import embedded_broker
from tests.servers.product import running_product
from tracing.schemas.confluent import Confluent
from tracing.schemas.errors import BadSchemaError, IncompatibleSchemaError, SubjectUnknownError
from tracing.schemas.http import Login
from tracing.schemas.registry import Draft, Level

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    folder = tmp_path_factory.mktemp("registry")
    with embedded_broker(folder) as broker, running_product(folder, broker) as product:
        script = (
            "from django.contrib.auth.models import User;"
            "from tracing.models import ApiToken;"
            "from tracing.web.access import Role, give_role;"
            "user = User.objects.create_user('root'); give_role(user, Role.ADMIN);"
            f"ApiToken.objects.create(user=user, name='t', sha256=ApiToken.digest('{TOKEN}'))"
        )
        shell = product.manage("shell", "-c", script)
        assert shell.wait() == 0, shell.output
        yield Caller(f"{product.url}/registry", f"Bearer {TOKEN}")


TOKEN = "ev_of-this-test"


@pytest.fixture(params=["built_in", pytest.param("apicurio", marks=pytest.mark.apicurio)])
def registry(request: pytest.FixtureRequest) -> Caller:
    found = request.getfixturevalue(request.param)
    return found if isinstance(found, Caller) else Caller(found)


@pytest.fixture
def subject() -> str:
    return f"orders-{uuid.uuid4().hex[:8]}-value"


def test_a_schema_is_registered_once_and_found_in_every_way(registry: Caller, subject: str) -> None:
    status, given = registry.register(subject, record("orderId"))
    assert (status, list(given)) == (200, ["id"])
    number = given["id"]
    assert registry.register(subject, record("orderId")) == (200, {"id": number})
    longer = record("orderId", field("currency", "string", default="USD"))
    _, second = registry.register(subject, longer)

    assert second["id"] != number
    assert registry("GET", f"/subjects/{subject}/versions") == (200, [1, 2])
    assert subject in registry("GET", "/subjects")[1]
    status, found = registry("GET", f"/schemas/ids/{number}")
    assert (status, json.loads(found["schema"])) == (200, record("orderId"))
    for version in ("2", "latest"):
        status, found = registry("GET", f"/subjects/{subject}/versions/{version}")
        assert (found["subject"], found["version"], found["id"]) == (subject, 2, second["id"])
        assert json.loads(found["schema"]) == longer
    status, found = registry("POST", f"/subjects/{subject}", text(record("orderId")))
    assert (status, found["version"], found["id"]) == (200, 1, number)
    assert registry("GET", f"/schemas/ids/{number}/versions")[1] == [
        {"subject": subject, "version": 1}
    ]
    other = f"{subject}-copy"
    assert registry.register(other, record("orderId")) == (200, {"id": number})


# What is checked: level, the old schema, the new one, whether it may follow.
OLD = record("orderId", field("amount", "int"))
CASES = [
    ("added with default", OLD, record(*OLD["fields"], field("c", "string", default="USD")), "BF"),
    ("added without default", OLD, record(*OLD["fields"], "shippingAddress"), "F"),
    ("removed without default", OLD, record("orderId"), "B"),
    (
        "removed with default",
        record("orderId", field("c", "string", default="")),
        record("orderId"),
        "BF",
    ),
    ("renamed", OLD, record("id", field("amount", "int")), ""),
    (
        "renamed with an alias",
        OLD,
        record(field("id", "string", aliases=["orderId"]), field("amount", "int")),
        "B",
    ),
    ("type widened", OLD, record("orderId", field("amount", "long")), "B"),
    ("type narrowed", record(field("a", "long")), record(field("a", "int")), "F"),
    ("type changed", record(field("a", "string")), record(field("a", "int")), ""),
    ("made optional", record("a"), record(field("a", ["null", "string"])), "B"),
    (
        "enum grown",
        record(field("s", enum("NEW", "PAID"))),
        record(field("s", enum("NEW", "PAID", "SENT"))),
        "B",
    ),
    (
        "enum shrunk",
        record(field("s", enum("NEW", "PAID"))),
        record(field("s", enum("NEW"))),
        "F",
    ),
    (
        "nested, added without default",
        record(field("to", record("street", name="Address"))),
        record(field("to", record("street", "city", name="Address"))),
        "F",
    ),
    (
        "in an array, widened",
        record(field("n", {"type": "array", "items": "int"})),
        record(field("n", {"type": "array", "items": "double"})),
        "B",
    ),
]
LEVELS = {"NONE": "", "BACKWARD": "B", "FORWARD": "F", "FULL": "BF"}


@pytest.mark.parametrize("case", CASES, ids=[case[0] for case in CASES])
def test_compatibility_at_every_level(registry: Caller, subject: str, case: Any) -> None:
    _, old, new, fits = case
    registry.register(subject, old)
    for level, asked in LEVELS.items():
        for wanted in {level, f"{level}_TRANSITIVE" if asked else level}:
            status, said = registry("PUT", f"/config/{subject}", {"compatibility": wanted})
            # The reference calls it "compatibility", Apicurio "compatibilityLevel".
            assert (status, list(said.values())) == (200, [wanted])
            path = f"/compatibility/subjects/{subject}/versions/latest?verbose=true"
            status, verdict = registry("POST", path, text(new))
            expected = set(asked) <= set(fits)
            assert (status, verdict["is_compatible"]) == (200, expected), (wanted, verdict)
            assert expected or verdict.get("messages") or registry.is_apicurio
            if not expected:
                status, refused = registry.register(subject, new)
                assert (status, refused["error_code"]) == (409, 409)
                assert refused["message"]


def test_a_transitive_level_counts_every_version(registry: Caller, subject: str) -> None:
    registry("PUT", f"/config/{subject}", {"compatibility": "BACKWARD"})
    registry.register(subject, record(field("amount", "int")))
    registry.register(subject, record())
    new = record(field("amount", "string", default=""))
    path = f"/compatibility/subjects/{subject}/versions"

    assert registry("POST", f"{path}/latest", text(new))[1]["is_compatible"]
    assert not registry("POST", f"{path}/1", text(new))[1]["is_compatible"]
    registry("PUT", f"/config/{subject}", {"compatibility": "BACKWARD_TRANSITIVE"})
    assert registry.register(subject, new)[0] == 409
    registry("PUT", f"/config/{subject}", {"compatibility": "BACKWARD"})
    assert registry.register(subject, new)[0] == 200


def test_a_schema_builds_on_another(registry: Caller, subject: str) -> None:
    money = record("unit", name="Money")
    registry.register(f"{subject}-money", money)
    whole = record(field("price", "shop.Money"))
    references = [{"name": "shop.Money", "subject": f"{subject}-money", "version": 1}]

    assert registry.register(subject, whole)[0] == 422
    status, given = registry.register(subject, whole, references=references)

    assert status == 200
    _, found = registry("GET", f"/subjects/{subject}/versions/1")
    assert found["references"] == references
    _, users = registry("GET", f"/subjects/{subject}-money/versions/1/referencedby")
    assert users == [given["id"]]
    registry("PUT", f"/config/{subject}", {"compatibility": "BACKWARD"})
    longer = record(*whole["fields"], "note")
    status, refused = registry.register(subject, longer, references=references)
    assert (status, refused["error_code"]) == (409, 409)


def test_deletion_goes_in_two_steps(registry: Caller, subject: str) -> None:
    _, first = registry.register(subject, record("a"))
    registry.register(subject, record("a", field("b", "string", default="")))
    place = f"/subjects/{subject}"

    assert registry("DELETE", f"{place}/versions/1") == (200, 1)
    assert registry("GET", f"{place}/versions") == (200, [2])
    assert registry("GET", f"{place}/versions?deleted=true") == (200, [1, 2])
    status, said = registry("GET", f"{place}/versions/1")
    assert (status, said["error_code"]) == (404, 40402)
    assert registry("GET", f"/schemas/ids/{first['id']}")[0] == 200
    assert registry("DELETE", f"{place}/versions/1?permanent=true") == (200, 1)
    assert registry("DELETE", place) == (200, [2])
    status, said = registry("GET", f"{place}/versions")
    assert (status, said["error_code"]) == (404, 40401)
    assert subject not in registry("GET", "/subjects")[1]
    assert subject in registry("GET", "/subjects?deleted=true")[1]
    assert registry("DELETE", f"{place}?permanent=true") == (200, [2])
    assert registry("GET", f"{place}/versions?deleted=true")[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/subjects/{no}/versions", None, (404, 40401)),
        ("GET", "/subjects/{no}/versions/1", None, (404, 40401)),
        ("GET", "/subjects/{yes}/versions/9", None, (404, 40402)),
        ("GET", "/subjects/{yes}/versions/0", None, (422, 42202)),
        ("GET", "/subjects/{yes}/versions/latest-1", None, (422, 42202)),
        ("GET", "/schemas/ids/987654321", None, (404, 40403)),
        ("POST", "/subjects/{no}", text(OLD), (404, 40401)),
        ("POST", "/subjects/{yes}", text(record("other")), (404, 40403)),
        ("POST", "/subjects/{yes}/versions", text("{"), (422, 42201)),
        ("POST", "/subjects/{yes}/versions", text('{"type": "recor"}'), (422, 42201)),
        ("POST", "/compatibility/subjects/{yes}/versions/latest", text("{"), (422, 42201)),
        ("PUT", "/config/{yes}", {"compatibility": "SIDEWAYS"}, (422, 42203)),
        ("GET", "/config/{no}", None, (404, 40408)),
        ("DELETE", "/subjects/{no}", None, (404, 40401)),
        ("DELETE", "/subjects/{yes}?permanent=true", None, (404, 40405)),
        ("DELETE", "/subjects/{yes}/versions/1?permanent=true", None, (404, 40407)),
    ],
)
def test_errors_have_the_codes_of_the_reference(
    registry: Caller, subject: str, method: str, path: str, body: Any, expected: Any
) -> None:
    registry.register(subject, OLD)

    status, said = registry(method, path.format(yes=subject, no=f"{subject}-no"), body)

    if registry.is_apicurio:
        expected = APICURIO.get((method, path, expected[1]), APICURIO.get(expected[1], expected))
    assert (status, said.get("error_code")) == expected
    assert said


def test_levels_are_of_the_registry_or_of_a_subject(registry: Caller, subject: str) -> None:
    level = "NONE" if registry.is_apicurio else "BACKWARD"
    assert registry("GET", "/config") == (200, {"compatibilityLevel": level})
    registry.register(subject, record("a"))
    registry("PUT", f"/config/{subject}", {"compatibility": "FULL"})
    assert registry("GET", f"/config/{subject}") == (200, {"compatibilityLevel": "FULL"})
    assert registry("DELETE", f"/config/{subject}")[0] == 200
    status, found = registry("GET", f"/config/{subject}?defaultToGlobal=true")
    assert (status, found) == (200, {"compatibilityLevel": level})


def test_names_may_hold_what_addresses_do_not(registry: Caller) -> None:
    name = quote(f"a/b c:ü-{uuid.uuid4().hex[:6]}", safe="")

    assert registry.register(name, record("a"))[0] == 200
    assert registry("GET", f"/subjects/{name}/versions") == (200, [1])


def test_what_is_asked_on_the_way(registry: Caller) -> None:
    assert {"AVRO", "JSON"} <= set(registry("GET", "/schemas/types")[1])
    assert registry.is_apicurio or registry("GET", "/mode") == (200, {"mode": "READWRITE"})


def test_json_schemas_are_kept(registry: Caller, subject: str) -> None:
    schema = {"type": "object", "properties": {"orderId": {"type": "string"}}}
    status, given = registry.register(subject, schema, schemaType="JSON")

    assert status == 200
    _, found = registry("GET", f"/schemas/ids/{given['id']}")
    assert (found["schemaType"], json.loads(found["schema"])) == ("JSON", schema)


def test_our_own_client_says_the_same_of_both(registry: Caller, subject: str) -> None:
    client = Confluent(Login(url=registry.url, user="robot", password=TOKEN))
    draft, longer = Draft(json.dumps(OLD)), Draft(json.dumps(record(*OLD["fields"], "shippingTo")))
    first = client.register(subject, draft, by="ana")
    client.set_level(subject, Level.BACKWARD, by="ana")

    assert client.level(subject) is Level.BACKWARD
    assert client.by_version(subject, None) == client.look_up(subject, draft) == first
    assert (first.subject, first.version, json.loads(first.text)) == (subject, 1, OLD)
    # Other tests register the same schema: it has one id, and several places.
    assert (subject, 1) in client.places(first.id)
    assert not client.check(subject, longer, None).compatible
    assert not client.check_all(subject, longer).compatible
    with pytest.raises(IncompatibleSchemaError) as raised:
        client.register(subject, longer, by="ana")
    assert raised.value.reasons[0]
    with pytest.raises(BadSchemaError):
        client.register(subject, Draft("{"), by="ana")
    assert client.delete_version(subject, 1, by="ana") == 1
    with pytest.raises(SubjectUnknownError):
        client.versions(subject)
    assert client.delete_subject(subject, by="ana", permanent=True) == [1]
    assert subject not in client.subjects(deleted=True)
    client.close()
