"""Run in `manage.py shell`: store 2,000 subjects of 20 versions in the built-in registry."""

import json

from django.db import transaction
from django.utils import timezone

from tracing.models import RegistryHead, Subject, SubjectVersion
from tracing.schemas import entries
from tracing.schemas.parsing import fingerprint
from tracing.schemas.registry import Entry

THINGS = "order payment stock shipment customer invoice basket refund price item".split()  # noqa: SIM905
SUBJECTS, VERSIONS = 2_000, 20
number = 0
for place in range(SUBJECTS):
    with transaction.atomic():
        name = f"{THINGS[place % 10]}-{place:04d}-value"
        subject = Subject.objects.create(registry="", name=name)
        rows = []
        for version in range(1, VERSIONS + 1):
            number += 1
            names = ["orderId", *(f"{THINGS[(place + n) % 10]}Field{n}" for n in range(version))]
            fields = [{"name": one, "type": "string", "default": ""} for one in names]
            value = {"type": "record", "name": f"R{place}", "fields": fields}
            entry = Entry(name, version, number, "AVRO", json.dumps(value))
            same = fingerprint(entry.draft, value)
            row = entries.row_of(subject, entry, fingerprint=same, now=timezone.now())
            rows.append((row, value))
        SubjectVersion.objects.bulk_create([row for row, _ in rows])
        entries.index(subject, rows)
        entries.summarize(subject)
RegistryHead.objects.update_or_create(registry="", defaults={"last_number": number})
