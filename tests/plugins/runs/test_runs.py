"""The report on runs equals a plain count over the raw events."""

import random
import statistics
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saastracker.contracts import Reader
from saastracker.event import Event
from saastracker_runs import PARAMETERS, taggers
from saastracker_runs import load_runs as runs
from tests.asking import FIRST, LAST, SPAN, Row, blocks, keys, prop, rows, scope
from tests.indexed import HOUR, ZONES, at, reading, stores

COLUMNS = [
    *("name", "attempts", "completes", "fails", "abandoned"),
    *("completion", "attempts_to_complete", "median_value"),
]
MINUTE = HOUR // 60
START = at("2026-11-02 18:00")  # the span ends on the day after
NOON = at("2026-10-24 12:00")
TAGGERS = taggers(None)  # type: ignore[arg-type]
NAMES = ["Start:a", "Start:a", "Complete:a", "Fail:a", "Start:b", "Complete:b", "Start:", "Session:End", "jump"]
QUERIES: dict[str, Callable[[Event], bool]] = {
    "": lambda event: True,
    "environment=staging": lambda event: event.environment == "staging",
    "org=x": lambda event: event.org == "x",
    "name=Start:a": lambda event: event.name == "Start:a",
    "type=custom": lambda event: event.type == "custom",
    "f=release:is:1.0&environment=production": lambda event: (
        event.release == "1.0" and event.environment == "production"
    ),
    "f=prop.dim01:is:low": lambda event: prop(event, "dim01") == "low",
}


def ask(reader: Reader, query: str, zone: str = "UTC") -> dict[str, Any]:
    asked = scope(query, zone, declared=PARAMETERS)
    return blocks(runs(reader, asked), asked)


def made(seed: int, count: int, custom: bool) -> list[Event]:
    """Events of two evenings, the last of which lie behind the span."""
    pick = random.Random(seed)
    return [
        Event(
            name=pick.choice(NAMES),
            type="custom" if custom and pick.random() < 0.1 else "progression",
            time=START + pick.randrange(40 * 12) * 5 * MINUTE,
            user=pick.choice([None, "u1", "u2"]),
            anonymous=pick.choice([None, "a1", "u1"]),
            org=pick.choice([None, None, "x"]),
            session=pick.choice([None, "s1", "s2", "s3"]),
            release=pick.choice([None, "1.0", "1.1"]),
            environment=pick.choice(["production", "production", "staging"]),
            value=pick.choice([None, 1.5, 2.0, 10.0]),
            properties=pick.choice([None, '{"dim01":"low"}', '{"dim01":"high","dim03":7}']),
        )
        for _ in range(count)
    ]


# --- Against a slow count ---


class Attempt(NamedTuple):
    run: str
    row: Row
    outcome: str
    value: float | None


def slow(found: list[Row], chosen: Callable[[Event], bool], environment: str | None) -> list[Attempt]:
    """The attempts of the span, in the order of their starts."""
    newest = max((row.event.time or 0 for row in found if row.person or row.event.org), default=0)
    present = [row for row in found if environment in {None, row.event.environment}]
    game = sorted(
        (row for row in found if row.event.type == "progression" and chosen(row.event)),
        key=lambda row: row.event.time or 0,  # ties stay in the order of arrival
    )
    attempts = []
    for place, row in enumerate(game):
        verb, _, run = row.event.name.partition(":")
        if verb != "Start" or not run or not FIRST <= row.local.date() <= LAST:
            continue
        outcome, value = "abandoned", None
        if row.event.session:
            who = row.person, row.event.session
            ends = {f"Start:{run}": "abandoned", f"Complete:{run}": "complete", f"Fail:{run}": "fail"}
            later = (
                each
                for each in game[place + 1 :]
                if (each.person, each.event.session) == who and each.event.name in ends
            )
            end = next(later, None)
            session = [each.event for each in present if (each.person, each.event.session) == who]
            last = max(event.time or 0 for event in session)
            over = any(event.name == "Session:End" and event.time == last for event in session)
            if end:
                outcome = ends[end.event.name]
                value = end.event.value if outcome == "complete" else None
            elif newest - last < 30 * MINUTE and not over:
                outcome = "running"
        attempts.append(Attempt(run, row, outcome, value))
    return attempts


