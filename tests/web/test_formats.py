from datetime import date, datetime

import pytest

from saastracker.web.formats import day, days, json_markup, minute, moment, when, year


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


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


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ("2026-11-21T11:59:01+00:00", "now"),
        ("2026-11-21T11:58:01+00:00", "1 min"),
        ("2026-11-21T11:00:00+00:00", "12:00"),
        ("2026-11-20T22:59:59+00:00", "20 Nov"),
        ("2024-03-12T08:05:00+00:00", "12 Mar 2024"),
        ("2026-11-21T12:30:00+00:00", "13:30"),  # a clock that runs ahead
    ],
)
def test_a_list_says_minutes_then_the_time_then_the_day(at: str, text: str) -> None:
    assert when(ms(at), "Europe/Berlin", ms("2026-11-21T12:00:00+00:00")) == text


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ("2026-11-21T11:58:01+00:00", "12:58"),
        ("2026-11-20T22:59:59+00:00", "20 Nov 23:59"),
        ("2024-03-12T08:05:00+00:00", "12 Mar 2024 09:05"),
    ],
)
def test_settings_say_times_to_the_minute(at: str, text: str) -> None:
    assert minute(ms(at), "Europe/Berlin", ms("2026-11-21T12:00:00+00:00")) == text


def test_a_day_names_another_year() -> None:
    assert (day(date(2026, 3, 1), 2026), day(date(2025, 3, 1), 2026)) == ("1 Mar", "1 Mar 2025")


def test_spans_name_the_years_that_are_not_this_one() -> None:
    assert days(date(2026, 10, 22), date(2026, 11, 20), 2026) == "22 Oct \N{EN DASH} 20 Nov"
    assert days(date(2026, 10, 22), date(2026, 11, 20), 2027) == "22 Oct \N{EN DASH} 20 Nov 2026"
    assert days(date(2025, 12, 1), date(2026, 11, 20), 2026) == "1 Dec 2025 \N{EN DASH} 20 Nov 2026"
    assert days(date(2026, 11, 20), date(2026, 11, 20), 2026) == "20 Nov"
    assert days(date(2025, 11, 20), date(2025, 11, 20), 2026) == "20 Nov 2025"
    assert year(ms("2026-12-31T23:30:00+00:00"), "Europe/Berlin") == 2027


def test_json_is_escaped_and_its_parts_are_marked() -> None:
    assert json_markup({"a<b": '</script>"', "n": -1.5e3, "t": True, "z": None}) == (
        "{\n"
        '  <span class="j-k">&#34;a&lt;b&#34;</span>: <span class="j-s">&#34;&lt;/script&gt;\\&#34;&#34;</span>,\n'
        '  <span class="j-k">&#34;n&#34;</span>: <span class="j-n">-1500.0</span>,\n'
        '  <span class="j-k">&#34;t&#34;</span>: <span class="j-n">true</span>,\n'
        '  <span class="j-k">&#34;z&#34;</span>: <span class="j-n">null</span>\n'
        "}"
    )
