"""One way to lock a version before deciding on it."""

from gallery.models import Notebook, Version


def lock_version(version: Version) -> Version:
    """Lock the notebook's row, then its versions', and return the fresh version.

    Every decision on a notebook takes the same locks first, so that two people who
    sign at once, or a sign-off and a change of audience, follow one another. All
    versions are locked because a sign-off ends the older approval after it has locked
    the log's head: a launch holds its version's row and waits for that head.
    """
    Notebook.objects.select_for_update(no_key=True).get(pk=version.notebook_id)
    rows = (
        Version.objects.select_for_update(of=("self",), no_key=True)
        .select_related("notebook")
        .filter(notebook=version.notebook_id)
        .order_by("pk")
    )
    return {row.pk: row for row in rows}[version.pk]
