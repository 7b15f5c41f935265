import pytest

from saastracker.report import Unit
from saastracker.web.numbers import Change, change, difference, exact, short, size, whole_share

MINUS, MISSING = "\N{MINUS SIGN}", "\N{EN DASH}"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (8412, "count", "8,412"),
        (1_284_000, "count", "1,284,000"),
        (2.5, "count", "2.5"),
        (1234.5678, "count", "1,234.57"),
        (3.0, "count", "3"),
        (1 / 3, "count", "0.333"),
        (0.00002, "count", "2e-05"),
        (-4, "count", f"{MINUS}4"),
        (1e20, "count", "1e+20"),
        (0.589, "share", "58.9%"),
        (0, "share", "0.0%"),
        (-0.016, "share", f"{MINUS}1.6%"),
        (0, "seconds", "0 s"),
        (0.048, "seconds", "48 ms"),
        (0.9999, "seconds", "1 s"),
        (1.94, "seconds", "1.9 s"),
        (59.99, "seconds", "1 min"),
        (150, "seconds", "2.5 min"),
        (660, "seconds", "11 min"),
        (3599, "seconds", "1 h 00 min"),
        (3 * 3600 + 5 * 60, "seconds", "3 h 05 min"),
        (5.2 * 86_400, "seconds", "5.2 d"),
        (1e300, "seconds", "1.16e+295 d"),
        (1900, "milliseconds", "1.9 s"),
        (28.571, "points", "28.6"),
        (40, "points", "40.0"),
        (19, "days", "19 d"),
    ],
)
def test_tables_show_numbers_in_full(value: float, unit: Unit, text: str) -> None:
    assert exact(value, unit) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (9999, "9,999"), (10_000, "10.0k"), (12_449, "12.4k"), (99_960, "100k"), (384_000, "384k"),
     (1_284_000, "1.28M"), (9_996_000, "10.0M"), (2_500_000_000, "2.50B"), (-12_449, f"{MINUS}12.4k"), (3.25, "3.25"),
     (1e300, "1e+300")],
)  # fmt: skip
def test_long_counts_have_three_digits(value: float, text: str) -> None:
    assert short(value) == text


def test_long_times_are_short_in_figures() -> None:
    assert [short(hours * 3600, "seconds") for hours in (0.5, 1, 27.44, 48)] == ["30 min", "1.0 h", "27.4 h", "2.0 d"]


def test_what_is_missing_is_a_dash() -> None:
    assert (exact(None), short(None, "share"), whole_share(None)) == (MISSING, MISSING, MISSING)
    assert (short(0.2291, "share"), whole_share(0.2291)) == ("22.9%", "23%")


@pytest.mark.parametrize(
    ("value", "previous", "unit", "expected"),
    [
        (1089, 1000, "count", Change("up", "8.9%")),
        (911, 1000, "count", Change("down", "8.9%")),
        (41, 29, "count", Change("up", "12")),  # of a small count the count
        (12, 0, "count", Change("up", "12")),
        (0.229, 0.216, "share", Change("up", "1.3 pt")),
        (3.2, 3.6, "days", Change("down", "0.4 d")),
        (60, 90, "seconds", Change("down", "30 s")),
        (98_760, 40_000, "seconds", Change("up", "16.3 h")),
        (6.28, 6.1349, "count", Change("up", "0.15")),
        (0.107, 0.098, "count", Change("up", "0.009")),
        (5, 5, "count", Change("same", "0")),
        (None, 5, "count", None),
        (5, None, "count", None),
    ],
)
def test_changes(value: float | None, previous: float | None, unit: Unit, expected: Change | None) -> None:
    assert change(value, previous, unit) == expected


def test_a_number_that_is_a_change() -> None:
    assert difference(-0.376, "share") == Change("down", "37.6%")
    assert difference(0) == Change("same", "0")
    assert difference(-0.683) == Change("down", "0.7")
    assert difference(0.04) == Change("same", "0")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (980, "980 B"),
        (999.6, "1.00 kB"),
        (12_400, "12.4 kB"),
        (384_000_000, "384 MB"),
        (999_700_000, "1.00 GB"),
        (1_280_000_000, "1.28 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_bytes(value: float, text: str) -> None:
    assert size(value) == text
