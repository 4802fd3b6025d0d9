"""Django's command line for this project."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

from resco_sync import services

# They need no database, and must tell about themselves where none can be had.
WITHOUT_SERVICES = frozenset({"help", "version", "--help", "-h", "--version"})


def main() -> None:
    """Run one administrative command, with the embedded services where they are wanted."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resco_sync.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    try:
        if command not in WITHOUT_SERVICES and not {"--help", "-h"} & set(sys.argv):
            services.ensure()
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, services.ServicesError) as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
