"""What the pages of live sessions were told, and links to what they looked like."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the second part of a session's record, and the step that a link shows."""

    dependencies = [
        ("runner", "0008_live_sessions"),
    ]

    operations = [
        migrations.CreateModel(
            name="PageChangeBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first", models.PositiveIntegerField()),
                ("sealed", models.BinaryField()),
                ("stored_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "ordering": ["first"],
                "abstract": False,
                "default_permissions": (),
            },
        ),
        migrations.RemoveConstraint(
            model_name="contentlink",
            name="content_link_kind_known",
        ),
        migrations.AddField(
            model_name="contentlink",
            name="step",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AlterField(
            model_name="contentlink",
            name="kind",
            field=models.CharField(choices=[("html", "Rendered result"), ("live", "Outputs as they come"), ("session", "Page of a live session"), ("replay", "Page of a live session as it was")], max_length=10),
        ),
        migrations.AddConstraint(
            model_name="contentlink",
            constraint=models.CheckConstraint(condition=models.Q(("kind__in", ["html", "live", "session", "replay"])), name="content_link_kind_known"),
        ),
        migrations.AddConstraint(
            model_name="contentlink",
            constraint=models.CheckConstraint(condition=models.Q(models.Q(("kind", "replay"), ("step__isnull", False)), models.Q(("step__isnull", True), models.Q(("kind", "replay"), _negated=True)), _connector="OR"), name="content_link_of_a_replay_has_its_step"),
        ),
        migrations.AddField(
            model_name="pagechangebatch",
            name="run",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="page_change_batches", to="runner.run"),
        ),
        migrations.AddConstraint(
            model_name="pagechangebatch",
            constraint=models.UniqueConstraint(fields=("run", "first"), name="page_changes_in_one_batch"),
        ),
    ]
