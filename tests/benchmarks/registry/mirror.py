"""Run in `manage.py shell`: time the mirror of the registry that the settings name."""

import time

from tracing.models import Subject, SubjectVersion
from tracing.schemas.current import registry_login
from tracing.schemas.mirror import Mirror

mirror, began, last = Mirror(registry_login()), time.perf_counter(), -1
more = True
while more:
    more = mirror.round()
    stored = SubjectVersion.objects.count()
    if stored == last:
        continue
    last, took_s = stored, time.perf_counter() - began
    print(f"Measured: {stored:,} versions after {took_s:.1f} s")  # noqa: T201
took_s = time.perf_counter() - began
print(f"Measured: {Subject.objects.count():,} subjects settled after {took_s:.1f} s")  # noqa: T201
