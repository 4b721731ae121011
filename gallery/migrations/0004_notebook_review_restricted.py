"""An owner may narrow who reviews a notebook."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """The default stays: everyone with the role."""

    dependencies = [("gallery", "0003_kept_entry")]
    operations = [
        migrations.AddField(
            model_name="notebook",
            name="review_restricted",
            field=models.BooleanField(default=False),
        ),
    ]
