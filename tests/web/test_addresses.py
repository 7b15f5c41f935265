"""Whatever id a report's things have, each has an address of its own."""

import re
from dataclasses import replace
from urllib.parse import quote

import pytest

from saastracker.contracts import Reader, ReportPage
from saastracker.report import Column, Note, Report, Table
from saastracker.scope import Scope
from saastracker.web.answers import local_path
from saastracker.web.items import quoted

from .conftest import Running

IDS = [
    *(".", "..", "./..", "../a"),
    *("/", "//", "/pricing", "pricing", "/pricing/", "/a/b", "/a//b", "a b", "/?q=1#x", "/%2F", "é/ü"),
    *("/data.json", "/data.csv", ".json", "json", "/.csv", "/x.json/", "/a.json.csv"),
]


def things(reader: Reader, scope: Scope) -> Report:
    columns = (Column("thing", "Thing", link="echo/{thing}"),)
    return Report(blocks=(Table(key="things", title="Things", columns=columns, rows=[[each] for each in IDS]),))


def thing(reader: Reader, scope: Scope, item: str) -> Report:
    return Report(title=item, blocks=(Note(key="echo", text=item),))


@pytest.fixture
def echoing(running: Running) -> Running:
    page = ReportPage(slug="echo", title="Echo", section="Overview", load=things, detail=thing)
    return replace(running, site=replace(running.site, reports={"echo": page}))


def test_links_lead_to_what_they_name(echoing: Running) -> None:
    token = echoing.token()
    page = echoing.get("/p/shop/echo?limit=100", token=token).text
    addresses = re.findall(r'href="(/p/shop/echo/[^"]+)"', page)
    assert len(set(addresses)) == len(IDS)
    for address, item in zip(addresses, IDS, strict=True):
        plain = address.partition("?")[0]
        for query in ("", "?range=7d"):
            twin = echoing.get(f"{plain}.json{query}", token=token).json()
            assert twin["blocks"] == [{"type": "note", "key": "echo", "text": item}]
        shown = echoing.get(plain, token=token)
        assert shown.headers["content-type"].startswith("text/html")
        assert f'href="{plain}.json' in shown.text
        assert echoing.get(f"{plain}.csv", token=token).text.split("\r\n")[1].lstrip("'") == item


def test_an_id_may_be_typed_as_it_is(echoing: Running) -> None:
    token = echoing.token()
    for typed, item in (("a/b", "a/b"), ("a/b/", "a/b"), ("/a", "/a")):
        assert f"<h1>{item}</h1>" in echoing.get(f"/p/shop/echo/{typed}", token=token).text
    assert "<h1>Echo</h1>" in echoing.get("/p/shop/echo/", token=token).text


@pytest.mark.parametrize("item", ["a\r\nset-cookie: owl=1", "猫頭鷹", "a/b%c"])
def test_what_an_id_holds_breaks_no_header(running: Running, item: str) -> None:
    def rows(reader: Reader, scope: Scope, item: str) -> Report:
        return Report(blocks=(Table(key="t", title="T", columns=(Column("n", "N", "number"),), rows=[[1], [2]]),))

    page = ReportPage(slug="echo", title="Echo", section="Overview", load=things, detail=rows)
    echoing = replace(running, site=replace(running.site, reports={"echo": page}))
    address, token = f"/p/shop/echo/{quoted(item)}", echoing.token()
    for face in ("json", "csv"):
        first = echoing.get(f"{address}.{face}?limit=1", token=token)
        onward = re.fullmatch(r'<(.+)>; rel="next"', first.headers["link"])
        assert onward
        assert "set-cookie" not in first.headers
        assert onward[1].startswith(f"{address}.{face}?")
        assert "2" in echoing.get(onward[1], token=token).text.splitlines()[-1]
    shown = echoing.get(address, token=token).text
    assert f'name="next" value="{address}"' in shown  # of the forms that lead back, such as that of the theme
    assert local_path(address) == address
    assert echoing.get(address, headers={"accept": "text/html"}).headers["location"].endswith(quote(address, safe=""))
