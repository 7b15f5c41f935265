"""What the server counts about itself, in Prometheus' terms."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_EVENTS = (1, 5, 10, 50, 100, 500, 1000, 5000)


class _Answered(Collector):
    def __init__(self, counts: Mapping[tuple[str, int], int]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[Metric]:
        family = CounterMetricFamily(
            "saastracker_requests", "Ingest requests by format and status", labels=("format", "status")
        )
        for (wire, status), count in list(self._counts.items()):
            family.add_metric((wire, str(status)), count)
        yield family


class Metrics:
    """One registry per application, so that two in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # Plain numbers: a prometheus_client counter takes a lock for each of a million requests.
        self._answered: dict[tuple[str, int], int] = {}
        self.registry.register(_Answered(self._answered))
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
        self.job_runs = Counter(
            "saastracker_job_runs", "Runs of jobs by result", ("job", "result"), registry=self.registry
        )
        self.job_success = Gauge(
            "saastracker_job_last_success_seconds",
            "When the last run of a job began that was done, in seconds since 1970",
            ("job",),
            registry=self.registry,
        )

    def answered(self, wire: str, status: int) -> None:
        """Count an ingest request; on the event loop only."""
        key = (wire, status)
        self._answered[key] = self._answered.get(key, 0) + 1

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A value that is read when somebody asks."""
        Gauge(f"saastracker_{name}", text, registry=self.registry).set_function(read)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
