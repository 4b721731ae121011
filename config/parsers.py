"""Read JSON bodies strictly: bounded, without duplicate names, not nested for ever."""

import codecs
import json
from typing import IO, Any

from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser as LenientJSONParser

#: More than any call takes; notebooks come as files.
MAX_BYTES = 1_000_000


class JSONParser(LenientJSONParser):
    """JSON as RFC 8259 has it, and no two members of one name."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Any = None,
    ) -> Any:
        """Return the value.  Raises ParseError, RequestDataTooBig."""
        body = stream.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise RequestDataTooBig
        try:
            return json.loads(
                codecs.decode(body, "utf-8"),
                object_pairs_hook=_once,
                parse_constant=_refuse_constant,
            )
        except RecursionError as error:
            message = "The JSON is nested too deeply."
            raise ParseError(message) from error
        except ValueError as error:
            message = f"This is not valid JSON: {error}"
            raise ParseError(message) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        message = "a name is given twice"
        raise ValueError(message)
    return members


def _refuse_constant(name: str) -> None:
    message = f"{name} is not a JSON number"
    raise ValueError(message)
