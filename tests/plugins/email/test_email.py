"""Mail as a real SMTP server receives it, and what becomes of its refusals."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

import saastracker_email
from saastracker.channel import Item, Message
from saastracker.errors import Invalid, OperatorError, Refusal, Unavailable
from saastracker_email import Email, Settings
from tests.certificates import certificate_of
from tests.mailing import Mailbox, serving

NOW = 1_795_230_000_000  # 2026-11-21T03:00:00Z
ITEM = Item(at=NOW, project="Shop", title="Größe überschritten", text="Text", link="https://a.example/p/shop/errors/1")
MESSAGE = Message(
    id="0f" * 16,
    at=NOW,
    to="ada@shop.example",
    secret=b"",
    workspace="Default",
    topic="errors",
    subject="Shop: Größe überschritten",
    text="Größe\n.\nin a line of its own\n",
    html="<p>Größe</p>",
    items=(ITEM,),
    unsubscribe="https://a.example/unsubscribe/" + "x" * 200,
)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 and its key."""
    return certificate_of("127.0.0.1", tmp_path_factory.mktemp("certificate"))


def channel(port: int, **settings: Any) -> Email:
    given = {"host": "127.0.0.1", "port": port, "tls": "none", "sender": "saastracker <post@a.example>", **settings}
    return Email(Settings(**given))


def test_a_mail_as_it_arrives() -> None:
    mailbox = Mailbox()
    with serving(mailbox) as port:
        channel(port).send(MESSAGE)
    [envelope] = mailbox.received
    assert (envelope.mail_from, envelope.rcpt_tos) == ("post@a.example", ["ada@shop.example"])
    mail = mailbox.mail()
    assert mail["Subject"] == "Shop: Größe überschritten"
    assert mail["From"] == "saastracker <post@a.example>"
    assert mail["To"] == "ada@shop.example"
    assert mail["Date"] == "Sat, 21 Nov 2026 03:00:00 +0000"
    assert mail["Message-ID"] == f"<{'0f' * 16}@a.example>"
    sent = b"\r\nList-Unsubscribe: <%b>\r\n" % MESSAGE.unsubscribe.encode()  # mail programs decode nothing in it
    assert isinstance(envelope.content, bytes)
    assert sent in envelope.content
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Auto-Submitted"] == "auto-generated"
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain
    assert html
    assert plain.get_content().replace("\r\n", "\n") == MESSAGE.text
    assert html.get_content().strip() == "<p>Größe</p>"


# It knows TLS only as STARTTLS, and takes a login over TLS from the first byte for one in the open.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS:UserWarning")
@pytest.mark.parametrize("kind", ["starttls", "tls"])
def test_over_tls_with_login(kind: str, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    cert, private = certificate
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, private)
    asked: list[tuple[bytes, bytes]] = []

    def authenticate(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        asked.append((data.login, data.password))
        return AuthResult(success=data.password == b"right", handled=False)

    mailbox = Mailbox()
    options: dict[str, Any] = {"authenticator": authenticate, "auth_required": True}
    options |= {"ssl_context": context} if kind == "tls" else {"tls_context": context, "require_starttls": True}
    if kind == "tls":
        options["auth_require_tls"] = False
    with serving(mailbox, **options) as port:
        with pytest.raises(Unavailable, match="certificate"):
            channel(port, tls=kind, username="ada", password="right").send(MESSAGE)
        assert asked == [], "nothing is told to a server nobody vouches for"
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        channel(port, tls=kind, username="ada", password="right").send(MESSAGE)
        assert len(mailbox.received) == 1
        with pytest.raises(Unavailable, match="535") as refused:
            channel(port, tls=kind, username="ada", password="wrong").send(MESSAGE)
        assert "wrong" not in refused.value.detail
    assert asked[0] == (b"ada", b"right")


@pytest.mark.parametrize(
    ("answer", "error"),
    [("550 no such mailbox", Refusal), ("451 try later", Unavailable), ("421 closing", Unavailable)],
)
@pytest.mark.parametrize("step", ["recipient_answer", "data_answer"])
def test_refusals(answer: str, error: type[Refusal], step: str) -> None:
    mailbox = Mailbox()
    setattr(mailbox, step, answer)
    with serving(mailbox) as port, pytest.raises(error) as refused:
        channel(port).send(MESSAGE)
    assert type(refused.value) is error
    assert refused.value.detail == f"The mail server answered {answer}"
    assert mailbox.received == []


def test_a_server_that_offers_no_tls_gets_nothing() -> None:
    mailbox = Mailbox()
    with serving(mailbox) as port, pytest.raises(Refusal, match="STARTTLS"):
        channel(port, tls="starttls").send(MESSAGE)
    assert mailbox.received == []


def test_nobody_there() -> None:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        with pytest.raises(Unavailable, match="cannot be reached"):
            channel(found.getsockname()[1]).send(MESSAGE)


def test_a_server_that_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saastracker_email, "SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Unavailable, match="cannot be reached"):
        channel(silent.getsockname()[1]).send(MESSAGE)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: channel(25, sender=""),
        lambda: channel(25, sender="saastracker"),
        lambda: channel(25, username="ada", password="p", tls="none"),
    ],
)
def test_settings_that_cannot_work_stop_the_start(wrong: Callable[[], object]) -> None:
    with pytest.raises(OperatorError, match=r"^plugin\.email\."):
        wrong()


def test_nobody_adds_an_address() -> None:
    with pytest.raises(Invalid):
        channel(25).check("ada@shop.example")
