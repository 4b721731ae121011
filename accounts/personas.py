"""The hat that a person wears towards the data, and what for.

A session has one active persona at a time; each persona has a default purpose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models

if TYPE_CHECKING:
    from django.http import HttpRequest

SESSION_KEY = "active_persona"


class Persona(models.TextChoices):
    """What the data source tells apart.  Values are stored; never rename one."""

    DOCTOR = "doctor", "Doctor"
    DEPARTMENT_HEAD = "department_head", "Head of department"
    BILLING = "billing", "Billing"
    LAB = "lab", "Laboratory"
    DATA_SCIENTIST = "data_scientist", "Data scientist"


class Purpose(models.TextChoices):
    """Why data are read: the purposes of use that a run may state."""

    TREATMENT = "treatment", "Treatment"
    PAYMENT = "payment", "Payment"
    OPERATIONS = "operations", "Operations"
    RESEARCH = "research", "Research"


DEFAULT_PURPOSE: dict[Persona, Purpose] = {
    Persona.DOCTOR: Purpose.TREATMENT,
    Persona.DEPARTMENT_HEAD: Purpose.OPERATIONS,
    Persona.BILLING: Purpose.PAYMENT,
    Persona.LAB: Purpose.TREATMENT,
    Persona.DATA_SCIENTIST: Purpose.RESEARCH,
}


class PersonaNotHeld(Exception):
    """You do not hold this persona."""

    def __init__(self, persona: str) -> None:
        super().__init__(persona)
        self.persona = persona


def active_persona(request: HttpRequest) -> str | None:
    """The session's persona if still held, else the only one held, else None."""
    if not request.user.is_authenticated:
        return None
    held = request.user.personas
    chosen = request.session.get(SESSION_KEY)
    if chosen in held:
        return str(chosen)
    return held[0] if len(held) == 1 else None


def set_active_persona(request: HttpRequest, persona: str) -> None:
    """Act as `persona` from now on, in this session only.

    Raises PersonaNotHeld when the person does not hold it.
    """
    if not request.user.is_authenticated or persona not in request.user.personas:
        raise PersonaNotHeld(persona)
    request.session[SESSION_KEY] = persona
