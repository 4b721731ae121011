"""Many outputs on a live page in a real browser."""

import pytest

from tests.runner.sessions import test_in_browser as live_page

pytestmark = pytest.mark.browser

client, seen = live_page.client, live_page.seen

#: Counts what makes a browser lay a page out, and what marks an output.
COUNTS = """
globalThis.counts = { measured: 0, marked: 0 };
const width = Object.getOwnPropertyDescriptor(Element.prototype, "scrollWidth").get;
Object.defineProperty(Element.prototype, "scrollWidth", {
  get() { counts.measured += 1; return width.call(this); },
});
const toggle = Element.prototype.toggleAttribute;
Element.prototype.toggleAttribute = function (name, force) {
  counts.marked += name === "data-failed";
  return toggle.call(this, name, force);
};
"""


def test_many_outputs_are_each_looked_at_a_few_times(seen):
    """Each that comes must not have all before it looked at: thousands would be millions of looks."""
    many = 300
    seen.page.add_init_script(COUNTS)
    live = seen.open()
    seen.waits_for("Starting…")
    seen.peer.until(seen.is_ready)
    for number in range(many):
        data = {"text/plain": f"number {number}"}
        output = {"output_type": "display_data", "metadata": {}, "data": data}
        seen.peer.change(1, "append", output=output)
        if number % 10 == 9:
            # So that they come in many frames.
            seen.page.wait_for_timeout(40)
    seen.peer.execute(2, "1 / 0")
    live.get_by_text(f"number {many - 1}").wait_for()
    live.locator("[data-cell='2'] [data-failed]").first.wait_for()
    seen.page.wait_for_timeout(500)
    counts = live.evaluate("counts")
    assert many <= counts["measured"] < 15 * many
    assert many <= counts["marked"] < 3 * many
