"""How the API knows who calls: the same session cookie as the pages."""

from rest_framework import authentication
from rest_framework.request import Request


class SessionAuthentication(authentication.SessionAuthentication):
    """Session cookie plus CSRF token; answers 401, not 403, when not signed in."""

    def authenticate_header(self, request: Request) -> str:
        return 'Session realm="Countersign"'
