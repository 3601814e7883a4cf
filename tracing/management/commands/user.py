"""Make a person's account, or change its role or password."""

from __future__ import annotations

import getpass
import secrets
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from tracing.web.access import DEMO_USER, Role, give_role


class Command(BaseCommand):
    """Print a made-up password once, or ask for one."""

    help = "Make an account, or change the role (and with --password or --ask the password) of one."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the name, the role, and where the password comes from."""
        parser.add_argument("name")
        parser.add_argument("--role", choices=[role.group for role in Role], default="viewer")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--ask", action="store_true", help="ask for the password")
        how.add_argument("--password", action="store_true", help="make up a new password")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make or change the account."""
        name = options["name"]
        if name == DEMO_USER:
            raise CommandError(f"{DEMO_USER!r} is the name of the demo's visitors.")
        user = User.objects.filter(username=name).first() or User(username=name)
        made = user.pk is None
        password = ""
        if options["ask"]:
            user.set_password(_ask(user))
        elif made or options["password"]:
            password = secrets.token_urlsafe(12)
            user.set_password(password)
        try:
            user.full_clean()
        except ValidationError as error:
            raise CommandError("; ".join(error.messages)) from error
        user.save()
        role = Role[options["role"].upper()]
        give_role(user, role)
        self.stdout.write(f"{name} is {'a new' if made else 'now'} {role.group}.")
        if password:
            self.stdout.write(f"Password, shown only now: {password}")


def _ask(user: User) -> str:
    password = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != password:
        raise CommandError("The two passwords differ.")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError("; ".join(error.messages)) from error
    return password
