"""Making a Dynamics twin of a sample: metadata, records, a person and an application user."""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from dataclasses import dataclass, field

from django.db import transaction

from organizations.catalog import create_organization, define, delete_organization, enable
from organizations.errors import InvalidRequest
from organizations.members import add_member, check_login
from organizations.models import Application, Organization
from organizations.samples import contoso
from organizations.samples.generator import Progress, generate

SAMPLES = {"contoso": contoso}
APPLICATION_NAME = "Resco CRM Sync"
_SECRET_BYTES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Twin:
    """A twin that was made. `path` is its root below this installation's address.

    `secret` is shown here only: the installation keeps a hash. `counts` are records per entity.
    """

    organization: Organization
    path: str
    client_id: str
    secret: str = field(repr=False)
    counts: dict[str, int]


def make_twin(
    name: str,
    *,
    records: int,
    seed: int,
    email: str,
    password: str,
    sample: str = "contoso",
    progress: Progress | None = None,
) -> Twin:
    """Make a twin with a sample's metadata and generated records; all of it, or nothing.

    Raises InvalidRequest, AlreadyExists.
    """
    if sample not in SAMPLES:
        known = ", ".join(SAMPLES)
        raise InvalidRequest(f"There is no sample '{sample}'. Known: {known}.", "sample")
    if records < 0:
        raise InvalidRequest(f"The number of records must be 0 or more, not {records}.", "records")
    check_login(email, password)
    organization = create_organization(
        name,
        Organization.Kind.DYNAMICS_TWIN,
        display_name=name.replace("-", " ").title(),
        languages=SAMPLES[sample].LANGUAGES,
    )
    with ExitStack() as undo:
        undo.callback(delete_organization, organization)
        counts = _fill(organization, sample, records, seed, progress)
        twin = admit(organization, email, password, counts)
        undo.pop_all()
    return twin


def _fill(
    organization: Organization, sample: str, records: int, seed: int, progress: Progress | None
) -> dict[str, int]:
    entities = SAMPLES[sample].entities()
    define(organization, entities)
    enable(organization, (entity.name for entity in entities))
    return generate(organization, records=records, seed=seed, progress=progress)


def admit(organization: Organization, email: str, password: str, counts: dict[str, int]) -> Twin:
    """Let a person, and an application user with a new secret, into a twin."""
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    application = Application(organization=organization, name=APPLICATION_NAME)
    application.set_secret(secret)
    with transaction.atomic():
        add_member(organization, email, password, is_administrator=True)
        application.save(force_insert=True)
    return Twin(
        organization=organization,
        path=f"/dynamics/{organization.name}/",
        client_id=str(application.pk),
        secret=secret,
        counts=counts,
    )