def counted(of: list[Attempt]) -> list[Any]:
    """The numbers of one row."""
    outcomes = [attempt.outcome for attempt in of]
    over = len(of) - outcomes.count("running")
    until: dict[Any, list[str]] = defaultdict(list)
    for attempt in of:
        if attempt.row.person and "complete" not in until[attempt.row.person]:
            until[attempt.row.person].append(attempt.outcome)
    tries = [len(each) for each in until.values() if "complete" in each]
    values = [attempt.value for attempt in of if attempt.outcome == "complete" and attempt.value is not None]
    return [
        len(of),
        *(outcomes.count(outcome) for outcome in ("complete", "fail", "abandoned")),
        outcomes.count("complete") / over if over else None,
        sum(tries) / len(tries) if tries else None,
        statistics.median(values) if values else None,
    ]


def labelled(event: Event, by: str) -> tuple[str | None, ...]:
    if by == "none":
        return ()
    value = event.release if by == "release" else prop(event, by)
    return (value if value is None else str(value),)


@stores
@given(
    seed=st.integers(0, 10**6),
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=3),
    zone=st.sampled_from(ZONES),
    rebuilt=st.booleans(),
    custom=st.booleans(),
)
def test_equals_a_slow_count(
    tmp_path_factory: pytest.TempPathFactory, seed: int, sizes: list[int], zone: str, rebuilt: bool, custom: bool
) -> None:
    batches = [made(seed + number, size, custom) for number, size in enumerate(sizes)]
    found = rows([event for batch in batches for event in batch], zone)
    foreign = made(seed, 20, custom)
    with reading(
        tmp_path_factory.mktemp("runs"), zone, *batches, foreign=foreign, taggers=TAGGERS, rebuilt=rebuilt
    ) as reader:
        for query, chosen in QUERIES.items():
            environment = query.rpartition("environment=")[2] if "environment=" in query else None
            attempts = slow(found, chosen, environment)
            for by in ("none", "release", "dim01", "dim03"):
                answer = ask(reader, f"{SPAN}&{query}&by={by}", zone)
                groups = defaultdict(list)
                for attempt in attempts:
                    groups[attempt.run, *labelled(attempt.row.event, by)].append(attempt)
                expected = [[*group, *counted(of)] for group, of in groups.items()]
                assert sorted(answer["runs"]["rows"], key=str) == sorted(expected, key=str), (query, by)
            figures = [figure["value"] for figure in answer["totals"]["figures"]]
            assert figures == counted(attempts)[:5]


# --- Worked out by hand ---


def play(name: str, minute: int, user: str = "ann", session: str = "s", **more: Any) -> Event:
    kind = "session" if name.startswith("Session") else "progression"
    return Event(
        **{"name": name, "type": kind, "time": NOON + minute * MINUTE, "user": user, "session": session, **more}
    )


EVENTS = [
    play("Start:cave", 0, release="1", properties='{"dim01":"easy"}'),
    play("Fail:cave", 1),
    play("Start:cave", 2, release="1", properties='{"dim01":"hard"}'),
    play("Start:cave", 3, release="2"),  # the one before is abandoned
    play("Complete:cave", 4, value=10.0),
    play("Complete:cave", 5, value=99.0),  # ends nothing
    play("Start:cave", 6, release="2"),
    play("Start:tower", 0, "bob", "t"),
    play("Complete:cave", 1, "bob", "t"),  # of another run
    play("Start:cave", 100, "bob", "u"),
    play("Complete:cave", 300, "bob", "u", value=20.0),
    play("Start:cave", 290, "eve", "v"),
]


