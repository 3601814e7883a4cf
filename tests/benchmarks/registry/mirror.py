"""Run in `manage.py shell`: time the mirror of the registry that the settings name."""

import json
import time
import urllib.request

from tracing.jobs.mirror import MirrorRegistry
from tracing.models import Subject, SubjectVersion
from tracing.schemas.current import registry_login, registry_name
from tracing.schemas.mirror import Mirror

mirror, began, last = Mirror(registry_login()), time.perf_counter(), -1
cpu = time.process_time()
more = True
while more:
    more = mirror.round()
    stored = SubjectVersion.objects.count()
    if stored == last:
        continue
    last, took_s = stored, time.perf_counter() - began
    print(f"Measured: {stored:,} versions after {took_s:.1f} s")  # noqa: T201
took_s, cpu_s = time.perf_counter() - began, time.process_time() - cpu
count = Subject.objects.count()
print(f"Measured: {count:,} subjects settled after {took_s:.1f} s, {cpu_s:.1f} s CPU")  # noqa: T201


def register(subject: str) -> None:
    """Register one more schema at the registry, past us."""
    schema = json.dumps({"type": "enum", "name": "State", "symbols": ["NEW"]})
    request = urllib.request.Request(
        f"{registry_name()}/subjects/{subject}/versions",
        data=json.dumps({"schema": schema}).encode(),
        headers={"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()


def settle(subject: str, versions: int) -> None:
    """Print how long it takes until a change made there is here, by the worker's clock."""
    step, began = MirrorRegistry(mirror, registry_name()), time.perf_counter()
    while True:
        due = time.perf_counter() + step.every_s
        while step.run():
            pass
        if SubjectVersion.objects.filter(subject__name=subject).count() == versions:
            break
        time.sleep(max(due - time.perf_counter(), 0))
    took_s = time.perf_counter() - began
    print(f"Measured: a change of {subject} was here after {took_s:.1f} s")  # noqa: T201


register("brand-new-value")
settle("brand-new-value", 1)
cpu = time.process_time()
began = time.perf_counter()
urllib.request.urlopen(
    urllib.request.Request(
        f"{registry_name()}/config/order-1990-value",
        method="PUT",
        data=b'{"compatibility": "NONE"}',
        headers={"Content-Type": "application/json"},
    ),
    timeout=10,
).close()
register("order-1990-value")
settle("order-1990-value", 21)
share = (time.process_time() - cpu) / (time.perf_counter() - began)
print(f"Measured: looking again takes {share:.0%} of a core")  # noqa: T201
