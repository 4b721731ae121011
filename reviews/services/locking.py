"""One way to lock a version before deciding on it."""

from gallery.models import Notebook, Version


def lock_version(version: Version) -> Version:
    """Lock the notebook's row, then the version's, and return the fresh version.

    Every decision on a notebook takes the same lock first, so that two people who
    sign at once, or a sign-off and a change of audience, follow one another.
    """
    Notebook.objects.select_for_update().get(pk=version.notebook_id)
    return (
        Version.objects.select_for_update(of=("self",))
        .select_related("notebook")
        .get(pk=version.pk)
    )
