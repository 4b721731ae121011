"""A version may ask for other limits than those of every run."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Versions that are there ask for none; `keep_version` keeps what is asked."""

    dependencies = [("gallery", "0004_notebook_review_restricted")]
    operations = [
        migrations.AddField(
            model_name="version",
            name="limits",
            field=models.JSONField(default=dict),
        ),
    ]
