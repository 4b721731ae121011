"""What stands where a result's page should be when it could not be made or stored."""

from html import escape

CODE = "result_not_rendered"
SENTENCE = "What the notebook showed could not be made into a page."
_ADVICE = "Download the notebook to see it."
HTML = (
    '<div class="cs-result"><div class="cs-outputs"><p class="cs-output cs-error">'
    f'<strong class="cs-mark">Not shown</strong> {escape(f"{SENTENCE} {_ADVICE}")}'
    "</p></div></div>"
).encode()
