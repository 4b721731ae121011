"""What form an answer has, where the API has only one to offer."""

from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request


class OneAnswer(BaseContentNegotiation):
    """Answers in its one form whatever the client says that it accepts."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        """Return the first renderer."""
        return renderers[0], renderers[0].media_type

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the parser that takes the body's type, or None."""
        return next(
            (
                parser
                for parser in parsers
                if (request.content_type or "").startswith(parser.media_type)
            ),
            None,
        )
