"""Tokens: asked for once while they are fresh, and never anywhere else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from tests.servers.answering import QuietHandler, serving
from tracing.kafka.connection import OAuth, Secret
from tracing.kafka.oauth import ClientCredentials, TokenError, TokenFile


class Endpoint(HTTPServer):
    """A token endpoint that remembers what it was asked."""

    def __init__(self, status: int, answer: bytes) -> None:
        """Listen on a free port of loopback."""
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.answer = status, answer
        self.asked: list[tuple[str, dict[str, list[str]]]] = []

    @property
    def oauth(self) -> OAuth:
        """Return the settings that lead here."""
        return OAuth(
            token_url=f"http://127.0.0.1:{self.server_port}/token",
            client_id="event viz",
            client_secret=Secret("pass:word"),
            scope="kafka",
        )


class _Handler(QuietHandler):
    server: Endpoint

    def do_POST(self) -> None:  # noqa: N802 - the library's name
        """Answer as the test wants it."""
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.asked.append((self.headers["Authorization"], form))
        self.send_response(self.server.status)
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()
        self.wfile.write(self.server.answer)


@contextmanager
def endpoint(answer: object, status: int = 200) -> Iterator[Endpoint]:
    """Run a token endpoint."""
    with serving(Endpoint(status, json.dumps(answer).encode())) as server:
        yield server


def test_a_token_is_asked_for_once_while_it_is_fresh() -> None:
    with endpoint({"access_token": "abc", "expires_in": 300}) as server:
        tokens = ClientCredentials(server.oauth)

        assert [tokens.token(), tokens.token()] == ["abc", "abc"]

    # event+viz:pass%3Aword
    assert server.asked == [
        (
            "Basic ZXZlbnQrdml6OnBhc3MlM0F3b3Jk",
            {"grant_type": ["client_credentials"], "scope": ["kafka"]},
        )
    ]


def test_an_old_token_is_fetched_anew() -> None:
    with endpoint({"access_token": "abc", "expires_in": 0}) as server:
        tokens = ClientCredentials(server.oauth)
        tokens.token()
        tokens.token()

    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (401, {"error": "invalid_client"}),
        (302, {"access_token": "abc"}),
        (200, {"error": "no"}),
        (200, ["abc"]),
        (200, {"access_token": "a\nb"}),
        (200, {"access_token": 7}),
    ],
)
def test_no_token_is_an_error_that_names_the_endpoint(status: int, answer: object) -> None:
    with endpoint(answer, status) as server:
        tokens = ClientCredentials(server.oauth)

        with pytest.raises(TokenError, match=r"/token answers") as caught:
            tokens.token()

    assert "pass" not in str(caught.value)


def test_a_file_is_read_at_each_connection(tmp_path: Path) -> None:
    file = tmp_path / "token"
    tokens = TokenFile(str(file))

    with pytest.raises(TokenError, match="EVENTVIZ_KAFKA_OAUTH_TOKEN_FILE"):
        tokens.token()
    file.write_text("one\n")
    first = tokens.token()
    file.write_text("two\n")

    assert (first, tokens.token()) == ("one", "two")
