"""What monitors are given is true: docs/ lists every metric, and dashboard and alerts ask only for those."""

import json
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from saastracker.metrics import Metrics, PerMinute
from saastracker.scope import Scope
from tests.serving import Served, typed

ROOT = Path(__file__).parent.parent
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
DEPLOY = ROOT / "contrib" / "deploy"
SOON = 10  # seconds
ENDINGS = {"counter": ("",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
NAME = r"\b(?:saastracker|process)_\w+"


@pytest.fixture(scope="module")
def families(served: Served) -> dict[str, str]:
    """All metrics and their types."""
    text = httpx.get(f"{served.url}/metrics").raise_for_status().text
    return dict(re.findall(r"^# TYPE (\S+) (\w+)$", text, re.MULTILINE))


def test_every_metric_is_listed(families: dict[str, str]) -> None:
    listed = re.findall(r"^\| `(saastracker_\w+)(?:\{[^}]*\})?` \|", OPERATIONS, re.MULTILINE)
    assert sorted(listed) == sorted(name for name in families if name.startswith("saastracker_"))


def test_labels_that_are_listed_are_those_of_the_metrics(served: Served) -> None:
    listed = re.findall(r"^\| `(\w+)\{([^}]+)\}` \|", OPERATIONS, re.MULTILINE)
    told = {name: set(labels.split(",")) for name, labels in listed}
    collectors: dict[str, Any] = Metrics().registry._names_to_collectors
    labelled = {name: getattr(each, "_labelnames", ()) for name, each in collectors.items()}
    known = {name: set(labels) for name, labels in labelled.items() if labels}
    assert {name: labels for name, labels in told.items() if name in known} == {
        name: labels for name, labels in known.items() if name in told
    }
    text = httpx.get(f"{served.url}/metrics").text
    assert {"saastracker_requests_total", "saastracker_build_info"} <= told.keys()
    assert set(re.findall(r"(\w+)=", re.findall(r"^saastracker_build_info\{(.*)\}", text, re.MULTILINE)[0])) == {
        "version"
    }


def test_names_follow_the_conventions(families: dict[str, str]) -> None:
    for name, kind in families.items():
        assert name.endswith("_total") == (kind == "counter"), name
        assert not re.search(r"_(ms|milliseconds|mb|kb|percent)$", name), name


def asked(expressions: list[str]) -> set[str]:
    return {name for expression in expressions for name in re.findall(NAME, expression)}


def series(families: dict[str, str]) -> set[str]:
    return {name + ending for name, kind in families.items() for ending in ENDINGS[kind]}


def test_the_alerts_ask_for_metrics_that_are_there(families: dict[str, str]) -> None:
    [group] = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"]
    names = [rule["alert"] for rule in group["rules"]]
    assert len(set(names)) == len(names) > 5
    expressions = [rule["expr"] for rule in group["rules"]]
    assert asked(expressions) <= series(families)
    for rule in group["rules"]:
        assert rule["annotations"]["summary"]
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["expr"].count("(") == rule["expr"].count(")")


def test_the_dashboard_asks_for_metrics_that_are_there(families: dict[str, str]) -> None:
    dashboard = json.loads((DEPLOY / "grafana-dashboard.json").read_text())
    panels: list[dict[str, Any]] = dashboard["panels"]
    expressions = [target["expr"] for panel in panels for target in panel["targets"]]
    asks = asked([*expressions, dashboard["templating"]["list"][1]["query"]["query"]])
    assert asks <= series(families)
    # Nothing that is measured is left out.
    roots = {re.sub(r"_(bucket|sum|count)$", "", name) for name in asks}
    assert roots >= {name for name in families if name.startswith("saastracker_")}
    places = [tuple(panel["gridPos"].values()) for panel in panels]
    assert len({panel["id"] for panel in panels}) == len(set(places)) == len(panels)
    for expression in expressions:
        assert expression.count("(") == expression.count(")")
        assert expression.count("{") == expression.count("}")


def test_a_slow_report_is_logged_without_what_it_was_asked(caplog: pytest.LogCaptureFixture) -> None:
    scope = Scope.parse(
        "from=2026-11-01&to=2026-11-20&f=org:is:secret-org&user=secret-person",
        project="id-of-the-shop",
        timezone="UTC",
        now=1_795_230_000_000,
    )
    metrics = Metrics(slow_seconds=0.0)
    with metrics.reading("funnels", "shop", scope):
        assert metrics.registry.get_sample_value("saastracker_open_readers") == 1
    [line] = [record.getMessage() for record in caplog.records]
    assert re.fullmatch(r"The report funnels of shop took \d+\.\d\d s for 2026-11-01 to 2026-11-20", line)
    assert metrics.registry.get_sample_value("saastracker_open_readers") == 0
    assert metrics.registry.get_sample_value("saastracker_report_seconds_count", {"report": "funnels"}) == 1


def test_a_quick_report_and_one_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    scope = Scope.parse("", project="id", timezone="UTC", now=1_795_230_000_000)
    metrics = Metrics(slow_seconds=60)
    with metrics.reading("home", "shop", scope):
        pass
    with pytest.raises(ZeroDivisionError), metrics.reading("home", "shop", scope):
        raise ZeroDivisionError
    assert caplog.records == []
    assert metrics.registry.get_sample_value("saastracker_report_seconds_count", {"report": "home"}) == 2


def test_a_gauge_that_cannot_be_read_hides_no_other() -> None:
    metrics = Metrics()

    def fails() -> float:
        raise OSError

    metrics.gauge("broken", "One that fails", fails)
    metrics.gauge("whole", "One that does not", lambda: 7)
    assert b"saastracker_broken NaN" in metrics.text()
    assert b"saastracker_whole 7.0" in metrics.text()


def test_events_of_the_last_minutes() -> None:
    now = [30.0]
    counted = PerMinute(lambda: now[0])
    assert counted.last() == []
    counted.add(2)
    now[0] = 59.9
    counted.add(3)
    assert counted.last() == []  # the minute is not over
    now[0] = 60.0
    counted.add(7)
    assert counted.last() == [5]
    now[0] = 200.0
    assert counted.last() == [5, 7, 0]
    now[0] = 61 * 60.0
    counted.add(1)
    assert counted.last() == [7, *[0] * 59]  # an hour of them


def test_all_jobs_of_the_server_are_there(served: Served) -> None:
    made = typed(served.data, "token", "add", "jobs", "--scope", "admin")
    headers = {"authorization": f"Bearer {made['token']}"}
    deadline = time.monotonic() + SOON
    while (answer := httpx.get(f"{served.url}/api/v1/jobs", headers=headers)).status_code == 401:  # not known yet
        assert time.monotonic() < deadline
        time.sleep(0.1)
    jobs = {each["name"]: each for each in answer.raise_for_status().json()}
    assert jobs.keys() >= {"messages", "expire", "retention", "tidy", "digest", "budgets", "errors", "signals", "erase"}
    assert all(each["next_run"] for each in jobs.values())
    status = httpx.get(f"{served.url}/api/v1/status", headers=headers).raise_for_status().json()
    assert (status["store"], status["failed_jobs"], status["disk"]["database"] > 0) == ("ok", [], True)
    assert status["index"]["doing"] in {"waiting", "following"}
