"""`retention`, `erase`, `restore`, `upgrade` and `backup`, with and without a running server."""

import json
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import Result

Run = Callable[..., Result]
Read = Callable[..., Any]

DATA = Path("saastracker-data")
NOW = datetime.now(UTC)


def sent(days: int = 10) -> bytes:
    """A line a day of each of three people, in two organizations."""
    return b"".join(
        json.dumps(
            {
                "name": "open",
                "time": (NOW - timedelta(days=day)).isoformat(),
                "user": f"person-{who}@example.com",
                "anonymous": f"device-{who}",
                "org": f"organization-{who % 2}",
            }
        ).encode()
        + b"\n"
        for day in range(days)
        for who in range(3)
    )


def stored(run: Run) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("export", "--project", "shop").stdout.splitlines()]


def holds(text: str) -> bool:
    """Whether some file of the database does, seen from another process: to open it here would drop locks on it."""
    files = [str(each) for each in DATA.glob("saastracker.db*")]
    return subprocess.run(["grep", "-q", "-a", "-F", text, *files], check=False).returncode == 0


@pytest.fixture
def shop(run: Run) -> None:
    run("project", "add", "Shop")
    run("import", "-", "--project", "shop", stdin=sent())


@pytest.fixture
def served(server: tuple[str, str], shop: None) -> str:
    return server[0]


def retain(run: Run, read: Read) -> None:
    assert "30 events would go" not in run("retention", "--dry-run").stdout
    run("project", "set", "shop", "--keep-days", "3")
    [row] = [each for each in read("retention", "--dry-run") if each["project"] == "shop"]
    assert (row["keep_days"], row["events"], row["going_events"], row["going_days"]) == (3, 30, 18, 6)
    assert row["oldest"] == (NOW - timedelta(days=9)).date().isoformat()
    assert len(stored(run)) == 30
    assert run("retention").stdout.splitlines()[-1] == "18 events are erased."
    assert len(stored(run)) == 12
    assert run("retention").stdout.splitlines()[-1] == "0 events are erased."


def forget(run: Run) -> None:
    some = ("erase", "--project", "shop", "--person", "person-1@example.com")
    told = "10 events on 10 days, named by: device-1, person-1@example.com.\n"
    assert run(*some, "--dry-run").stdout == told
    assert "Nothing was erased" in run(*some, code=1, stdin=b"no\n").stderr
    assert len(stored(run)) == 30
    document = json.loads(run("export", "--project", "shop", "--person", "device-1").stdout)
    assert (len(document["events"]), document["ids"]) == (10, ["device-1", "person-1@example.com"])
    assert holds("person-1@example.com")
    assert "the audit log names it" in run(*some, stdin=b"person-1@example.com\n").stdout
    assert {event["user"] for event in stored(run)} == {"person-0@example.com", "person-2@example.com"}
    assert not holds("person-1@example.com")
    assert not holds("device-1")
    run("erase", "--project", "shop", "--org", "organization-0", "--yes")
    assert stored(run) == []
    assert not holds("organization-0")
    assert "No event named the person person-1" in run(*some, "--yes", code=1).stderr


def test_retention_without_a_server(shop: None, run: Run, read: Read) -> None:
    retain(run, read)


def test_retention_beside_a_server(served: str, run: Run, read: Read) -> None:
    assert httpx.get(f"{served}/readyz").status_code == 200
    follow(run, read)
    retain(run, read)


def test_erasing_without_a_server(shop: None, run: Run) -> None:
    forget(run)


def test_erasing_beside_a_server(served: str, run: Run, read: Read) -> None:
    follow(run, read)
    forget(run)
    assert httpx.get(f"{served}/readyz").json()["ready"]
    assert (DATA / "saastracker.db-wal").exists()  # nobody took the server's away
    run("import", "-", "--project", "shop", stdin=sent(1))
    assert len(stored(run)) == 3


def follow(run: Run, read: Read) -> None:
    """The server's index follows within seconds; this does it at once."""
    run("rebuild")
    assert max(each["events"] for each in read("retention", "--dry-run")) == 30


