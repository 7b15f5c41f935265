"""The auth scheme "bearer": a secret key in the Authorization header, of which only a hash is kept."""

import secrets
from hashlib import sha256

from saastracker.errors import Unauthorized
from saastracker.hookspecs import hookimpl
from saastracker.wire import AuthScheme, Credential, Issued, Project, Projects, Request


class Bearer:
    """`Authorization: Bearer pk_live_…`."""

    name = "bearer"

    def __init__(self, projects: Projects) -> None:
        self._projects = projects

    def authenticate(self, request: Request) -> Credential | None:
        word, _, key = (request.header(b"authorization") or "").partition(" ")
        if word.lower() != "bearer":
            return None
        for credential in self._projects.credentials(self.name, _lookup(key.strip())):
            return credential
        raise Unauthorized("Unknown or revoked key")

    def issue(self, project: Project) -> Issued:  # noqa: ARG002
        key = f"pk_live_{secrets.token_hex(32)}"
        return Issued({"key": key}, lookup=_lookup(key))


def _lookup(key: str) -> str:
    """A key of 256 random bits needs no slow hash, and finding it by its hash tells nothing by its time."""
    return sha256(key.encode()).hexdigest()


@hookimpl
def auth_schemes(projects: Projects) -> list[AuthScheme]:
    return [Bearer(projects)]
