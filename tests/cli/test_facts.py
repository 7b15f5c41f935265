"""Projects, workspaces, keys and tokens on the command line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

Run = Callable[..., Result]
Read = Callable[..., Any]


def test_project_add_prints_exactly_this(read: Read) -> None:
    made = read(
        "project", "add", "My App", "--origin", "a.example.com", "--origin", "*.b.com", "--timezone", "Asia/Tokyo"
    )
    assert list(made) == ["id", "uuid", "slug", "name", "keys"]
    assert made["uuid"] == made["id"] == made["keys"]["hmac"]["app_uuid"]
    assert (made["slug"], made["name"]) == ("my-app", "My App")
    assert {scheme: set(shown) for scheme, shown in made["keys"].items()} == {
        "hmac": {"app_uuid", "api_secret"},
        "bearer": {"key"},
        "query-token": {"api_key", "server_token"},
        "project-key": {"key"},
    }
    (listed,) = read("project", "list")
    assert listed["origins"] == ["a.example.com", "*.b.com"]
    assert (listed["id"], listed["timezone"], listed["workspace"]) == (made["id"], "Asia/Tokyo", "Default")


def test_secrets_are_shown_once(run: Run, read: Read) -> None:
    secret = read("project", "add", "A")["keys"]["hmac"]["api_secret"]
    token = read("token", "add", "ci", "--project", "a")["token"]
    for command in ("project", "key", "token", "workspace"):
        for option in ((), ("--json",)):
            output = run(command, "list", *option).output
            assert secret not in output
            assert token not in output


def test_rotate(run: Run, read: Read) -> None:
    old = read("project", "add", "A")
    new = read("project", "rotate", "a", "--scheme", "hmac", "--overlap", "1")
    assert list(new["keys"]) == ["hmac"]
    assert new["keys"]["hmac"]["api_secret"] != old["keys"]["hmac"]["api_secret"]
    keys = [key for key in read("key", "list", "--project", "a") if key["scheme"] == "hmac"]
    assert [key["expires_at"] is None for key in keys] == [False, True]
    assert set(read("project", "rotate", "a")["keys"]) == set(old["keys"])
    assert run("project", "rotate", "a", "--scheme", "query-key", code=1).stderr == (
        'Error: The auth scheme "query-key" has no keys of its own; it reads those of another scheme\n'
    )


def test_delete_and_restore(run: Run, read: Read) -> None:
    read("project", "add", "A")
    assert run("project", "delete", "a", code=1, stdin=b"b\n").stderr.endswith("Error: Nothing was deleted.\n")
    assert run("project", "restore", "a", code=1).stderr == 'Error: The project "a" is not deleted.\n'
    run("project", "delete", "a", stdin=b"a\n")
    (listed,) = read("project", "list")
    assert (listed["active"], listed["erased_at"] is None) == (False, False)
    assert run("key", "add", "bearer", "--project", "a", code=1).stderr == (
        'Error: The project "a" is deleted; bring it back with: saastracker project restore a\n'
    )
    run("project", "restore", "a")
    (listed,) = read("project", "list")
    assert (listed["active"], listed["erased_at"]) == (True, None)
    assert run("project", "delete", "a", "--yes").output.startswith("Project a is deleted.")


def test_keys(run: Run, read: Read) -> None:
    read("project", "add", "A")
    made = read("key", "add", "bearer", "--project", "a")
    assert set(made) == {"id", "key"}
    for rate in ("5", "none"):
        assert run("key", "set", made["id"], "--rate", rate).output.startswith(f"Key {made['id']} may send ")
        assert [key["rate"] for key in read("key", "list") if key["id"] == made["id"]] == [5 if rate == "5" else None]
    limited = read("key", "add", "bearer", "--project", "a", "--rate", "9")
    assert [key["rate"] for key in read("key", "list") if key["id"] == limited["id"]] == [9]
    assert run("key", "set", made["id"], "--rate", "0", code=1).stderr == (
        "Error: A key may send 1 to 100000 requests a second, or any number; found 0\n"
    )
    assert "give a number" in run("key", "set", made["id"], "--rate", "fast", code=2).stderr
    assert "saastracker key list" in run("key", "set", "x", "--rate", "1", code=1).stderr
    run("key", "revoke", made["id"])
    revoked = {key["id"] for key in read("key", "list") if key["revoked_at"]}
    assert revoked == {made["id"]}


def test_tokens(run: Run, read: Read) -> None:
    read("project", "add", "A")
    made = read("token", "add", "ci", "--project", "a", "--scope", "read")
    assert list(made) == ["token"]
    assert made["token"].startswith("st_")
    (token,) = read("token", "list")
    assert (token["name"], token["scope"], token["project"], token["revoked_at"]) == ("ci", "read", "a", None)
    run("token", "revoke", token["id"])
    assert read("token", "list")[0]["revoked_at"]


def test_workspaces(run: Run, read: Read) -> None:
    read("project", "add", "A")
    run("workspace", "set", "Default", "--budget", "1000", "--policy", "drop")
    (workspace,) = read("workspace", "list")
    assert (workspace["budget"], workspace["policy"], workspace["used"], workspace["projects"]) == (1000, "drop", 0, 1)
    run("workspace", "set", "Default", "--budget", "none")
    (workspace,) = read("workspace", "list")
    assert (workspace["budget"], workspace["policy"]) == (None, "drop")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("token", "add", "t", "--project", "aa"), 'There is no project "aa", did you mean "a"; allowed: a'),
        (("workspace", "set", "Defalt", "--budget", "1"), 'There is no workspace "Defalt", did you mean "Default"'),
        (("key", "add", "baerer", "--project", "a"), 'No enabled plugin offers the auth scheme "baerer", did you mean'),
        (("key", "revoke", "x"), "There is no key x; see: saastracker key list"),
        (("token", "revoke", "x"), "There is no token x; see: saastracker token list"),
        (("project", "add", "B", "--timezone", "Mars"), "Unknown time zone 'Mars'; use a name such as Europe/Berlin"),
        (
            ("project", "add", "B", "--origin", "http://b"),
            "Wrong origin 'http://b'; use a host such as app.example.com",
        ),
        (("--config", "absent.toml", "check"), "absent.toml: cannot read the configuration"),
        (("backup", "absent/file"), "There is no folder absent; make it first"),
    ],
)
def test_mistakes_are_one_line_and_exit_1(run: Run, arguments: tuple[str, ...], message: str) -> None:
    run("project", "add", "A")
    result = run(*arguments, code=1)
    assert result.stderr.startswith(f"Error: {message}")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments", [("chek",), ("serve", "--port", "x"), ("workspace", "set", "Default"), ("export",)]
)
def test_wrong_usage_exits_2(run: Run, arguments: tuple[str, ...]) -> None:
    assert "Error: " in run(*arguments, code=2).stderr


def test_check_writes_nothing(run: Run, read: Read) -> None:
    assert "ok  /v1/events: format saastracker, auth scheme hmac\n" in run("check").stdout
    assert {"name", "version", "distribution", "enabled", "offers"} == set(read("plugins")[0])
    assert not list(Path().iterdir())
