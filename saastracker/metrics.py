"""What the server counts about itself, in Prometheus' terms."""

import contextlib
import importlib.metadata
import logging
import math
import time
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    Metric,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from saastracker.scope import Scope

log = logging.getLogger("saastracker.metrics")
slow_log = logging.getLogger("saastracker.slow")

VERSION = importlib.metadata.version("saastracker")
MINUTES = 60  # for which what was stored is known
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_REPORT_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_EVENTS = (1, 5, 10, 50, 100, 500, 1000, 5000)

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter, which nobody asks for


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


class PerMinute:
    """How many there were in each of the last minutes. One thread adds, any reads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._first = self._minute()
        self._counts: dict[int, int] = {}

    def add(self, count: int) -> None:
        minute = self._minute()
        if minute not in self._counts:
            self._counts = {each: n for each, n in self._counts.items() if each >= minute - MINUTES}
        self._counts[minute] = self._counts.get(minute, 0) + count

    def last(self) -> list[int]:
        """Of the whole minutes of the last hour, or since the start, oldest first."""
        counts, now = self._counts, self._minute()
        return [counts.get(minute, 0) for minute in range(max(self._first, now - MINUTES), now)]

    def _minute(self) -> int:
        return int(self._clock() // 60)


class Metrics:
    """One registry per application, so that two in one process do not mix."""

    def __init__(self, slow_seconds: float = math.inf) -> None:
        """Reports that take `slow_seconds` or more are logged."""
        self.registry = CollectorRegistry()
        self.per_minute = PerMinute()
        self._slow_seconds = slow_seconds
        ProcessCollector(registry=self.registry)
        Info("saastracker_build", "The version that runs", registry=self.registry).info({"version": VERSION})
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
        # Not `job`, which Prometheus itself puts on every series.
        self.job_runs = Counter(
            "saastracker_job_runs", "Runs of jobs by result", ("job_name", "result"), registry=self.registry
        )
        self.job_success = Gauge(
            "saastracker_job_last_success_timestamp_seconds",
            "When the last run of a job began that was done, in seconds since 1970",
            ("job_name",),
            registry=self.registry,
        )
        self.messages = Counter(
            "saastracker_messages",
            "Tries to send a message, by channel and how they ended",
            ("channel", "result"),
            registry=self.registry,
        )
        self.report_seconds = Histogram(
            "saastracker_report_seconds",
            "Time to load and render a report",
            ("report",),
            buckets=_REPORT_SECONDS,
            registry=self.registry,
        )
        self.readers = Gauge("saastracker_open_readers", "Reports that are being read", registry=self.registry)

    def answered(self, wire: str, status: int) -> None:
        """Count an ingest request; on the event loop only."""
        key = (wire, status)
        self._answered[key] = self._answered.get(key, 0) + 1

    def stored(self, events: int) -> None:
        """Count events of a group that was committed."""
        self.events.inc(events)
        self.per_minute.add(events)

    @contextlib.contextmanager
    def reading(self, report: str, project: str, scope: Scope) -> Iterator[None]:
        """While a report is made: counts and times it, and logs it if it is slow, without what it was asked about."""
        started = time.perf_counter()
        try:
            with self.readers.track_inprogress():
                yield
        finally:
            seconds = time.perf_counter() - started
            self.report_seconds.labels(report).observe(seconds)
            if seconds >= self._slow_seconds:
                span = scope.span
                slow_log.warning(
                    "The report %s of %s took %.2f s for %s to %s", report, project, seconds, span.first, span.last
                )

    def gauge(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A value that is read when somebody asks; NaN if that fails, so that all others are still told."""

        def value() -> float:
            try:
                return read()
            except Exception:
                log.debug("saastracker_%s could not be read", name, exc_info=True)
                return math.nan

        Gauge(f"saastracker_{name}", text, registry=self.registry).set_function(value)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
