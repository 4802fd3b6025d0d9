"""The collation by which texts are compared: by code point, with the letter case of Unicode.

PostgreSQL 17 brings it along; older servers take it from their C library. So the meaning of a
query does not depend on the locale of the database.
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

BUILT_IN_SINCE = 170000


def create(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Make the collation in the way this server knows."""
    version = editor.connection.pg_version  # type: ignore[attr-defined]
    provider = "builtin" if version >= BUILT_IN_SINCE else "libc"
    editor.execute(
        f"CREATE COLLATION public.resco_text (provider = {provider}, locale = 'C.UTF-8')"
    )


class Migration(migrations.Migration):
    """One collation in the schema `public`."""

    dependencies = [("organizations", "0001_initial")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]
