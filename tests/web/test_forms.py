"""Definitions as pages: made, changed, deleted and restored with plain forms; who may, and what is told."""

import re
from dataclasses import replace
from html import unescape
from urllib.parse import urlencode

import httpx
import msgspec
import pytest

import saastracker_adoption
from saastracker.accounts.csrf import csrf_token
from saastracker.contracts import ReportPage
from saastracker.definitions import Definitions
from saastracker.event import Event
from saastracker.records import now_ms
from saastracker.report import Action, Column, Report, Table
from saastracker.testing.indexing import follow
from saastracker.web.site import SESSION_COOKIE

from .conftest import Flag, Rule, Running
from .test_sign_in import join

FLAGS = "/p/shop/define/flag"
FORGED = ("{", "[]", '{"rules":3}', '{"rules":[{"x":[]}]}', '{"name":"\\u0000"}', '{"name":' + "[" * 9000)


@pytest.fixture
def member(running: Running) -> dict[str, str]:
    return join(running, "mia@example.com")


def send(running: Running, who: dict[str, str], path: str, **fields: str) -> httpx.Response:
    data = {"csrf": csrf_token(who[SESSION_COOKIE]), "$.name": "Beta", **fields}
    data = {name: text for name, text in data.items() if text != "-"}
    return running.request("POST", path, cookies=who, data=data, headers={"accept": "text/html"})


def made(running: Running, name: str = "Beta", *rules: Rule) -> str:
    value = Flag(name=name, rules=rules)
    return running.site.definitions.create(running.shop.id, "flag", value=value, who="ada@example.com").id


def values(running: Running) -> list[Flag]:
    return [each.value for each in running.site.definitions.of(running.shop.id, "flag")]


def value_of(text: str, name: str) -> str:
    """Of a field of the main form."""
    form = text.partition('class="panel define"')[2].partition("</form>")[0]
    found = re.search(rf'name="{re.escape(name)}"[^>]* value="([^"]*)"', form)
    assert found, name
    return found[1]


def test_one_is_made(running: Running, member: dict[str, str]) -> None:
    assert "None yet" in running.get(FLAGS, cookies=member).text
    form = running.get(f"{FLAGS}/new?next=/p/shop/stream", cookies=member)
    assert form.status_code == 200
    assert value_of(form.text, "next") == "/p/shop/stream"
    assert 'method="post" action="/p/shop/define/flag/new"' in form.text
    rules = {"$.rules[3]": "", "$.rules[3].name": "a<b", "$.rules[0]": "", "$.rules[0].name": "z"}
    answer = send(running, member, f"{FLAGS}/new", next="/p/shop/stream", **rules)
    assert (answer.status_code, answer.headers["location"]) == (303, "/p/shop/stream")
    assert values(running) == [Flag("Beta", (Rule("z"), Rule("a<b")))]
    [flag] = running.site.definitions.of(running.shop.id, "flag")
    page = running.get(f"{FLAGS}/{flag.id}", cookies=member).text
    assert value_of(page, "$.rules[1].name") == "a&lt;b"
    assert "mia@example.com" in page
    assert f'<a href="{FLAGS}/{flag.id}">Beta</a>' in running.get(FLAGS, cookies=member).text
    assert send(running, member, f"{FLAGS}/new", next="//evil.example").headers["location"] == "/"


@pytest.mark.parametrize("onward", ["https://evil.example/sign-in", "//evil.example", "javascript:alert(1)"])
def test_a_form_leads_to_this_server_only(running: Running, member: dict[str, str], onward: str) -> None:
    one = made(running)
    for address in (f"{FLAGS}/new", f"{FLAGS}/{one}"):
        opened = running.get(f"{address}?{urlencode({'next': onward})}", cookies=member).text
        again = send(running, member, address, do="add $.rules", next=onward).text
        for page in (opened, again):
            assert value_of(page, "next") == "/"
            assert not re.search(r'href="(javascript:|(https:)?//evil)', page)


