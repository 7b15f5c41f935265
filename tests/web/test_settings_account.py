"""One's own account in the settings."""

import html
import re

from saastracker.accounts import totp
from saastracker.accounts.csrf import csrf_token
from saastracker.records import now_ms
from saastracker.web.site import SESSION_COOKIE

from .conftest import Running
from .settling import entries, look, send
from .test_sign_in import ADA, PASSWORD, cookies_of, join, sign_in

ACCOUNT = "/settings/account"


def test_the_name_is_changed(running: Running) -> None:
    cookies = join(running)
    answer = send(running, f"{ACCOUNT}/name", cookies, name=" Ada Byron ")
    page = look(running, answer.headers["location"], cookies).text
    assert 'value="Ada Byron"' in page
    wrong = send(running, f"{ACCOUNT}/name", cookies, name="")
    assert (wrong.status_code, "A name has 1 to" in wrong.text) == (400, True)
    assert entries(running, "user")[-1] == (ADA, "change")


def test_the_password_is_changed_and_other_sessions_end(running: Running) -> None:
    cookies = join(running)
    others = cookies_of(sign_in(running))
    new = "two owls in the chimney"
    wrong = send(running, f"{ACCOUNT}/password", cookies, old="wrong", new=new)
    assert (wrong.status_code, "Your password is another one." in wrong.text) == (401, True)
    easy = send(running, f"{ACCOUNT}/password", cookies, old=PASSWORD, new="short")
    assert (easy.status_code, "10 to 200 characters" in easy.text) == (400, True)
    assert re.findall(r'name="(\w+)"[^>]* aria-invalid="true"', easy.text) == ["new"]
    assert PASSWORD not in easy.text
    answer = send(running, f"{ACCOUNT}/password", cookies, old=PASSWORD, new=new)
    assert answer.status_code == 303
    assert look(running, ACCOUNT, others).status_code == 303
    assert look(running, ACCOUNT, cookies).status_code == 200
    assert sign_in(running, password=new).status_code == 303


def test_guessing_the_password_of_a_session_has_to_wait(running: Running) -> None:
    cookies = join(running)
    for _ in range(5):
        assert send(running, f"{ACCOUNT}/password", cookies, old="x", new="y").status_code == 401
    answer = send(running, f"{ACCOUNT}/password", cookies, old=PASSWORD, new="two owls in the chimney")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")


def test_a_second_factor_is_set_up_and_removed(running: Running) -> None:
    cookies, others = join(running), cookies_of(sign_in(running))
    form = look(running, f"{ACCOUNT}/second-factor", cookies).text
    found = re.search(r'name="secret" value="([A-Z2-7]{32})"', form)
    assert found
    secret = found[1]
    assert f"otpauth://totp/saastracker%3Aada%40example.com?secret={secret}" in form
    assert re.search(r'role="img" aria-label="QR code[^>]*><svg width="196" height="196"', form)
    path = f"{ACCOUNT}/second-factor"

    def typed(code: str, password: str = PASSWORD, kept: str = secret) -> dict[str, str]:
        return {"secret": kept, "code": code, "password": password}

    code = totp.code_at(secret, now_ms() // totp.STEP_MS)
    for fields, status, field in (
        (typed("000000x"), 400, "code"),
        (typed(code, kept="<b>"), 400, "code"),
        (typed(code, password="wrong"), 401, "password"),
    ):
        wrong = send(running, path, cookies, **fields)
        assert wrong.status_code == status
        assert re.findall(r'name="(\w+)"[^>]* aria-invalid="true"', wrong.text) == [field]
        assert (f'name="secret" value="{secret}"' in wrong.text) == (fields["secret"] == secret)
    made = send(running, path, cookies, **typed(code))
    assert made.status_code == 200
    [block] = re.findall(r"<pre[^>]*>([^<]+)</pre>", made.text)
    codes = html.unescape(block).split()
    assert len(codes) == totp.RECOVERY_CODES
    assert look(running, ACCOUNT, others).status_code == 303
    page = look(running, ACCOUNT, cookies).text
    assert "10 recovery codes are left" in page
    assert codes[0] not in page
    assert send(running, path, cookies, **typed(code)).status_code in {400, 409}

    assert send(running, f"{ACCOUNT}/recovery-codes", cookies, password="wrong").status_code == 401
    again = send(running, f"{ACCOUNT}/recovery-codes", cookies, password=PASSWORD)
    assert again.status_code == 200
    assert codes[0] not in again.text

    assert send(running, f"{path}/remove", cookies, password="wrong").status_code == 401
    assert send(running, f"{path}/remove", cookies, password=PASSWORD).status_code == 303
    assert 'name="ticket"' not in sign_in(running).text
    assert send(running, f"{ACCOUNT}/recovery-codes", cookies, password=PASSWORD).status_code == 409


def test_sessions_are_listed_and_end(running: Running) -> None:
    cookies, others, third = join(running), cookies_of(sign_in(running)), cookies_of(sign_in(running))
    page = look(running, ACCOUNT, cookies).text
    assert "Firefox on Linux" in page
    assert page.count("/end?") == 2
    people = running.site.accounts
    signed = people.signed(others[SESSION_COOKIE], now_ms())
    assert signed
    assert send(running, f"{ACCOUNT}/sessions/{signed.session.id}/end", cookies).status_code == 303
    assert look(running, ACCOUNT, others).status_code == 303
    assert look(running, ACCOUNT, third).status_code == 200
    assert send(running, f"{ACCOUNT}/sessions/end-others", cookies).status_code == 303
    assert look(running, ACCOUNT, third).status_code == 303
    assert look(running, ACCOUNT, cookies).status_code == 200
    assert csrf_token(third[SESSION_COOKIE]) not in page
