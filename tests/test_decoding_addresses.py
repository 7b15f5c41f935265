"""What decoders take from a URL, and which pages may send to a project."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker import decoding
from saastracker.errors import Forbidden
from saastracker.event import PATH_MAX
from saastracker.testing import PROJECT, request


@pytest.mark.parametrize(
    ("url", "path", "host"),
    [
        (None, None, None),
        ("", None, None),
        ("https://App.Example.com:8443/a/b?q=1#top", "/a/b", "app.example.com"),
        ("https://example.com", "/", "example.com"),
        ("https://user:pw@example.com/", "/", "example.com"),
        ("/only/a/path?x", "/only/a/path", None),
        ("?x", None, None),
        ("https://[::1]/x", "/x", "::1"),
        ("https://[::1/x", None, None),
        ("https://example.com:port/x", "/x", "example.com"),
        ("https://e.example/" + "x" * 3000, "/" + "x" * (PATH_MAX - 1), "e.example"),
    ],
)
def test_the_path_and_host_of_a_url(url: str | None, path: str | None, host: str | None) -> None:
    assert decoding.url_path(url) == path
    assert decoding.url_host(url) == host


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (None, None),
        ("", None),
        ("/a?b#c", "/a"),
        ("/a#c?b", "/a"),
        ("/a", "/a"),
        ("?a", None),
        ("/" * 3000, "/" * PATH_MAX),
    ],
)
def test_a_path_without_query(path: str | None, expected: str | None) -> None:
    assert decoding.plain_path(path) == expected


def test_the_campaign_of_a_url() -> None:
    url = "https://example.com/?utm_source=news&utm_campaign=x%20y&utm_medium=&q=1&utm_term=a%00b"
    assert decoding.url_campaign(url) == {"source": "news", "campaign": "x y"}
    assert decoding.url_campaign("https://example.com/?" + "utm_a=1&" * 200) == {}
    assert decoding.url_campaign(None) == {}


@given(st.text())
def test_any_text_may_stand_where_a_url_should(text: str) -> None:
    for url in (text, f"https://{text}", f"//{text}@{text}", f"https://[{text}]/?utm_source={text}"):
        path, host = decoding.url_path(url), decoding.url_host(url)
        assert path is None or 1 <= len(path) <= PATH_MAX
        assert host is None or host == host.lower()
        assert all(decoding.url_campaign(url).values())


# --- Allowed origins ---


def allows(origins: tuple[str, ...], url: str | None, origin: str | None = None) -> bool:
    sent = request(headers={} if origin is None else {"Origin": origin})
    try:
        decoding.check_origin(sent, msgspec.structs.replace(PROJECT, origins=origins), url)
    except Forbidden:
        return False
    return True


@pytest.mark.parametrize(
    ("origins", "url", "origin", "expected"),
    [
        ((), None, None, True),
        ((), "https://anything.example", None, True),
        (("example.com",), "https://example.com/x", None, True),
        (("example.com",), "https://EXAMPLE.com:8443/x", None, True),
        (("example.com",), None, "https://example.com", True),
        (("example.com",), "/path/only", "https://example.com", True),
        (("a.example", "b.example"), "https://b.example", None, True),
        (("example.com",), None, None, False),
        (("example.com",), None, "null", False),
        (("example.com",), "https://www.example.com", None, False),
        (("example.com",), "https://evil.example", "https://example.com", False),
        (("example.com",), "https://example.com.evil.example/", None, False),
        (("example.com",), "https://evilexample.com/", None, False),
        (("example.com",), "https://example.com@evil.example/", None, False),
        (("example.com",), "https://evil.example/?x=example.com", None, False),
        (("example.com",), "https://evil.example#@example.com", None, False),
        (("example.com",), "https://evil.example\\@example.com", None, False),
        (("*.example.com",), "https://a.example.com", None, True),
        (("*.example.com",), "https://a.b.example.com", None, True),
        (("*.example.com",), "https://example.com", None, False),
        (("*.example.com",), "https://aexample.com", None, False),
        (("*.example.com",), "https://a.example.com.evil.example", None, False),
    ],
)
def test_allowed_origins(origins: tuple[str, ...], url: str | None, origin: str | None, expected: bool) -> None:
    assert allows(origins, url, origin) is expected
