"""Read settings from the environment and fail loudly, naming the variable."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    """Return the variable, or the default when it is unset or empty."""
    return os.environ.get(name) or default


def beginning_with(*prefixes: str) -> dict[str, str]:
    """Return the variables whose names begin so, as they are."""
    return {name: value for name, value in os.environ.items() if name.startswith(prefixes)}


def flag(name: str, *, default: bool = False) -> bool:
    """Return a boolean: 1/true/yes/on or 0/false/no/off. Raises ImproperlyConfigured."""
    raw = text(name).lower()
    if not raw:
        return default
    if raw in {"1", "true", "yes", "on"}:
        return True
    if raw in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={raw!r}: write 1 or 0.")


def integer(name: str, default: int, *, minimum: int = 0, maximum: int | None = None) -> int:
    """Return a whole number from `minimum` to `maximum`. Raises ImproperlyConfigured."""
    raw = text(name)
    if not raw:
        return default
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={raw!r}: write a whole number.") from None
    if value < minimum:
        raise ImproperlyConfigured(f"{name}={value}: write {minimum} or more.")
    if maximum is not None and value > maximum:
        raise ImproperlyConfigured(f"{name}={value}: write {maximum} or less.")
    return value


def number(name: str, default: float, *, minimum: float = 0.0) -> float:
    """Return a number of at least `minimum`. Raises ImproperlyConfigured."""
    raw = text(name)
    try:
        value = float(raw) if raw else default
    except ValueError:
        raise ImproperlyConfigured(f"{name}={raw!r}: write a number.") from None
    if not minimum <= value < float("inf"):
        raise ImproperlyConfigured(f"{name}={raw}: write {minimum:g} or more.")
    return value


def words(name: str, default: str = "") -> list[str]:
    """Return a comma separated list without empty items."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def database(name: str, default: Path) -> dict[str, object]:
    """Return Django's DATABASES entry for `sqlite:///path` or `postgres://user:pw@host/name`.

    SQLite runs in WAL mode, with immediate transactions: a reader never waits for the writer.
    Postgres uses Django's connection pool: many threads, of sockets too, share a few.
    Raises ImproperlyConfigured for any other scheme.
    """
    raw = text(name, f"sqlite:///{default}")
    url = urlsplit(raw)
    if url.scheme == "sqlite":
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": unquote(url.path[1:]) or str(default),
            # A thread keeps its connection: opening one costs more than most pages' queries.
            "CONN_MAX_AGE": None,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 10,
                "init_command": (
                    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                    "PRAGMA cache_size=-16000; PRAGMA mmap_size=268435456;"
                    # 16 MB, some three full batches: a page that they share is moved once.
                    "PRAGMA wal_autocheckpoint=4000;"
                ),
            },
        }
    if url.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(url.path[1:]),
            "USER": unquote(url.username or ""),
            "PASSWORD": unquote(url.password or ""),
            "HOST": url.hostname or "",
            "PORT": str(url.port or ""),
            "OPTIONS": {
                # Who waits for a connection cannot be told to end: shorter than a stop may take.
                "pool": {"min_size": 0, "max_size": 8, "timeout": 4},
                # Who stands still in the middle of a transaction holds up every writer.
                "options": "-c idle_in_transaction_session_timeout=10000",
            },
        }
    raise ImproperlyConfigured(
        f"{name}: the scheme {url.scheme!r} is unknown; write sqlite:///path or postgres://..."
    )


def secret_key(name: str, file: Path) -> str:
    """Return the variable, or a key made once and kept in `file` (readable by its owner only)."""
    given = text(name)
    if given:
        return given
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        # Written whole and then linked: several processes start at once and must read one key.
        with tempfile.NamedTemporaryFile("w", dir=file.parent) as draft:
            draft.write(secrets.token_urlsafe(48))
            draft.flush()
            with contextlib.suppress(FileExistsError):
                os.link(draft.name, file)
    return file.read_text()
