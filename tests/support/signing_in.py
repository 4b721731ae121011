"""Sign-ins as the pages make them, for tests of what depends on them."""

from django.utils import timezone

from accounts.models import Session, User
from accounts.sessions import SessionStore


def sign_in(person: User) -> Session:
    """Return a new sign-in of the person's that stands."""
    store = SessionStore()
    now_s = timezone.now().timestamp()
    store["_auth_user_id"] = str(person.pk)
    store["signed_in_at"] = store["last_active_at"] = now_s
    store.create()
    found: Session = Session.objects.get(session_key=store.session_key)
    return found
