"""Refusals are counted all, and only the newest keep their details."""

from saastracker.contracts import Refused
from saastracker.refusals import DETAILS_MAX, Refusals


def refused(number: int, project: str = "p") -> Refused:
    return Refused(project, number, "signature", "Invalid signature", "/v1/events")


def test_all_are_counted_and_the_newest_kept() -> None:
    refusals = Refusals()
    for number in range(DETAILS_MAX + 5):
        refusals.add(refused(number))
    details, counts = refusals.take()
    assert [each.at for each in details] == list(range(5, DETAILS_MAX + 5))
    assert counts == {("p", "signature", 0): DETAILS_MAX + 5}
    assert not refusals


def test_what_could_not_be_written_comes_back_before_the_newer() -> None:
    refusals = Refusals()
    refusals.add(refused(1))
    taken = refusals.take()
    refusals.add(refused(2))
    refusals.give_back(*taken)
    details, counts = refusals.take()
    assert [each.at for each in details] == [1, 2]
    assert counts == {("p", "signature", 0): 2}
