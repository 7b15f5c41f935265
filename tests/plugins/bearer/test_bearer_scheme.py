"""The bearer scheme keeps the contract and stores only a hash of its key."""

import hashlib
from collections.abc import Mapping

import pytest

from saastracker.errors import Unauthorized
from saastracker.testing import PROJECT, request
from saastracker.testing.auth import AuthSchemeContract
from saastracker.testing.projects import InMemoryProjects
from saastracker.wire import Request
from saastracker_bearer import Bearer


class TestContract(AuthSchemeContract):
    secret = "key"

    def make(self, projects: InMemoryProjects) -> Bearer:
        return Bearer(projects)

    def carry(self, shown: Mapping[str, str]) -> Request:
        return request(headers={"Authorization": f"Bearer {shown['key']}"})


def test_a_key_is_256_random_bits_kept_as_their_sha256() -> None:
    issued = Bearer(InMemoryProjects()).issue(PROJECT)
    prefix, random = issued.shown["key"][:8], issued.shown["key"][8:]
    assert prefix == "pk_live_"
    assert len(bytes.fromhex(random)) == 32
    assert issued.lookup == hashlib.sha256(issued.shown["key"].encode()).hexdigest()
    assert (issued.secret, issued.digest) == (b"", b"")


@pytest.mark.parametrize("word", ["Bearer", "bearer", "BEARER"])
def test_the_word_bearer_is_taken_in_any_case(word: str) -> None:
    projects = InMemoryProjects()
    scheme = Bearer(projects)
    key = projects.issue(scheme, PROJECT).shown["key"]
    credential = scheme.authenticate(request(headers={"Authorization": f"{word}  {key} "}))
    assert credential
    assert credential.project is PROJECT


@pytest.mark.parametrize("header", ["", "Basic dTpw", "pk_live_abc", "Bearerpk_live_abc"])
def test_another_kind_of_authorization_is_not_its_own(header: str) -> None:
    assert Bearer(InMemoryProjects()).authenticate(request(headers={"Authorization": header})) is None


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer pk_live_", "Bearer \u00ff"])
def test_an_unknown_key_is_refused(header: str) -> None:
    with pytest.raises(Unauthorized, match=r"^Unknown or revoked key$"):
        Bearer(InMemoryProjects()).authenticate(request(headers={"Authorization": header}))
