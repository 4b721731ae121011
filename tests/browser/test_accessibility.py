"""Every page, light and dark, narrow and wide: no serious axe finding, nothing sticks out."""

import pytest
from playwright.sync_api import Page

from gallery.models import Version
from gallery.workflow import Status
from runner.models import Run
from tests.browser.axe import serious_findings
from tests.browser.conftest import Open
from tests.factories.gallery import make_version, person
from tests.factories.runs import make_run

CONTRAST = ["color-contrast"]
#: Width, scheme, and the rules to ask: what does not depend on colour is asked once a width.
LOOKS = [
    (320, "light", None),
    (320, "dark", CONTRAST),
    (1280, "light", CONTRAST),
    (1280, "dark", None),
]
V1 = "/notebooks/prescription-trends/versions/1/"
V2 = "/notebooks/lab-turnaround/versions/1/"
NOTEBOOK = "/notebooks/prescription-trends/"
PAGES = {
    "adams": [
        "/",
        "/?q=zeppelin",
        NOTEBOOK,
        f"{NOTEBOOK}run/",
        "/runs/",
        V1,
        "/nowhere/",
    ],
    "ada": [
        "/notebooks/new/",
        f"{NOTEBOOK}edit/",
        f"{NOTEBOOK}versions/new/",
        f"{NOTEBOOK}access/",
        V2,
        f"{V2}diff/",
        f"{V2}preview/",
        "/reviews/",
    ],
    "ravi": [f"{V2}review/"],
    "carol": [f"{NOTEBOOK}policy/", f"{V2}sign-off/", f"{V1}sign-off/", f"{V1}revoke/"],
    "helen": ["/profile/", NOTEBOOK],
    "otto": [
        "/people/",
        "/people/ada/",
        "/groups/people/ada/",
        "/new-person/",
        "/groups/",
        "/roles/",
    ],
    "iris": ["/audit/", "/audit/verify/"],
    "nora": ["/"],
}


def check(page: Page, path: str) -> list[str]:
    problems = []
    for width, scheme, rules in LOOKS:
        page.set_viewport_size({"width": width, "height": 800})
        page.emulate_media(color_scheme=scheme)
        where = f"{path} at {width} px, {scheme}"
        problems += [
            f"{where}: {found}" for found in serious_findings(page, rules=rules)
        ]
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            problems.append(f"{where}: {wide} px wide")
    return problems


@pytest.mark.parametrize("username", PAGES)
def test_pages_hold_in_every_look(
    open_as: Open, approved: Version, in_review: Version, username: str
) -> None:
    page = open_as(username)
    problems = []
    for path in PAGES[username]:
        page.goto(path)
        problems += check(page, path)
    assert problems == []


@pytest.mark.parametrize("status", ["running", "succeeded", "failed"])
def test_a_run_holds_in_every_look(
    open_as: Open, approved: Version, status: str
) -> None:
    run = make_run(approved, person("adams"), status)
    page = open_as("adams")
    page.goto(run.get_absolute_url())
    assert check(page, status) == []


def test_signing_in_holds_in_every_look(page: Page) -> None:
    page.goto("/sign-in/")
    assert check(page, "/sign-in/") == []


def test_a_form_with_errors_holds_in_every_look(open_as: Open) -> None:
    page = open_as("ada")
    page.goto("/notebooks/new/")
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("alert").wait_for()
    assert check(page, "upload refused") == []


def test_the_first_page_is_light_and_asks_nobody_else(
    open_as: Open, finished: Run
) -> None:
    page = open_as("adams")
    sizes: dict[str, int] = {}
    page.on(
        "requestfinished",
        lambda request: sizes.update(
            {request.url: request.sizes()["responseBodySize"]}
        ),
    )
    page.goto("/")
    page.wait_for_load_state("networkidle")
    origin = page.evaluate("location.origin")
    assert all(url.startswith(origin) for url in sizes)
    assert sum(n for url, n in sizes.items() if not url.endswith(".woff2")) < 150_000


def test_the_seal_of_every_state_has_a_form_of_its_own(open_as: Open) -> None:
    page = open_as("ada")
    page.goto("/")
    sprite = page.evaluate(
        "fetch(document.querySelector('.brand use').href.baseVal.split('#')[0])"
        ".then((found) => found.text())"
    )
    forms = {
        status: sprite.split(f'id="seal-{status}"')[1].split("</symbol>")[0]
        for status in Status.values
    }
    assert len(set(forms.values())) == len(forms) - 1  # superseded and expired: faded


def test_the_theme_that_was_chosen_is_remembered(open_as: Open) -> None:
    page = open_as("ada", color_scheme="light")
    page.goto("/")
    page.locator("details.menu > summary").click()
    page.get_by_role("button", name="Light or dark").click()
    page.goto("/runs/")
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"


def test_a_version_under_every_state_is_shown(open_as: Open) -> None:
    version = make_version(Status.REVOKED)
    page = open_as("ada")
    page.goto(version.get_absolute_url())
    assert page.get_by_text("It counts refills twice.").is_visible()
