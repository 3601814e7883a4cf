"""Requests to a registry: bounded in time and size, and never led elsewhere."""

from __future__ import annotations

import base64
import functools
import http.client
import io
import socket
import ssl
import time
from typing import Any, Self
from urllib.parse import urlsplit

import msgspec

from tracing.schemas.bodies import MEDIA_TYPE
from tracing.schemas.errors import (
    BadAnswerError,
    BadRegistryError,
    RegistryRefusedError,
    RegistryUnavailableError,
    SchemaUnknownError,
)

MAX_ANSWER_BYTES = 2 * 1024 * 1024
_STEP = 64 * 1024
ACCEPT = f"{MEDIA_TYPE}, application/json, */*;q=0.5"


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach a registry: its address, and what it wants to see of its clients."""

    url: str
    user: str = ""
    password: str = ""
    ca_file: str = ""
    timeout_s: float = 3.0


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    body: bytes
    headers: dict[str, str]
    status: int = 200


def get(login: Login, path: str, *, deadline: float) -> Answer:
    """Return what a path below the registry's address holds, by a connection of its own.

    `deadline` is of `time.monotonic`. Raises one of `tracing.schemas.errors`; SchemaUnknownError
    when nothing is there.
    """
    with Connection(login) as connection:
        answer = connection.send("GET", path, deadline=deadline)
    if answer.status == 404:
        raise SchemaUnknownError(login.url)
    check_status(login, answer.status)
    return answer


class Connection:
    """One connection to a registry, kept while the registry keeps it. Used by one thread."""

    def __init__(self, login: Login) -> None:
        """Connect to nothing yet."""
        self._login = login
        self._base = urlsplit(login.url).path.rstrip("/")
        self._open: http.client.HTTPConnection | None = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close what is open."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def send(self, method: str, path: str, body: bytes | None = None, *, deadline: float) -> Answer:
        """Return the answer to a request, whatever its status but a redirect or a refusal.

        A redirect is not followed: the address is the operator's, and the password is for it
        alone. Only a GET is sent again, when a connection that was kept turns out to be closed.
        """
        kept = self._open is not None
        try:
            return self._send(method, path, body, deadline)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            gone = isinstance(error, ConnectionError | http.client.BadStatusLine)
            if kept and gone and method == "GET":
                return self.send(method, path, body, deadline=deadline)
            said = str(error) or type(error).__name__
            raise RegistryUnavailableError(f"{self._login.url}: {said}.") from None
        except BadAnswerError:
            self.close()
            raise

    def _send(self, method: str, path: str, body: bytes | None, deadline: float) -> Answer:
        left_s = max(min(self._login.timeout_s, deadline - time.monotonic()), 0.05)
        if self._open is None:
            self._open = _connection(self._login, left_s)
        elif self._open.sock is not None:
            self._open.sock.settimeout(left_s)
        headers = _headers(self._login)
        if body is not None:
            headers["Content-Type"] = MEDIA_TYPE
        made = functools.partial(_Response, deadline=deadline)
        self._open.response_class = made  # type: ignore[assignment]
        self._open.request(method, self._base + path, body, headers=headers)
        response = self._open.getresponse()
        found = _body(response, deadline)
        response.close()
        if response.will_close:
            self.close()
        if 300 <= response.status < 400 or response.status in {401, 403}:
            check_status(self._login, response.status)
        names = {name.lower(): value for name, value in response.getheaders()}
        return Answer(found, names, response.status)


class _Response(http.client.HTTPResponse):
    """An answer that is read until the deadline, head and body: a server that drips ends there."""

    def __init__(self, sock: socket.socket, *args: Any, deadline: float, **more: Any) -> None:
        super().__init__(sock, *args, **more)
        self.fp.close()
        self.fp = io.BufferedReader(_Until(sock, deadline))


class _Until(io.RawIOBase):
    """What a socket receives until the deadline."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        super().__init__()
        self._sock = sock
        self._deadline = deadline
        # Holds the socket open, as http.client wants it.
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        left_s = self._deadline - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("it takes too long")
        self._sock.settimeout(min(left_s, self._sock.gettimeout() or left_s))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


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
    headers = {"Accept": ACCEPT, "User-Agent": "eventviz"}
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


def check_status(login: Login, status: int) -> None:
    """Raise unless a status says that all is well."""
    if 200 <= status < 300:
        return
    if status in {401, 403}:
        raise RegistryRefusedError(f"{login.url} answers {status}.")
    if 300 <= status < 400:
        raise BadAnswerError(f"{login.url} answers {status}; redirects are not followed.")
    raise RegistryUnavailableError(f"{login.url} answers {status}.")
