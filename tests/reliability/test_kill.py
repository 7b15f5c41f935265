"""An acknowledged event survives `kill -9`, and what is sent again is there once."""

from itertools import islice
from pathlib import Path

from tests.reliability.kill import kills
from tests.reliability.launch import launching
from tests.reliability.load import Keys

KILLS = 4


def test_no_acknowledged_event_is_lost(folder: Path, keys: Keys) -> None:
    *_, tally = islice(kills(folder, keys), KILLS)
    assert tally.acknowledged > 0
    assert (tally.lost, tally.twice) == (0, 0)


def test_the_control_loses_some(folder: Path, keys: Keys) -> None:
    """Or the test above could not fail."""
    tallies = islice(kills(folder, keys, launching("early_answer")), 4 * KILLS)
    assert any(tally.lost for tally in tallies), "inconclusive: the server that answers early lost nothing either"
