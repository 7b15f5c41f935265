"""Both schemes of the token in the query string keep the contract; only servers need its secret half."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pytest

from saastracker.errors import Unauthorized
from saastracker.testing import PROJECT, recorded, request
from saastracker.testing.auth import AuthSchemeContract
from saastracker.testing.projects import InMemoryProjects
from saastracker.wire import AuthScheme, Credential, Request
from saastracker_query_token import QueryKey, QueryToken

CAPTURES = Path(__file__).parents[2] / "captures"


class RecordedKeys:
    """The keys that the recorded requests carry."""

    def credentials(self, scheme: str, lookup: str) -> list[Credential]:
        digest = hashlib.sha256(b"umservertoken1").digest()
        return [Credential(PROJECT, digest=digest)] if (scheme, lookup) == ("query-token", "UMtestKEY1") else []


class TestQueryToken(AuthSchemeContract):
    secret = "server_token"

    def make(self, projects: InMemoryProjects) -> QueryToken:
        return QueryToken(projects)

    def carry(self, shown: Mapping[str, str]) -> Request:
        return request(query=f"token={shown['api_key']}.{shown['server_token']}")


class TestQueryTokenInTheHeader(TestQueryToken):
    def carry(self, shown: Mapping[str, str]) -> Request:
        return request(headers={"Authorization": f"Bearer {shown['api_key']}.{shown['server_token']}"})


class TestQueryKey(AuthSchemeContract):
    secret = "api_key"
    public = True

    def make(self, projects: InMemoryProjects) -> QueryKey:
        return QueryKey(projects)

    def make_issuer(self, projects: InMemoryProjects) -> QueryToken:
        return QueryToken(projects)

    def carry(self, shown: Mapping[str, str]) -> Request:
        return request(query=f"token={shown['api_key']}")


class TestQueryKeyUnderARandomName(TestQueryKey):
    def carry(self, shown: Mapping[str, str]) -> Request:
        return request(query=f"cookie_policy=strict&p_4z435={shown['api_key']}")


class TestQueryKeyOfAWholeToken(TestQueryKey):
    def carry(self, shown: Mapping[str, str]) -> Request:
        return request(query=f"token={shown['api_key']}.{shown['server_token']}")


@pytest.mark.parametrize("file", sorted(CAPTURES.glob("*usermaven*.json")), ids=lambda file: file.stem)
def test_recorded_requests(file: Path) -> None:
    sent = recorded(file)
    scheme = QueryToken if "/s2s/" in sent.path else QueryKey
    credential = scheme(RecordedKeys()).authenticate(sent)
    assert credential
    assert credential.project is PROJECT


@pytest.mark.parametrize("query", ["token=UMtestKEY1", "token=UMtestKEY1."])
def test_servers_need_the_secret_half(query: str) -> None:
    with pytest.raises(Unauthorized, match="public key alone"):
        QueryToken(RecordedKeys()).authenticate(request(query=query))


@pytest.mark.parametrize(
    "query", ["", "token=", "p_a1=UMtestKEY1&p_b2=UMtestKEY1", "p_=UMtestKEY1", "p_a-b=UMtestKEY1", "xp_a=UMtestKEY1"]
)
def test_what_is_no_token(query: str) -> None:
    assert QueryToken(RecordedKeys()).authenticate(request(query=query)) is None
    assert QueryKey(RecordedKeys()).authenticate(request(query=query)) is None


def test_a_token_in_the_query_counts_before_the_header() -> None:
    sent = request(query="token=UMtestKEY1.wrong", headers={"Authorization": "Bearer UMtestKEY1.umservertoken1"})
    with pytest.raises(Unauthorized, match=r"^Unknown or revoked token$"):
        QueryToken(RecordedKeys()).authenticate(sent)


def test_only_a_hash_of_the_server_token_is_kept() -> None:
    issued = QueryToken(InMemoryProjects()).issue(PROJECT)
    assert issued.lookup == issued.shown["api_key"]
    assert issued.digest == hashlib.sha256(issued.shown["server_token"].encode()).digest()
    assert issued.secret == b""
    assert "." not in issued.shown["api_key"]


def test_browsers_use_the_keys_of_servers() -> None:
    scheme: AuthScheme = QueryKey(InMemoryProjects())
    assert scheme.issue(PROJECT) is None
