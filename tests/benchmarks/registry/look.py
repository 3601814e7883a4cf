"""Run in `manage.py shell`: time lists and searches."""

import time

from tracing.models import SubjectVersion, SubjectWord
from tracing.schemas.reading import list_subjects

TIMES = 40
print(f"{SubjectVersion.objects.count():,} versions, {SubjectWord.objects.count():,} words")  # noqa: T201
for text in ("", "order", "field1", "paym field", "o", "nothing"):
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        found = list_subjects("", text=text)
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    print(  # noqa: T201
        f"Measured: {text!r} finds {len(found.subjects)}:"
        f" median {took[TIMES // 2]:.1f} ms, p95 {took[int(TIMES * 0.95)]:.1f} ms"
    )
