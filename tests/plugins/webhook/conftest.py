"""A web server that receives webhooks."""

from collections.abc import Iterator

import pytest

from tests.plugins.webhook.receiving import Receiver, serving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with serving() as server:
        yield server
