

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Notebook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=80, unique=True)),
                ('title', models.CharField(max_length=120)),
                ('description', models.TextField(blank=True, max_length=2000)),
                ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, size=None)),
                ('language', models.CharField(max_length=40)),
                ('department', models.CharField(blank=True, max_length=80)),
                ('created_at', models.DateTimeField()),
                ('launch_restricted', models.BooleanField(default=False)),
                ('source_restricted', models.BooleanField(default=False)),
                ('search', django.contrib.postgres.search.SearchVectorField(editable=False, null=True)),
                ('code_search', django.contrib.postgres.search.SearchVectorField(editable=False, null=True)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notebooks', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'permissions': [('view_source_notebook', 'Can read the code'), ('edit_notebook', 'Can upload versions and change the entry'), ('review_notebook', 'Can review its versions'), ('launch_notebook', 'Can launch its approved version')],
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Version',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('digest', models.CharField(max_length=64)),
                ('document', models.BinaryField()),
                ('original_sha256', models.CharField(max_length=64)),
                ('parameters', models.JSONField()),
                ('binding_mode', models.CharField(max_length=20)),
                ('environment', models.CharField(max_length=60)),
                ('environment_lock_sha256', models.CharField(max_length=64)),
                ('manifest', models.JSONField(null=True)),
                ('data_sources', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), size=None)),
                ('findings', models.JSONField(default=list)),
                ('tables_read', models.JSONField(default=list)),
                ('removed', models.JSONField(default=list)),
                ('kernel_name', models.CharField(max_length=60)),
                ('language', models.CharField(max_length=40)),
                ('summary', models.CharField(blank=True, max_length=500)),
                ('created_at', models.DateTimeField()),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('in_review', 'In review'), ('peer_approved', 'Peer approved'), ('approved', 'Approved'), ('changes_requested', 'Changes requested'), ('withdrawn', 'Withdrawn'), ('revoked', 'Revoked'), ('expired', 'Expired'), ('superseded', 'Superseded')], default='draft', max_length=20)),
                ('submitted_at', models.DateTimeField(null=True)),
                ('approved_at', models.DateTimeField(null=True)),
                ('approval_expires_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('end_reason', models.CharField(blank=True, max_length=500)),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to=settings.AUTH_USER_MODEL)),
                ('notebook', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='gallery.notebook')),
            ],
            options={
                'ordering': ['notebook', 'number'],
                'default_permissions': (),
            },
        ),
        migrations.AddIndex(
            model_name='notebook',
            index=django.contrib.postgres.indexes.GinIndex(fields=['search'], name='notebook_search'),
        ),
        migrations.AddIndex(
            model_name='notebook',
            index=django.contrib.postgres.indexes.GinIndex(fields=['code_search'], name='notebook_code_search'),
        ),
        migrations.AddIndex(
            model_name='notebook',
            index=django.contrib.postgres.indexes.GinIndex(fields=['title'], name='notebook_title_trgm', opclasses=['gin_trgm_ops']),
        ),
        migrations.AddIndex(
            model_name='notebook',
            index=django.contrib.postgres.indexes.GinIndex(fields=['tags'], name='notebook_tags'),
        ),
        migrations.AddConstraint(
            model_name='version',
            constraint=models.UniqueConstraint(fields=('notebook', 'number'), name='version_number_once'),
        ),
        migrations.AddConstraint(
            model_name='version',
            constraint=models.UniqueConstraint(condition=models.Q(('status', 'approved')), fields=('notebook',), name='one_approved_version'),
        ),
        migrations.AddConstraint(
            model_name='version',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'in_review', 'peer_approved', 'approved', 'changes_requested', 'withdrawn', 'revoked', 'expired', 'superseded'])), name='version_status_known'),
        ),
        migrations.AddConstraint(
            model_name='version',
            constraint=models.CheckConstraint(condition=models.Q(('digest__regex', '^[0-9a-f]{64}$')), name='version_digest_hex'),
        ),
        migrations.AddConstraint(
            model_name='version',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'approved'), _negated=True), models.Q(('approval_expires_at__gt', models.F('approved_at')), ('approved_at__isnull', False)), _connector='OR'), name='approved_version_has_times'),
        ),
    ]
