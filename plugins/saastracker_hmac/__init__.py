"""The auth scheme "hmac": a signature over the body, made with a secret that is never sent."""

import hmac
import secrets

from saastracker.errors import NotFound, Unauthorized
from saastracker.hookspecs import hookimpl
from saastracker.wire import AuthScheme, Credential, Issued, Project, Projects, Request


class Hmac:
    """`x-app-uuid` names the project, `x-signature` is the hex HMAC-SHA256 of the body as sent."""

    name = "hmac"

    def __init__(self, projects: Projects) -> None:
        self._projects = projects

    def authenticate(self, request: Request) -> Credential:
        app_uuid = request.headers.get(b"x-app-uuid")
        signature = request.headers.get(b"x-signature")
        if not app_uuid:
            raise Unauthorized("The header x-app-uuid is missing.")
        if not signature:
            raise Unauthorized("The header x-signature is missing.")
        credentials = self._projects.credentials(self.name, app_uuid.decode("latin-1").lower())
        if not credentials:
            raise NotFound("Unknown app_uuid")
        for credential in credentials:  # two while a secret is being replaced
            expected = hmac.digest(credential.secret, request.raw, "sha256").hex().encode()
            if hmac.compare_digest(expected, signature):
                return credential
        raise Unauthorized("Invalid signature", reason="signature", project=credentials[0].project.id)

    def issue(self, project: Project) -> Issued:
        secret = secrets.token_hex(32)
        return Issued({"app_uuid": project.id, "api_secret": secret}, lookup=project.id, secret=secret.encode())


@hookimpl
def auth_schemes(projects: Projects) -> list[AuthScheme]:
    return [Hmac(projects)]
