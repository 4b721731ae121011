"""What a run shows while it runs: rows that come and go, and never change."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


GRANTS = "REVOKE UPDATE ON runner_runoutput FROM countersign_app;"
UNDO = "GRANT UPDATE ON runner_runoutput TO countersign_app;"


class Migration(migrations.Migration):
    """Runs as the owner of the schema; the runtime role is `countersign_app`."""

    dependencies = [
        ('runner', "0004_statementbatch"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='RunOutput',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sequence', models.PositiveIntegerField()),
                ('cell', models.PositiveIntegerField()),
                ('replaces', models.BooleanField(default=False)),
                ('html', models.BinaryField()),
                ('stored_at', models.DateTimeField()),
            ],
            options={
                'ordering': ['sequence'],
                'default_permissions': (),
            },
        ),
        migrations.RemoveConstraint(
            model_name='contentlink',
            name='content_link_kind_known',
        ),
        migrations.AlterField(
            model_name='contentlink',
            name='kind',
            field=models.CharField(choices=[('html', 'Rendered result'), ('live', 'Outputs as they come')], max_length=10),
        ),
        migrations.AddConstraint(
            model_name='contentlink',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['html', 'live'])), name='content_link_kind_known'),
        ),
        migrations.AddField(
            model_name='runoutput',
            name='run',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='live_outputs', to='runner.run'),
        ),
        migrations.AddConstraint(
            model_name='runoutput',
            constraint=models.UniqueConstraint(fields=('run', 'sequence'), name='one_live_output_per_place'),
        ),
        migrations.RunSQL(GRANTS, UNDO),
    ]
