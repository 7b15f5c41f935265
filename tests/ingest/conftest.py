"""A running application, and a project of its own for each test."""

import asyncio
from collections.abc import Iterator

import pytest

import saastracker_sqlite.database
from tests.ingest.driving import Shop, Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as runner:
        patch.setattr(saastracker_sqlite.database, "BUSY_SECONDS", 0.05)
        site = Site(tmp_path_factory.mktemp("site"), runner)
        site.start()
        yield site
        site.stop()


@pytest.fixture
def shop(site: Site) -> Shop:
    return site.add_project()
