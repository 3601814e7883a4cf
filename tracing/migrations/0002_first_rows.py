"""The log's head, and the three roles."""

from django.db import migrations

ROLES = ("viewer", "operator", "admin")


def add(apps, schema_editor):
    apps.get_model("tracing", "LogHead").objects.get_or_create(id=1)
    for role in ROLES:
        apps.get_model("auth", "Group").objects.get_or_create(name=role)


class Migration(migrations.Migration):
    dependencies = [
        ("tracing", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
