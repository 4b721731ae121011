"""Live sessions: a queue of their own, links to their pages, what their readers do."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the queue, the kind of link and the record of widget events."""

    dependencies = [("runner", "0007_queue")]
    operations = [
        migrations.CreateModel(
            name="WidgetEventBatch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first", models.PositiveIntegerField()),
                ("sealed", models.BinaryField()),
                ("stored_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField(db_index=True)),
                ("run", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="widget_event_batches", to="runner.run")),
            ],
            options={"ordering": ["first"], "abstract": False, "default_permissions": ()},
        ),
        migrations.AddConstraint(
            model_name="widgeteventbatch",
            constraint=models.UniqueConstraint(fields=("run", "first"), name="widget_events_in_one_batch"),
        ),
        migrations.RemoveConstraint(model_name="contentlink", name="content_link_kind_known"),
        migrations.AlterField(
            model_name="contentlink",
            name="kind",
            field=models.CharField(choices=[("html", "Rendered result"), ("live", "Outputs as they come"), ("session", "Page of a live session")], max_length=10),
        ),
        migrations.AddField(
            model_name="contentlink",
            name="sign_in",
            field=models.CharField(blank=True, default="", max_length=16),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="contentlink",
            constraint=models.CheckConstraint(condition=models.Q(("kind__in", ["html", "live", "session"])), name="content_link_kind_known"),
        ),
        migrations.RemoveConstraint(model_name="run", name="run_queue_known"),
        migrations.AlterField(
            model_name="run",
            name="queue",
            field=models.CharField(choices=[("page", "Asked for on a page"), ("api", "Asked for through the API"), ("batch", "In the background"), ("interactive", "Open as a live page")], default="batch", max_length=12),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(condition=models.Q(("queue__in", ["page", "api", "batch", "interactive"])), name="run_queue_known"),
        ),
    ]
