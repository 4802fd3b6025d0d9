"""Names in PostgreSQL: schemas, tables and columns under their logical names (design 5.1.11)."""

from __future__ import annotations

import re
from hashlib import blake2b

from psycopg import sql

from organizations.errors import SchemaConflict
from organizations.schema import Entity, columns

LIMIT = 63
_DIGEST = 8
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")


def shorten(name: str) -> str:
    """Return the name itself, or beyond 63 bytes its beginning and a digest of the whole."""
    raw = name.encode()
    if len(raw) <= LIMIT:
        return name
    return f"{raw[: LIMIT - _DIGEST - 1].decode(errors='ignore')}_{_digest(name)}"


def _digest(name: str) -> str:
    return blake2b(name.encode(), digest_size=_DIGEST // 2).hexdigest()


def table(schema: str, entity: str) -> sql.Identifier:
    """Return the quoted, qualified name of an entity's table."""
    return sql.Identifier(schema, shorten(entity))


def column(name: str) -> sql.Identifier:
    """Return the quoted name of a column."""
    return sql.Identifier(shorten(name))


def check(entity: Entity) -> None:
    """Refuse names that no table can have. Raises SchemaConflict naming the faulty one."""
    names = [entity.name, *(item.name for item in entity.attributes)]
    for name in names:
        if not _NAME.match(name):
            raise SchemaConflict(
                f"'{name}' cannot name an entity or attribute (entity '{entity.name}'): names "
                "have at most 128 letters, digits and underscores and start with a letter."
            )
    made = [shorten(item.name) for item in columns(entity)]
    twice = {name for name in made if made.count(name) > 1} if len(set(made)) < len(made) else set()
    if twice:
        raise SchemaConflict(f"Entity '{entity.name}' would have two columns '{min(twice)}'.")
