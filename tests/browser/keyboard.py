"""Somebody who has no mouse: goes with Tab, sees where they are, and presses Enter, Space and letters."""

import re

from playwright.sync_api import Locator, Page, expect

TABS_MAX = 150  # from anywhere on a page to anything
STOP = """wanted => {
    const stop = document.activeElement, {top, bottom, width, height} = stop.getBoundingClientRect();
    const {outlineStyle, outlineWidth, boxShadow} = getComputedStyle(stop);
    return {
        there: wanted.includes(stop),
        body: stop === document.body,
        ringed: (outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow !== "none",
        seen: width > 0 && height > 0 && bottom > 0 && top < innerHeight,
        html: stop.outerHTML.slice(0, 160),
    };
}"""


class Keyboard:
    """The keys of one page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def to(self, wanted: Locator) -> None:
        """Tab on until this has the focus; every stop on the way must be in sight and have a ring."""
        expect(wanted.first).to_be_attached()
        handles = wanted.element_handles()
        for _ in range(TABS_MAX):
            self.page.keyboard.press("Tab")
            stop = self.page.evaluate(STOP, handles)
            assert stop["body"] or stop["ringed"], f"no ring: {stop['html']}"
            assert stop["body"] or stop["seen"], f"out of sight: {stop['html']}"
            if stop["there"]:
                return
        raise AssertionError(f"{TABS_MAX} tabs do not lead to {wanted} on {self.page.url}")

    def follow(self, name: str) -> None:
        self._press("Enter", self.page.get_by_role("link", name=name, exact=True))

    def push(self, name: str, key: str = "Enter") -> None:
        self._press(key, self.page.get_by_role("button", name=name, exact=True))

    def open(self, name: str) -> None:
        """A menu."""
        self._press("Enter", self.page.locator("summary").and_(self.page.get_by_label(re.compile(name))))

    def type(self, name: str, text: str) -> None:
        """Into a field; one with suggestions is a combobox."""
        textbox = self.page.get_by_role("textbox", name=name, exact=True)
        self.to(textbox.or_(self.page.get_by_role("combobox", name=name, exact=True)))
        self.page.keyboard.type(text)

    def choose(self, name: str, text: str) -> None:
        """From a list, by typing what begins the wanted."""
        field = self.page.get_by_role("combobox", name=name, exact=True)
        self.to(field)
        self.page.keyboard.type(text)
        expect(field.locator("option:checked")).to_have_text(text)

    def _press(self, key: str, wanted: Locator) -> None:
        self.to(wanted)
        self.page.keyboard.press(key)
