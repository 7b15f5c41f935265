"""Browser, system and device of a user agent; what crawlers that name themselves cause is left out."""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Annotated, NamedTuple

import msgspec
from ua_parser import Domain, load_lazy_builtins
from ua_parser.lazy import DeviceMatcher
from ua_parser.regex import Resolver

from saastracker.contracts import Config
from saastracker.decoding import clip
from saastracker.event import NAME_MAX, Event
from saastracker.hookspecs import hookimpl
from saastracker.wire import Enricher, Project, Sender

TEXT_MAX = 1024  # characters of a user agent that are looked at
CACHED = 10_000  # user agents; 10 MB if all of them are that long
BOT = "bot"

# The first that matches. They stand in for ua-parser's 630 patterns of makes and models, which double
# start time and memory, call HTTP libraries spiders, and leave desktops out.
DEVICES = (
    # "CUBOT" makes phones.
    DeviceMatcher(r"(?:^|[^u]|[^c]u)bots?(?:[^a-z]|$)|crawl|spider|slurp|scrapy|archiver|heritrix|nutch", "i", BOT),
    DeviceMatcher(
        r"facebookexternalhit|meta-external|mediapartners-google|googleother|apis-google|feedfetcher", "i", BOT
    ),
    DeviceMatcher(r"google-(?:inspectiontool|read-aloud)|(?:claude|perplexity)-(?:user|web)|bingpreview", "i", BOT),
    DeviceMatcher(r"PlayStation|Nintendo|Xbox", None, "console"),
    DeviceMatcher(r"\bTV\b|Smart-?TV|HbbTV|AppleTV|GoogleTV|BRAVIA|\bAFT[A-Z]|CrKey|Roku|Web0S|NetCast", "i", "tv"),
    DeviceMatcher(r"iPad|Tablet|Kindle|Silk/|PlayBook", None, "tablet"),
    DeviceMatcher(r"Mobile|iPhone|iPod|Windows Phone|Opera Mini", None, "mobile"),
    DeviceMatcher(r"Android", None, "tablet"),
    DeviceMatcher(r"Windows NT|Macintosh|X11|CrOS", None, "desktop"),
)
# The same browser on a phone or without a window: the device says the rest.
_VARIANT = re.compile(r"^Headless|^Mobile | Mobile\b| iOS$| WebView$| UI/WKWebView$")


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`[plugin.useragent]`"""

    drop_bots: Annotated[
        bool, msgspec.Meta(description="leave out what crawlers that name themselves send from pages")
    ] = True


class Client(NamedTuple):
    """What a user agent says of itself."""

    browser: str | None
    os: str | None
    device: str | None


class UserAgents:
    """Fills browser, os and device. HTTP libraries, headless browsers and no user agent at all are not bots."""

    name = "useragent"

    def __init__(self, *, drop_bots: bool) -> None:
        self._drop_bots = drop_bots
        self._resolve = _resolver()
        self._client = lru_cache(CACHED)(self._parse)

    def enrich(self, events: Sequence[Event], project: Project, sender: Sender, address: str | None) -> None:  # noqa: ARG002
        for event in events:
            if event.user_agent:
                event.browser, event.os, event.device = self._client(event.user_agent[:TEXT_MAX])
                if event.device == BOT and self._drop_bots and sender == "browser":
                    event.drop = BOT

    def _parse(self, text: str) -> Client:
        found = self._resolve(text, Domain.ALL)
        browser = found.user_agent.family if found.user_agent else None
        return Client(
            browser=_family(browser and _VARIANT.sub("", browser)),
            os=_family(found.os.family if found.os else None),
            device=found.device.family if found.device else None,
        )


@cache
def _resolver() -> Resolver:
    """Compiles all patterns, which takes 40 ms."""
    browsers, systems, _ = load_lazy_builtins()
    return Resolver((browsers, systems, list(DEVICES)))


def _family(name: str | None) -> str | None:
    return None if name == "Other" else clip(name, NAME_MAX)


@hookimpl
def enrichers(config: Config) -> list[Enricher]:
    return [UserAgents(drop_bots=config.plugin("useragent", Settings).drop_bots)]
