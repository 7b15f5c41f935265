"""Members and invitations in the settings."""

import html
import re

from saastracker.accounts.model import OPERATOR
from saastracker.records import now_ms

from .conftest import BASE, Running
from .settling import entries, look, people, send
from .test_sign_in import join, sign_up

MEMBERS = "/settings/members"
INVITE = "/settings/invitations"


def known(running: Running, email: str) -> str:
    return running.site.accounts.snapshot.by_email[email].id


def roles(running: Running) -> dict[str, str]:
    """The shop's members: roles by what stands before the @."""
    people = running.site.accounts.snapshot
    return {
        people.users[user].email.partition("@")[0]: role
        for user, role in people.of_workspace(running.shop.workspace).items()
    }


def test_an_invitation_shows_its_link_once(running: Running) -> None:
    cookies = join(running, role="admin")
    made = send(running, INVITE, cookies, email="Bob@Example.com", role="viewer")
    assert made.status_code == 200
    link = re.search(rf"{BASE}(/sign-up/[^<\s]+)", html.unescape(made.text))
    assert link
    later = look(running, MEMBERS, cookies).text
    assert "bob@example.com" in later
    assert link[1] not in later
    assert sign_up(running, link[1], "bob@example.com").status_code == 303
    assert roles(running) == {"ada": "admin", "bob": "viewer"}
    assert "Open invitations" not in look(running, MEMBERS, cookies).text
    assert entries(running, "invitation")[-2:] == [("ada@example.com", "create"), ("bob@example.com", "delete")]


def test_what_is_wrong_with_an_invitation(running: Running) -> None:
    cookies = join(running, role="admin")
    for email, role, status, field, said in (
        ("bob", "viewer", 400, "email", "is no e-mail address"),
        ("ada@example.com", "viewer", 409, "email", "belongs to this workspace already"),
        ("bob@example.com", "king", 400, "role", "Choose a role."),
        ("bob@example.com", "owner", 403, "role", "Only an owner makes"),
    ):
        answer = send(running, INVITE, cookies, email=email, role=role)
        assert (answer.status_code, said in answer.text) == (status, True), answer.text
        assert re.findall(r'name="(\w+)"[^>]* aria-invalid="true"', answer.text) == [field]
        assert f'value="{email}"' in answer.text
    assert not running.site.accounts.snapshot.invitations


def test_an_invitation_is_withdrawn(running: Running) -> None:
    cookies = join(running, role="admin")
    invitations, place = running.site.accounts.invitations, running.shop.workspace
    made = invitations.invite(place, "bob@example.com", "viewer", by=OPERATOR, now=now_ms()).invitation
    answer = send(running, f"{INVITE}/{made.id}/withdraw", cookies)
    assert "The invitation is withdrawn" in look(running, answer.headers["location"], cookies).text
    assert not running.site.accounts.snapshot.invitations
    owners = invitations.invite(place, "bob@example.com", "owner", by=OPERATOR, now=now_ms()).invitation
    theirs = invitations.invite(running.foreign.workspace, "b@example.com", "viewer", by=OPERATOR, now=now_ms())
    assert send(running, f"{INVITE}/{owners.id}/withdraw", cookies).status_code == 403
    assert send(running, f"{INVITE}/{theirs.invitation.id}/withdraw", cookies).status_code == 404


def test_roles_are_changed_and_members_removed(running: Running) -> None:
    cookies = people(running)
    member = known(running, "member@example.com")
    answer = send(running, f"{MEMBERS}/{member}/role", cookies["admin"], role="admin")
    assert answer.status_code == 303
    assert "The role is changed." in look(running, answer.headers["location"], cookies["admin"]).text
    assert roles(running)["member"] == "admin"
    assert send(running, f"{MEMBERS}/{member}/remove", cookies["admin"]).status_code == 303
    assert "member" not in roles(running)
    assert look(running, "/p/shop/stream", cookies["member"]).status_code == 404
    told = [who for who, action in entries(running, "members") if action == "change"]
    assert told[-2:] == ["admin@example.com"] * 2


def test_only_owners_touch_owners_and_one_stays(running: Running) -> None:
    cookies = people(running)
    owner, viewer = known(running, "owner@example.com"), known(running, "viewer@example.com")
    for path, fields in ((f"{owner}/role", {"role": "viewer"}), (f"{viewer}/role", {"role": "owner"})):
        assert send(running, f"{MEMBERS}/{path}", cookies["admin"], **fields).status_code == 403
    assert send(running, f"{MEMBERS}/{owner}/remove", cookies["admin"]).status_code == 403
    for path, fields in ((f"{owner}/role", {"role": "viewer"}), (f"{owner}/remove", {})):
        answer = send(running, f"{MEMBERS}/{path}", cookies["owner"], **fields)
        assert (answer.status_code, "needs an owner: make somebody else" in answer.text) == (409, True)
    assert roles(running)["owner"] == "owner"
    assert send(running, f"{MEMBERS}/{viewer}/role", cookies["owner"], role="king").status_code == 400


def test_everybody_may_leave(running: Running) -> None:
    cookies = people(running)
    viewer = known(running, "viewer@example.com")
    answer = send(running, f"{MEMBERS}/{viewer}/remove", cookies["viewer"])
    assert answer.headers["location"] == "/settings/account?notice=left"
    assert "You left the workspace." in look(running, answer.headers["location"], cookies["viewer"]).text
    assert "viewer" not in roles(running)


def test_a_stranger_is_no_member(running: Running) -> None:
    cookies = people(running)
    stranger = known(running, "stranger@example.com")
    for path, fields in ((f"{stranger}/role", {"role": "viewer"}), (f"{stranger}/remove", {}), ("x/remove", {})):
        assert send(running, f"{MEMBERS}/{path}", cookies["owner"], **fields).status_code == 404
    text = look(running, MEMBERS, cookies["viewer"]).text
    assert "stranger@example.com" not in text
    assert "/role" not in text
