"""The tracing app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class TracingConfig(AppConfig):
    """Everything of eventviz that is not wiring."""

    name = "tracing"
    verbose_name = "eventviz"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Keep the first rows through `manage.py flush`, which empties tables after migrating."""
        post_migrate.connect(add_first_rows, sender=self)


def add_first_rows(*, using: str, **_: Any) -> None:
    """Add the log's head and the roles where they are missing; three queries or more."""
    from django.contrib.auth.models import Group

    from tracing.models import LogHead
    from tracing.web.access import Role

    # Migrating backwards ends here too, without tables.
    if LogHead._meta.db_table not in connections[using].introspection.table_names():
        return
    LogHead.objects.using(using).get_or_create(id=1)
    for role in Role:
        Group.objects.using(using).get_or_create(name=role.group)
