"""Every kind of definition by its form and the mouse: previewed, made, changed, restored, deleted."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open
from tests.browser.demo_site import Site

PROJECT = "/p/my-product"
# What is typed by label, and the field that is changed: what it then says.
FORMS: dict[str, tuple[dict[str, str], tuple[str, str]]] = {
    "feature": ({"Name": "Exports", "Event": "export.done"}, ("Name", "Downloads")),
    "funnel": ({"Name": "Sign-up", "Event": "signup", "Days": "3"}, ("Days", "5")),
    "health-model": ({"Recency": "30", "Trend": "5"}, ("Healthy from", "75")),
    "error-grouping": ({"Type": "Timeout", "Fingerprint": "slow"}, ("Fingerprint", "timeouts")),
    "path-rules": ({"Patterns": "/orders/:order"}, ("Patterns", "/invoices/:invoice")),
    "own-traffic": ({"User ids": "ada"}, ("User ids", "grace")),
    "annotation": ({"Text": "Release 5", "When": "2026-11-02"}, ("Text", "Release 5.0")),
    "environments": ({"Reports begin in": "staging"}, ("Not offered", "qa")),
}
MOVING = "feature"  # whose pages blend into each other, 0.1 s of CPU for each; those of the others need not, too


def test_every_kind_that_is_made_by_hand_is_tried(site: Site) -> None:
    with site.client("member") as client:
        kinds = set(re.findall(rf'href="{PROJECT}/define/([\w-]+)"', client.get(f"{PROJECT}/define").text))
        by_hand = {kind for kind in kinds if client.get(f"{PROJECT}/define/{kind}").text.count("/new")}
    assert by_hand == FORMS.keys()


@pytest.mark.parametrize("kind", FORMS)
def test_a_definition_is_made_changed_restored_and_deleted(site: Site, opened: Open, kind: str) -> None:
    typed, (label, changed) = FORMS[kind]
    motion = "no-preference" if kind == MOVING else "reduce"
    page = opened(site.url, site.sessions["member"], reduced_motion=motion)
    page.goto(f"{PROJECT}/define/{kind}")
    page.get_by_role("link", name=re.compile("^(New|Set up) ")).click()
    for name, text in typed.items():
        for field in page.get_by_label(re.compile(f"^{name}(, |$)")).all():  # of a funnel, each step's
            field.fill(text)
    if page.get_by_role("button", name="Preview").count():
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_role("heading", name="If you save this")).to_be_visible()
    first = field_of(page, label).input_value()
    save(page)

    open_only(page, kind)
    field_of(page, label).fill(changed)
    save(page)

    open_only(page, kind)
    expect(field_of(page, label)).to_have_value(changed)
    page.get_by_role("button", name="Restore version 1").click()
    open_only(page, kind)
    expect(field_of(page, label)).to_have_value(first)

    page.locator("summary", has_text="Delete").click()
    page.get_by_role("button", name=re.compile("^Delete this ")).click()
    page.goto(f"{PROJECT}/define/{kind}")
    expect(page.get_by_role("heading", name="None yet")).to_be_visible()


def field_of(page: Page, label: str) -> Locator:
    return page.get_by_label(re.compile(f"^{label}(, |$)")).first


def save(page: Page) -> None:
    page.get_by_role("button", name="Save", exact=True).locator("visible=true").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def open_only(page: Page, kind: str) -> None:
    """The only one in the list."""
    page.goto(f"{PROJECT}/define/{kind}")
    page.locator("tbody th a").click()
