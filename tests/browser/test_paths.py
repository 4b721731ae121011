"""How people get along: few clicks, the keyboard alone, no JavaScript, nothing typed lost."""

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from gallery.models import Version
from runner.models import Run
from tests.browser.axe import serious_findings
from tests.browser.conftest import Open, let_idle, sign_in
from tests.factories.gallery import person, review
from tests.factories.runs import make_run
from tests.pages import PASSWORD, version_path


def count_clicks(page: Page) -> None:
    page.add_init_script(
        "document.addEventListener('click', (event) => { if (event.detail) "
        "sessionStorage.setItem('clicks', "
        "1 + Number(sessionStorage.getItem('clicks') || 0)) }, true)"
    )


def clicks(page: Page) -> int:
    return int(page.evaluate("Number(sessionStorage.getItem('clicks') || 0)"))


def test_a_result_is_two_clicks_from_the_catalog(open_as: Open, finished: Run) -> None:
    page = open_as("adams")
    count_clicks(page)
    page.goto("/")
    page.get_by_role("link", name="My last run").click()
    expect(page.locator("iframe.result-frame")).to_be_visible()
    shown = page.frame_locator("iframe.result-frame").get_by_text(
        "Twelve prescriptions"
    )
    expect(shown).to_be_visible()
    assert clicks(page) == 1


def test_a_file_can_be_dropped(open_as: Open) -> None:
    page = open_as("ada")
    page.goto("/notebooks/new/")
    dropped = page.evaluate_handle(
        "() => { const data = new DataTransfer();"
        " data.items.add(new File(['{}'], 'dropped.ipynb')); return data }"
    )
    page.locator("[data-drop-zone]").dispatch_event("drop", {"dataTransfer": dropped})
    expect(page.locator("[data-drop-name]")).to_have_text("dropped.ipynb, 1 kB")


def test_the_slash_key_searches_the_catalog(open_as: Open, approved: Version) -> None:
    page = open_as("adams")
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("/")
    page.keyboard.type("prescription")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=prescription")
    expect(page.get_by_role("link", name="Prescription trends")).to_be_visible()


def test_menus_close_with_escape(open_as: Open) -> None:
    page = open_as("ada")
    page.goto("/")
    page.locator("details.menu > summary").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Sign out")).to_be_hidden()


def test_review_keys_walk_cells_findings_and_comments(
    open_as: Open, in_review: Version
) -> None:
    page = open_as("ravi")
    page.goto(version_path(in_review, "review/"))
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("#cell-1")).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator("#cell-0")).to_be_focused()
    page.keyboard.press("f")
    expect(page.locator("[data-finding]").first).to_be_focused()
    page.keyboard.press("c")
    page.keyboard.type("jk are letters here")
    expect(page.locator("textarea:focus")).to_have_value("jk are letters here")


def test_typed_words_survive_an_idle_logoff(open_as: Open, in_review: Version) -> None:
    page = open_as("ravi")
    page.goto(version_path(in_review, "review/"))
    page.get_by_label("Request changes").check()
    box = page.locator("#decision")
    box.get_by_label("Comment").fill("The join drops rows.")
    box.get_by_label("Your password, again").fill(PASSWORD)
    let_idle("ravi", settings.SESSION_IDLE_S + 60)
    box.get_by_role("button", name="Sign the review").click()
    page.wait_for_url("**/sign-in/**")
    sign_in(page, "ravi")
    page.wait_for_url(f"**{version_path(in_review, 'review/')}*")
    expect(box.get_by_label("Comment")).to_have_value("The join drops rows.")
    expect(page.get_by_label("Request changes")).to_be_checked()
    expect(box.get_by_text("What you typed before is back")).to_be_visible()
    expect(box.get_by_label("Your password, again")).to_have_value("")
    assert in_review.reviews.count() == 0


