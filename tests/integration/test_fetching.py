"""What a registry may answer: a schema, or an error in our words, within bounds."""

from __future__ import annotations

import base64
import json
from typing import Any

import msgspec
import pytest

from tests.servers.answering import Answering, Page, serving
from tests.servers.processes import free_port
from tracing.codec.formats.schema import Schema, SchemaRef
from tracing.domain.errors import EventvizError
from tracing.schemas.errors import (
    BadAnswerError,
    BadRegistryError,
    RegistryRefusedError,
    RegistryUnavailableError,
    SchemaUnknownError,
)
from tracing.schemas.fetching import Fetcher
from tracing.schemas.http import MAX_ANSWER_BYTES, Login

ID = SchemaRef("id", "42")


def page(**body: Any) -> Page:
    return 200, {}, json.dumps(body).encode()


def fetch(pages: dict[str, Page], ref: SchemaRef = ID, **login: str) -> Schema:
    with serving(Answering(pages)) as server:
        return Fetcher(msgspec.structs.replace(server.login, **login)).fetch(ref)


def test_a_schema_without_a_type_is_avro() -> None:
    assert fetch({"/schemas/ids/42": page(schema='"string"')}) == Schema("AVRO", '"string"')


def test_a_guid_has_an_address_of_its_own() -> None:
    guid = "8f7a1c52-9a0e-4a8b-9d13-0e2f4b6c8d10"

    found = fetch(
        {f"/schemas/guids/{guid}": page(schema="{}", schemaType="JSON")}, SchemaRef("guid", guid)
    )

    assert found == Schema("JSON", "{}")


def test_references_come_behind_what_they_build_on() -> None:
    def refers(name: str, *wanted: str) -> Page:
        references = [{"name": one, "subject": f"{one}/value", "version": 1} for one in wanted]
        return page(schema=name, references=references)

    found = fetch(
        {
            "/schemas/ids/42": refers("order", "money", "place"),
            "/subjects/money%2Fvalue/versions/1": refers("money", "currency"),
            "/subjects/currency%2Fvalue/versions/1": refers("currency"),
            "/subjects/place%2Fvalue/versions/1": refers("place", "currency"),
        }
    )

    assert [name for name, _ in found.references] == ["currency", "money", "place"]


def test_references_in_a_circle_are_refused() -> None:
    circle = page(schema="a", references=[{"name": "a", "subject": "a", "version": 1}])

    with pytest.raises(BadAnswerError, match="circle"):
        fetch({"/schemas/ids/42": circle, "/subjects/a/versions/1": circle})


def test_apicurios_own_ids_are_asked_for_where_apicurio_keeps_them() -> None:
    path = "/apis/registry/v3/ids/globalIds/7?references=DEREFERENCE"
    with serving(Answering({path: (200, {"X-Registry-ArtifactType": "JSON"}, b"{}")})) as server:
        login = msgspec.structs.replace(server.login, url=f"{server.login.url}/apis/ccompat/v7")

        assert Fetcher(login).fetch(SchemaRef("global", "7")) == Schema("JSON", "{}")
        with pytest.raises(SchemaUnknownError):
            Fetcher(server.login).fetch(SchemaRef("global", "7"))


def test_the_password_is_sent_to_the_registry_alone() -> None:
    elsewhere = {"Location": "http://127.0.0.1:9/"}
    with serving(Answering({"/schemas/ids/42": (302, elsewhere, b"")})) as server:
        login = msgspec.structs.replace(server.login, user="me", password="sécret")
        with pytest.raises(BadAnswerError, match="redirects are not followed"):
            Fetcher(login).fetch(ID)

        token = base64.b64encode("me:sécret".encode()).decode()
        assert server.asked == [("/schemas/ids/42", f"Basic {token}")]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((404, {}, b"{}"), SchemaUnknownError),
        ((401, {}, b""), RegistryRefusedError),
        ((500, {}, b"<html>"), RegistryUnavailableError),
        ((200, {}, b"<html>"), BadAnswerError),
        ((200, {}, b"[" * 100_000), BadAnswerError),
        ((200, {}, b'{"schema": 7}'), BadAnswerError),
        ((200, {}, b'{"schema": "\xff"}'), BadAnswerError),
        ((200, {}, b" " * (MAX_ANSWER_BYTES + 1)), BadAnswerError),
        ((200, {"Content-Length": "100"}, b"{"), BadAnswerError),
    ],
)
def test_an_answer_that_is_no_schema_is_an_error_of_ours(
    answer: Page, error: type[EventvizError]
) -> None:
    with pytest.raises(error):
        fetch({"/schemas/ids/42": answer})


def test_a_registry_that_is_away_is_named() -> None:
    address = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(RegistryUnavailableError, match=address):
        Fetcher(Login(url=address)).fetch(ID)


@pytest.mark.parametrize(
    "url", ["", "registry:8081", "ftp://registry", "http://", "http://a:b", "http://me:pw@registry"]
)
def test_an_address_that_is_none_is_an_error_without_its_password(url: str) -> None:
    with pytest.raises(BadRegistryError) as raised:
        Fetcher(Login(url=url)).fetch(ID)

    assert "pw" not in str(raised.value)
