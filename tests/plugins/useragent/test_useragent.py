"""Browsers, systems and devices of real user agents; which of them are crawlers."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saastracker.config import load_config
from saastracker.errors import OperatorError
from saastracker.event import NAME_MAX, Event
from saastracker.testing import PROJECT
from saastracker.wire import Sender
from saastracker_useragent import UserAgents, enrichers

AGENTS = UserAgents(drop_bots=True)
WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def enriched(user_agent: str | None, sender: Sender = "browser", agents: UserAgents = AGENTS) -> Event:
    event = Event(name="a", user_agent=user_agent)
    agents.enrich([event], PROJECT, sender, None)
    return event


WINDOWS = f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT}"
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
IPHONE = f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) {APPLE}"
IPAD = f"Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) {APPLE}"
ANDROID = f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT}"


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        (f"{WINDOWS} Chrome/131.0.0.0 Safari/537.36", ("Chrome", "Windows", "desktop")),
        (f"{WINDOWS} Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0", ("Edge", "Windows", "desktop")),
        (f"{MAC} Gecko/20100101 Firefox/127.0", ("Firefox", "Mac OS X", "desktop")),
        (f"{MAC} {APPLE} Version/17.1 Safari/605.1.15", ("Safari", "Mac OS X", "desktop")),
        (f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {WEBKIT} Chrome/119.0.0.0", ("Chrome", "Chrome OS", "desktop")),
        (f"{IPHONE} Version/17.1 Mobile/15E148 Safari/604.1", ("Safari", "iOS", "mobile")),
        (f"{IPHONE} CriOS/119.0 Mobile/15E148 Safari/604.1", ("Chrome", "iOS", "mobile")),
        (f"{IPHONE} Mobile/15E148", ("Safari", "iOS", "mobile")),
        (f"{IPAD} Version/16.6 Mobile/15E148 Safari/604.1", ("Safari", "iOS", "tablet")),
        (f"{ANDROID} Chrome/131.0.0.0 Mobile Safari/537.36", ("Chrome", "Android", "mobile")),
        (f"{ANDROID} Chrome/131.0.0.0 Safari/537.36", ("Chrome", "Android", "tablet")),
        (f"{ANDROID.replace('K', 'CUBOT X30', 1)} Chrome/119.0 Mobile", ("Chrome", "Android", "mobile")),
        ("Mozilla/5.0 (Android 13; Mobile; rv:120.0) Gecko/120.0 Firefox/120.0", ("Firefox", "Android", "mobile")),
        (f"Mozilla/5.0 (Web0S; Linux/SmartTV) {WEBKIT} Chrome/79.0 Safari/537.36", ("Chrome", "Web0S", "tv")),
        (f"Mozilla/5.0 (PlayStation; PlayStation 5/6.00) {APPLE} Version/15.4 Safari/605", ("Safari", None, "console")),
        (f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} HeadlessChrome/156.0.0.0", ("Chrome", "Linux", "desktop")),
        ("curl/7.88.1", ("curl", None, None)),
        ("something else", (None, None, None)),
    ],
)
def test_what_a_user_agent_says(user_agent: str, expected: tuple[str | None, str | None, str | None]) -> None:
    event = enriched(user_agent)
    assert (event.browser, event.os, event.device) == expected
    assert event.drop is None


@pytest.mark.parametrize(
    "user_agent",
    [
        GOOGLEBOT,
        f"{ANDROID} Chrome/41.0 Mobile Safari/537.36 (compatible; Googlebot/2.1)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
        "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
        "Mozilla/5.0 (compatible; Yahoo! Slurp; http://help.yahoo.com/help/us/ysearch/slurp)",
        f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) {APPLE} Version/13.1.1 Safari/605.1.15 (Applebot/0.1)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
        f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} Chrome/119 Safari/537.36 (compatible; Google-InspectionTool/1.0;)",
        "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "Mediapartners-Google",
        "Screaming Frog SEO Spider/19.0",
        "Twitterbot/1.0",
        "CCBot/2.0 (https://commoncrawl.org/faq/)",
        "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)",
    ],
)
def test_crawlers_that_name_themselves_are_left_out(user_agent: str) -> None:
    event = enriched(user_agent)
    assert (event.drop, event.device) == ("bot", "bot")


@pytest.mark.parametrize(
    "user_agent",
    [
        None,
        "",
        f"Mozilla/5.0 (X11; Linux x86_64) {WEBKIT} HeadlessChrome/156.0.0.0 Safari/537.36",
        "python-requests/2.34.2",
        "python-urllib3/1.26",
        "curl/7.88.1",
        "okhttp/4.9.3",
        "Go-http-client/1.1",
        "Java/17.0.1",
        "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
        "Google-HTTP-Java-Client/1.42 (gzip)",
        "axios/1.6.0",
        f"Mozilla/5.0 (Linux; Android 9; AFTMM) {WEBKIT} Silk/108.4.6 like Chrome/108.0 Safari/537.36",
        "\0",
    ],
)
def test_all_others_are_kept(user_agent: str | None) -> None:
    assert enriched(user_agent).drop is None


@pytest.mark.parametrize("sender", ["server", "app"])
def test_only_pages_are_visited_by_crawlers(sender: Sender) -> None:
    event = enriched(GOOGLEBOT, sender)
    assert (event.drop, event.device, event.browser) == (None, "bot", "Googlebot")


def test_an_event_without_a_user_agent_keeps_what_it_has() -> None:
    event = Event(name="a", browser="Chrome", os="Linux", device="desktop")
    AGENTS.enrich([event], PROJECT, "browser", None)
    assert (event.browser, event.os, event.device) == ("Chrome", "Linux", "desktop")


def test_each_event_of_a_request_has_its_own_user_agent() -> None:
    events = [Event(name="a", user_agent=GOOGLEBOT), Event(name="b", user_agent="curl/7.88.1"), Event(name="c")]
    AGENTS.enrich(events, PROJECT, "browser", "192.0.2.1")
    assert [event.drop for event in events] == ["bot", None, None]


def test_a_long_user_agent_is_cut() -> None:
    assert enriched("x" * 1024 + " Googlebot/2.1").drop is None


@given(st.text(max_size=1500))
@settings(deadline=None)
def test_any_text_has_an_answer_that_can_be_stored(text: str) -> None:
    event = enriched(text)
    for found in (event.browser, event.os, event.device):
        assert found is None or 0 < len(found) <= NAME_MAX


def _configured(folder: Path, text: str) -> UserAgents:
    file = folder / "config.toml"
    file.write_text(text)
    (agents,) = enrichers(load_config(file, folder))
    assert isinstance(agents, UserAgents)
    return agents


def test_the_operator_may_keep_crawlers(tmp_path: Path) -> None:
    assert enriched(GOOGLEBOT, agents=_configured(tmp_path, "")).drop == "bot"
    kept = _configured(tmp_path, "[plugin.useragent]\ndrop_bots = false\n")
    assert enriched(GOOGLEBOT, agents=kept).drop is None


def test_a_wrong_setting_is_told(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="drop_bots"):
        _configured(tmp_path, "[plugin.useragent]\ndrop_bot = false\n")
