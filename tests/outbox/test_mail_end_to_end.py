"""A real server and a real mail server: a budget is crossed, and each warning arrives once, whatever happens."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from saastracker.accounts.model import OPERATOR
from saastracker.cli.options import Options
from saastracker.deliveries import Deliveries, change
from saastracker.records import now_ms
from tests.mailing import Mailbox, free_port, serving
from tests.serving import Server, typed

ADA = "ada@shop.example"
EVENTS = 10
WAIT_SECONDS = 20

CONFIG = """
[scheduler]
enabled = false

[plugin.email]
host = "127.0.0.1"
port = {port}
tls = "none"
sender = "saastracker <post@stats.example>"
"""


class Site:
    """A server with a budget of ten events, one owner, and a port where a mail server may be."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        (folder / "config.toml").write_text(CONFIG.format(port=self.port))
        self.project = typed(folder / "data", "project", "add", "Shop")
        self.token = typed(folder / "data", "token", "add", "tests", "--scope", "admin")["token"]
        with Options(folder / "data", None).open() as installation:
            workspace, now = installation.facts.default_workspace().id, now_ms()
            installation.facts.set_workspace(workspace, budget=EVENTS, policy=None)
            invitations = installation.accounts.invitations
            invited = invitations.invite(workspace, ADA, "owner", by=OPERATOR, now=now)
            invitations.sign_up(
                invited.link, name="Ada", email=ADA, password="an owl in the chimney", agent="Firefox", now=now
            )
        self.server = Server(folder)

    def restart(self) -> None:
        self.server = Server(self.folder)

    def send_events(self) -> None:
        """As many as the budget has, in one batch."""
        event = {
            "build_version": "1.0.0",
            "session_id": "5f2b1c9e-3a44-4a53-9d0e-0f6a1f0f6a1f",
            "player_hash": "0123456789abcdef0123456789abcdef",
            "type": "progression",
            "name": "Level:Complete",
        }
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        httpx.post(
            f"{self.server.url}/api/v1/events",
            headers={"Authorization": f"Bearer {self.project['keys']['bearer']['key']}"},
            json={"events": [{**event, "ts": at} for _ in range(EVENTS)]},
        ).raise_for_status()

    def run(self, *jobs: str) -> None:
        """Run jobs to their end."""
        with httpx.Client(base_url=f"{self.server.url}/api/v1", headers=self._headers) as api:
            for job in jobs:
                before = self._runs(api, job)
                api.post(f"/jobs/{job}/run").raise_for_status()
                deadline = time.monotonic() + WAIT_SECONDS
                while self._runs(api, job) == before:
                    assert time.monotonic() < deadline, self.server.output
                    time.sleep(0.05)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _runs(self, api: httpx.Client, job: str) -> Any:
        return next(each["runs"] for each in api.get("/jobs").json() if each["name"] == job)

    def states(self) -> list[str]:
        """Of the messages, as the API tells them."""
        with httpx.Client(base_url=f"{self.server.url}/api/v1", headers=self._headers) as api:
            [workspace] = api.get("/workspaces").json()
            return [each["state"] for each in api.get(f"/workspaces/{workspace['id']}/messages").json()]

    def let_time_pass(self, minutes: int) -> None:
        """While the server is down, what happened is made so many minutes older."""
        with Options(self.folder / "data", None).open() as installation:
            deliveries = Deliveries(installation.records)
            past = minutes * 60_000
            deliveries.write(
                [
                    change(each, due_at=each.delivery.due_at - past, changed_at=each.delivery.changed_at - past)
                    for each in deliveries.all()
                ]
            )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.server.kill()


def test_a_budget_is_crossed_and_mail_arrives_once(site: Site) -> None:
    mailbox = Mailbox()
    with serving(mailbox, site.port):
        site.send_events()
        site.run("budgets", "messages", "budgets", "messages")
        assert site.server.stop() == 0
        site.restart()
        site.run("budgets", "messages")
    first, second = mailbox.mails()
    month = time.strftime("%B %Y", time.gmtime())
    assert [mail["Subject"].strip() for mail in (first, second)] == [
        f"Default: 80 % of the budget are used: 10 of 10 events in {month}",
        f"Default: The budget is used up: 10 of 10 events in {month}",
    ]
    assert first["To"] == second["To"] == ADA
    assert first["Message-ID"] != second["Message-ID"]
    assert site.states() == ["sent", "sent"]
    plain, html = second.get_body(("plain",)), second.get_body(("html",))
    assert plain
    assert html
    link = f"{site.server.url.rpartition(':')[0]}:"
    assert link in plain.get_content()
    check_unsubscribing(site, second["List-Unsubscribe"], html.get_content())


def check_unsubscribing(site: Site, header: str, html: str) -> None:
    """By one click of a mail program; the address stands in the mail, too, and never in the log."""
    address = header.strip("<> \r\n")
    assert address in html
    path = urlsplit(address).path
    answer = httpx.post(f"{site.server.url}{path}", content=b"List-Unsubscribe=One-Click")
    assert "You are unsubscribed" in answer.text
    assert path.rpartition("/")[2] not in site.server.output
    assert not re.search("gAAAAA", site.server.output)


def test_killed_between_sending_and_noting_it_is_not_sent_twice(site: Site) -> None:
    class Deadly(Mailbox):
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
            answer = await super().handle_DATA(server, session, envelope)
            site.server.kill()  # the mail is here, and nobody hears of it any more
            return answer

    deadly, mailbox = Deadly(), Mailbox()
    with serving(deadly, site.port):
        site.send_events()
        site.run("budgets")
        with pytest.raises((httpx.TransportError, AssertionError)):
            site.run("messages")
    assert len(deadly.received) == 1
    with serving(mailbox, site.port):
        site.restart()
        site.run("messages")
        assert sorted(site.states()) == ["sending", "sent"], "the other warning is sent"
        site.server.kill()
        site.let_time_pass(16)
        site.restart()
        site.run("messages", "messages")
        assert sorted(site.states()) == ["sent", "uncertain"]
    told = [mail["Subject"] for mail in deadly.mails() + mailbox.mails()]
    assert len(told) == len(set(told)) == 2


def test_what_waits_is_sent_after_a_restart(site: Site) -> None:
    """Queued, but not sent when the server ended; then tried while there was no mail server."""
    mailbox = Mailbox()
    site.send_events()
    site.run("budgets")
    site.server.kill()
    site.restart()
    site.run("messages")
    assert site.states() == ["waiting", "waiting"]
    assert "cannot be reached" in site.server.output
    site.server.kill()
    site.let_time_pass(2)
    with serving(mailbox, site.port):
        site.restart()
        site.run("messages")
        assert site.states() == ["sent", "sent"]
        site.run("messages")
    assert len(mailbox.received) == 2
