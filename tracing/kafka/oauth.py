"""Tokens for SASL/OAUTHBEARER: from a file, or by client credentials from a token endpoint."""

from __future__ import annotations

import base64
import functools
import json
import ssl
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kafka.net.sasl.oauth import AbstractTokenProvider

from tracing.domain.errors import EventvizError

if TYPE_CHECKING:
    from tracing.kafka.connection import OAuth

# The client asks while it connects, on the thread that also sends heartbeats.
TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 64 * 1024
# A new token is fetched when this part of the old one's life is over.
FRESH_FOR = 0.8
_DEFAULT_LIFE_S = 60.0


class TokenError(EventvizError):
    """There is no token to sign in to Kafka with."""


@functools.cache
def provider(oauth: OAuth) -> AbstractTokenProvider:
    """Return what kafka-python asks for a token at each connection; all clients share it."""
    return TokenFile(oauth.token_file) if oauth.token_file else ClientCredentials(oauth)


class TokenFile(AbstractTokenProvider):  # type: ignore[misc]
    """A token that something else writes, such as a sidecar; read at each connection."""

    def __init__(self, file: str) -> None:
        """Keep the name: what it holds changes."""
        self._file = Path(file)

    def token(self) -> str:
        """Return what the file holds now. Raises TokenError."""
        try:
            text = self._file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise TokenError(f"EVENTVIZ_KAFKA_OAUTH_TOKEN_FILE: {error}") from error
        if not text:
            raise TokenError("EVENTVIZ_KAFKA_OAUTH_TOKEN_FILE: the file is empty.")
        return text


class ClientCredentials(AbstractTokenProvider):  # type: ignore[misc]
    """Tokens of an OAuth 2 endpoint (RFC 6749, section 4.4), each kept while it is fresh."""

    def __init__(self, oauth: OAuth) -> None:
        """Ask for nothing yet."""
        self._oauth = oauth
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def token(self) -> str:
        """Return a fresh token; ask for one when the last grows old. Raises TokenError."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._token, life_s = self._fetch()
                self._until = time.monotonic() + life_s * FRESH_FOR
            return self._token

    def _fetch(self) -> tuple[str, float]:
        try:
            with self._opener().open(self._request(), timeout=TIMEOUT_S) as answer:
                found = json.loads(answer.read(MAX_ANSWER_BYTES))
            token = found["access_token"]
            life_s = float(found.get("expires_in", _DEFAULT_LIFE_S))
        except urllib.error.HTTPError as error:
            with error:
                raise TokenError(f"{self._oauth.token_url} answers {error.code}.") from None
        except (OSError, ssl.SSLError) as error:
            raise TokenError(f"{self._oauth.token_url}: {error}") from error
        except (ValueError, TypeError, KeyError, AttributeError):
            raise TokenError(f"{self._oauth.token_url} answers without an access_token.") from None
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise TokenError(f"{self._oauth.token_url} answers without an access_token.")
        return token, life_s

    def _request(self) -> urllib.request.Request:
        oauth = self._oauth
        form = {"grant_type": "client_credentials"} | (
            {"scope": oauth.scope} if oauth.scope else {}
        )
        # Each part is form-encoded before it is joined (RFC 6749, section 2.3.1).
        pair = ":".join(
            urllib.parse.quote_plus(part) for part in (oauth.client_id, oauth.client_secret)
        )
        return urllib.request.Request(  # noqa: S310 (the scheme was checked with the settings)
            oauth.token_url,
            data=urllib.parse.urlencode(form).encode(),
            headers={
                "Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
                "Accept": "application/json",
            },
        )

    def _opener(self) -> urllib.request.OpenerDirector:
        context = ssl.create_default_context(cafile=self._oauth.ca_file or None)
        return urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=context), _StayHere()
        )


class _StayHere(urllib.request.HTTPRedirectHandler):
    """The secret goes to the address in the settings and to no other."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:  # noqa: ARG002
        """Follow nothing."""
        return
