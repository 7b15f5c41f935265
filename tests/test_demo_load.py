"""Loading demo data: interrupted, it is done again; its projects have the names the demo tells of."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from saastracker.cli.options import Installation, Options
from saastracker.demo.load import DEMOS, GROUP_EVENTS, Demo, load
from saastracker.event import Event
from saastracker.testing import NOW


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    (tmp_path / "config.toml").touch()
    with Options(tmp_path, tmp_path / "config.toml").open() as opened:
        yield opened


def few(now: int) -> Iterator[Event]:
    for number in range(GROUP_EVENTS + 1):
        yield Event(name="seen", time=now - number, received_at=now)


def interrupted(now: int) -> Iterator[Event]:
    yield from few(now)
    raise KeyboardInterrupt


def test_an_interrupted_load_is_done_again(installation: Installation) -> None:
    facts = installation.facts
    days: list[tuple[int, int | None]] = []

    def load_one(events: Callable[[int], Iterator[Event]]) -> int:
        demo = Demo("Tiny", "tiny", "Europe/Amsterdam", events)
        return load(demo, facts, store, NOW, lambda done, total: days.append((done, total)))

    with closing(installation.plugins.open_store(installation.records)) as store:
        store.claim()
        with pytest.raises(KeyboardInterrupt):
            load_one(interrupted)
        assert not facts.snapshot.projects
        assert load_one(few) == GROUP_EVENTS + 1
        project = facts.snapshot.projects_by_slug["tiny"]
        assert project.timezone == "Europe/Amsterdam"
        assert len(store.read_after(0, 10 * GROUP_EVENTS, project.id)) == GROUP_EVENTS + 1
    assert days[-1] == (90, 90)


def test_slugs_are_those_of_the_projects(installation: Installation) -> None:
    workspace = installation.facts.default_workspace().id
    for demo in DEMOS:
        assert installation.facts.add_project(demo.name, workspace).slug == demo.slug
