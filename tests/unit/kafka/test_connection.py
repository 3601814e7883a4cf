"""Settings of the sign-in to Kafka: what fits, what does not, and nothing said aloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.certificates import Authority
from tracing.kafka.connection import PLAINTEXT, PREFIX, BadSecurityError, Security, read_security

PLAIN = {"SECURITY_PROTOCOL": "SASL_PLAINTEXT", "SASL_MECHANISM": "PLAIN"}
OAUTH = {"SECURITY_PROTOCOL": "SASL_SSL", "SASL_MECHANISM": "OAUTHBEARER"}
ALICE = {"SASL_USERNAME": "alice", "SASL_PASSWORD": "wonderland"}


def read(**given: str) -> Security:
    return read_security({PREFIX + name: value for name, value in given.items()})


def test_without_settings_nothing_is_asked_for() -> None:
    assert read() == PLAINTEXT
    assert PLAINTEXT.options() == {"security_protocol": "PLAINTEXT"}


def test_a_name_and_a_password_become_the_clients_options() -> None:
    assert read(**PLAIN, **ALICE).options() == {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "alice",
        "sasl_plain_password": "wonderland",
    }


def test_scram_quotes_what_separates_its_messages() -> None:
    security = read(
        SECURITY_PROTOCOL="SASL_PLAINTEXT",
        SASL_MECHANISM="scram-sha-512",
        SASL_USERNAME="a=b,c",
        SASL_PASSWORD="x",
    )

    assert security.options()["sasl_plain_username"] == "a=3Db=2Cc"


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("wonderland\n")

    security = read(**PLAIN, SASL_USERNAME="alice", SASL_PASSWORD_FILE=str(file))

    assert security.password == "wonderland"


def test_no_secret_is_shown() -> None:
    plain = read(**PLAIN, **ALICE)
    oauth = read(
        **OAUTH,
        OAUTH_TOKEN_URL="https://sso.example/token",
        OAUTH_CLIENT_ID="eventviz",
        OAUTH_CLIENT_SECRET="wonderland",
    )

    for shown in (repr(plain), str(plain), repr(oauth), repr(plain.options())):
        assert "wonderland" not in shown
        assert "***" in shown


def test_certificate_and_key_are_tried_at_once(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue("eventviz", password="wonderland")
    tls = {"SECURITY_PROTOCOL": "SSL", "SSL_CA_FILE": str(authority.ca)}
    tls |= {"SSL_CERT_FILE": str(pair.certificate), "SSL_KEY_FILE": str(pair.key)}

    context = read(**tls, SSL_KEY_PASSWORD="wonderland").options()["ssl_context"]

    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1
    with pytest.raises(BadSecurityError, match=r"^EVENTVIZ_KAFKA_SSL_CERT_FILE: "):
        read(**tls)


@pytest.mark.parametrize(
    ("named", "given"),
    [
        ("SECURITY_PROTOCOL", {"SECURITY_PROTOCOL": "TLS"}),
        ("SASL_MECHANISM", {"SECURITY_PROTOCOL": "SASL_SSL"}),
        ("SASL_MECHANISM", {**ALICE, **PLAIN, "SASL_MECHANISM": "GSSAPI"}),
        ("SASL_MECHANISM", {"SASL_MECHANISM": "PLAIN"}),
        ("SASL_USERNAME", PLAIN),
        ("SASL_PASSWORD", {**PLAIN, "SASL_USERNAME": "alice"}),
        ("SASL_PASSWORD", {"SASL_PASSWORD": "wonderland"}),
        ("SASL_PASWORD", {**PLAIN, **ALICE, "SASL_PASWORD": "wonderland"}),
        ("SASL_PASSWORD_FILE", {**PLAIN, **ALICE, "SASL_PASSWORD_FILE": "/there/is/none"}),
        ("SASL_USERNAME_FILE", {**PLAIN, "SASL_USERNAME_FILE": "/there/is/none"}),
        ("SASL_USERNAME", {**OAUTH, **ALICE}),
        ("OAUTH_TOKEN_FILE", {**PLAIN, **ALICE, "OAUTH_TOKEN_FILE": "token"}),
        ("OAUTH_TOKEN_URL", OAUTH),
        ("OAUTH_TOKEN_URL", {**OAUTH, "OAUTH_TOKEN_URL": "http://sso.example/token"}),
        ("OAUTH_CLIENT_ID", {**OAUTH, "OAUTH_TOKEN_URL": "https://sso.example/token"}),
        ("OAUTH_TOKEN_URL", {**OAUTH, "OAUTH_TOKEN_URL": "https://x/", "OAUTH_TOKEN_FILE": "f"}),
        ("SSL_CA_FILE", {"SSL_CA_FILE": "/there/is/none"}),
        ("SSL_CA_FILE", {"SECURITY_PROTOCOL": "SSL", "SSL_CA_FILE": "/there/is/none"}),
        ("SSL_CERT_FILE", {"SECURITY_PROTOCOL": "SSL", "SSL_CERT_FILE": "/there/is/none"}),
        ("SSL_KEY_FILE", {"SECURITY_PROTOCOL": "SSL", "SSL_KEY_FILE": "/there/is/none"}),
        ("SSL_CHECK_HOSTNAME", {"SECURITY_PROTOCOL": "SSL", "SSL_CHECK_HOSTNAME": "maybe"}),
    ],
)
def test_what_does_not_fit_is_refused_by_name(named: str, given: dict[str, str]) -> None:
    with pytest.raises(BadSecurityError, match=f"^{PREFIX}{named}: ") as caught:
        read(**given)

    assert "wonderland" not in str(caught.value)
