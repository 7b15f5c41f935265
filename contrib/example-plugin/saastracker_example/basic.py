"""The auth scheme "basic": user name and password as every HTTP client can send them (RFC 7617)."""

import base64
import binascii
import hmac
import secrets
from hashlib import sha256

from saastracker import Credential, Issued, Project, Projects, Request, Unauthorized


class Basic:
    """`Authorization: Basic …`. The user name finds the key, the password proves it."""

    name = "basic"

    def __init__(self, projects: Projects) -> None:
        self._projects = projects

    def authenticate(self, request: Request) -> Credential | None:
        word, _, encoded = (request.header(b"authorization") or "").partition(" ")
        if word.lower() != "basic":
            return None
        try:
            username, _, password = base64.b64decode(encoded.strip().encode(), validate=True).partition(b":")
        except binascii.Error:
            raise Unauthorized("The Authorization header is not valid Base64.") from None
        digest = sha256(password).digest()
        for credential in self._projects.credentials(self.name, username.decode("latin-1")):
            if hmac.compare_digest(credential.digest, digest):
                return credential
        raise Unauthorized("Unknown user name or wrong password")

    def issue(self, project: Project) -> Issued:
        """A password of 256 random bits needs no slow hash."""
        username, password = secrets.token_hex(8), secrets.token_hex(32)
        return Issued(
            {"username": username, "password": password}, lookup=username, digest=sha256(password.encode()).digest()
        )
