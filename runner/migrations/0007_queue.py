"""Each run waits in a queue of its own kind; earlier ones were all in `batch`."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds the queue."""

    dependencies = [
        ('runner', '0006_kept_runs'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='queue',
            field=models.CharField(choices=[('page', 'Asked for on a page'), ('api', 'Asked for through the API'), ('batch', 'In the background')], default='batch', max_length=10),
        ),
        migrations.AddConstraint(
            model_name='run',
            constraint=models.CheckConstraint(condition=models.Q(('queue__in', ['page', 'api', 'batch'])), name='run_queue_known'),
        ),
    ]
