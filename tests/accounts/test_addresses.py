"""Tries are counted by the address that a trusted proxy saw: behind one, nobody locks out everybody else."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.ingest.driving import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with asyncio.Runner() as runner:
        site = Site(tmp_path, runner)
        site.start()
        yield site
        site.stop()


def test_the_address_behind_a_proxy(site: Site) -> None:
    def fail(email: str, forwarded: str, client: str) -> int:
        form = {"email": email, "password": "wrong"}
        headers = {"x-forwarded-for": forwarded}
        [answer] = site.send(
            httpx.Request("POST", "http://localhost/sign-in", data=form, headers=headers), client=client
        )
        return answer.status_code

    proxy, guesser, colleague = "10.0.0.9", "192.0.2.1", "192.0.2.2"
    assert {fail(f"{number}@example.com", guesser, proxy) for number in range(20)} == {401}
    assert fail("ada@example.com", guesser, proxy) == 429
    assert fail("ada@example.com", colleague, proxy) == 401
    assert fail("ada@example.com", guesser, "198.51.100.1") == 401  # not a proxy: what it says is its own invention