def test_wrong_usage(shop: None, run: Run) -> None:
    assert "Give --person or --org" in run("erase", "--project", "shop", code=2).stderr
    assert "Give --person or --org" in run("erase", "--project", "shop", "--person", "a", "--org", "b", code=2).stderr
    assert "There is no project" in run("erase", "--project", "shopp", "--org", "a", code=1).stderr
    assert "or all" in run("project", "set", "shop", "--keep-days", "some", code=2).stderr
    assert "1 to 36500 days" in run("project", "set", "shop", "--keep-days", "0", code=1).stderr
    assert "Give --name" in run("project", "set", "shop", code=2).stderr
    assert (
        "--person goes without" in run("export", "--project", "shop", "--person", "a", "--format", "csv", code=2).stderr
    )
    assert not list(Path().glob("out*"))
    run("export", "--project", "shop", "--person", "nobody", "--output", "out.json", code=1)
    assert not Path("out.json").exists()


def test_a_project_is_set(shop: None, run: Run, read: Read) -> None:
    run("project", "set", "shop", "--keep-days", "90", "--timezone", "Europe/Berlin", "--origin", "a.example")
    run("project", "set", "shop", "--name", "The shop")
    [row] = [each for each in read("project", "list") if each["slug"] == "shop"]
    assert (row["name"], row["keep_days"], row["timezone"], row["origins"]) == (
        "The shop",
        90,
        "Europe/Berlin",
        ["a.example"],
    )
    run("project", "set", "shop", "--keep-days", "all", "--origin", "all")
    [row] = [each for each in read("project", "list") if each["slug"] == "shop"]
    assert (row["keep_days"], row["origins"]) == (None, [])


# --- Copies ---


