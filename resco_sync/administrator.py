"""The first administrator of an installation."""

from __future__ import annotations

import secrets

from django.contrib.auth.models import User

NAME = "admin"


def make_first() -> tuple[str, str] | None:
    """Make an administrator where there is none; return name and password, shown only now."""
    if User.objects.filter(is_superuser=True).exists():
        return None
    password = secrets.token_urlsafe(12)
    User.objects.create_superuser(NAME, password=password)
    return NAME, password
