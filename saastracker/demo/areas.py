"""The parts of Harbourdesk: what people do in them, which are features, and what breaks."""

from collections.abc import Mapping
from typing import Any

import msgspec

from saastracker.demo.issue import Issue

PAID = ("scale", "enterprise")

RELEASES = (  # days before today, version
    (104, "4.11.0"),
    (90, "4.12.0"),
    (76, "4.13.0"),
    (62, "4.14.0"),
    (48, "4.15.0"),
    (34, "4.16.0"),
    (20, "4.17.0"),
    (6, "4.18.0"),
)


class Action(msgspec.Struct, frozen=True):
    """One event of a visit, with a chance; where it does not happen, the visit ends."""

    name: str
    chance: float
    labels: tuple[str, ...] = ()
    value: float | None = None  # the mean


class Area(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the product with pages of its own."""

    name: str
    pages: tuple[str, ...]  # the entrance first
    actions: tuple[Action, ...] = ()
    rules: tuple[Mapping[str, Any], ...] = ()  # which events count as use; empty: no feature
    weight: float = 1.0  # how often it is visited
    share: float = 1.0  # of the eligible organizations that use it
    reach: float = 1.0  # of an organization's people that use it
    plans: tuple[str, ...] = ()  # eligible ones; empty: all
    launched: int = -1  # day
    waning: float = 0.0  # share of its organizations that give it up

    def open_to(self, plan: str) -> bool:
        return not self.plans or plan in self.plans


AREAS = (
    Area(
        name="Quotes",
        pages=("/quotes", "/quotes/new", "/quotes/compare"),
        actions=(
            Action("quote.started", 0.85, ("sea", "air", "road", "rail")),
            Action("rate.compared", 0.8, ("sea", "air", "road", "rail")),
            Action("quote.sent", 0.7, ("sea", "air", "road", "rail"), 2400),
            Action("quote.accepted", 0.4, ("sea", "air", "road", "rail"), 2100),
            Action("booking.confirmed", 0.7, ("sea", "air", "road", "rail"), 2100),
        ),
        rules=({"name": "quote.started"}, {"name": "quote.sent"}),
        weight=2.2,
        share=0.9,
        reach=0.8,
    ),
    Area(
        name="Booking import",
        pages=("/bookings/import",),
        actions=(Action("booking.imported", 0.8, ("spreadsheet", "EDIFACT", "e-mail"), 40),),
        rules=({"name": "booking.imported"},),
        weight=0.9,
        share=0.76,
        reach=0.5,
    ),
    Area(
        name="Shared inbox",
        pages=("/inbox", "/inbox/assigned"),
        actions=(
            Action("message.sent", 0.8, ("carrier", "customer", "colleague")),
            Action("message.sent", 0.6, ("carrier", "customer", "colleague")),
            Action("message.sent", 0.4, ("carrier", "customer", "colleague")),
        ),
        rules=({"name": "message.sent"},),
        weight=1.8,
        share=0.66,
        reach=0.66,
    ),
    Area(
        name="Invoice match",
        pages=("/invoices", "/invoices/open"),
        actions=(
            Action("invoice.matched", 0.75, ("exact", "within tolerance", "by hand"), 1850),
            Action("invoice.matched", 0.5, ("exact", "within tolerance", "by hand"), 1850),
        ),
        rules=({"name": "invoice.matched"},),
        share=0.62,
        reach=0.25,
        plans=PAID,
    ),
    Area(
        name="Rate alerts",
        pages=("/rates/alerts",),
        actions=(Action("alert.opened", 0.8, ("price fell", "price rose")), Action("alert.created", 0.3, ("lane",))),
        rules=({"name": "alert.opened"}, {"name": "alert.created"}),
        weight=0.8,
        share=0.58,
        reach=0.35,
        launched=27,  # with 4.14.0
    ),
    Area(
        name="Container map",
        pages=("/map", "/map/vessels"),
        rules=({"name": "pageview", "path_prefix": "/map"},),
        share=0.46,
        reach=0.4,
        waning=0.25,
    ),
    Area(
        name="Customs check",
        pages=("/customs",),
        actions=(Action("customs.checked", 0.85, ("import", "export", "transit")),),
        rules=({"name": "customs.checked"},),
        weight=0.6,
        share=0.42,
        reach=0.2,
        plans=PAID,
    ),
    Area(
        name="API and webhooks",
        pages=("/settings/webhooks",),
        actions=(
            Action("webhook.delivered", 0.95, ("booking", "invoice")),
            Action("webhook.delivered", 0.8, ("booking", "invoice")),
            Action("webhook.delivered", 0.7, ("booking", "invoice")),
        ),
        rules=({"name": "webhook.delivered"},),
        weight=0.7,
        share=0.6,
        reach=0.12,
        plans=("enterprise",),
    ),
    Area(
        name="Bookings",
        pages=("/bookings", "/bookings/calendar"),
        actions=(Action("booking.confirmed", 0.3, ("sea", "air", "road", "rail"), 2100),),
        weight=1.5,
    ),
    Area(
        name="Reports",
        pages=("/reports", "/reports/margin"),
        actions=(Action("export.downloaded", 0.45, ("CSV", "PDF", "spreadsheet")),),
        weight=0.5,
        reach=0.7,
    ),
    Area(
        name="Team",
        pages=("/settings/team",),
        actions=(Action("teammate.invited", 0.35, ("by e-mail",)),),
        weight=0.06,
        reach=0.4,
    ),
)

FEATURES: tuple[Mapping[str, Any], ...] = tuple(
    {"name": area.name, "rules": list(area.rules)} | ({"plans": list(area.plans)} if area.plans else {})
    for area in AREAS
    if area.rules
)
FUNNELS: tuple[Mapping[str, Any], ...] = (
    {
        "name": "Sign-up to export",
        "steps": [
            {"name": "signup.completed"},
            {"name": "teammate.invited"},
            {"name": "booking.confirmed"},
            {"name": "export.downloaded"},
        ],
        "order": "sequential",
        "window_days": 14,
        "per": "person",
    },
    {
        "name": "Quote to booking",
        "steps": [
            {"name": "quote.started"},
            {"name": "rate.compared"},
            {"name": "quote.sent"},
            {"name": "quote.accepted"},
            {"name": "booking.confirmed"},
        ],
        "order": "sequential",
        "window_days": 7,
        "per": "person",
    },
)


ISSUES = (
    Issue(
        scene="Quotes",
        type="RateLookupTimeout",
        message="no answer from carrier {number} in 8000 ms",
        stack='  File "rates/client.py", line 88, in lookup\n  File "rates/pool.py", line 41, in send',
        chance=0.035,
        signature="rate-lookup-timeout",
    ),
    Issue(
        scene="Quotes",
        type="TypeError",
        message="Cannot read properties of undefined (reading 'legs')",
        stack="    at renderLegs (quotes/compare.js:214:31)\n    at update (quotes/compare.js:88:9)",
        chance=0.14,
        signature="quotes-compare-legs",
        releases=("4.17.0",),
    ),
    Issue(
        scene="Customs check",
        type="CustomsCodeRejected",
        message="HS code {number} not in tariff",
        stack='  File "customs/check.py", line 132, in validate\n  File "customs/tariff.py", line 57, in find',
        chance=0.14,
        releases=("4.16.0", "4.17.0", "4.18.0"),
    ),
    Issue(
        scene="Reports",
        type="PDFRenderError",
        message="font subset missing on page {number}",
        stack='  File "documents/pdf.py", line 301, in subset_font\n  File "documents/pdf.py", line 77, in render',
        chance=0.08,
        releases=("4.14.0", "4.15.0"),
    ),
    Issue(
        scene="Shared inbox",
        type="SocketClosed",
        message="inbox stream ended early after {number} messages",
        stack="    at onClose (inbox/live.js:57:13)\n    at WebSocket.onclose (inbox/live.js:31:5)",
        chance=0.05,
        releases=("4.18.0",),
    ),
)