def test_a_backup_under_load_has_all_that_was_acknowledged(served: str, run: Run, read: Read) -> None:
    key = read("key", "add", "bearer", "--project", "shop")["key"]
    acknowledged: list[int] = []
    stop = threading.Event()

    def load() -> None:
        with httpx.Client(base_url=served, headers={"authorization": f"Bearer {key}"}) as client:
            while not stop.is_set():
                event = {
                    "build_version": "1",
                    "session_id": "11111111-2222-4333-8444-000000000001",
                    "player_hash": "0" * 32,
                    "ts": NOW.isoformat().replace("+00:00", "Z"),
                    "type": "design",
                    "name": "x",
                    "data": {"request": len(acknowledged)},
                }
                answer = client.post("/api/v1/events", json={"events": [event] * 20})
                if answer.status_code == 401 and not acknowledged:
                    continue  # the server does not know the new key yet
                assert answer.json()["accepted"] == 20, answer.text
                acknowledged.append(1)

    thread = threading.Thread(target=load)
    thread.start()
    try:
        while len(acknowledged) < 20:
            assert thread.is_alive()
        before = len(acknowledged)
        run("backup", "copy.db")
    finally:
        stop.set()
        thread.join()
    assert Path("copy.db.secret_key").stat().st_mode & 0o777 == 0o600
    run("--data", "other", "restore", "copy.db")  # which looks at every page
    lines = run("--data", "other", "export", "--project", "shop").stdout.splitlines()
    requests = [json.loads(line)["properties"]["request"] for line in lines[30:]]
    assert len(requests) >= 20 * before
    assert requests == [number for number in range(len(requests) // 20) for _ in range(20)]


def test_a_backup_is_restored_and_what_was_there_kept_aside(shop: None, run: Run) -> None:
    run("backup", "copy.db")
    key = (DATA / "secret_key").read_bytes()
    run("import", "-", "--project", "shop", stdin=b'{"name": "later"}\n')
    printed = run("restore", "copy.db").stdout
    assert printed.startswith("Restored copy.db.\nWhat was there before is kept as ")
    assert len(stored(run)) == 30
    [aside] = DATA.glob("saastracker.db.replaced-*")
    assert str(aside) in printed
    assert sorted(each.name for each in Path().glob("copy.db*")) == ["copy.db", "copy.db.secret_key"]
    assert (DATA / "secret_key").read_bytes() == key
    run("restore", str(aside))  # what was kept aside is a backup, too
    assert len(stored(run)) == 31


def test_a_backup_is_restored_elsewhere_with_its_key(shop: None, run: Run, read: Read) -> None:
    run("backup", "copy.db")
    run("--data", "other", "project", "add", "Another")
    own = Path("other/secret_key").read_bytes()
    printed = run("--data", "other", "restore", "copy.db").stdout
    [aside] = Path("other").glob("secret_key.replaced-*")
    assert str(aside) in printed
    assert aside.read_bytes() == own
    assert Path("other/secret_key").read_bytes() == (DATA / "secret_key").read_bytes()
    assert Path("other/secret_key").stat().st_mode & 0o777 == 0o600
    assert [each["slug"] for each in read("--data", "other", "project", "list")][-1] == "shop"


def test_a_backup_without_its_key_changes_nothing(shop: None, run: Run, read: Read) -> None:
    run("backup", "copy.db")
    Path("copy.db.secret_key").unlink()
    run("--data", "other", "project", "add", "Another")
    assert "is not the key" in run("--data", "other", "restore", "copy.db", code=1).stderr
    assert [each["slug"] for each in read("--data", "other", "project", "list")][-1] == "another"
    assert not list(Path("other").glob("*replaced*"))


def test_what_is_no_backup_is_not_restored(shop: None, run: Run) -> None:
    Path("text").write_text("nothing of the kind, but long enough to be looked at" * 100)
    Path("empty").touch()
    run("backup", "copy.db")
    whole = bytearray(Path("copy.db").read_bytes())
    whole[len(whole) // 2 : len(whole) // 2 + 9000] = bytes(9000)
    Path("damaged").write_bytes(whole)
    for path, says in {
        "absent": "There is no file absent",
        "text": "is no database of saastracker",
        "empty": "is no database of saastracker",
        "damaged": "damaged",
        str(DATA / "saastracker.db"): "is the database itself",
    }.items():
        assert says in run("restore", path, code=1).stderr, path
    assert len(stored(run)) == 30
    assert not list(DATA.glob("*.re*"))


def test_restoring_beside_a_server_is_refused(served: str, run: Run) -> None:
    run("backup", "copy.db")
    told = run("restore", "copy.db", code=1).stderr
    assert "stop it" in told
    assert "restore copy.db" in told
    assert len(stored(run)) == 30


# --- Upgrades ---


def test_an_upgrade_is_told_and_made(run: Run, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    schemas = Path(__file__).parent.parent / "plugins" / "sqlite" / "schemas"
    assert "There is no database" in run("upgrade", "--check").stdout
    DATA.mkdir(exist_ok=True)
    make(schemas / "3.sql")
    (DATA / "secret_key").write_bytes((schemas / "secret_key").read_bytes())
    (DATA / "secret_key").chmod(0o600)
    before = (DATA / "saastracker.db").read_bytes()
    told = read("upgrade", "--check")
    assert (told["release"], len(told["schema"]), told["index"]) == ("0.1.0", 3, "4")
    assert "0.1.0 smaller index" in told["pending"]
    assert told["copy_seconds"] > 0 < told["index_seconds"]
    shown = run("upgrade", "--check").stdout
    assert "To do: copy it to" in shown
    assert "made again" in shown
    assert (DATA / "saastracker.db").read_bytes() == before
    assert "of this release now" in run("upgrade").stdout
    assert Path(told["copy"]).exists()
    assert read("upgrade", "--check")["pending"] == []
    assert len(stored(run)) == 8
    monkeypatch.setattr("saastracker_sqlite.schema.MIGRATIONS", ("0.1.0 tables",))
    monkeypatch.setattr("saastracker_sqlite.resting.MIGRATIONS", ("0.1.0 tables",))
    assert "newer than this one: pip install" in run("upgrade", "--check", code=1).stderr


def make(dump: Path) -> None:
    with sqlite3.connect(DATA / "saastracker.db") as connection:
        connection.executescript(dump.read_text())
    connection.close()
