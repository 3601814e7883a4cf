"""Give a script a token for `/api/`."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tracing.models import ApiToken


class Command(BaseCommand):
    """Print a new token once: only its hash is stored."""

    help = "Give a script a token that acts as this person; take it back on the admin's pages."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whose token it is, and what it is for."""
        parser.add_argument("user")
        parser.add_argument("--name", required=True, help="what the token is for")

    def handle(self, *args: Any, **options: Any) -> None:
        """Issue the token."""
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody active is called {options['user']!r}.")
        if len(options["name"]) > 100:
            raise CommandError("--name: at most 100 characters.")
        text = ApiToken.issue(user_id=user.pk, name=options["name"])
        self.stdout.write(f"Shown only now. Send it as: Authorization: Bearer {text}")
