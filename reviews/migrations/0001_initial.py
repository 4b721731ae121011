

import django.core.validators
import django.db.models.deletion
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
            name='ReviewPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80, unique=True)),
                ('description', models.CharField(blank=True, max_length=500)),
                ('peer_approvals', models.PositiveSmallIntegerField(validators=[django.core.validators.MinValueValidator(1)])),
            ],
            options={
                'ordering': ['name'],
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(('peer_approvals__gte', 1)), name='at_least_one_peer')],
            },
        ),
        migrations.CreateModel(
            name='NotebookPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('assigned_at', models.DateTimeField()),
                ('assigned_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('notebook', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='review_policy', to='gallery.notebook')),
                ('policy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to='reviews.reviewpolicy')),
            ],
            options={
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Comment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cell_id', models.CharField(blank=True, max_length=64)),
                ('line', models.PositiveIntegerField(null=True)),
                ('body', models.TextField(max_length=5000)),
                ('written_at', models.DateTimeField()),
                ('resolved_at', models.DateTimeField(null=True)),
                ('resolved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comments', to='gallery.version')),
                ('written_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comments', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['written_at', 'pk'],
                'default_permissions': (),
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('resolved_at__isnull', True), ('resolved_by__isnull', True)), models.Q(('resolved_at__isnull', False), ('resolved_by__isnull', False)), _connector='OR'), name='comment_resolution_paired')],
            },
        ),
        migrations.CreateModel(
            name='Review',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('decision', models.CharField(choices=[('approve', 'Approve'), ('request_changes', 'Request changes')], max_length=20)),
                ('comment', models.TextField(blank=True, max_length=5000)),
                ('reviewed_at', models.DateTimeField()),
                ('reviewed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='gallery.version')),
            ],
            options={
                'ordering': ['reviewed_at'],
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('version', 'reviewed_by'), name='one_review_per_peer'), models.CheckConstraint(condition=models.Q(('decision__in', ['approve', 'request_changes'])), name='review_decision_known')],
            },
        ),
        migrations.CreateModel(
            name='Signature',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('meaning', models.CharField(choices=[('peer_reviewed', 'Peer reviewed and approved'), ('changes_requested', 'Peer reviewed, changes requested'), ('compliance_approved', 'Signed off for compliance'), ('compliance_rejected', 'Rejected for compliance'), ('revoked', 'Revoked'), ('audience_widened', 'Audience widened')], max_length=30)),
                ('printed_name', models.CharField(max_length=160)),
                ('signed_at', models.DateTimeField()),
                ('digest', models.CharField(max_length=64)),
                ('payload', models.TextField()),
                ('signature', models.BinaryField(max_length=64)),
                ('public_key', models.BinaryField(max_length=32)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signatures', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='signatures', to='gallery.version')),
            ],
            options={
                'ordering': ['signed_at', 'pk'],
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(condition=models.Q(('meaning__in', ('peer_reviewed', 'changes_requested', 'compliance_approved', 'compliance_rejected'))), fields=('version', 'person'), name='one_deciding_signature_per_person'), models.CheckConstraint(condition=models.Q(('meaning__in', ['peer_reviewed', 'changes_requested', 'compliance_approved', 'compliance_rejected', 'revoked', 'audience_widened'])), name='signature_meaning_known')],
            },
        ),
        migrations.CreateModel(
            name='SignOff',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('decision', models.CharField(choices=[('approve', 'Approve'), ('reject', 'Reject')], max_length=20)),
                ('comment', models.TextField(blank=True, max_length=5000)),
                ('audience', models.JSONField()),
                ('signed_at', models.DateTimeField()),
                ('signed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sign_offs', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sign_offs', to='gallery.version')),
            ],
            options={
                'ordering': ['signed_at'],
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('version',), name='one_sign_off'), models.CheckConstraint(condition=models.Q(('decision__in', ['approve', 'reject'])), name='sign_off_decision_known')],
            },
        ),
    ]
