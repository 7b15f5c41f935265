"""Whatever an organization is called, its page is reached, as a browser reads the address."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from saastracker.web.items import quoted, stepless, unquoted


@given(st.text(min_size=1, max_size=8) | st.text("./%2Fjson", min_size=1, max_size=12))
@example("..")
@example(".")
@example("./..")
@example("./")
@example("a/b")
@example("a.json")
@example("%2E%2E")
def test_ids_come_back_as_they_were(text: str) -> None:
    try:
        address = f"/p/shop/organizations/{quoted(text)}"
    except UnicodeEncodeError:  # lone surrogates, which no store keeps
        return
    assert urlsplit(urljoin("http://host/p/shop/home", address)).path == address
    part = address.removeprefix("/p/shop/organizations/")
    assert "/" not in part
    assert unquoted(part) == text
    assert not part.endswith((".json", ".csv"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("organizations/..", "organizations/.%2F.."),
        ("organizations/.", "organizations/.%2F."),
        ("../x", ".%2F../x"),
        ("organizations/.%2Fx", "organizations/.%2F.%2Fx"),
        ("organizations/...", "organizations/..."),
        ("organizations/a..", "organizations/a.."),
        ("organizations/.a", "organizations/.a"),
        ("pages/detail", "pages/detail"),
    ],
)
def test_no_part_of_a_path_is_a_step(path: str, expected: str) -> None:
    assert stepless(path) == expected
