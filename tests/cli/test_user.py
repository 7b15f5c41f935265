"""People on the command line: links that let in once, and listings without secrets."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from saastracker.accounts import Accounts
from saastracker.accounts.sessions import Entered
from saastracker.cli.options import Options
from saastracker.records import now_ms

Run = Callable[..., Result]
Read = Callable[..., Any]

PASSWORD = "an owl in the chimney"
DATA = Path("saastracker-data")


def accounts(work: Callable[[Accounts], Any]) -> Any:
    with Options(DATA, None).open() as installation:
        return work(installation.accounts)


def sign_up(link: str, email: str) -> Entered:
    token = link.rpartition("/sign-up/")[2]

    def work(accounts: Accounts) -> Entered:
        return accounts.invitations.sign_up(
            token, name="Ada", email=email, password=PASSWORD, agent="Firefox on Linux", now=now_ms()
        )

    made: Entered = accounts(work)
    return made


def test_the_first_user_owns_and_the_next_is_a_member(read: Read) -> None:
    first = read("user", "add", "Ada@example.com")
    assert first["link"].startswith("http://127.0.0.1:8000/sign-up/")
    assert {**first, "link": ""} == {"email": "ada@example.com", "workspace": "Default", "role": "owner", "link": ""}
    sign_up(first["link"], "ada@example.com")
    assert read("user", "add", "bob@example.com")["role"] == "member"
    assert read("user", "add", "eve@example.com", "--role", "viewer")["role"] == "viewer"


def test_who_has_an_account_joins_at_once(run: Run, read: Read) -> None:
    sign_up(read("user", "add", "ada@example.com")["link"], "ada@example.com")
    accounts_of_two = run("user", "add", "ada@example.com", "--role", "viewer", code=1)
    assert accounts_of_two.stderr == "Error: ada@example.com belongs to this workspace already.\n"
    with Options(DATA, None).open() as installation:
        installation.facts.add_workspace("Other")
    printed = run("user", "add", "ada@example.com", "--workspace", "Other").stdout
    assert printed == "ada@example.com has an account, and is now owner of Other.\n"
    listed = [(row["workspace"], row["role"]) for row in read("user", "list")]
    assert listed == [("Default", "owner"), ("Other", "owner")]


def test_users_are_listed_without_secrets(run: Run, read: Read) -> None:
    link = read("user", "add", "ada@example.com")["link"]
    (invited,) = read("user", "list")
    assert (invited["email"], invited["name"], invited["role"]) == ("ada@example.com", None, "owner")
    assert invited["invited_until"]
    entered = sign_up(link, "ada@example.com")
    (user,) = read("user", "list")
    assert {**user, "created_at": "", "seen_at": ""} == {
        "email": "ada@example.com",
        "name": "Ada",
        "workspace": "Default",
        "role": "owner",
        "second_factor": False,
        "created_at": "",
        "seen_at": "",
        "invited_until": None,
    }
    for output in (run("user", "list").stdout, run("user", "list", "--json").stdout):
        assert not any(text in output for text in (link[-43:], entered.token, "argon2", entered.session.digest))


def test_a_password_is_reset(run: Run, read: Read) -> None:
    entered = sign_up(read("user", "add", "ada@example.com")["link"], "ada@example.com")
    reset = read("user", "password", " ADA@example.com ")
    assert list(reset) == ["email", "link"]
    token = reset["link"].removeprefix("http://127.0.0.1:8000/password/")
    assert accounts(lambda accounts: accounts.signed(entered.token, now_ms())) is None
    assert accounts(lambda accounts: accounts.own.password_link(token, now_ms()).email) == "ada@example.com"
    printed = run("user", "password", "ada@example.com", "--factor").stdout
    assert printed.startswith(
        "ada@example.com chooses a new password with this link; it works once, for a day:\n  http"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("user", "add", "ada"), "'ada' is no e-mail address; one reads like ada@example.com"),
        (("user", "password", "bob@example.com"), 'There is no user "bob@example.com", did you mean "bo@example.com"'),
        (("user", "add", "a@b.de", "--workspace", "Defalt"), 'There is no workspace "Defalt", did you mean "Default"'),
    ],
)
def test_mistakes_are_one_line(run: Run, read: Read, arguments: tuple[str, ...], message: str) -> None:
    sign_up(read("user", "add", "bo@example.com")["link"], "bo@example.com")
    result = run(*arguments, code=1)
    assert result.stderr.startswith(f"Error: {message}")
    assert result.stderr.count("\n") == 1
