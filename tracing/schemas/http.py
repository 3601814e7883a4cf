"""One GET at a time from a registry: bounded in time and size, and never led elsewhere."""

from __future__ import annotations

import base64
import http.client
import ssl
import time
from urllib.parse import urlsplit

import msgspec

from tracing.schemas.errors import (
    BadAnswerError,
    BadRegistryError,
    RegistryRefusedError,
    RegistryUnavailableError,
    SchemaUnknownError,
)

MAX_ANSWER_BYTES = 2 * 1024 * 1024
_STEP = 64 * 1024
ACCEPT = "application/vnd.schemaregistry.v1+json, application/json, */*;q=0.5"


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach a registry: its address, and what it wants to see of its clients."""

    url: str
    user: str = ""
    password: str = ""
    ca_file: str = ""
    timeout_s: float = 3.0


class Answer(msgspec.Struct, frozen=True):
    """What came back with status 200."""

    body: bytes
    headers: dict[str, str]


def get(login: Login, path: str, *, deadline: float) -> Answer:
    """Return what a path below the registry's address holds.

    `deadline` is of `time.monotonic`. A redirect is not followed: the address is the operator's,
    and the password is for it alone. Raises one of `tracing.schemas.errors`.
    """
    connection = _connection(login, max(min(login.timeout_s, deadline - time.monotonic()), 0.05))
    base = urlsplit(login.url).path.rstrip("/")
    try:
        connection.request("GET", base + path, headers=_headers(login))
        response = connection.getresponse()
        body = _body(response, deadline)
    except (OSError, http.client.HTTPException) as error:
        said = str(error) or type(error).__name__
        raise RegistryUnavailableError(f"{login.url}: {said}.") from None
    finally:
        connection.close()
    _check(login, response.status)
    return Answer(body, {name.lower(): value for name, value in response.getheaders()})


def _connection(login: Login, timeout_s: float) -> http.client.HTTPConnection:
    parts = urlsplit(login.url)
    try:
        port = parts.port
    except ValueError:
        raise BadRegistryError(repr(login.url)) from None
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise BadRegistryError(repr(parts._replace(netloc=parts.hostname or "").geturl()))
    if parts.scheme == "http":
        return http.client.HTTPConnection(parts.hostname, port, timeout=timeout_s)
    try:
        trust = ssl.create_default_context(cafile=login.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise RegistryUnavailableError(f"{login.ca_file}: {error}.") from None
    return http.client.HTTPSConnection(parts.hostname, port, timeout=timeout_s, context=trust)


def _headers(login: Login) -> dict[str, str]:
    headers = {"Accept": ACCEPT, "User-Agent": "eventviz", "Connection": "close"}
    if login.user:
        token = base64.b64encode(f"{login.user}:{login.password}".encode()).decode()
        headers["Authorization"] = f"Basic {token}"
    return headers


def _body(response: http.client.HTTPResponse, deadline: float) -> bytes:
    """Read up to the limit; a server that drips ends at the deadline."""
    parts: list[bytes] = []
    size = 0
    # What is there is taken, without waiting for a full step.
    while part := response.read1(_STEP):
        parts.append(part)
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            raise BadAnswerError(f"It is longer than {MAX_ANSWER_BYTES:,} bytes.")
        if time.monotonic() > deadline:
            raise TimeoutError("it takes too long")
    return b"".join(parts)


def _check(login: Login, status: int) -> None:
    if status == 200:
        return
    if status == 404:
        raise SchemaUnknownError(login.url)
    if status in {401, 403}:
        raise RegistryRefusedError(f"{login.url} answers {status}.")
    if 300 <= status < 400:
        raise BadAnswerError(f"{login.url} answers {status}; redirects are not followed.")
    raise RegistryUnavailableError(f"{login.url} answers {status}.")
