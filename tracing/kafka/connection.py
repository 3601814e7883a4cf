"""How every client of a cluster signs in: from settings to the options of kafka-python."""

from __future__ import annotations

import contextlib
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from tracing.domain.errors import EventvizError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "EVENTVIZ_KAFKA_"
PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
_SASL = ("SASL_MECHANISM", "SASL_USERNAME", "SASL_PASSWORD")
_OAUTH = (
    *("OAUTH_TOKEN_URL", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET"),
    *("OAUTH_SCOPE", "OAUTH_CA_FILE", "OAUTH_TOKEN_FILE"),
)
_TLS = ("SSL_CA_FILE", "SSL_CERT_FILE", "SSL_KEY_FILE", "SSL_KEY_PASSWORD", "SSL_CHECK_HOSTNAME")
# These may come from a file that another variable names: the same with `_FILE` behind it.
_SECRETS = (
    *("SASL_USERNAME", "SASL_PASSWORD", "OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET"),
    "SSL_KEY_PASSWORD",
)
NAMES = ("SECURITY_PROTOCOL", *_SASL, *_OAUTH, *_TLS, *(f"{name}_FILE" for name in _SECRETS))
_FLAGS = {"1": True, "true": True, "yes": True, "on": True} | dict.fromkeys(
    ("0", "false", "no", "off"), False
)


class BadSecurityError(EventvizError):
    """The settings of the sign-in to Kafka do not fit together."""

    def __init__(self, name: str, advice: str) -> None:
        """Name the variable and say what it should be; never its value."""
        Exception.__init__(self, f"{PREFIX}{name}: {advice}")


class Secret(str):
    """A text that no log, traceback or debug line shows."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return stars."""
        return "'***'"


class OAuth(msgspec.Struct, frozen=True, kw_only=True):
    """Where tokens come from: a file that something else keeps fresh, or a token endpoint."""

    token_file: str = ""
    token_url: str = ""
    client_id: str = ""
    client_secret: Secret = Secret()
    scope: str = ""
    ca_file: str = ""


class Security(msgspec.Struct, frozen=True, kw_only=True):
    """What a cluster wants to see of its clients. Without arguments: nothing.

    Files are read again for every connection, so renewed certificates need no restart.
    """

    protocol: str = "PLAINTEXT"
    mechanism: str = ""
    username: str = ""
    password: Secret = Secret()
    oauth: OAuth | None = None
    ca_file: str = ""
    cert_file: str = ""
    key_file: str = ""
    key_password: Secret = Secret()
    check_hostname: bool = True

    def options(self) -> dict[str, Any]:
        """Return keyword arguments for any client of kafka-python.

        Raises BadSecurityError when a file cannot be read.
        """
        found: dict[str, Any] = {"security_protocol": self.protocol}
        if self.protocol.endswith("SSL"):
            found["ssl_context"] = self._context()
        if self.mechanism == "OAUTHBEARER" and self.oauth:
            # Loaded only here: the module stands on the client's own classes.
            from tracing.kafka.oauth import provider

            found |= {"sasl_mechanism": self.mechanism}
            found |= {"sasl_oauth_token_provider": provider(self.oauth)}
        elif self.mechanism:
            found |= {"sasl_mechanism": self.mechanism, "sasl_plain_password": self.password}
            found |= {"sasl_plain_username": self._sasl_name()}
        return found

    def _sasl_name(self) -> str:
        # SCRAM's messages separate by comma and equals sign (RFC 5802); the client quotes neither.
        if self.mechanism.startswith("SCRAM"):
            return self.username.replace("=", "=3D").replace(",", "=2C")
        return self.username

    def _context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.check_hostname = self.check_hostname
        with _naming("SSL_CA_FILE", "certificates in PEM form"):
            if self.ca_file:
                context.load_verify_locations(self.ca_file)
            else:
                context.load_default_certs()
        if self.cert_file:
            with _naming("SSL_CERT_FILE", "a certificate in PEM form that fits SSL_KEY_FILE"):
                # Without a password the library would ask the terminal for one.
                context.load_cert_chain(
                    self.cert_file, self.key_file or None, lambda: str(self.key_password)
                )
        return context


PLAINTEXT = Security()


@contextlib.contextmanager
def _naming(name: str, what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ssl.SSLError) as error:
        raise BadSecurityError(name, f"{error}; it must hold {what}.") from error


def read_security(environ: Mapping[str, str]) -> Security:
    """Return what the variables EVENTVIZ_KAFKA_SECURITY_PROTOCOL, _SASL_*, _OAUTH_*, _SSL_* say.

    Raises BadSecurityError, naming the variable, for whatever is missing, unknown, unreadable or
    would be ignored.
    """
    given = {name: _value(name, environ) for name in NAMES if not _names_a_secret(name)}
    given = {name: value for name, value in given.items() if value}
    _check_known(environ)
    protocol = given.get("SECURITY_PROTOCOL", "PLAINTEXT").upper()
    if protocol not in PROTOCOLS:
        raise BadSecurityError("SECURITY_PROTOCOL", f"write one of {', '.join(PROTOCOLS)}.")
    _check_used(given, protocol)
    mechanism = given.get("SASL_MECHANISM", "").upper()
    if protocol.startswith("SASL"):
        _check_mechanism(given, mechanism)
    security = Security(
        protocol=protocol,
        mechanism=mechanism,
        username=given.get("SASL_USERNAME", ""),
        password=Secret(given.get("SASL_PASSWORD", "")),
        oauth=_oauth(given) if mechanism == "OAUTHBEARER" else None,
        ca_file=given.get("SSL_CA_FILE", ""),
        cert_file=given.get("SSL_CERT_FILE", ""),
        key_file=given.get("SSL_KEY_FILE", ""),
        key_password=Secret(given.get("SSL_KEY_PASSWORD", "")),
        check_hostname=_flag("SSL_CHECK_HOSTNAME", given.get("SSL_CHECK_HOSTNAME", "1")),
    )
    # What the files hold is looked at now, not when the first broker asks.
    security.options()
    return security


def _names_a_secret(name: str) -> bool:
    return name.removesuffix("_FILE") in _SECRETS and name.endswith("_FILE")


def _value(name: str, environ: Mapping[str, str]) -> str:
    direct = environ.get(PREFIX + name, "")
    file = environ.get(f"{PREFIX}{name}_FILE", "") if name in _SECRETS else ""
    if not file:
        return direct
    if direct:
        raise BadSecurityError(f"{name}_FILE", f"{PREFIX}{name} is set too; leave one of them out.")
    try:
        text = Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSecurityError(f"{name}_FILE", str(error)) from error
    if not text:
        raise BadSecurityError(f"{name}_FILE", "the file is empty.")
    return text


def _check_known(environ: Mapping[str, str]) -> None:
    """Refuse a misspelt variable: left out in silence, it would weaken what was meant."""
    for name in environ:
        bare = name.removeprefix(PREFIX)
        ours = bare.startswith(("SECURITY_", "SASL_", "OAUTH_", "SSL_"))
        if name.startswith(PREFIX) and ours and bare not in NAMES:
            raise BadSecurityError(bare, "there is no such setting.")


def _check_used(given: Mapping[str, str], protocol: str) -> None:
    """Refuse what the protocol would ignore."""
    for name in given:
        if name in _TLS and not protocol.endswith("SSL"):
            raise BadSecurityError(name, f"needs {PREFIX}SECURITY_PROTOCOL=SSL or SASL_SSL.")
        if name in (*_SASL, *_OAUTH) and not protocol.startswith("SASL"):
            raise BadSecurityError(
                name, f"needs {PREFIX}SECURITY_PROTOCOL=SASL_SSL or SASL_PLAINTEXT."
            )
    for name in ("SSL_KEY_FILE", "SSL_KEY_PASSWORD"):
        if name in given and "SSL_CERT_FILE" not in given:
            raise BadSecurityError(name, f"needs {PREFIX}SSL_CERT_FILE.")


def _check_mechanism(given: Mapping[str, str], mechanism: str) -> None:
    if mechanism not in MECHANISMS:
        raise BadSecurityError("SASL_MECHANISM", f"write one of {', '.join(MECHANISMS)}.")
    bearer = mechanism == "OAUTHBEARER"
    for name in (*_OAUTH, "SASL_USERNAME", "SASL_PASSWORD"):
        if name in given and (name in _OAUTH) != bearer:
            raise BadSecurityError(name, f"is not for {PREFIX}SASL_MECHANISM={mechanism}.")
    if not bearer:
        for name in ("SASL_USERNAME", "SASL_PASSWORD"):
            if name not in given:
                raise BadSecurityError(name, f"{mechanism} needs it, or {PREFIX}{name}_FILE.")


def _oauth(given: Mapping[str, str]) -> OAuth:
    client = ("OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET")
    if "OAUTH_TOKEN_FILE" in given:
        for name in _OAUTH:
            if name in given and name != "OAUTH_TOKEN_FILE":
                raise BadSecurityError(name, f"{PREFIX}OAUTH_TOKEN_FILE is set: leave one out.")
        return OAuth(token_file=given["OAUTH_TOKEN_FILE"])
    url = given.get("OAUTH_TOKEN_URL", "")
    if not url:
        raise BadSecurityError("OAUTH_TOKEN_URL", "OAUTHBEARER needs it, or OAUTH_TOKEN_FILE.")
    parts = urlsplit(url)
    here = parts.hostname in {"127.0.0.1", "::1", "localhost"}
    if parts.scheme != "https" and not (parts.scheme == "http" and here):
        raise BadSecurityError("OAUTH_TOKEN_URL", "write https://...: the secret is sent there.")
    for name in client:
        if name not in given:
            raise BadSecurityError(name, f"the token endpoint wants it, or {PREFIX}{name}_FILE.")
    return OAuth(
        token_url=url,
        client_id=given["OAUTH_CLIENT_ID"],
        client_secret=Secret(given["OAUTH_CLIENT_SECRET"]),
        scope=given.get("OAUTH_SCOPE", ""),
        ca_file=given.get("OAUTH_CA_FILE", ""),
    )


def _flag(name: str, text: str) -> bool:
    if text.lower() not in _FLAGS:
        raise BadSecurityError(name, "write 1 or 0.")
    return _FLAGS[text.lower()]
