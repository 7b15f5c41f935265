"""The auth scheme "project-key": a public key in the JSON body."""

import secrets

import msgspec

from saastracker.decoding import decode_envelope
from saastracker.errors import Unauthorized
from saastracker.hookspecs import hookimpl
from saastracker.wire import AuthScheme, Credential, Issued, Project, Projects, Request


class _Body(msgspec.Struct, rename="camel", gc=False):
    project_key: str | None = None


_body = msgspec.json.Decoder(_Body)


class ProjectKey:
    """`projectKey` in the body. The key is public, so the project's allowed origins are what guards it."""

    name = "project-key"

    def __init__(self, projects: Projects) -> None:
        self._projects = projects

    def authenticate(self, request: Request) -> Credential:
        """Raises Invalid for a body that is no JSON object, before the key is looked at."""
        key = decode_envelope(_body, request.body).project_key  # the format looks at the rest
        if not key:
            raise Unauthorized("`projectKey` is missing in the body.")
        for credential in self._projects.credentials(self.name, key):
            return credential
        raise Unauthorized("Unknown or revoked projectKey")

    def issue(self, project: Project) -> Issued:  # noqa: ARG002
        key = secrets.token_hex(12)
        return Issued({"key": key}, lookup=key)


@hookimpl
def auth_schemes(projects: Projects) -> list[AuthScheme]:
    return [ProjectKey(projects)]