def test_rows_come_and_go_without_script(running: Running, member: dict[str, str]) -> None:
    more = send(running, member, f"{FLAGS}/new", do="add $.rules")
    assert (more.status_code, value_of(more.text, "$.name")) == (200, "Beta")
    assert 'id="$.rules[0].name"' in more.text
    less = send(running, member, f"{FLAGS}/new", do="remove $.rules[0]", **{"$.rules[0]": "", "$.rules[0].name": "z"})
    assert 'id="$.rules[0].name"' not in less.text
    assert send(running, member, f"{FLAGS}/new", do="fly $.rules").status_code == 400
    assert values(running) == []


def test_what_is_wrong_is_said_beside_its_field(running: Running, member: dict[str, str]) -> None:
    answer = send(running, member, f"{FLAGS}/new", **{"$.name": "", "$.rules[0]": "", "$.rules[0].name": "kept"})
    assert answer.status_code == 400
    assert re.search(r'id="\$\.name"[^>]* aria-invalid="true"', answer.text)
    assert '<span class="wrong" id="$.name-wrong" role="alert">Expected at least one character.</span>' in answer.text
    assert value_of(answer.text, "$.rules[0].name") == "kept"


def test_a_change_needs_the_newest_version_and_shows_both(running: Running, member: dict[str, str]) -> None:
    path = f"{FLAGS}/{made(running)}"
    assert value_of(running.get(path, cookies=member).text, "version") == "1"
    assert send(running, member, path, version="1", **{"$.name": "Mine"}).status_code == 303
    stale = send(running, member, path, version="1", **{"$.name": "Late"})
    assert stale.status_code == 412
    assert "mia@example.com saved version 2 after you opened this form" in stale.text
    assert "<dd>Mine</dd>" in stale.text
    assert value_of(stale.text, "$.name") == "Late"
    assert value_of(stale.text, "version") == "2"
    kept = send(running, member, path, version="1", do="add $.rules", **{"$.name": "Late"})
    assert value_of(kept.text, "version") == "1"  # more rows are no look at what is newest
    assert send(running, member, path, version="2", **{"$.name": "Late"}).status_code == 303
    assert values(running) == [Flag("Late")]


def test_deleted_ones_come_back(running: Running, member: dict[str, str]) -> None:
    definition = made(running, "Beta", Rule("z"))
    path = f"{FLAGS}/{definition}"
    send(running, member, path, version="1", **{"$.name": "Other"})
    assert send(running, member, path, version="1", do="delete").status_code == 412
    gone = send(running, member, path, version="2", do="delete")
    assert (gone.status_code, gone.headers["location"], values(running)) == (303, path, [])
    page = running.get(path, cookies=member).text
    assert "This flag was deleted. Restore any of its versions" in page
    assert page.count(">Restore</button>") == 2
    assert "makes it again" in send(running, member, path, version="2").text
    back = send(running, member, path, version="1", do="restore")
    assert (back.status_code, back.headers["location"]) == (303, path)
    [flag] = running.site.definitions.of(running.shop.id, "flag")
    assert (flag.id, flag.version, flag.value) == (definition, 3, Flag("Beta", (Rule("z"),)))
    assert send(running, member, path, version="9", do="restore").status_code == 404
    assert running.get(f"{FLAGS}/never", cookies=member).status_code == 404


def test_an_earlier_version_comes_back_as_the_newest(running: Running, member: dict[str, str]) -> None:
    path = f"{FLAGS}/{made(running)}"
    send(running, member, path, version="1", **{"$.name": "Other"})
    assert send(running, member, path, version="1", do="restore").headers["location"] == path
    [flag] = running.site.definitions.of(running.shop.id, "flag")
    assert (flag.version, flag.value) == (3, Flag("Beta"))


def test_a_preview_shows_what_would_be(running: Running, member: dict[str, str]) -> None:
    path = f"{FLAGS}/{made(running)}"
    shown = send(running, member, path, version="1", do="preview", **{"$.name": "Tried"})
    assert shown.status_code == 200
    assert "If you save this" in shown.text
    assert "Europe/Berlin" in shown.text
    assert ".csv" not in shown.text
    assert value_of(shown.text, "$.name") == "Tried"
    assert values(running) == [Flag("Beta")]
    assert ">Preview</button>" not in running.get("/p/shop/define/rule/new", cookies=member).text


