"""Follows the links of a site's pages, as far as they lead to another kind of page."""

import re
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx

# What names one of many in an address, and what it is replaced by.
MANY = (
    (re.compile(r"^/p/([^/]+)/(?!define/)([^/]+)/.+?(\.json|\.csv)?$"), r"/p/\1/\2/*\3"),
    (re.compile(r"^/p/([^/]+)/define/([^/]+)/(?!new$)[^/]+$"), r"/p/\1/define/\2/*"),
    (re.compile(r"^/settings/projects/([^/]+)/erase/([^/]+)/.+$"), r"/settings/erase/\1/\2/*"),
    (re.compile(r"^(/settings/.*?)(projects|keys|members|invitations|tokens|jobs|sessions)/[^/]+"), r"\1\2/*"),
)
ASIDE = {"workspace", "next"}  # names in a query string that make no other page


@dataclass
class Form:
    """What a page lets one send."""

    action: str
    method: str
    names: set[str] = field(default_factory=set)


class Seen(HTMLParser):
    """What is looked for in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.ids: Counter[str] = Counter()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.inline: list[str] = []  # what a strict Content-Security-Policy forbids
        self.forms: list[Form] = []
        self.title = self.lang = ""
        self._in_title = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags[tag] += 1
        self._in_title = tag == "title" and not self.title
        if "id" in given:
            self.ids[given["id"]] += 1
        if tag == "html":
            self.lang = given.get("lang", "")
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in {"script", "img", "iframe"}:
            self.loads.append(given.get("src", ""))
        if tag == "link":
            self.loads.append(given["href"])
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        if self.forms and "name" in given and tag in {"input", "select", "textarea", "button"}:
            self.forms[-1].names.add(given["name"])
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False


@dataclass
class Page:
    """One answer to a link."""

    path: str  # with the query string
    answer: httpx.Response
    linked: str  # the page it was found on

    @property
    def html(self) -> bool:
        kind: str = self.answer.headers.get("content-type", "")
        return kind.startswith("text/html")

    @cached_property
    def seen(self) -> Seen:
        return Seen(self.answer.text)

    @cached_property
    def links(self) -> list[str]:
        """Paths on this server, with their query strings."""
        links = dict.fromkeys(self.seen.links)
        resolved = (urlsplit(urljoin(f"http://here{self.path}", link)) for link in links)
        return [_path(each.path, each.query) for each in resolved if each.netloc == "here"]

    @property
    def forms(self) -> dict[tuple[str, ...], str]:
        """Addresses to which the page's forms are sent, by kind."""
        sent = (urljoin(self.path, form.action) for form in self.seen.forms if form.method == "post")
        return {kind(action): action for action in sent}


def _path(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


@cache
def kind(path: str) -> tuple[str, ...]:
    """What addresses of the same kind of page share: all but what names one of many, and values in the query."""
    whole = urlsplit(path).path
    for pattern, general in MANY:
        whole = pattern.sub(general, whole)
    return (whole, *sorted(set(_names(path))))


@cache
def _names(path: str) -> list[str]:
    names = (name for name, _ in parse_qsl(urlsplit(path).query, keep_blank_values=True))
    return [name for name in names if name not in ASIDE]


def crawl(client: httpx.Client, *, varied: str = "") -> Iterator[Page]:
    """Every kind of page and file behind the links, from `/` on.

    Addresses with a name in the query string only of pages below `varied`.
    """
    waiting, known = deque([("/", "")]), {kind("/")}
    while waiting:
        path, linked = waiting.popleft()
        page = Page(path, client.get(path), linked)
        yield page
        found = [page.answer.headers["location"]] if page.answer.is_redirect else page.links if page.html else []
        for link in found:
            if kind(link) not in known and len(_names(link)) <= _varies(link, varied):
                known.add(kind(link))
                waiting.append((link, path))


def _varies(link: str, varied: str) -> bool:
    return bool(varied) and link.startswith(varied) and not urlsplit(link).path.endswith((".json", ".csv"))
