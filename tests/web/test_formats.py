from datetime import date, datetime

import pytest

from saastracker.web.formats import days, json_markup, moment, number, short_number


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (8412, "8,412"),
        (1284000, "1,284,000"),
        (2.5, "2.5"),
        (3.0, "3"),
        (-4, "\N{MINUS SIGN}4"),
        (None, "\N{EN DASH}"),
        (1e20, "1e+20"),
    ],
)
def test_tables_show_exact_numbers(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (9999, "9,999"), (10_000, "10.0k"), (12_449, "12.4k"), (99_960, "100k"), (384_000, "384k"),
     (1_284_000, "1.28M"), (9_996_000, "10.0M"), (2_500_000_000, "2.50B")],
)  # fmt: skip
def test_long_counts_have_three_digits(value: int, text: str) -> None:
    assert short_number(value) == text


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ("2026-11-21T00:30:00.204+01:00", "00:30:00.204"),
        ("2026-11-20T22:59:59+00:00", "20 Nov 23:59:59"),
        ("2024-03-12T08:05:00+00:00", "12 Mar 2024 09:05"),
    ],
)
def test_a_time_is_as_short_as_its_day_allows(at: str, text: str) -> None:
    assert moment(ms(at), "Europe/Berlin", ms("2026-11-21T12:00:00+00:00")) == text


def test_spans_name_the_year_only_across_years() -> None:
    assert days(date(2026, 10, 22), date(2026, 11, 20)) == "22 Oct \N{EN DASH} 20 Nov"
    assert days(date(2025, 12, 1), date(2026, 11, 20)) == "1 Dec 2025 \N{EN DASH} 20 Nov 2026"
    assert days(date(2026, 11, 20), date(2026, 11, 20)) == "20 Nov"


def test_json_is_escaped_and_its_parts_are_marked() -> None:
    assert json_markup({"a<b": '</script>"', "n": -1.5e3, "t": True, "z": None}) == (
        "{\n"
        '  <span class="j-k">&#34;a&lt;b&#34;</span>: <span class="j-s">&#34;&lt;/script&gt;\\&#34;&#34;</span>,\n'
        '  <span class="j-k">&#34;n&#34;</span>: <span class="j-n">-1500.0</span>,\n'
        '  <span class="j-k">&#34;t&#34;</span>: <span class="j-n">true</span>,\n'
        '  <span class="j-k">&#34;z&#34;</span>: <span class="j-n">null</span>\n'
        "}"
    )
