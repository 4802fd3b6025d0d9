"""Django's command line for this project."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    """Run one administrative command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resco_sync.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
