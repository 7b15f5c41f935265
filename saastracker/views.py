"""Saved views: a report with the scope it was looked at in, under a name."""

import re
from typing import Annotated
from urllib.parse import parse_qsl

import msgspec

from saastracker.definition import NAME, Definition
from saastracker.errors import Invalid

QUERY_MAX = 4096


class View(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A view as the API takes it."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    report: Annotated[str, msgspec.Meta(max_length=200)]  # slug, with the id of a detail behind a slash
    query: Annotated[str, msgspec.Meta(max_length=QUERY_MAX)] = ""  # as in the report's address, without `?`


def check(view: View) -> None:
    """Raises Invalid for what can be no address. What a report asks itself is only known when it is asked."""
    if not NAME.fullmatch(view.report.partition("/")[0]):
        raise Invalid("$.report: Expected a report's name as in its address, such as explorer")
    if re.search(r"[\x00-\x20#?]", view.query) or "%00" in view.query:
        raise Invalid("$.query: Expected a query string as in an address, without ? and spaces")
    try:
        parse_qsl(view.query, strict_parsing=bool(view.query), max_num_fields=100)
    except ValueError:
        raise Invalid("$.query: Expected parameters such as range=7d&org=acme, at most 100") from None


VIEW = Definition(
    kind="view",
    title="Saved views",
    about="Reports with the span and filters that somebody looked at them in.",
    struct=View,
    check=check,
    by_hand=False,
)
