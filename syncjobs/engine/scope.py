"""What a checkpoint is valid for (design 5.1.9)."""

from __future__ import annotations

from hashlib import blake2b

from syncjobs.engine.layout import Layout
from syncjobs.engine.values import EntityTask
from syncjobs.errors import ServerChanged

_FORM = "1"
"""Version of the canonical form and its digest; a new one reads everything again."""


def scope_of(organization_id: str, task: EntityTask, layout: Layout) -> str:
    """Return 16 hexadecimal digits of the server organization, a dot, 32 of the rest.

    The rest is everything that decides what a reading brings and what its digests mean: the
    columns with type, precision and date behaviour, their names on the server, and the filter.
    """
    parts = [_FORM, layout.primary_id]
    for name, column in layout.of_column.items():
        attribute = column.attribute
        parts.append(f"{name} {attribute.type} {attribute.precision} {attribute.date_behavior}")
    parts.append(repr((task.query.filter, task.query.links)) if task.query else "")
    if task.names:
        parts.append(task.names)
    return f"{_digest(organization_id.lower(), 8)}.{_digest(chr(10).join(parts), 16)}"


def check_organization(entity: str, saved: str, scope: str) -> None:
    """Raise ServerChanged if a saved scope belongs to another server organization."""
    if saved and saved.partition(".")[0] != scope.partition(".")[0]:
        raise ServerChanged(
            f"The server is not the organization that '{entity}' was read from before. If that "
            "is meant, run a full synchronization; it deletes nothing."
        )


def _digest(text: str, size: int) -> str:
    return blake2b(text.encode(), digest_size=size).hexdigest()
