"""Issues over the API of a live server: ignored, opened again, merged and split off."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from tests.serving import serve, typed

INDEXED_SECONDS = 60


def test_issues_are_decided(tmp_path: Path) -> None:
    served = serve(tmp_path)
    try:
        token = typed(served.data, "token", "add", "writer", "--scope", "write")["token"]
        game = {"build_version": "1", "session_id": "5f2b1c9e-3a44-4a53-9d0e-0f6a1f0f6a1f", "player_hash": "0" * 32}
        at = datetime.now(UTC).isoformat()
        errors = [
            {**game, "ts": at, "type": "error", "name": name, "data": {"message": name}} for name in ("Lost", "Found")
        ]
        headers = {"Authorization": f"Bearer {served.keys['bearer']['key']}"}
        sent = httpx.post(f"{served.url}/api/v1/events", json={"events": errors}, headers=headers)
        assert sent.json()["accepted"] == 2, sent.text
        with httpx.Client(base_url=served.url, headers={"Authorization": f"Bearer {token}"}) as http:
            one, other = found(http, served.slug)
            issues = f"/api/v1/projects/{served.slug}/issues"

            def told(answer: httpx.Response) -> tuple[str, str, list[str]]:
                said: dict[str, Any] = answer.raise_for_status().json()
                return said["id"], said["status"], said["keys"]

            assert told(http.get(f"{issues}/{one}")) == (one, "open", [one])
            ignored = {"status": "ignored", "ignored_until_events": 5}
            assert told(http.patch(f"{issues}/{one}", json=ignored)) == (one, "ignored", [one])
            assert told(http.patch(f"{issues}/{one}", json={"status": "open"})) == (one, "open", [one])
            assert told(http.post(f"{issues}/{one}/merge", json={"issue": other})) == (one, "open", [one, other])
            assert http.post(f"{issues}/{one}/merge", json={"issue": other}).status_code == 409
            assert found(http, served.slug) == [one]
            assert told(http.post(f"{issues}/{one}/split", json={"key": other})) == (one, "open", [one])
            assert told(http.get(f"{issues}/{other}")) == (other, "open", [other])
            assert http.get(f"{issues}/1-0").status_code == 404
    finally:
        served.server.stop()


def found(http: httpx.Client, slug: str) -> list[str]:
    """Ids of the issues that the report lists, once it lists any."""
    deadline = time.monotonic() + INDEXED_SECONDS
    while time.monotonic() < deadline:
        answer = http.get(f"/p/{slug}/errors.json")
        if answer.is_success:
            table = next(block for block in answer.json()["blocks"] if block["key"] == "issues")
            if table["rows"]:
                place = [column["key"] for column in table["columns"]].index("issue")
                return [row[place] for row in table["rows"]]
        time.sleep(0.2)
    raise AssertionError("The errors were not indexed in time.")
