#!/usr/bin/env python
"""Run eventviz's commands: `python manage.py help` lists them."""

import os
import sys


def main() -> None:
    """Hand the command line to Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "eventviz.settings")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError, ProgrammingError

    try:
        execute_from_command_line(sys.argv)
    except (OperationalError, ProgrammingError) as error:
        from tracing.management.missing import missing_tables

        words = missing_tables(error)
        if words is None:
            raise
        sys.exit(words)


if __name__ == "__main__":
    main()