def test_names_of_events_are_suggested(running: Running, member: dict[str, str]) -> None:
    kinds = {each.kind: each for each in saastracker_adoption.definitions(None)}  # type: ignore[arg-type]
    site = replace(running.site, definitions=Definitions(running.records, kinds))
    offered, path = replace(running, site=site), "/p/shop/define/feature/new"
    assert "<datalist" not in offered.get(path, cookies=member).text
    now = now_ms()
    running.add(*(Event(name=name, time=now, received_at=now) for name in ("open", "export&", "export&")))
    running.add(Event(name="theirs", time=now, received_at=now), project=running.foreign)
    follow(running.store, timezone="UTC")
    page = offered.get(path, cookies=member).text
    [told] = re.findall(r'<datalist id="event-names">(.*?)</datalist>', page)
    assert re.findall(r'value="([^"]*)"', told) == ["export&amp;", "open"]
    assert re.search(r'name="\$.rules\[0\].name"[^>]* list="event-names"', page)


def test_who_may_not_change_reads(running: Running) -> None:
    viewer = join(running, "vic@example.com", "viewer")
    path = f"{FLAGS}/{made(running)}"
    page = running.get(path, cookies=viewer)
    assert (page.status_code, "Beta" in page.text, ">Save<" in page.text) == (200, True, False)
    assert "/new" not in running.get(FLAGS, cookies=viewer).text
    html = {"accept": "text/html"}
    assert running.get(f"{FLAGS}/new", cookies=viewer, headers=html).status_code == 403
    for target in (path, f"{FLAGS}/new", FLAGS):
        assert send(running, viewer, target, version="1").status_code == 403
    token = {"saastracker_token": running.token("admin")}
    assert running.get(path, cookies=token).status_code == 200
    assert running.request("POST", path, cookies=token, data={"version": "1"}).status_code == 403
    assert values(running) == [Flag("Beta")]


def test_strangers_find_nothing_and_forms_need_their_token(running: Running, member: dict[str, str]) -> None:
    path = f"{FLAGS}/{made(running)}"
    stranger = join(running, "eve@example.com", workspace=running.foreign.workspace)
    for target in ("/p/shop/define", FLAGS, path, f"{FLAGS}/new"):
        assert running.get(target, cookies=stranger).status_code == 404
        assert running.get(target).status_code == 303
    assert send(running, stranger, path, version="1").status_code == 404
    assert running.get("/p/shop/define/nothing", cookies=member).status_code == 404
    for fields in ({"csrf": ""}, {"csrf": csrf_token("another")}, {"csrf": "-"}):
        assert send(running, member, path, version="1", do="delete", **fields).status_code == 403
    assert values(running) == [Flag("Beta")]


def test_all_kinds_are_listed(running: Running, member: dict[str, str]) -> None:
    page = running.get("/p/shop/define", cookies=member).text
    assert '<a href="/p/shop/define/flag">Flags</a><span class="sub">What is on.</span>' in page
    assert '<p class="lede">What is on.</p>' in running.get("/p/shop/define/flag", cookies=member).text
    assert '<a href="/p/shop/define/view">Saved views</a>' in page


# --- On reports ---


def acting(running: Running, *actions: Action, row: Action | None = None) -> None:
    """A report that offers actions."""
    columns = (Column("name", "Name"), Column("act", "Act", "action"))

    def load(*_: object) -> Report:
        return Report(blocks=(Table(key="t", title="T", columns=columns, rows=[["n", row]]),), actions=actions)

    page = ReportPage(slug="acting", title="Acting", section="Product", load=load, detail=load, defines=("flag",))
    running.site = replace(running.site, reports={**running.site.reports, "acting": page})
    running.__post_init__()


def test_a_report_leads_to_its_definitions(running: Running, member: dict[str, str]) -> None:
    acting(running)
    page = running.get("/p/shop/acting", cookies=member).text
    assert f'<a class="btn" href="{FLAGS}/new?next=/p/shop/acting">Define a flag</a>' in page
    definition = made(running)
    assert f'href="{FLAGS}?next=/p/shop/acting">Edit flags</a>' in running.get("/p/shop/acting", cookies=member).text
    detail = running.get(f"/p/shop/acting/{definition}", cookies=member).text
    assert f'href="{FLAGS}/{definition}?next=/p/shop/acting/{definition}">Edit</a>' in detail
    assert "Define a flag" not in running.get("/p/shop/acting", cookies=join(running, "v@example.com", "viewer")).text
    assert 'aria-current="page">Acting</a>' in running.get(FLAGS, cookies=member).text


