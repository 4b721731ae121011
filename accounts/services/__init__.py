"""Writes of this app: signing in and out, passwords, people, personas."""

from accounts.services.expiry import expire_sessions
from accounts.services.passwords import (
    change_password,
    choose_password,
    confirm_password,
)
from accounts.services.people import (
    create_group,
    create_person,
    deactivate_person,
    delete_group,
    end_sessions,
    password_link_token,
    reactivate_person,
    rename_person,
    reset_password,
    set_groups,
    set_personas,
    set_roles,
    sync_personas,
)
from accounts.services.presence import note_presence
from accounts.services.sign_in import (
    act_as,
    end_session,
    expire_session,
    sign_in,
    sign_out,
)
from accounts.throttle import TooManyAttempts, WrongPassword

__all__ = [
    "TooManyAttempts",
    "WrongPassword",
    "act_as",
    "change_password",
    "choose_password",
    "confirm_password",
    "create_group",
    "create_person",
    "deactivate_person",
    "delete_group",
    "end_session",
    "end_sessions",
    "expire_session",
    "expire_sessions",
    "note_presence",
    "password_link_token",
    "reactivate_person",
    "rename_person",
    "reset_password",
    "set_groups",
    "set_personas",
    "set_roles",
    "sign_in",
    "sign_out",
    "sync_personas",
]
