"""The people of the demo; the tests use the same cast."""

from dataclasses import dataclass

from accounts.personas import Persona
from accounts.roles import Role

PASSWORD = "countersign"
"""Everybody's, in the demo only; it listens on loopback only."""


@dataclass(frozen=True)
class DemoPerson:
    """Who somebody is: user name, printed name, roles, and personas with their department."""

    username: str
    display_name: str
    roles: tuple[Role, ...] = ()
    personas: tuple[tuple[Persona, str], ...] = ()

    @property
    def duties(self) -> str:
        """Roles and personas in words, for the table that the demo prints."""
        roles = [role.value.replace("_", " ") for role in self.roles]
        personas = [
            f"{persona.label.lower()} ({department})"
            if department
            else persona.label.lower()
            for persona, department in self.personas
        ]
        return ", ".join(roles + personas) or "signed in, nothing else"


PEOPLE: tuple[DemoPerson, ...] = (
    DemoPerson("ada", "Ada Byrne", (Role.AUTHOR,), ((Persona.DATA_SCIENTIST, ""),)),
    DemoPerson("ravi", "Ravi Menon", (Role.PEER_REVIEWER,)),
    DemoPerson("petra", "Petra Novak", (Role.PEER_REVIEWER,)),
    DemoPerson("carol", "Carol Jensen", (Role.COMPLIANCE_OFFICER,)),
    DemoPerson("chen", "Chen Wei", (Role.COMPLIANCE_OFFICER,)),
    DemoPerson("adams", "Dr Ruth Adams", (), ((Persona.DOCTOR, "cardiology"),)),
    DemoPerson("baker", "Dr Tom Baker", (), ((Persona.DOCTOR, "oncology"),)),
    DemoPerson(
        "helen",
        "Dr Helen Okafor",
        (),
        ((Persona.DEPARTMENT_HEAD, "cardiology"), (Persona.DOCTOR, "cardiology")),
    ),
    DemoPerson("bill", "Bill Ortega", (), ((Persona.BILLING, ""),)),
    DemoPerson("lena", "Lena Fischer", (), ((Persona.LAB, ""),)),
    DemoPerson("otto", "Otto Lindgren", (Role.OPERATOR,)),
    DemoPerson("iris", "Iris Haddad", (Role.AUDITOR,)),
    DemoPerson("nora", "Nora Quinn"),
)
