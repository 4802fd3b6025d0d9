"""Adding people to an organization: the checks that every door shares."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from organizations.errors import AlreadyExists, InvalidRequest
from organizations.models import Member, Organization


def add_member(
    organization: Organization, email: str, password: str, *, is_administrator: bool = False
) -> Member:
    """Add a person who may sign in. Raises InvalidRequest, AlreadyExists."""
    check_login(email, password)
    if organization.members.filter(email__iexact=email).exists():
        raise AlreadyExists("member", email)
    member = Member(organization=organization, email=email, is_administrator=is_administrator)
    member.set_password(password)
    member.save(force_insert=True)
    return member


def check_login(email: str, password: str) -> None:
    """Check an e-mail address and a new password. Raises InvalidRequest that names which."""
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvalidRequest(f"'{email}' is not an e-mail address.", "email") from error
    try:
        validate_password(password)
    except ValidationError as error:
        raise InvalidRequest(" ".join(error.messages), "password") from error
