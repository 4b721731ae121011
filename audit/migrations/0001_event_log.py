"""The append-only event log, in a schema and under a database role of its own."""

from pathlib import Path

from django.db import migrations, models

INSTALL = Path(__file__).with_name("install.sql").read_text(encoding="utf-8")


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        # The log is never dropped by going back: there is no reverse.
        migrations.RunSQL(INSTALL),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                (
                    "actor",
                    models.TextField(
                        help_text="User name; empty for the service itself."
                    ),
                ),
                ("actor_name", models.TextField()),
                ("action", models.TextField()),
                ("target_type", models.TextField()),
                ("target_id", models.TextField()),
                ("target_label", models.TextField()),
                ("data", models.JSONField()),
                ("payload", models.TextField()),
                ("previous_hash", models.TextField()),
                ("hash", models.TextField()),
            ],
            options={
                "db_table": '"audit"."event"',
                "ordering": ("seq",),
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Head",
            fields=[
                ("only_row", models.BooleanField(primary_key=True, serialize=False)),
                ("seq", models.BigIntegerField()),
                ("hash", models.TextField()),
            ],
            options={"db_table": '"audit"."head"', "managed": False},
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("seq", models.BigIntegerField(primary_key=True, serialize=False)),
                ("hash", models.TextField()),
                ("at", models.DateTimeField()),
                (
                    "note",
                    models.TextField(
                        help_text="The signed text, with its signature line."
                    ),
                ),
            ],
            options={
                "db_table": '"audit"."checkpoint"',
                "ordering": ("-seq",),
                "managed": False,
            },
        ),
    ]