def test_typed_words_survive_a_page_that_went_out_of_date(
    open_as: Open, in_review: Version
) -> None:
    page = open_as("ravi")
    page.goto(version_path(in_review, "review/"))
    box = page.locator("#decision")
    page.get_by_label("Approve").check()
    box.get_by_label("Comment").fill("Fine with me.")
    box.get_by_label("Your password, again").fill(PASSWORD)
    review(in_review, person("petra"))
    box.get_by_role("button", name="Sign the review").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "This changed while you were looking"
    )
    page.get_by_role("link", name="Reload").click()
    expect(box.get_by_label("Comment")).to_have_value("Fine with me.")


def test_what_was_sent_does_not_come_back(open_as: Open, in_review: Version) -> None:
    page = open_as("ravi")
    page.goto(version_path(in_review, "review/"))
    page.locator("#cell-1 summary", has_text="Comment").click()
    page.locator("#cell-1").get_by_label("Comment").fill("Twelve of what?")
    page.locator("#cell-1").get_by_role("button", name="Add the comment").click()
    expect(page.locator("#cell-1 .note-comment")).to_contain_text("Twelve of what?")
    expect(page.locator("#cell-1 textarea")).to_have_value("")


def test_signing_out_forgets_what_was_typed(open_as: Open) -> None:
    page = open_as("ada")
    page.goto("/notebooks/new/")
    page.get_by_label("Title").fill("Secret title")
    page.locator("details.menu > summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in/**")
    assert "Secret title" not in page.evaluate("JSON.stringify(sessionStorage)")


def test_another_person_on_this_computer_gets_nothing_back(open_as: Open) -> None:
    page = open_as("ada")
    page.goto("/notebooks/new/")
    page.get_by_label("Title").fill("Secret title")
    let_idle("ada", settings.SESSION_IDLE_S + 60)
    person("ravi")
    page.goto("/notebooks/new/")
    sign_in(page, "ravi")
    assert "Secret title" not in page.evaluate("JSON.stringify(sessionStorage)")


def test_everything_up_to_the_signature_works_without_javascript(
    open_as: Open, in_review: Version, approved: Version, finished: Run
) -> None:
    page = open_as("ravi", java_script_enabled=False)
    page.goto(version_path(in_review, "review/"))
    page.get_by_label("Approve").check()
    page.locator("#decision").get_by_label("Your password, again").fill(PASSWORD)
    page.get_by_role("button", name="Sign the review").click()
    expect(page.get_by_role("status")).to_contain_text("Signed.")
    reader = open_as("adams", java_script_enabled=False)
    reader.goto(finished.get_absolute_url())
    shown = reader.frame_locator("iframe.result-frame")
    expect(shown.get_by_text("Twelve prescriptions")).to_be_visible()


@pytest.mark.parametrize("persona", ["Head of cardiology", "Doctor, cardiology"])
def test_changing_the_persona_is_one_click(open_as: Open, persona: str) -> None:
    page = open_as("helen")
    page.goto("/runs/")
    page.get_by_role("button", name=persona).click()
    button = page.get_by_role("button", name=persona)
    expect(button).to_have_attribute("aria-pressed", "true")
    assert page.url.endswith("/runs/")


def test_no_page_asks_for_anything_that_its_policy_forbids(
    open_as: Open, in_review: Version, finished: Run
) -> None:
    said: list[str] = []
    for username, path in (
        ("ravi", version_path(in_review, "review/")),
        ("carol", version_path(in_review, "sign-off/")),
        ("adams", finished.get_absolute_url()),
        ("ada", "/notebooks/new/"),
    ):
        page = open_as(username)
        page.on("console", lambda message: said.append(message.text))
        page.goto(path)
        page.wait_for_load_state("networkidle")
    assert [text for text in said if "Content Security Policy" in text] == []


def test_a_preview_opens_below_on_the_review_page(
    open_as: Open, in_review: Version
) -> None:
    make_run(in_review, person("ravi"), "succeeded", kind="preview")
    page = open_as("ravi")
    page.goto(version_path(in_review, "review/"))
    page.get_by_text("Result as Doctor").click()
    shown = page.frame_locator("iframe.result-frame").get_by_text(
        "Twelve prescriptions"
    )
    expect(shown).to_be_visible()
    assert serious_findings(page) == []
