"""Jobs over the API: seen and started with a token of scope admin."""

import time
from typing import Any

import pytest

from tests.web.conftest import Running

JOBS = "/api/v1/jobs"


def test_a_job_is_started_and_its_run_shown(running: Running) -> None:
    admin = running.token("admin")
    idle: dict[str, Any] = {
        "name": "greet",
        "title": "Greet every project",
        "running": None,
        "next_run": None,
        "runs": [],
    }

    def greeting() -> dict[str, Any]:
        found: dict[str, Any] = next(job for job in running.get(JOBS, token=admin).json() if job["name"] == "greet")
        return found

    assert greeting() == idle
    assert running.request("POST", f"{JOBS}/greet/run", token=admin).status_code == 202
    while greeting()["running"]:
        time.sleep(0.01)
    [run] = greeting()["runs"]
    assert (run["result"], run["error"], run["notices"]) == ("done", None, 3)
    assert run["started_at"].endswith("Z")


@pytest.mark.parametrize(("method", "path"), [("GET", JOBS), ("POST", f"{JOBS}/greet/run")])
def test_only_admins_see_and_start_jobs(running: Running, method: str, path: str) -> None:
    assert running.request(method, path).status_code == 401
    for scope in ("read", "write"):
        answer = running.request(method, path, token=running.token(scope))
        assert (answer.status_code, "scope admin" in answer.json()["detail"]) == (403, True)


def test_an_unknown_job(running: Running) -> None:
    answer = running.request("POST", f"{JOBS}/absent/run", token=running.token("admin"))
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no job absent.")
