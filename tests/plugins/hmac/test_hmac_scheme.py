"""The hmac scheme keeps the contract and verifies what openssl and the docs' own snippets sign."""

import hashlib
import hmac
from collections.abc import Mapping
from pathlib import Path

import pytest

from saastracker.errors import NotFound, Unauthorized
from saastracker.testing import OTHER_PROJECT, PROJECT, recorded, request
from saastracker.testing.auth import AuthSchemeContract
from saastracker.testing.projects import InMemoryProjects
from saastracker.wire import Credential, Request
from saastracker_hmac import Hmac

CAPTURES = Path(__file__).parents[2] / "captures"
BODY = b'{"event":"page_view"}'


def signed(app_uuid: str, secret: str, body: bytes = BODY) -> Request:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return request(body, headers={"X-App-Uuid": app_uuid, "X-Signature": signature})


class TestContract(AuthSchemeContract):
    secret = "api_secret"

    def make(self, projects: InMemoryProjects) -> Hmac:
        return Hmac(projects)

    def carry(self, shown: Mapping[str, str]) -> Request:
        return signed(shown["app_uuid"], shown["api_secret"])


class OneProject:
    """Keys that were not made by `issue`: any text can be a secret."""

    def __init__(self, *secrets: str) -> None:
        self._credentials = [Credential(PROJECT, secret=secret.encode()) for secret in secrets]

    def credentials(self, scheme: str, lookup: str) -> list[Credential]:
        return self._credentials if (scheme, lookup) == ("hmac", PROJECT.id) else []


def test_issue_shows_the_app_uuid_and_the_secret_as_it_is_used() -> None:
    issued = Hmac(InMemoryProjects()).issue(PROJECT)
    assert issued.shown["app_uuid"] == issued.lookup == PROJECT.id
    assert issued.shown["api_secret"].encode() == issued.secret


@pytest.mark.parametrize(
    ("secret", "signature"),
    [
        ("s3cret", "6166bb6f14ffaa009b046e4bc49715962ebb4e31db3245fffe73088968af165c"),
        ("schlüssel-ключ", "a701788ebf79988970ee7dfd98b0d2cf604729520bc4a95b6e461dfe6dea0302"),
        ("a b\tc", "9e357bc063b8484c44e0d54127bbfbea3ac75b22d423326287e5a5ce2e38da47"),
    ],
)
def test_signatures_made_by_openssl(secret: str, signature: str) -> None:
    """printf '%s' "$BODY" | openssl dgst -sha256 -hmac "$SECRET"."""
    sent = request(BODY, headers={"x-app-uuid": PROJECT.id, "x-signature": signature})
    assert Hmac(OneProject(secret)).authenticate(sent).project is PROJECT


def test_rfc_4231_case_2() -> None:
    signature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    sent = request(b"what do ya want for nothing?", headers={"x-app-uuid": PROJECT.id, "x-signature": signature})
    assert Hmac(OneProject("Jefe")).authenticate(sent).project is PROJECT


@pytest.mark.parametrize("name", ["seed-saastracker_curl", "seed-saastracker_python"])
def test_a_recorded_request_signed_again(name: str) -> None:
    """The recordings do not tell their secret, so the signature is made anew over their bytes."""
    sent = recorded(CAPTURES / f"{name}.json")
    scheme = Hmac(OneProject("s3cret"))
    with pytest.raises(Unauthorized, match=r"^Invalid signature$"):
        scheme.authenticate(sent)
    sent.headers[b"x-signature"] = hmac.new(b"s3cret", sent.raw, hashlib.sha256).hexdigest().encode()
    assert scheme.authenticate(sent).project is PROJECT


def test_the_signature_covers_the_bytes_as_received_not_as_decompressed() -> None:
    sent = signed(PROJECT.id, "s3cret")
    sent.body = b"something else"
    assert Hmac(OneProject("s3cret")).authenticate(sent).project is PROJECT
    sent.raw += b" "
    with pytest.raises(Unauthorized):
        Hmac(OneProject("s3cret")).authenticate(sent)


def test_either_of_two_secrets_is_taken_during_rotation() -> None:
    scheme = Hmac(OneProject("old", "new"))
    assert scheme.authenticate(signed(PROJECT.id, "old")).project is PROJECT
    assert scheme.authenticate(signed(PROJECT.id, "new")).project is PROJECT


def test_the_uuid_is_taken_in_either_case_the_signature_is_not() -> None:
    scheme = Hmac(OneProject("s3cret"))
    sent = signed(PROJECT.id.upper(), "s3cret")
    assert scheme.authenticate(sent).project is PROJECT
    sent.headers[b"x-signature"] = sent.headers[b"x-signature"].upper()
    with pytest.raises(Unauthorized):
        scheme.authenticate(sent)


@pytest.mark.parametrize("missing", ["x-app-uuid", "x-signature"])
@pytest.mark.parametrize("empty", [False, True])
def test_a_missing_header_is_named(missing: str, empty: bool) -> None:
    sent = signed(PROJECT.id, "s3cret")
    if empty:
        sent.headers[missing.encode()] = b""
    else:
        del sent.headers[missing.encode()]
    with pytest.raises(Unauthorized, match=missing):
        Hmac(OneProject("s3cret")).authenticate(sent)


@pytest.mark.parametrize("app_uuid", [OTHER_PROJECT.id, "no uuid", "\u00ff"])
def test_an_unknown_uuid_is_not_found_before_the_signature_is_looked_at(app_uuid: str) -> None:
    with pytest.raises(NotFound, match=r"^Unknown app_uuid$") as caught:
        Hmac(OneProject("s3cret")).authenticate(signed(app_uuid, "wrong"))
    assert (caught.value.status, caught.value.reason) == (404, "unknown_project")


def test_a_wrong_signature_is_counted_under_its_own_reason() -> None:
    with pytest.raises(Unauthorized) as caught:
        Hmac(OneProject("s3cret")).authenticate(signed(PROJECT.id, "wrong"))
    assert (caught.value.status, caught.value.detail, caught.value.reason) == (401, "Invalid signature", "signature")
