"""Keep links into the content origin out of the web server's log."""

import logging
import re

_TOKEN = re.compile(r"(/(?:results|live)/)[^/?\s]+")


class ForgetTokens(logging.Filter):
    """Take the token out of every path that uvicorn's access log would write."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record's arguments; let every record pass."""
        if isinstance(record.args, tuple):
            record.args = tuple(
                _TOKEN.sub(r"\1[token]", argument)
                if isinstance(argument, str)
                else argument
                for argument in record.args
            )
        return True
