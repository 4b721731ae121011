
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('runner', '0002_enforced_runs'),
    ]

    operations = [
        migrations.CreateModel(
            name='DataSourceCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=40)),
                ('kind', models.CharField(choices=[('run', 'Run'), ('preview', 'Preview on invented people')], max_length=10)),
                ('checked_at', models.DateTimeField()),
                ('problems', models.JSONField()),
            ],
            options={
                'default_permissions': (),
                'constraints': [models.UniqueConstraint(fields=('source', 'kind'), name='one_check_per_source')],
            },
        ),
    ]
