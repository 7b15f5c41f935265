"""What the stores are compared with."""

from collections.abc import Iterator

import pytest

from tests.same_reports import Compared, compared


@pytest.fixture(scope="session")
def same(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compared]:
    with compared(tmp_path_factory.mktemp("compared")) as sqlite:
        yield sqlite
