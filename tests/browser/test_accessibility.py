"""Every page, light and dark, narrow and wide: no serious axe finding, nothing sticks out."""

import pytest
from playwright.sync_api import CDPSession, Page

from gallery.models import Version
from gallery.workflow import Status
from runner.models import Run
from tests.browser.axe import serious_findings
from tests.browser.conftest import Open
from tests.factories.gallery import make_version, person
from tests.factories.runs import make_run

CONTRAST = ["color-contrast"]
#: CSS width, device pixels for each of its pixels, scheme, and the rules to ask: what
#: does not depend on colour is asked once a width.  640 px at 2 is 1280 px at 200 % zoom.
LOOKS = [
    (320, 1, "light", None),
    (320, 1, "dark", CONTRAST),
    (640, 2, "light", None),
    (640, 2, "dark", CONTRAST),
    (1920, 1, "light", CONTRAST),
    (1920, 1, "dark", None),
]
#: Widths that only have to hold everything: just below and at each change of columns.
FITS = (575, 767, 991, 992, 1280)
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
        "/profile/password/",
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
        "/people/",
    ],
    "ravi": [f"{V2}review/", "/reviews/"],
    "carol": [f"{NOTEBOOK}policy/", f"{V2}sign-off/", f"{V1}sign-off/", f"{V1}revoke/"],
    "helen": ["/profile/", NOTEBOOK],
    "otto": [
        "/status/",
        "/people/",
        "/people/ada/",
        "/groups/people/ada/",
        "/new-person/",
        "/groups/",
        "/roles/",
    ],
    "iris": ["/audit/", "/audit/verify/"],
    "nora": ["/", "/runs/", "/reviews/"],
}


def resize(devtools: CDPSession, width: int, pixels: int = 1) -> None:
    """Give the page a width in CSS pixels, and so many device pixels for each."""
    devtools.send(
        "Emulation.setDeviceMetricsOverride",
        {
            "width": width,
            "height": 800,
            "deviceScaleFactor": pixels,
            "mobile": False,
        },
    )


def too_wide(page: Page, width: int) -> str:
    """Return what sticks out of a page of that width, if anything does."""
    shown, found = page.evaluate("""() => {
      const root = document.documentElement;
      if (root.scrollWidth <= innerWidth) return [innerWidth, ""];
      const out = [...document.body.querySelectorAll("*")].find(
        (part) => part.getBoundingClientRect().right > innerWidth + 1);
      const what = out?.outerHTML.slice(0, 120);
      return [innerWidth, `${root.scrollWidth} px wide: ${what}`];
    }""")
    assert shown == width
    return str(found)


def check(page: Page, path: str) -> list[str]:
    problems = []
    devtools = page.context.new_cdp_session(page)
    for width, pixels, scheme, rules in LOOKS:
        resize(devtools, width, pixels)
        page.emulate_media(color_scheme=scheme)
        where = f"{path} at {width} px × {pixels}, {scheme}"
        problems += [
            f"{where}: {found}" for found in serious_findings(page, rules=rules)
        ]
        if out := too_wide(page, width):
            problems.append(f"{where}: {out}")
    for width in FITS:
        resize(devtools, width)
        if out := too_wide(page, width):
            problems.append(f"{path} at {width} px: {out}")
    devtools.detach()
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


def test_runs_and_their_tables_hold_in_every_look(
    open_as: Open, approved: Version
) -> None:
    page = open_as("adams")
    problems = []
    for status in ("running", "succeeded", "failed"):
        run = make_run(approved, person("adams"), status)
        page.goto(run.get_absolute_url())
        problems += check(page, status)
    page.goto(f"{run.get_absolute_url()}tables/")
    problems += check(page, "tables")
    assert problems == []


def test_signing_in_holds_in_every_look(page: Page) -> None:
    page.goto("/sign-in/")
    assert check(page, "/sign-in/") == []


def test_a_form_with_errors_holds_in_every_look(open_as: Open) -> None:
    page = open_as("ada")
    page.goto("/notebooks/new/")
    page.get_by_role("button", name="Upload").click()
    page.locator("[data-form-errors]").wait_for()
    assert check(page, "upload refused") == []


def test_long_words_stick_out_nowhere(open_as: Open) -> None:
    word = "Thrombozytenaggregationshemmer" * 3
    version = make_version(title=word, tags=[word[:40]], department=word[:80])
    page = open_as("ada")
    devtools = page.context.new_cdp_session(page)
    problems = []
    for path in ("/", version.notebook.get_absolute_url(), version.get_absolute_url()):
        page.goto(path)
        for width in (320, 640, *FITS):
            resize(devtools, width)
            if out := too_wide(page, width):
                problems.append(f"{path} at {width} px: {out}")
    assert problems == []


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
