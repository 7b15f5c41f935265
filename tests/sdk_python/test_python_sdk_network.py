"""The Python SDK on several connections, through proxies and over https."""

import json
import threading
import time
from pathlib import Path

import pytest

from saastracker_sdk import Nanosights, Usermaven
from tests.certificates import certificate_of
from tests.sdk_python.answering import Turn, answering
from tests.sdk_python.sending import KEY, Sending


def test_several_connections_send_at_the_same_time() -> None:
    with answering(*[Turn(202, delay=0.5, body='{"accepted":1}')] * 4) as script:
        started = time.monotonic()
        with Nanosights(script.url, project_key="k", connections=4) as client:
            for name in "abcd":
                client.track(name)
            assert client.flush(5)
        assert time.monotonic() - started < 1.9
    assert sorted(json.loads(asked.body)["event_name"] for asked in script.asked) == list("abcd")
    assert len({asked.connection for asked in script.asked}) == 4


def test_many_threads_lose_nothing_and_threads_end(quick: None) -> None:
    with answering(Turn(500), Turn(), Turn(reset=True)) as script:
        sending = Sending(script, connections=2)
        threads = [
            threading.Thread(target=sending.track, args=[f"{thread}-{number}" for number in range(200)])
            for thread in range(5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sending.client.close()
    stored = {asked.key: asked.names for asked in script.asked}
    names = [name for batch in stored.values() for name in batch]
    assert sorted(names) == sorted(f"{thread}-{number}" for thread in range(5) for number in range(200))
    assert "saastracker-sdk" not in [thread.name for thread in threading.enumerate()]


def test_a_proxy_is_asked_for_the_whole_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.replace("://", "://me:p%40ss@"))
        monkeypatch.setenv("no_proxy", "other.example.com")
        with Usermaven("http://stats.example.com/base/", **KEY) as client:
            client.track("a", user="ada")
    [asked] = proxy.asked
    assert asked.path == "http://stats.example.com/base/api/v1/s2s/events"
    assert asked.headers["host"] == "stats.example.com"
    assert asked.headers["proxy-authorization"] == "Basic bWU6cEBzcw=="  # me:p@ss


def test_an_authority_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = certificate_of("127.0.0.1", tmp_path)
    with answering(certificate=certificate) as script:
        sending = Sending(script, exit_timeout=0.1)
        sending.track("a")
        assert not sending.client.flush(1)
        assert "CERTIFICATE_VERIFY_FAILED" in caplog.text
        assert not sending.client.close()
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
        sending = Sending(script)
        sending.track("b")
        assert sending.client.close()
    assert script.names == ["b"]


def test_https_passes_through_a_proxy_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = certificate_of("127.0.0.1", tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with answering(certificate=certificate) as script, answering() as proxy:
        monkeypatch.setenv("https_proxy", proxy.url.replace("://", "://me:p%40ss@"))
        sending = Sending(script)
        sending.track("a")
        assert sending.client.close()
    assert script.names == ["a"]
    [asked] = proxy.asked
    assert asked.path == script.url.removeprefix("https://")
    assert asked.headers["proxy-authorization"] == "Basic bWU6cEBzcw=="


def test_a_path_before_the_servers_own_is_kept() -> None:
    with answering() as script, Usermaven(f"{script.url}/stats/", api_key="key") as client:
        client.track("a", user="ada")
        assert client.flush(5)
    assert script.asked[0].path == "/stats/api/v1/event?token=key"
    assert "authorization" not in script.asked[0].headers
