"""Every form that is refused comes back with what was typed, and never with a password."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from gallery.workflow import Status
from tests.factories.gallery import ipynb, make_version, person
from tests.pages import as_reader, text

pytestmark = pytest.mark.django_db

PAGE = "/notebooks/prescription-trends/"
V1 = f"{PAGE}versions/1/"
WRONG = "not-my-password-91"


def bad_file() -> SimpleUploadedFile:
    return SimpleUploadedFile("odd.ipynb", b"not a notebook")


def good_file() -> SimpleUploadedFile:
    return SimpleUploadedFile("fine.ipynb", ipynb())


@dataclass(frozen=True)
class Refused:
    """A form, who sends it, what makes it be refused, and what was typed beside."""

    address: str
    who: str
    typed: dict[str, Any]
    wrong: dict[str, Any]
    status: str = Status.APPROVED
    file: Callable[[], SimpleUploadedFile] | None = None
    says: int = 400

    def sent(self) -> dict[str, Any]:
        files = {"file": self.file()} if self.file else {}
        return {**self.typed, **self.wrong, **files}


ENTRY = {
    "title": "Refills & gaps",
    "description": "Who comes back late?",
    "tags": "refills, gaps",
    "department": "cardiology",
    "summary": "Look at cell 3",
}
FORMS = {
    "upload, bad file": Refused(
        "/notebooks/new/",
        "ada",
        {**ENTRY, "environment": "python-analytics"},
        {},
        file=bad_file,
    ),
    "upload, no file": Refused("/notebooks/new/", "ada", ENTRY, {}),
    "upload, bad manifest": Refused(
        "/notebooks/new/", "ada", ENTRY, {"manifest": "{never closed"}, file=good_file
    ),
    "new version, bad file": Refused(
        f"{PAGE}versions/new/", "ada", {"summary": "Counts once"}, {}, file=bad_file
    ),
    "entry": Refused(
        f"{PAGE}edit/",
        "ada",
        {"description": "Who comes back late?", "tags": "refills, gaps"},
        {"title": ""},
        status=Status.DRAFT,
    ),
    "launch": Refused(
        f"{PAGE}run/",
        "adams",
        {
            "version": "1",
            "parameter-drug": "metoprolol",
            "persona": "doctor",
            "purpose": "operations",
        },
        {"parameter-months": "many"},
    ),
    "preview": Refused(
        f"{V1}preview/",
        "ada",
        {"parameter-drug": "metoprolol", "parameter-months": "7"},
        {"persona": "king"},
        status=Status.DRAFT,
    ),
    "access": Refused(
        f"{PAGE}access/",
        "carol",
        {
            "launch": "named",
            "launch_people": ["adams"],
            "source": "everyone",
            "review": "everyone",
        },
        {"password": WRONG},
        says=403,
    ),
    "review": Refused(
        f"{V1}review/",
        "ravi",
        {"comment": "The join drops rows.", "decision": "request_changes"},
        {"password": WRONG},
        status=Status.IN_REVIEW,
        says=403,
    ),
    "sign-off": Refused(
        f"{V1}sign-off/",
        "carol",
        {"comment": "Too wide an audience.", "decision": "reject"},
        {"password": WRONG},
        status=Status.PEER_APPROVED,
        says=403,
    ),
    "revoke": Refused(
        f"{V1}revoke/",
        "carol",
        {"reason": "It counts refills twice."},
        {"password": WRONG},
        says=403,
    ),
    "comment": Refused(
        f"{V1}comments/",
        "ravi",
        {"body": "Twelve of what?", "line": "99999"},
        {},
        status=Status.IN_REVIEW,
    ),
    "new person": Refused(
        "/new-person/",
        "otto",
        {"username": "ada", "display_name": "Ada Two"},
        {},
        says=200,
    ),
    "name": Refused(
        "/people/ada/name/", "otto", {"display_name": "x" * 400}, {}, says=200
    ),
    "personas": Refused(
        "/people/ada/personas/",
        "otto",
        {"doctor_department": "y" * 70, "lab_department": "chemistry", "lab": "on"},
        {},
        says=200,
    ),
    "roles": Refused(
        "/people/ada/roles/",
        "otto",
        {"roles": ["auditor"]},
        {"roles": ["auditor", "king"]},
        says=200,
    ),
    "closing an account": Refused(
        "/people/ada/deactivate/",
        "otto",
        {"reason": "z" * 400},
        {"roles": ["auditor", "king"]},
        says=200,
    ),
    "group": Refused("/groups/", "otto", {"name": "Cardiology"}, {}, says=200),
    "sign in": Refused(
        "/sign-in/?next=/runs/",
        "",
        {"username": "adams"},
        {"password": WRONG},
        says=200,
    ),
}


NEVER_KEPT = {"sign_in.html", "choose_password.html", "change_password.html"}
"""Forms of passwords, which are kept nowhere."""


def test_every_form_that_is_typed_into_outlives_an_idle_logoff() -> None:
    unkept = []
    for template in (settings.BASE_DIR / "templates").rglob("*.html"):
        if template.name in NEVER_KEPT:
            continue
        for form in re.findall(r"<form\b.*?</form>", template.read_text(), re.S):
            head = form.split("\n", 1)[0]
            is_typed_into = re.search(r"\|crispy|crispy_field|<textarea", form)
            if 'method="post"' in head and is_typed_into and "data-keep=" not in head:
                unkept.append(f"{template.name}: {head[:80]}")
    assert unkept == []


class Controls(HTMLParser):
    """What a browser would send if the page's forms were sent as they stand."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self._select = ""
        self._textarea = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = {name: value or "" for name, value in attrs}
        if tag == "select":
            self._select = own.get("name", "")
        elif tag == "option" and "selected" in own:
            self._add(self._select, own["value"])
        elif tag == "textarea":
            self._textarea = own["name"]
            self._add(self._textarea, "")
        elif tag == "input" and "name" in own:
            is_toggle = own.get("type") in {"checkbox", "radio"}
            if not is_toggle or "checked" in own:
                self._add(own["name"], own.get("value", "on" if is_toggle else ""))

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.values[self._textarea][-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            # The first line break in a textarea is markup, not text.
            typed = self.values[self._textarea]
            typed[-1] = typed[-1].removeprefix("\n")
            self._textarea = ""

    def _add(self, name: str, value: str) -> None:
        self.values.setdefault(name, []).append(value)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_refused_form_keeps_what_was_typed(form: Refused) -> None:
    make_version(form.status, data=ipynb())
    Group.objects.create(name="Cardiology")
    person("adams")
    client = as_reader(person(form.who)) if form.who else Client()
    answer = client.post(form.address, form.sent())
    page = answer.content.decode()
    assert answer.status_code == form.says, text(answer)
    kept = Controls(page).values
    for name, typed in form.typed.items():
        for value in typed if isinstance(typed, list) else [typed]:
            assert value in kept.get(name, []), name
    assert WRONG not in page
