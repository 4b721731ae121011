

import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('gallery', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Run',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('run', 'Run'), ('preview', 'Preview on invented people')], max_length=10)),
                ('digest', models.CharField(max_length=64)),
                ('persona', models.CharField(choices=[('doctor', 'Doctor'), ('department_head', 'Head of department'), ('billing', 'Billing'), ('lab', 'Laboratory'), ('data_scientist', 'Data scientist')], max_length=30)),
                ('purpose', models.CharField(choices=[('treatment', 'Treatment'), ('payment', 'Payment'), ('operations', 'Operations'), ('research', 'Research')], max_length=20)),
                ('parameters', models.JSONField(default=dict)),
                ('injected_source', models.TextField(blank=True)),
                ('status', models.CharField(choices=[('queued', 'Waiting for its turn'), ('starting', 'Starting'), ('running', 'Running'), ('succeeded', 'Finished'), ('failed', 'Failed'), ('timed_out', 'Ran out of time'), ('cancelled', 'Cancelled'), ('kernel_died', 'Stopped unexpectedly'), ('out_of_memory', 'Ran out of memory'), ('output_limit', 'Wrote too much output'), ('access_denied', 'Access denied'), ('lost', 'Lost')], default='queued', max_length=20)),
                ('cells_total', models.PositiveIntegerField(default=0)),
                ('cells_done', models.PositiveIntegerField(default=0)),
                ('queued_at', models.DateTimeField()),
                ('enqueued_at', models.DateTimeField()),
                ('claimed_at', models.DateTimeField(null=True)),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
                ('heartbeat_at', models.DateTimeField(null=True)),
                ('cancel_requested_at', models.DateTimeField(null=True)),
                ('data_read_at', models.DateTimeField(null=True)),
                ('rows_read', models.BigIntegerField(null=True)),
                ('error', models.JSONField(null=True)),
                ('evidence', models.JSONField(default=dict)),
                ('notebook', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='gallery.notebook')),
                ('requested_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='gallery.version')),
            ],
            options={
                'ordering': ['-queued_at'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='ContentLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token_sha256', models.BinaryField(max_length=32, unique=True)),
                ('kind', models.CharField(choices=[('html', 'Rendered result')], max_length=10)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('used_at', models.DateTimeField(null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='content_links', to=settings.AUTH_USER_MODEL)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='content_links', to='runner.run')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='RunCell',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('index', models.PositiveIntegerField()),
                ('status', models.CharField(max_length=10)),
                ('duration_ms', models.PositiveIntegerField(null=True)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cells', to='runner.run')),
            ],
            options={
                'ordering': ['index'],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='RunResult',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('notebook', models.BinaryField(null=True)),
                ('html', models.BinaryField(null=True)),
                ('statements', models.BinaryField(null=True)),
                ('notebook_sha256', models.CharField(max_length=64)),
                ('html_sha256', models.CharField(max_length=64)),
                ('stored_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('expired_at', models.DateTimeField(null=True)),
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='result', to='runner.run')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(fields=['requested_by', '-queued_at'], name='run_mine'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(condition=models.Q(('status__in', frozenset(['queued', 'running', 'starting']))), fields=['status'], name='run_active'),
        ),
        migrations.AddConstraint(
            model_name='run',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['queued', 'starting', 'running', 'succeeded', 'failed', 'timed_out', 'cancelled', 'kernel_died', 'out_of_memory', 'output_limit', 'access_denied', 'lost'])), name='run_status_known'),
        ),
        migrations.AddConstraint(
            model_name='run',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', True), ('status__in', frozenset(['queued', 'running', 'starting']))), models.Q(('finished_at__isnull', False), ('status__in', frozenset(['access_denied', 'cancelled', 'failed', 'kernel_died', 'lost', 'output_limit', 'out_of_memory', 'succeeded', 'timed_out']))), _connector='OR'), name='finished_run_has_its_time'),
        ),
        migrations.AddConstraint(
            model_name='contentlink',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['html'])), name='content_link_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='contentlink',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('created_at'))), name='content_link_expires_later'),
        ),
        migrations.AddConstraint(
            model_name='runcell',
            constraint=models.UniqueConstraint(fields=('run', 'index'), name='one_row_per_cell'),
        ),
        migrations.AddConstraint(
            model_name='runresult',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('expired_at__isnull', True), ('html__isnull', False), ('notebook__isnull', False), ('statements__isnull', False)), models.Q(('expired_at__isnull', False), ('html__isnull', True), ('notebook__isnull', True), ('statements__isnull', True)), _connector='OR'), name='expired_result_is_empty'),
        ),
    ]
