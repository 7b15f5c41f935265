"""Sessions are told apart by browser and system."""

import pytest

from saastracker.accounts.agents import in_words

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0"
BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"
CHROME = "Chrome/140.0.0.0 Safari/537.36"
IPHONE = "iPhone; CPU iPhone OS 18_0 like Mac OS X"
MAC = "Macintosh; Intel Mac OS X 10_15_7"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (f"Mozilla/5.0 (X11; Linux x86_64) {BLINK} {CHROME}", "Chrome on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {BLINK} {CHROME} Edg/140.0.0.0", "Edge on Windows"),
        (f"Mozilla/5.0 ({IPHONE}) {WEBKIT} Mobile/15E148 Safari/604.1", "Safari on iOS"),
        (f"Mozilla/5.0 ({MAC}) {WEBKIT} Safari/605.1.15", "Safari on macOS"),
        (f"Mozilla/5.0 (Linux; Android 15) {BLINK} SamsungBrowser/27.0 {CHROME}", "Samsung Internet on Android"),
        ("curl/8.5.0", "Unknown browser"),
        ("", "Unknown browser"),
    ],
)
def test_user_agents(user_agent: str, words: str) -> None:
    assert in_words(user_agent) == words
