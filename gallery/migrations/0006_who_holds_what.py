"""Who is granted what on a notebook, and who wrote it, as two views.

Guardian's rows name permissions by id and notebooks by text; every page asks about them
several times, so the joins are said once, here.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

SQL = """
CREATE VIEW gallery_grant WITH (security_invoker = true) AS
SELECT held.object_pk::bigint AS notebook_id, held.user_id, permission.codename AS permission
  FROM (
        SELECT permission_id, object_pk, user_id FROM guardian_userobjectpermission
        UNION ALL
        SELECT permission_id, object_pk, user_id
          FROM guardian_groupobjectpermission
          JOIN accounts_user_groups USING (group_id)
       ) AS held
  JOIN auth_permission AS permission ON permission.id = held.permission_id
  JOIN django_content_type AS kind ON kind.id = permission.content_type_id
 WHERE kind.app_label = 'gallery' AND kind.model = 'notebook';

CREATE VIEW gallery_contributor WITH (security_invoker = true) AS
SELECT id AS notebook_id, created_by_id AS user_id FROM gallery_notebook
UNION ALL
SELECT notebook_id, created_by_id FROM gallery_version
UNION ALL
SELECT notebook_id, user_id FROM gallery_grant WHERE permission = 'edit_notebook';

REVOKE ALL ON gallery_grant, gallery_contributor FROM countersign_app;
GRANT SELECT ON gallery_grant, gallery_contributor TO countersign_app;
"""

UNDO = "DROP VIEW gallery_contributor, gallery_grant;"

NOTEBOOK = models.ForeignKey(
    on_delete=django.db.models.deletion.DO_NOTHING,
    related_name="+",
    to="gallery.notebook",
)
USER = models.ForeignKey(
    on_delete=django.db.models.deletion.DO_NOTHING,
    related_name="+",
    to=settings.AUTH_USER_MODEL,
)


class Migration(migrations.Migration):
    """The views read with the rights of whoever asks."""

    dependencies = [
        ("gallery", "0005_version_limits"),
        ("guardian", "0001_initial"),
        ("contenttypes", "0002_remove_content_type_name"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.RunSQL(SQL, UNDO),
        migrations.CreateModel(
            name="Grant",
            fields=[
                ("notebook", NOTEBOOK),
                ("user", USER),
                ("permission", models.CharField(max_length=100)),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "notebook",
                        "user",
                        "permission",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
            options={
                "db_table": "gallery_grant",
                "default_permissions": (),
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Contributor",
            fields=[
                ("notebook", NOTEBOOK.clone()),
                ("user", USER.clone()),
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "notebook",
                        "user",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
            ],
            options={
                "db_table": "gallery_contributor",
                "default_permissions": (),
                "managed": False,
            },
        ),
    ]
