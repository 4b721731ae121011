"""Error pages: each says what happened and what to do, with and without a person."""

import pytest
from django.template.loader import render_to_string
from django.test import Client

from accounts.models import User
from tests.pages import as_reader, text

PAGES = ("400", "403", "403_csrf", "404", "409", "413", "429", "500", "503")


@pytest.mark.parametrize("name", PAGES)
def test_every_error_page_renders_without_a_request(name: str) -> None:
    page = render_to_string(f"{name}.html")
    assert page.count("<h1>") == 1
    assert "href=" in page


@pytest.mark.django_db
def test_an_unknown_address_is_answered_in_our_words(ada: User) -> None:
    page = as_reader(ada).get("/nowhere/")
    assert page.status_code == 404
    assert "There is nothing here for you" in text(page)


@pytest.mark.django_db
def test_a_form_from_an_old_page_is_refused_in_our_words(ada: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    page = client.post("/persona/", {"persona": "data_scientist"})
    assert page.status_code == 403
    assert "This page was open for too long" in text(page)


def test_no_template_has_inline_script_or_style() -> None:
    from django.conf import settings

    for path in (settings.BASE_DIR / "templates").rglob("*.html"):
        source = path.read_text(encoding="utf-8")
        assert "style=" not in source, path
        assert "<style" not in source, path
        assert "onclick" not in source, path
        for part in source.split("<script")[1:]:
            assert part.startswith((' src="', ' type="module" src="')), path
