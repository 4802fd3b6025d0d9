"""The import file of a connection whose client takes no metadata from outside."""

from __future__ import annotations

from dataclasses import dataclass

from connections.metadata import import_file
from connections.metadata.agreed import schema_of
from connections.metadata.plan import MetadataPlan, plan_from_json
from connections.models import Connection
from organizations.errors import NotFound
from syncjobs.models import Run

MEDIA_TYPE = "application/xml"


@dataclass(frozen=True, slots=True)
class ImportFile:
    """What the client lacked at the last Update Server, and as a file."""

    name: str
    plan: MetadataPlan
    content: bytes


def latest(connection: Connection) -> ImportFile:
    """Return the file of the last Update Server. Raises NotFound where there is none to import."""
    kinds = (Run.Kind.CONNECT, Run.Kind.UPDATE_SERVER)
    made = connection.runs.filter(kind__in=kinds).exclude(state__in=Run.ACTIVE)
    run = made.exclude(options__has_key="preview").order_by("-created").first()
    if run is None or not run.result.get("by_hand"):
        raise NotFound("import file", connection.name)
    plan = plan_from_json(run.result)
    content = import_file.document(plan, schema_of(connection))
    return ImportFile(f"{connection.name}-metadata.xml", plan, content)
