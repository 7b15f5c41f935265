"""A form that asks for addresses offers the caller's own."""

from dataclasses import replace

from saastracker.definitions import Definitions
from saastracker_own_traffic import definitions

from .conftest import Running
from .test_forms import send
from .test_sign_in import join

FORM = "/p/shop/define/own-traffic/new"


def test_the_callers_address_is_added_once(running: Running) -> None:
    kinds = {kind.kind: kind for kind in definitions()}
    running = replace(running, site=replace(running.site, definitions=Definitions(running.records, kinds)))
    member = join(running, "mia@example.com")
    assert 'name="do" value="here $.addresses"' in running.get(FORM, cookies=member).text
    typed = {"$.name": "-", "$.addresses": "10.0.0.0/8\r\n", "$.hosts": "localhost"}
    page = send(running, member, FORM, do="here $.addresses", **typed)
    assert page.status_code == 200
    assert "\n10.0.0.0/8\n203.0.113.9</textarea>" in page.text
    assert "\nlocalhost</textarea>" in page.text
    typed["$.addresses"] = "203.0.113.9"
    assert "\n203.0.113.9</textarea>" in send(running, member, FORM, do="here $.addresses", **typed).text
    assert send(running, member, FORM, do="here $.hosts", **typed).status_code == 400
    assert send(running, member, FORM, do="here $.nothing", **typed).status_code == 400
    assert send(running, member, FORM, **typed).status_code == 303
    [defined] = running.site.definitions.of(running.shop.id, "own-traffic")
    assert defined.value.addresses == ("203.0.113.9",)


def test_the_preview_has_figures_and_a_table(running: Running) -> None:
    kinds = {kind.kind: kind for kind in definitions()}
    running = replace(running, site=replace(running.site, definitions=Definitions(running.records, kinds)))
    member = join(running, "mia@example.com")
    page = send(running, member, FORM, do="preview", **{"$.name": "-", "$.users": "ada"})
    assert page.status_code == 200
    assert "Left out so far" in page.text
    assert 'href="/p/shop/stream?block=reasons"' in page.text
    assert "People who would be left out" in page.text
