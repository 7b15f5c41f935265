"""The project-key scheme keeps the contract; a malformed body is told before a missing key."""

from collections.abc import Mapping

import msgspec
import pytest

from saastracker.errors import Invalid, Unauthorized
from saastracker.testing import PROJECT, request
from saastracker.testing.auth import AuthSchemeContract
from saastracker.testing.projects import InMemoryProjects
from saastracker.wire import Request
from saastracker_project_key import ProjectKey


class TestContract(AuthSchemeContract):
    secret = "key"
    public = True

    def make(self, projects: InMemoryProjects) -> ProjectKey:
        return ProjectKey(projects)

    def carry(self, shown: Mapping[str, str]) -> Request:
        return request(msgspec.json.encode({"url": "https://a.example/", "projectKey": shown["key"]}))


def test_the_key_is_read_from_the_decompressed_body() -> None:
    projects = InMemoryProjects()
    scheme = ProjectKey(projects)
    issued = projects.issue(scheme, PROJECT)
    assert issued.lookup == issued.shown["key"]
    sent = request(b'{"projectKey":"' + issued.shown["key"].encode() + b'"}')
    sent.raw = b"gzip"
    assert scheme.authenticate(sent).project is PROJECT


@pytest.mark.parametrize("body", [b"{}", b'{"projectKey":null}', b'{"projectKey":""}', b'{"project_key":"a"}'])
def test_a_missing_key_is_named(body: bytes) -> None:
    with pytest.raises(Unauthorized, match="projectKey"):
        ProjectKey(InMemoryProjects()).authenticate(request(body))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"projectKey":"a"', b'{"projectKey":5}', b'{"a":"\xff"}'])
def test_a_malformed_body_is_invalid(body: bytes) -> None:
    with pytest.raises(Invalid):
        ProjectKey(InMemoryProjects()).authenticate(request(body))
