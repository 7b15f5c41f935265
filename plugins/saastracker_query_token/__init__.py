"""The auth schemes "query-token", for servers, and "query-key", for browsers: a token in the query string."""

import re
import secrets
from hashlib import sha256
from hmac import compare_digest

from saastracker.errors import Unauthorized
from saastracker.hookspecs import hookimpl
from saastracker.wire import AuthScheme, Credential, Issued, Project, Projects, Request

_RANDOM_NAME = re.compile(r"p_[A-Za-z0-9]+")


class QueryToken:
    """`?token=API_KEY.SERVER_TOKEN`, or the same after `Authorization: Bearer`."""

    name = "query-token"

    def __init__(self, projects: Projects) -> None:
        self._projects = projects

    def authenticate(self, request: Request) -> Credential | None:
        token = request.query.get("token") or _bearer(request)
        if not token:
            return None
        api_key, _, server_token = token.partition(".")
        if not server_token:
            raise Unauthorized("Send API_KEY.SERVER_TOKEN: the public key alone is for browsers.")
        digest = sha256(server_token.encode()).digest()
        for credential in self._projects.credentials(self.name, api_key):
            if compare_digest(credential.digest, digest):
                return credential
        raise Unauthorized("Unknown or revoked token")

    def issue(self, project: Project) -> Issued:  # noqa: ARG002
        api_key, server_token = secrets.token_hex(12), secrets.token_hex(32)
        return Issued(
            {"api_key": api_key, "server_token": server_token},
            lookup=api_key,
            digest=sha256(server_token.encode()).digest(),
        )


class QueryKey:
    """`?token=API_KEY`, or one parameter `p_<random>=API_KEY` that blockers of known names let through.

    The API key is public, so the project's allowed origins are what guards it.
    """

    name = "query-key"

    def __init__(self, projects: Projects) -> None:
        self._projects = projects

    def authenticate(self, request: Request) -> Credential | None:
        token = request.query.get("token")
        if not token:
            values = [value for name, value in request.query.items() if _RANDOM_NAME.fullmatch(name)]
            if len(values) != 1:
                return None
            token = values[0]
        for credential in self._projects.credentials(QueryToken.name, token.partition(".")[0]):
            return credential
        raise Unauthorized("Unknown or revoked API key")

    def issue(self, project: Project) -> None:
        """None: it reads the keys of query-token."""


def _bearer(request: Request) -> str:
    word, _, token = (request.header(b"authorization") or "").partition(" ")
    return token.strip() if word.lower() == "bearer" else ""


@hookimpl
def auth_schemes(projects: Projects) -> list[AuthScheme]:
    return [QueryToken(projects), QueryKey(projects)]
