"""Whose values a transaction holds is told by a column of its own."""

from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps


def tell(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Mark those that were told by their code alone until now."""
    rows = apps.get_model("syncjobs", "OfflineTransaction").objects
    rows.filter(code="Lost").update(side="server")


class Migration(migrations.Migration):
    dependencies = [("syncjobs", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="offlinetransaction",
            name="side",
            field=models.CharField(
                choices=[("client", "Client"), ("server", "Server")],
                default="client",
                help_text="whose values it holds",
                max_length=6,
            ),
        ),
        migrations.RunPython(tell, migrations.RunPython.noop),
    ]
