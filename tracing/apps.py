"""The tracing app."""

from django.apps import AppConfig


class TracingConfig(AppConfig):
    """Everything of eventviz that is not wiring."""

    name = "tracing"
    default_auto_field = "django.db.models.BigAutoField"