def press(running: Running, who: dict[str, str], page: str, label: str, **fields: str) -> httpx.Response:
    """Send the form of an action as it stands on a page."""
    forms = re.findall(
        r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', running.get(page, cookies=who).text, re.S
    )
    [(address, text)] = [each for each in forms if f">{label}</button>" in each[1]]
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', text))
    data = {name: unescape(value) for name, value in hidden.items()} | fields
    return running.request("POST", address, cookies=who, data=data, headers={"accept": "text/html"})


def test_actions_make_change_and_delete(running: Running, member: dict[str, str]) -> None:
    acting(running, Action(label="Mark", kind="flag", value={"name": "M"}))
    answer = press(running, member, "/p/shop/acting?range=7d", "Mark")
    assert (answer.status_code, answer.headers["location"]) == (303, "/p/shop/acting?range=7d")
    [flag] = running.site.definitions.of(running.shop.id, "flag")
    assert flag.value == Flag("M")
    again = Action(label="Again", kind="flag", value={"name": "N"}, replaces=flag.id, version=1, asks=("name",))
    acting(running, row=again)
    assert press(running, member, "/p/shop/acting", "Again", **{"$.name": "Typed"}).status_code == 303
    assert values(running) == [Flag("Typed")]
    stale = press(running, member, "/p/shop/acting", "Again", **{"$.name": "Late"})
    assert (stale.status_code, "<dd>Typed</dd>" in stale.text) == (412, True)
    wrong = press(running, member, "/p/shop/acting", "Again", **{"$.name": ""})
    assert (wrong.status_code, "Expected at least one character." in wrong.text) == (400, True)
    acting(running, Action(label="Away", kind="flag", value=None, replaces=flag.id, version=2, group="More"))
    assert press(running, member, "/p/shop/acting", "Away").status_code == 303
    assert values(running) == []
    assert press(running, member, "/p/shop/acting", "Away").status_code == 404


def test_actions_stay_on_the_page_of_who_may(running: Running, member: dict[str, str]) -> None:
    mark = Action(label="Mark", kind="flag", value={"name": "M"})
    acting(running, mark, Action(label="Of no plugin", kind="gone", value={}), row=mark)
    page = running.get("/p/shop/acting", cookies=member).text
    assert (page.count(">Mark</button>"), "Of no plugin" in page) == (2, False)
    assert "Mark" not in running.get("/p/shop/acting", cookies=join(running, "v@example.com", "viewer")).text
    twin = running.get("/p/shop/acting.json", cookies=member)
    assert "Mark" not in twin.text
    assert [column["key"] for column in twin.json()["blocks"][0]["columns"]] == ["name"]
    assert running.get("/p/shop/acting.csv", cookies=member).text == "name\r\nn\r\n"


@pytest.mark.parametrize("value", FORGED, ids=range(len(FORGED)))
def test_a_forged_action_is_refused(running: Running, member: dict[str, str], value: str) -> None:
    answer = send(running, member, FLAGS, value=value, **{"$.name": "-"})
    assert answer.status_code == 400
    assert values(running) == []


def test_a_view_is_saved_from_its_page(running: Running, member: dict[str, str]) -> None:
    page = "/p/shop/stream?range=7d&f=org:is:a%26b"
    answer = press(running, member, page, "Save this view", **{"$.name": "Mine"})
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    [view] = running.site.definitions.of(running.shop.id, "view")
    saved = msgspec.to_builtins(view.value)
    assert (saved["name"], saved["report"]) == ("Mine", "stream")
    offered = running.get("/p/shop/stream", cookies=member).text
    href = re.search(r'<a href="([^"]+)">Mine</a>', offered)
    assert href
    opened = running.get(unescape(href[1]), cookies=member)
    assert (opened.status_code, "a&amp;b" in opened.text) == (200, True)
    viewer = join(running, "v@example.com", "viewer")
    assert "Save this view" not in running.get("/p/shop/stream", cookies=viewer).text
