"""Export and import: nothing is lost, nothing is doubled."""

import csv
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st

from saastracker.cli.importing import BATCH
from saastracker.cli.lines import from_row, origin
from saastracker.cli.lines import read as read_line
from saastracker.cli.options import Options
from saastracker.contracts import Group, Submission
from saastracker.errors import Invalid
from saastracker.event import VALUE_MAX, Event
from saastracker.exported import COLUMNS, written
from saastracker.wire import Reply
from saastracker_own_traffic.sorting import OwnTraffic
from saastracker_path_rules.patterns import PathRules

Run = Callable[..., Result]
Read = Callable[..., Any]

NOW = 1_800_000_000_000
EVENTS = (
    b'{"name": "a", "time": "2026-05-06T12:34:56.789Z", "id": "one", "user": "ada", "value": 2.5}\n'
    b'{"name": "b", "time": 1778070896789, "org": "acme", "properties": {"x": 1.00, "y": [1, 2]}}\n'
    b"\n"
    b'{"name": "c", "type": "error", "path": "/p", "traits": {"user": {"plan": "pro"}}}\n'
)


def export(run: Run, project: str, *options: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("export", "--project", project, *options).stdout.splitlines()]


def test_import_is_idempotent(run: Run) -> None:
    run("project", "add", "A")
    assert run("import", "-", "--project", "a", stdin=EVENTS).stdout == "3 stored, 0 already there, 0 bad lines.\n"
    assert run("import", "-", "--project", "a", stdin=EVENTS).stdout == "0 stored, 3 already there, 0 bad lines.\n"
    first, second, third = export(run, "a")
    assert (first["name"], first["time"], first["user"], first["value"]) == (
        "a",
        "2026-05-06T12:34:56.789Z",
        "ada",
        2.5,
    )
    assert (second["time"], second["org"], second["properties"]) == (first["time"], "acme", {"x": 1, "y": [1, 2]})
    assert (third["type"], third["path"], third["traits"]) == ("error", "/p", {"user": {"plan": "pro"}})
    assert third["time"] == third["received_at"]


def test_export_days_are_the_projects(run: Run) -> None:
    run("project", "add", "A", "--timezone", "Asia/Tokyo")
    lines = [{"name": str(hour), "time": f"2026-05-06T{hour}:00:00Z"} for hour in (14, 15, 16)]
    run("import", "-", "--project", "a", stdin="\n".join(map(json.dumps, lines)).encode())
    assert [event["name"] for event in export(run, "a", "--to", "2026-05-06")] == ["14"]
    assert [event["name"] for event in export(run, "a", "--from", "2026-05-07")] == ["15", "16"]


def without_sequence(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in event.items() if name != "sequence"} for event in events]


def store_without_ids(data: Path) -> None:
    """Three events as a format without event ids leaves them, two of them twins."""
    with Options(data, None).open() as installation:
        project = installation.project("a")
        store = installation.plugins.open_store(installation.records)
        store.claim()
        events = [Event(name=name, time=NOW, received_at=NOW) for name in ("twin", "twin", "other")]
        store.append(Group([Submission(project, events, NOW, Reply(202, b""))]))
        store.close()


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_events_without_ids_survive_a_journey(run: Run, form: str) -> None:
    """From one server to another and back; each leg twice, nothing doubles."""
    run("project", "add", "A")
    run("--data", "other", "project", "add", "B")
    store_without_ids(Path("saastracker-data"))
    run("export", "--project", "a", "--format", form, "--output", f"a.{form}")
    for stored in (3, 0):
        result = run("--data", "other", "import", f"a.{form}", "--project", "b")
        assert result.stdout == f"{stored} stored, {3 - stored} already there, 0 bad lines.\n"
    run("--data", "other", "export", "--project", "b", "--format", form, "--output", f"b.{form}")
    for file in (f"a.{form}", f"b.{form}"):
        assert run("import", file, "--project", "a").stdout == "0 stored, 3 already there, 0 bad lines.\n"
    run("--data", "other", "export", "--project", "b", "--output", "back.ndjson")
    back = [json.loads(line) for line in Path("back.ndjson").read_text().splitlines()]
    assert without_sequence(back) == without_sequence(export(run, "a"))


