"""Kills the real server under load, over and over, and counts what was acknowledged and is gone.

python tests/reliability/kill.py [--rounds 20]

A control that answers before the commit shows that the count can be other than zero.
"""

import argparse
import json
import random
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from tests.reliability.launch import launching
from tests.reliability.load import Keys, Load, stored
from tests.serving import SAASTRACKER, Server, program


class Tally(NamedTuple):
    """After some kills: events acknowledged, of these not in the store, and events stored more than once."""

    kills: int
    acknowledged: int
    lost: int
    twice: int


def kills(folder: Path, keys: Keys, saastracker: Sequence[str] = SAASTRACKER) -> Iterator[Tally]:
    """Kill a server on `folder` under load, again and again; each time, what has come of all events so far."""
    load = Load(keys)
    kill = 0
    while True:
        kill += 1
        server = Server(folder, saastracker=saastracker)
        with load.running(server.url):
            time.sleep(random.uniform(0.1, 0.5))
            server.kill()
        found = stored(folder / "data")
        yield Tally(
            kill,
            acknowledged=len(load.acknowledged),
            lost=len(load.acknowledged - found.keys()),
            twice=sum(count > 1 for count in found.values()),
        )


def main(rounds: int) -> None:
    for name, saastracker in (("real", SAASTRACKER), ("control: answers before the commit", launching("early_answer"))):
        with tempfile.TemporaryDirectory() as folder:
            data = Path(folder) / "data"
            made = json.loads(subprocess.check_output([*program(data), "project", "add", "Shop", "--json"]))
            *_, last = islice(kills(Path(folder), made["keys"], saastracker), rounds)
        print(f"{name}: {last}")  # noqa: T201


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    main(parser.parse_args().rounds)
