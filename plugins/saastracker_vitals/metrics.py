"""What browsers measure of pages: names, limits, and the keys under which the index keeps the values."""

import msgspec

from saastracker.report import Unit

NAMESPACE = "vital"
PATH_MAX = 180  # characters; with a name before it a key has less than 200


class Metric(msgspec.Struct, frozen=True):
    """A web vital or a navigation timing, in ms unless it has another unit; timings have no limits."""

    name: str  # of its events
    label: str
    good: float | None = None  # up to here
    poor: float | None = None  # above here
    unit: Unit = "milliseconds"

    def rating(self, value: float) -> str | None:
        if self.good is None or self.poor is None:
            return None
        return "good" if value <= self.good else "needs improvement" if value <= self.poor else "poor"


METRICS = {
    metric.name: metric
    for metric in (
        Metric("LCP", "LCP, largest contentful paint", 2500, 4000),
        Metric("INP", "INP, interaction to next paint", 200, 500),
        Metric("FID", "FID, first input delay", 100, 300),
        Metric("CLS", "CLS, cumulative layout shift", 0.1, 0.25, "count"),
        Metric("TTFB", "TTFB, time to first byte", 800, 1800),
        Metric("FCP", "FCP, first contentful paint", 1800, 3000),
        Metric("dns_lookup", "DNS lookup"),
        Metric("tcp_connection", "TCP connection"),
        Metric("server_response", "Server response"),
        Metric("dom_interactive", "DOM interactive"),
        Metric("dom_complete", "DOM complete"),
        Metric("page_load", "Page load"),
        Metric("total_page_load", "Total page load"),
    )
}


def shown(path: str | None) -> str | None:
    """A path as the report names it: the rest of a long one is cut off."""
    return path if path is None or len(path) <= PATH_MAX else f"{path[: PATH_MAX - 1]}…"


def keys(name: str, path: str | None) -> tuple[str]:
    """The name of a metric, which has no space, and the path where there is one."""
    return (f"{name} {shown(path)}" if path else name,)


def parse(key: str) -> tuple[str, str | None]:
    """Metric and path of a key."""
    name, _, path = key.partition(" ")
    return name, path or None