def test_ctrl_c_keeps_what_is_stored_and_says_how_to_go_on(run: Run) -> None:
    run("project", "add", "A")
    lines = b"".join(b'{"name": "%d"}\n' % number for number in range(BATCH + 100))
    with subprocess.Popen(
        [sys.executable, "-m", "saastracker", "import", "-", "--project", "a"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell that runs the tests in the background hands down an ignored SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    ) as process:
        assert process.stdin
        assert process.stderr
        process.stdin.write(lines)
        process.stdin.flush()
        while len(export(run, "a")) < BATCH:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        error = process.stderr.read().decode()
        assert process.wait(timeout=20) == 1
    assert error == (
        "Error: Interrupted near line 600: 500 stored, 0 already there, 0 bad lines. "
        "Run the same command again to go on\n"
    )
    assert run("import", "-", "--project", "a", stdin=lines).stdout == "100 stored, 500 already there, 0 bad lines.\n"


def test_import_goes_through_a_running_server(server: tuple[str, str], run: Run) -> None:
    assert run("import", "-", "--project", "my-product", stdin=EVENTS).stdout.startswith("3 stored, 0 already there")
    assert run("import", "-", "--project", "my-product", stdin=EVENTS).stdout.startswith("0 stored, 3 already there")


def make_rules(data: str, slug: str) -> None:
    """Paths lose their ids, and people of example.com are left out."""
    with Options(Path(data), None).open() as installation:
        project, definitions = installation.project(slug), installation.definitions
        definitions.create(project.id, "path-rules", value=PathRules(patterns=("/u/:id",)), who="test")
        definitions.create(project.id, "own-traffic", value=OwnTraffic(email_domains=("example.com",)), who="test")


RULED = b"".join(
    b'{"name": "view", "id": "%d", "path": "/u/%d", "user": "ada@%s"}\n' % (number, number, domain)
    for number, domain in enumerate((b"example.com", b"example.org"))
)


def test_imports_are_treated_as_what_is_sent(run: Run) -> None:
    run("project", "add", "A")
    make_rules("saastracker-data", "a")
    told = run("import", "-", "--project", "a", stdin=RULED).stdout
    assert told == "1 stored, 0 already there, 0 bad lines, 1 left out by the project's rules.\n"
    assert [(each["path"], each["user"]) for each in export(run, "a")] == [("/u/:id", "ada@example.org")]
    told = run("import", "-", "--project", "a", stdin=RULED).stdout
    assert told == "0 stored, 1 already there, 0 bad lines, 1 left out by the project's rules.\n"


def test_imports_through_a_running_server_are_treated_alike(server: tuple[str, str], run: Run) -> None:
    make_rules("saastracker-data", "my-product")
    tries = 0
    while True:  # until the server has read the rules
        lines = RULED.replace(b'"id": "', b'"id": "%d-' % tries)
        told = run("import", "-", "--project", "my-product", stdin=lines).stdout
        if told == "1 stored, 0 already there, 0 bad lines, 1 left out by the project's rules.\n":
            break
        assert told == "2 stored, 0 already there, 0 bad lines.\n"
        tries += 1
    assert export(run, "my-product")[-1]["path"] == "/u/:id"


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_export_changes_nothing_where_it_came_from(run: Run, when: str) -> None:
    """Rules that were made since hold for what is new, not for what is there."""
    run("project", "add", "A")
    if when == "before":
        make_rules("saastracker-data", "a")
    run("import", "-", "--project", "a", stdin=RULED)
    store_without_ids(Path("saastracker-data"))
    if when == "after":
        make_rules("saastracker-data", "a")
    stored = export(run, "a")
    run("export", "--project", "a", "--output", "a.ndjson")
    for options in ((), ("--as-is",)):
        assert run("import", "a.ndjson", "--project", "a", *options).stdout.startswith("0 stored")
        assert export(run, "a") == stored


def test_an_export_moves_as_it_is(run: Run) -> None:
    run("project", "add", "A")
    run("import", "-", "--project", "a", stdin=RULED)
    run("export", "--project", "a", "--output", "a.ndjson")
    run("--data", "other", "project", "add", "B")
    make_rules("other", "b")
    told = run("--data", "other", "import", "a.ndjson", "--project", "b", "--as-is").stdout
    assert told == "2 stored, 0 already there, 0 bad lines.\n"
    assert without_sequence(export(run, "a")) == without_sequence(
        [json.loads(line) for line in run("--data", "other", "export", "--project", "b").stdout.splitlines()]
    )


@pytest.mark.parametrize("value", ["inf", "-Infinity", "nan", "1e301"])
def test_sums_of_values_are_finite(run: Run, value: str) -> None:
    run("project", "add", "A")
    Path("x.csv").write_text(f"name,value\na,{value}\n")
    assert "line 2: $.value: Expected `float`" in run("import", "x.csv", "--project", "a").stderr


def test_a_time_without_end_is_a_bad_line(run: Run) -> None:
    run("project", "add", "A")
    lines = b'{"name": "a", "time": "%s"}\n{"name": "b"}\n' % (b"9" * 5000)
    assert run("import", "-", "--project", "a", stdin=lines).stdout == "1 stored, 0 already there, 1 bad lines.\n"


def test_bad_lines_are_counted_and_the_first_shown(run: Run) -> None:
    run("project", "add", "A")
    text = b'{"name": "a"}\n{"name": 3}\n{"name"\n' + b'{"x": "' + b"y" * 3_000_000 + b'"}\n{}\n[]\n{"name": "z"}'
    result = run("import", "-", "--project", "a", stdin=text + b"\n{}" * 20)
    assert result.stdout == "2 stored, 0 already there, 25 bad lines.\n"
    assert result.stderr.splitlines()[0] == "line 2: $.name: Expected `str`, got `int`"
    assert [line.split(":")[0] for line in result.stderr.splitlines()][:5] == [f"line {n}" for n in (2, 3, 4, 5, 6)]
    assert len(result.stderr.splitlines()) == 10


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"name": ""}', "$.name"),
        ('{"name": "a", "type": "x"}', "$.type: Expected one of pageview"),
        ('{"name": "a", "time": "soon"}', "$.time: Expected an ISO 8601 time"),
        ('{"name": "a", "received_at": -1}', "$.received_at: must lie between"),
        ('{"name": "a", "properties": [1]}', "$.properties: Expected `object`"),
        ('{"name": "a", "user": "%s"}' % ("x" * 256), "$.user"),
        ('{"name": "a\\u0000"}', "$.name: no text may hold a NUL"),
    ],
)
def test_lines_keep_the_limits_of_events(line: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        read_line(line.encode(), NOW)
    assert caught.value.detail.startswith(message)


texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
events = st.builds(
    Event,
    name=texts,
    type=st.sampled_from(["custom", "error", "pageview"]),
    time=st.integers(0, NOW),
    received_at=st.integers(1, NOW),
    user=st.none() | texts,
    path=st.none() | texts,
    value=st.none() | st.floats(-VALUE_MAX, VALUE_MAX),
    properties=st.none() | st.just('{"a":\r\n 1.50, "b\\n": "ü"}'),
    id=st.binary(min_size=16, max_size=16),
    sequence=st.integers(1, 2**62),
)


@given(events)
def test_what_is_written_reads_back(event: Event) -> None:
    columns = written("p", event)
    line = msgspec.json.encode(columns)
    assert b"\n" not in line
    expected = msgspec.structs.replace(event, sequence=0)
    if expected.properties:
        expected.properties = '{"a":1.50,"b\\n":"ü"}'  # white space says nothing
    assert read_line(line, NOW) == expected
    row = {name: bytes(value).decode() if name == "properties" else str(value) for name, value in columns.items()}
    assert read_line(from_row(row), NOW) == expected


def test_derived_ids_name_their_origin() -> None:
    event_id = bytes.fromhex(written("p", Event(name="a", sequence=7))["id"])
    assert (origin("p", event_id), origin("q", event_id)) == (7, None)


def test_csv_has_every_column(run: Run) -> None:
    run("project", "add", "A")
    run("import", "-", "--project", "a", stdin=EVENTS)
    rows = list(csv.DictReader(run("export", "--project", "a", "--format", "csv").stdout.splitlines()))
    assert tuple(rows[0]) == COLUMNS
    assert set(COLUMNS) == set(Event.__struct_fields__) - {"user_agent", "address", "host", "drop"}
    assert [row["name"] for row in rows] == ["a", "b", "c"]


def test_a_broken_csv_is_told(run: Run) -> None:
    run("project", "add", "A")
    Path("x.csv").write_bytes(b"name\n\xff\n")
    assert run("import", "x.csv", "--project", "a", code=1).stderr.startswith("Error: line 1: not a CSV in UTF-8")
