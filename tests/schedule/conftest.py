"""Schedulers on a real store, with the jobs of a test."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from saastracker.config import load_config
from saastracker.contracts import RecordStore, Store
from saastracker.definition import Definition
from saastracker.definitions import Definitions
from saastracker.facts import Facts
from saastracker.job import Daily, Every, Job, JobContext, Notice
from saastracker.job_runs import Run
from saastracker.metrics import Metrics
from saastracker.plugins import Plugins
from saastracker.schedule import Scheduler
from saastracker.secrets import Secrets

Work = Callable[[JobContext], Sequence[Notice]]
Make = Callable[..., Scheduler]


@pytest.fixture
def stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Store, RecordStore]]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAASTRACKER_CONFIG", raising=False)
    plugins = Plugins(load_config(None, tmp_path))
    records = plugins.open_records()
    store = plugins.open_store(records)
    store.claim()
    yield store, records
    store.close()
    records.close()


@pytest.fixture
def records(stores: tuple[Store, RecordStore]) -> RecordStore:
    return stores[1]


@pytest.fixture
def facts(tmp_path: Path, records: RecordStore) -> Facts:
    return Facts(records, Secrets.open(tmp_path))


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
def make(stores: tuple[Store, RecordStore], facts: Facts, metrics: Metrics) -> Iterator[Make]:
    """A scheduler with these jobs; it is stopped in the end."""
    made = []

    def make(*jobs: Job, enabled: bool = True, timezone: str = "UTC") -> Scheduler:
        store, records = stores
        made.append(
            Scheduler(
                jobs,
                enabled=enabled,
                timezone=timezone,
                store=store,
                records=records,
                facts=facts,
                definitions=Definitions(records, dict[str, Definition]()),
                metrics=metrics,
            )
        )
        return made[-1]

    yield make
    for scheduler in made:
        scheduler.stop()


def nothing(context: JobContext) -> Sequence[Notice]:
    return ()


def job(run: Work = nothing, name: str = "work", trigger: Every | Daily | None = None) -> Job:
    return Job(name=name, title="Work", trigger=trigger, run=run)


def run(scheduler: Scheduler, name: str = "work") -> Run:
    """Ask for a run and wait for its end."""
    before = next(len(state.runs) for state in scheduler.states() if state.name == name)
    scheduler.run_now(name)
    return ended(scheduler, name, before + 1)


def ended(scheduler: Scheduler, name: str = "work", count: int = 1) -> Run:
    while True:
        state = next(state for state in scheduler.states() if state.name == name)
        if state.running is None and len(state.runs) >= count:
            return state.runs[0]
        time.sleep(0.005)


def metric(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)
