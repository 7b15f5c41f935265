"""What several tests of the Python SDK need."""

import pytest

from saastracker_sdk import patience


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first wait before a request is sent again is short; the others grow from it as ever."""
    monkeypatch.setattr(patience, "FIRST_SECONDS", 0.1)
