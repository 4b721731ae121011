"""What axe-core finds wrong with a page as it stands."""

from pathlib import Path

from playwright.sync_api import Frame, Page

_AXE = Path(__file__).parent / "vendor" / "axe-core-4.14.1" / "axe.min.js"
_SERIOUS = {"serious", "critical"}


def serious_findings(
    page: Page | Frame, *, rules: list[str] | None = None
) -> list[str]:
    """Return the serious and critical findings: which rule, how often, where first.

    `rules` names the only rules to ask; all of them by default.

    The script is handed to the page by the debugger, so the page's own policy, which
    allows no inline script, stays as it is.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_AXE.read_text(encoding="utf-8"))
    options: dict[str, object] = {"resultTypes": ["violations"], "selectors": False}
    if rules is not None:
        options["runOnly"] = {"type": "rule", "values": rules}
    result = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{found['id']} ({len(found['nodes'])}): {found['nodes'][0]['html'][:160]}"
        for found in result["violations"]
        if found["impact"] in _SERIOUS
    ]
