"""What a run asked outlives its kernel host and its worker."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Statements that came, sealed in batches."""

    dependencies = [("runner", "0003_datasourcecheck")]
    operations = [
        migrations.CreateModel(
            name="StatementBatch",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("first", models.PositiveIntegerField()),
                ("sealed", models.BinaryField()),
                ("stored_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="statement_batches",
                        to="runner.run",
                    ),
                ),
            ],
            options={"ordering": ["first"], "default_permissions": ()},
        ),
        migrations.AddConstraint(
            model_name="statementbatch",
            constraint=models.UniqueConstraint(
                fields=("run", "first"), name="statements_in_one_batch"
            ),
        ),
    ]
