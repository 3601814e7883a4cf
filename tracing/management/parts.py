"""The command lines of the parts that `demo` and `start` run, and whether the pages answer."""

from __future__ import annotations

import sys
from http.client import HTTPConnection, HTTPException
from typing import Final

from django.conf import settings

from tracing.management.supervisor import accepts

LOOPBACK: Final = "127.0.0.1"


def manage(*arguments: str) -> list[str]:
    """Return the command line of one of our own commands."""
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]


def web(port: int, *, host: str = LOOPBACK) -> list[str]:
    """Return the command line of the web server."""
    return [
        *(sys.executable, "-m", "daphne", "-v", "0", "-b", host, "-p", str(port)),
        # Cuts browsers that have stopped reading.
        *("--ping-interval", "5", "--ping-timeout", "10"),
        "eventviz.asgi:application",
    ]


def another(port: int) -> int:
    """Return a port to advise where one is taken."""
    return port + 1 if 1024 <= port < 65_535 else 8001


def answers(port: int, path: str, *, host: str = LOOPBACK) -> bool:
    """Tell whether a page comes; any answer but an error of the server will do."""
    if not accepts(port, host=host):
        return False
    connection = HTTPConnection(host, port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
