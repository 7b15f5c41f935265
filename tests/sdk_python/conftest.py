"""What several tests of the Python SDK need."""

import pytest

from saastracker_sdk import patience


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first wait before a request is sent again is short; the others grow from it as ever."""
    monkeypatch.setattr(patience, "FIRST_SECONDS", 0.1)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
