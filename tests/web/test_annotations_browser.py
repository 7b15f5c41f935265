"""Annotations in a browser: read beside a chart's values, by keys too, and in its list without script."""

from dataclasses import replace

from playwright.sync_api import Browser, expect

from saastracker.annotations import ANNOTATION, Annotation
from saastracker.definitions import Definitions

from .test_browser import Served, browser, complaints, served, visit  # noqa: F401  # fixtures


def annotate(served: Served, *annotations: Annotation) -> None:  # noqa: F811
    site = served.running.site
    definitions = Definitions(served.running.records, {ANNOTATION.kind: ANNOTATION})
    for value in annotations:
        definitions.create(served.running.shop.id, ANNOTATION.kind, value=value, who="ada")
    served.running.web.state.site = replace(site, definitions=definitions)


def test_annotations_are_read_with_the_values(
    browser: Browser,  # noqa: F811
    served: Served,  # noqa: F811
    complaints: list[str],  # noqa: F811
) -> None:
    long = "Moved to the new data centre in two steps"
    annotate(served, Annotation(text=long, at="2026-10-26"), Annotation(text="Deployed 1.4", at="2026-10-26T12:00"))
    page = visit(browser, served, complaints, "/p/shop/things")
    chart = page.locator("[data-readout]").first
    chart.focus()
    page.keyboard.press("Home")
    expect(chart.locator(".read text")).to_have_count(7)
    page.keyboard.press("ArrowRight")
    expect(chart.locator("output")).to_contain_text(f"Annotations {long}; Deployed 1.4")
    lines = chart.locator(".read text").all_text_contents()[7:]
    assert " ".join(lines) == f"{long}; Deployed 1.4"
    assert max(map(len, lines)) <= 24
    frame = chart.locator(".read rect").bounding_box()
    last = chart.locator(".read text").last.bounding_box()
    assert frame
    assert last
    assert last["y"] + last["height"] <= frame["y"] + frame["height"]
    page.context.close()


def test_annotations_are_listed_without_script(
    browser: Browser,  # noqa: F811
    served: Served,  # noqa: F811
    complaints: list[str],  # noqa: F811
) -> None:
    annotate(served, Annotation(text="Deployed 1.4", at="2026-10-26", link="https://ci.example/7"))
    size = {"width": 360, "height": 740}
    page = visit(browser, served, complaints, "/p/shop/things", java_script_enabled=False, viewport=size)
    page.locator(".noted summary").first.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Deployed 1.4").first).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.context.close()
