"""Trackside: 90 days of people who play a racing game on phones and consoles."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import msgspec

from saastracker.demo.issue import Issue
from saastracker.demo.timeline import DAY_MS, DAYS, HOUR_MS, Session, Timeline, generator
from saastracker.event import Event

RELEASES = (  # days before today, build
    (101, "1.6.0"),
    (87, "1.7.0"),
    (73, "1.7.1"),
    (59, "1.8.0"),
    (45, "1.8.1"),
    (31, "1.9.0"),
    (17, "1.9.1"),
    (3, "1.10.0"),
)
PLAYERS = 300  # before the first day
NEW = 16  # a day
FIRST_DAY, LONG_RUN = 0.5, 0.06  # chance to play on the day after the first, and long after
LATE = 0.03  # of the sessions; sent when the phone is online again
UPGRADES = ("engine", "tyres", "brakes", "paint")
CARS = ("kestrel", "comet", "mule")


class Track(msgspec.Struct, frozen=True):
    """A course; who fails often learns."""

    name: str
    seconds: float  # a good lap
    ease: float  # chance to finish the first attempt
    launched: int = -1  # day


TRACKS = (
    Track("harbour_loop", 74, 0.82),
    Track("old_quay", 88, 0.66),
    Track("container_maze", 117, 0.48),
    Track("lighthouse_climb", 139, 0.33),
    Track("night_pier", 96, 0.55, launched=58),  # with 1.9.0
)


CRASHES = (  # each ends the session
    Issue(
        signature="shader-cache-corrupt",
        message="shader cache: bad checksum 0x{number:04x}",
        stack="Render.ShaderCache.Load (ShaderCache.cs:118)\nRender.Boot.Warm (Boot.cs:42)",
        scene="boot",
        chance=0.008,
    ),
    Issue(
        signature="garage-out-of-memory",
        message="out of memory: {number} KB for a texture",
        stack="Garage.Paint.Apply (Paint.cs:203)\nGarage.Screen.OnEnter (Screen.cs:77)",
        scene="garage",
        chance=0.07,
        releases=("1.9.0",),
    ),
    Issue(
        signature="night-pier-null-spline",
        message="NullReferenceException: spline {number} has no points",
        stack="Track.Spline.At (Spline.cs:61)\nTrack.Racer.Update (Racer.cs:140)",
        scene="night_pier",
        chance=0.03,
        releases=("1.10.0",),
    ),
)
_COUNTRIES = ("US", "BR", "DE", "JP", "GB", "FR", "MX", "NL", "PL", "KR")
_CLIENTS = (("Android", "phone"), ("iOS", "phone"), ("iOS", "tablet"), ("Windows", "desktop"), ("SteamOS", "console"))


class Player(msgspec.Struct):
    """Someone who plays, from day `joined` on; `tries` counts attempts at each track."""

    user: str
    joined: int
    client: Mapping[str, Any]
    liking: float
    tries: dict[str, int] = {}


def events(now: int) -> Iterator[Event]:
    """All events of the 90 days that end with the day (UTC) of `now`, in order of arrival."""
    return Game(Timeline(now, RELEASES)).events()


class Game:
    """All players, day by day."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._random = generator("game")
        self._players = [self._player(-self._random.randint(1, 200)) for _ in range(PLAYERS)]

    def events(self) -> Iterator[Event]:
        return self._timeline.by_arrival(self._day(day) for day in range(DAYS))

    def _player(self, joined: int) -> Player:
        random = self._random
        system, device = random.choices(_CLIENTS, (46, 30, 6, 12, 6))[0]
        country = random.choices(_COUNTRIES, (24, 14, 12, 10, 9, 8, 8, 6, 5, 4))[0]
        client = {"os": system, "device": device, "country": country}
        return Player(f"{random.getrandbits(256):064x}", joined, client, random.lognormvariate(0, 0.5))

    def _day(self, day: int) -> list[Event]:
        random = self._random
        weekend = self._timeline.date(day).weekday() >= 5
        self._players += [self._player(day) for _ in range(random.randint(NEW // 2, NEW + NEW // 2))]
        found: list[Event] = []
        for player in self._players:
            age = day - player.joined
            chance = 1.0 if not age else (LONG_RUN + (FIRST_DAY - LONG_RUN) / age) * player.liking
            if random.random() >= chance * (1.3 if weekend else 1):
                continue
            evening = int(random.triangular(5, 24, 19) * HOUR_MS)
            found += self._play(player, self._timeline.start(day) + evening)
        return found

    def _play(self, player: Player, start: int) -> list[Event]:
        """A session of a few runs; a crash ends it at once."""
        random = self._random
        build = self._timeline.release(start)
        delay = int(random.uniform(HOUR_MS, 2 * DAY_MS)) if random.random() < LATE else 0
        session = Session(random, start, delay=delay, user=player.user, release=build, **player.client)
        session.add("Session:Start", "session")
        crash = next((crash for crash in CRASHES if crash.happens(random, build)), None)
        for _ in range(0 if crash and crash.scene == "boot" else 1 + min(7, int(random.expovariate(0.5)))):
            session.wait(12)
            self._run(session, player)
        if crash:
            session.wait(5)
            session.add("crash", "error", properties=crash.properties(random))
        elif random.random() < 0.96:
            session.wait(8)
            session.add("Session:End", "session")
        return session.events

    def _run(self, session: Session, player: Player) -> None:
        """One attempt at a track, and what is done with the coins."""
        random = session.random
        launched = [track for track in TRACKS if self._timeline.start(track.launched) <= session.time]
        track = random.choice(launched)
        tries = player.tries[track.name] = player.tries.get(track.name, 0) + 1
        dims = _dims(random.choice(CARS), "ranked" if random.random() < 0.3 else "casual")
        session.add(f"Start:{track.name}", "progression", properties=dims)
        seconds = track.seconds * random.uniform(0.95, 1.4)
        fate = random.random()
        if fate > 0.95:  # put away in the middle
            return
        if fate > min(0.92, track.ease + 0.03 * tries):
            session.time += int(seconds * random.uniform(0.2, 0.9) * 1000)
            session.add(f"Fail:{track.name}", "progression", properties=dims)
            return
        session.time += int(seconds * 1000)
        session.add(f"Complete:{track.name}", "progression", value=round(seconds, 2), properties=dims)
        session.add("Source:coins", "resource", value=round(40 + 60 * (1 - track.ease)), properties=dims)
        if random.random() < 0.3:
            session.wait(15)
            session.add("Garage:Opened", "design")
            upgrade = random.choice(UPGRADES)
            session.add("Sink:coins", "resource", value=random.randint(60, 340), properties=f'{{"dim01":"{upgrade}"}}')
        if random.random() < 0.02:
            session.add("Source:gems", "resource", value=50, properties='{"dim01":"shop"}')


@cache
def _dims(car: str, mode: str) -> str:
    return f'{{"dim01":"{car}","dim02":"{mode}"}}'