def test_by_hand(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", EVENTS[::2], EVENTS[1::2], taggers=TAGGERS) as reader:
        answer = ask(reader, SPAN)
        assert list(answer) == ["totals", "runs"]
        assert keys(answer["runs"]) == COLUMNS
        assert answer["runs"]["rows"] == [
            ["cave", 6, 2, 1, 2, 2 / 5, 2.0, 15.0],  # eve's still runs; ann needed three, bob one
            ["tower", 1, 0, 0, 1, 0.0, None, None],
        ]
        totals = {figure["key"]: (figure["value"], figure["previous"]) for figure in answer["totals"]["figures"]}
        assert totals == {
            "attempts": (7, 0),
            "completes": (2, 0),
            "fails": (1, 0),
            "abandoned": (3, 0),
            "completion": (1 / 3, None),
        }
        by_release = ask(reader, f"{SPAN}&by=release")["runs"]
        assert keys(by_release) == ["name", "release", *COLUMNS[1:]]
        assert by_release["rows"] == [
            ["cave", "1", 2, 0, 1, 1, 0.0, None, None],
            ["cave", "2", 2, 1, 0, 1, 0.5, 1.0, 10.0],
            ["cave", None, 2, 1, 0, 0, 1.0, 1.0, 20.0],
            ["tower", None, 1, 0, 0, 1, 0.0, None, None],
        ]
        by_dim = ask(reader, f"{SPAN}&by=dim01")["runs"]["rows"]
        assert [row[:3] for row in by_dim] == [
            ["cave", None, 4],
            ["cave", "easy", 1],
            ["cave", "hard", 1],
            ["tower", None, 1],
        ]
        assert [figure["previous"] for figure in ask(reader, f"{SPAN}&compare=none")["totals"]["figures"]] == [None] * 5


@pytest.mark.parametrize(("last", "abandoned"), [(29, 0), (30, 1), (31, 1)])
def test_an_attempt_runs_until_its_session_is_quiet_for_half_an_hour(tmp_path: Path, last: int, abandoned: int) -> None:
    sent = [play("Start:cave", 0), play("Start:x", last, "bob")]
    with reading(tmp_path, "UTC", sent, taggers=TAGGERS) as reader:
        [[_, _, _, _, found, completion, _, _]] = ask(reader, f"{SPAN}&f=name:is:Start:cave")["runs"]["rows"]
        assert (found, completion) == (abandoned, 0.0 if abandoned else None)


def test_an_attempt_is_abandoned_when_its_session_says_that_it_ends(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", [play("Start:cave", 0), play("Session:End", 1)], taggers=TAGGERS) as reader:
        assert ask(reader, SPAN)["runs"]["rows"][0][4] == 1
    folder = tmp_path / "on"
    folder.mkdir()
    with reading(folder, "UTC", [play("Start:cave", 2), play("Session:End", 1)], taggers=TAGGERS) as reader:
        assert ask(reader, SPAN)["runs"]["rows"][0][4] == 0


def test_a_session_may_end_after_the_span(tmp_path: Path) -> None:
    sent = [
        play("Start:cave", 0),
        play("Complete:cave", 20 * 24 * 60, value=1.0),
        play("jump", 21 * 24 * 60, "bob", "t"),
    ]
    with reading(tmp_path, "UTC", sent, taggers=TAGGERS) as reader:
        assert ask(reader, SPAN)["runs"]["rows"] == [["cave", 1, 1, 0, 0, 1.0, 1.0, 1.0]]


def test_more_names_than_the_index_tells_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saastracker.folding.KEYS_MAX", 2)
    sent = [play(f"{verb}:{run}", 0) for run in range(4) for verb in ("Start", "Complete")]
    with reading(tmp_path, "UTC", sent, taggers=TAGGERS) as reader:
        assert [row[:3] for row in ask(reader, SPAN)["runs"]["rows"]] == [[str(run), 1, 1] for run in range(4)]


def test_what_is_still_counted_is_told(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", EVENTS) as reader:  # nobody follows the tagger
        assert "0%" in ask(reader, SPAN)["counting"]["text"]


def test_nothing_yet(tmp_path: Path) -> None:
    with reading(tmp_path, "UTC", foreign=EVENTS, taggers=TAGGERS) as reader:
        answer = ask(reader, SPAN)
        assert answer["runs"]["rows"] == []
        assert [figure["value"] for figure in answer["totals"]["figures"]] == [0, 0, 0, 0, None]
