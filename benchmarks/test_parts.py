"""The parts of the ingest path, one by one: `pytest benchmarks --benchmark-enable`."""

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path

import mix
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from saastracker.config import load_config
from saastracker.contracts import Group, Store, Submission
from saastracker.event import Event
from saastracker.plugins import Plugins, Registry
from saastracker.testing import PROJECT, InMemoryDefinitions
from saastracker.testing.projects import InMemoryProjects
from saastracker.wire import Reply, Request

NOW = int(time.time())
BODY = json.dumps(next(mix.events(1, NOW)), separators=(",", ":")).encode()
BATCH = json.dumps({"events": list(mix.game_events(100, NOW))}, separators=(",", ":")).encode()


@pytest.fixture
def plugins(tmp_path: Path) -> Plugins:
    return Plugins(load_config(None, tmp_path))


@pytest.fixture
def projects() -> InMemoryProjects:
    return InMemoryProjects()


@pytest.fixture
def registry(plugins: Plugins, projects: InMemoryProjects) -> Registry:
    return plugins.registry(projects, InMemoryDefinitions())


@pytest.fixture
def store(plugins: Plugins) -> Iterator[Store]:
    records = plugins.open_records()
    store = plugins.open_store(records)
    store.claim()
    yield store
    store.close()
    records.close()


def request(body: bytes, **headers: bytes) -> Request:
    named = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return Request("POST", "/", b"", named, body, body, NOW * 1000)


def test_authenticate_hmac(benchmark: BenchmarkFixture, registry: Registry, projects: InMemoryProjects) -> None:
    scheme = registry.auth_schemes["hmac"]
    secret = projects.issue(scheme, PROJECT).secret
    signature = hmac.digest(secret, BODY, hashlib.sha256).hex().encode()
    signed = request(BODY, x_app_uuid=PROJECT.id.encode(), x_signature=signature)
    assert benchmark(scheme.authenticate, signed).project == PROJECT


def test_decode_one_event(benchmark: BenchmarkFixture, registry: Registry) -> None:
    decoded = benchmark(registry.wire_formats["saastracker"].decode, request(BODY), PROJECT)
    assert len(decoded.events) == 1


def test_decode_a_batch_of_100(benchmark: BenchmarkFixture, registry: Registry) -> None:
    decoded = benchmark(registry.wire_formats["owlsignal"].decode, request(BATCH), PROJECT)
    assert len(decoded.events) == 100


@pytest.mark.parametrize(("submissions", "events"), [(64, 1), (10, 100)])
def test_append(benchmark: BenchmarkFixture, registry: Registry, store: Store, submissions: int, events: int) -> None:
    """Rows and commit: groups of single events, and of batches."""
    wire = registry.wire_formats["saastracker"]
    bodies = [json.dumps(body).encode() for body in mix.events(submissions * events, NOW)]

    def group() -> tuple[tuple[Group], dict[str, object]]:
        decoded: list[Event] = [wire.decode(request(body), PROJECT).events[0] for body in bodies]
        for event in decoded:
            event.received_at = NOW * 1000
        parts = [decoded[start : start + events] for start in range(0, len(decoded), events)]
        return (Group([Submission(PROJECT, part, NOW * 1000, Reply(202, b"")) for part in parts]),), {}

    benchmark.pedantic(store.append, setup=group, rounds=30)  # type: ignore[no-untyped-call]
    assert len(store.read_after(0, 10)) == 10
