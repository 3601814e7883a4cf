"""The product as its users run it: ingestor, web server and shop as processes of their own."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.servers.processes import (
    MANAGE,
    PATIENCE_S,
    Process,
    ServerError,
    T,
    can_connect,
    free_port,
    wait_for,
)

TIMEOUT_S = 60


@dataclass
class Product:
    """A running product; what it is asked comes from its pages, never from its tables."""

    broker: str
    port: int
    env: Mapping[str, str]
    folder: Path
    processes: dict[str, Process] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Return the address of its pages, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, name: str, *command: str) -> Process:
        """Start one of its processes; its log is `<name>.log` in the folder."""
        process = Process(name, command, self.folder / f"{name}.log", env=self.env)
        self.processes[name] = process
        return process

    def manage(self, name: str, *arguments: str) -> Process:
        """Start `manage.py <name> ...`."""
        return self.start(name, *MANAGE, name, *arguments)

    def start_web(self) -> None:
        """Start the web server and wait until it listens."""
        # The pings cut a browser that has stopped reading, as in a real installation.
        pings = ("--ping-interval", "5", "--ping-timeout", "10")
        where = ("-b", "127.0.0.1", "-p", str(self.port))
        daphne = (
            sys.executable,
            "-m",
            "daphne",
            "-v",
            "0",
            *where,
            *pings,
            "eventviz.asgi:application",
        )
        self.start("web", *daphne).wait_until(lambda: can_connect(self.port), "listen")

    def stop_web(self) -> None:
        """End the web server; the other processes go on."""
        self.processes["web"].end()

    def get(self, path: str) -> tuple[int, str]:
        """Return status and body of a page, also of one that is an error."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=TIMEOUT_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(errors="replace")

    def json(self, path: str) -> Any:
        """Return what an API address answers. Raises ServerError unless it is 200."""
        status, body = self.get(path)
        if status != 200:
            raise ServerError(f"{path}: {status} {body[:500]}")
        return json.loads(body)

    def post(self, path: str, body: Mapping[str, object]) -> Any:
        """Send JSON to an API address, return its answer. Raises ServerError when refused."""
        request = urllib.request.Request(
            self.url + path,
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                refusal = error.read().decode(errors="replace")[:500]
            raise ServerError(f"{path}: {error.code} {refusal}") from None

    def flow(self, correlation_id: str) -> dict[str, Any] | None:
        """Return the flow as the API gives it; None when there is none yet."""
        path = f"/api/flows/{quote(correlation_id, safe='')}"
        status, body = self.get(path)
        if status == 404:
            return None
        if status != 200:
            raise ServerError(f"{path}: {status} {body[:500]}")
        flow: dict[str, Any] = json.loads(body)
        return flow

    def events(self) -> list[dict[str, Any]]:
        """Return every event that the API lists, newest first."""
        found: list[dict[str, Any]] = []
        after = ""
        while True:
            answer = self.json(f"/api/events?limit=100{after}")
            found += answer["events"]
            if not answer["next"]:
                return found
            after = f"&cursor={quote(str(answer['next']))}"

    def wait_for(
        self, look: Callable[[], T | None], what: str, *, within_s: float = PATIENCE_S
    ) -> T:
        """Return the first truthy answer of `look`. Raises ServerError with every log's end."""
        try:
            return wait_for(look, what, within_s=within_s)
        except ServerError as error:
            raise ServerError(f"{error}\n{self.logs()}") from None

    def wait_for_flow(
        self, correlation_id: str, events: int, *, within_s: float = PATIENCE_S
    ) -> dict[str, Any]:
        """Return the flow once it has that many events."""

        def whole() -> dict[str, Any] | None:
            flow = self.flow(correlation_id)
            return flow if flow and len(flow["events"]) >= events else None

        return self.wait_for(whole, f"{events} events of {correlation_id}", within_s=within_s)

    def logs(self) -> str:
        """Return the end of each process's log."""
        return "\n".join(f"--- {name}\n{it.output}" for name, it in self.processes.items())

    def end(self) -> None:
        """End every process, the last one first."""
        for process in reversed(self.processes.values()):
            process.end()


@contextmanager
def running_product(
    folder: Path,
    broker: str,
    *,
    database: str = "",
    env: Mapping[str, str] | None = None,
    shop: bool = False,
) -> Iterator[Product]:
    """Run the product against a broker, by environment variables alone, until the `with` ends."""
    port = free_port()
    settings = {
        "EVENTVIZ_KAFKA_BOOTSTRAP_SERVERS": broker,
        "EVENTVIZ_DATABASE_URL": database or f"sqlite:///{folder / 'eventviz.sqlite3'}",
        "EVENTVIZ_DEMO": "1",
        "EVENTVIZ_SESSION_COOKIE": f"eventviz-{port}",
        "PORT": str(port),
        "EVENTVIZ_SHOP_STORE": str(folder / "shop.sqlite3"),
        **(env or {}),
    }
    product = Product(broker, port, settings, folder)
    with ExitStack() as stack:
        stack.callback(product.end)
        migrate = product.manage("migrate", "--verbosity", "0")
        if migrate.wait():
            raise ServerError(migrate.output)
        product.manage("ingest")
        if shop:
            product.manage("shop")
        product.start_web()
        yield product
