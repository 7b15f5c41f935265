"""What the server counts about itself, in Prometheus' terms."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_EVENTS = (1, 5, 10, 50, 100, 500, 1000, 5000)


class Metrics:
    """One registry per application, so that two in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "saastracker_requests", "Ingest requests by format and status", ("format", "status"), registry=self.registry
        )
        self.events = Counter("saastracker_events", "Events stored, duplicates left out", registry=self.registry)
        self.rejected = Counter(
            "saastracker_rejected",
            "Requests and events that were not stored, by reason",
            ("reason",),
            registry=self.registry,
        )
        self.commit_seconds = Histogram(
            "saastracker_commit_seconds", "Time to commit a group", buckets=_SECONDS, registry=self.registry
        )
        self.commit_events = Histogram(
            "saastracker_commit_events", "Events in a group", buckets=_EVENTS, registry=self.registry
        )
        self.commit_failures = Counter(
            "saastracker_commit_failures", "Groups the store refused", registry=self.registry
        )

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A value that is read when somebody asks."""
        Gauge(f"saastracker_{name}", text, registry=self.registry).set_function(read)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
