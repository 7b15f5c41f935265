"""One event of a usermaven body: who, which company, when, on which page, and what else it says."""

from typing import Any, TypeAlias

from saastracker.decoding import (
    check_origin,
    check_time,
    clip,
    encode_properties,
    identifier,
    iso_time,
    number,
    plain_path,
    url_campaign,
    url_host,
    url_path,
)
from saastracker.errors import Invalid
from saastracker.event import NAME_MAX, Event, identity, type_of
from saastracker.wire import Project, Request

Fields: TypeAlias = dict[str, Any]


def read(body: Fields, request: Request, project: Project, *, browser: bool) -> Event:
    """The event that `body` describes.

    Raises Invalid that names the field, or Forbidden where the page's origin is not allowed.
    """
    fields = _present(_object(body.get("eventn_ctx"), "$.eventn_ctx")) | _present(body)
    fields.pop("eventn_ctx", None)  # Jitsu can nest there all that it adds to an event
    name = _text(fields.pop("event_type", None), "$.event_type")
    if not name or len(name) > NAME_MAX:
        raise Invalid(f"$.event_type: Required, 1 to {NAME_MAX} characters")
    url = _text(fields.get("url"), "$.url")
    if url:
        fields["url"] = clip(url)

    person, company = _person_and_company(fields)
    user, anonymous = _who(person, fields.get("src"), request, browser=browser)
    org = identifier(company.get("id"), "$.company.id")
    time = _time(fields.pop("_timestamp", None), fields.pop("utc_time", None), request.received_at)
    event_id = identifier(fields.pop("event_id", None), "$.event_id")

    path = plain_path(_text(fields.pop("doc_path", None), "$.doc_path")) or url_path(url)
    host, referrer = url_host(url), url_host(_text(fields.get("referer"), "$.referer"))
    if referrer and referrer in (host, fields.get("doc_host")):
        referrer = None
    campaign = _campaign(fields, url)
    user_agent = _text(fields.pop("user_agent", None), "$.user_agent")
    if browser:
        user_agent = user_agent or request.header(b"user-agent") or None
    address = _text(fields.pop("source_ip", None), "$.source_ip")  # from Jitsu on a server: its visitor's

    properties = fields | _object(fields.pop("event_attributes", None), "$.event_attributes")
    properties.pop("api_key", None)  # may hold the secret half too
    value = _value(properties)
    event = Event(
        name=name,
        type=type_of(name),
        time=time,
        user=user,
        anonymous=anonymous,
        org=org,
        path=path,
        value=value,
        referrer=referrer,
        source=campaign.get("source"),
        medium=campaign.get("medium"),
        campaign=campaign.get("campaign"),
        properties=encode_properties(properties, "$.event_attributes"),
        traits=encode_properties(_present({"user": person, "company": company}), "$.user"),
        id=identity(event_id, user or anonymous, time) if event_id else None,
        user_agent=user_agent,
        address=address,
        host=host,
    )
    if browser:
        check_origin(request, project, url)
    return event


def _person_and_company(fields: Fields) -> tuple[Fields, Fields]:
    """Both leave `fields`; the company inside the user serves where there is no other."""
    person = _present(_object(fields.pop("user", None), "$.user"))
    company = _present(_object(fields.pop("company", None), "$.company"))
    if isinstance(person.get("company"), dict):  # text there is a trait like any other
        own = _present(person.pop("company"))
        company = company or own
    return person, company


def _who(person: Fields, source: Any, request: Request, *, browser: bool) -> tuple[str | None, str | None]:
    """The user id and the anonymous id; they leave `person`, which keeps the traits."""
    user = identifier(person.pop("id", None), "$.user.id")
    anonymous = identifier(person.pop("anonymous_id", None), "$.user.anonymous_id")
    email = identifier(_text(person.get("email"), "$.user.email"), "$.user.email")
    strict = "strict" in (request.query.get("cookie_policy"), request.query.get("ip_policy"))
    if not (user or anonymous or email or (strict and browser)):
        raise Invalid("$.user: Send at least one of `id`, `anonymous_id` and `email`")
    if strict or (user and source == "usermaven-python"):  # that SDK makes one up for every event
        anonymous = None
    return user or (email and email.lower()), anonymous


def _time(stamp: Any, utc: Any, now: int) -> int | None:
    """Milliseconds from `_timestamp`, a number or its text, else from `utc_time`; None if neither is sent."""
    if stamp is None:
        text = _text(utc, "$.utc_time")
        return iso_time(text, now, "$.utc_time") if text else None
    try:
        if isinstance(stamp, bool):
            raise TypeError
        ms = int(float(stamp))
    except (TypeError, ValueError, OverflowError):
        raise Invalid("$._timestamp: Expected milliseconds since 1970") from None
    return check_time(ms, now, "$._timestamp")


def _campaign(fields: Fields, url: str | None) -> dict[str, str]:
    """Source, medium and campaign, which leave `utm`; without a `utm`, those of the address."""
    utm = _present(_object(fields.pop("utm", None), "$.utm"))
    if not utm:
        return url_campaign(url)
    found = {key: clip(_text(utm.pop(key), f"$.utm.{key}")) for key in ("source", "medium", "campaign") if key in utm}
    if utm:
        fields["utm"] = utm
    return {key: text for key, text in found.items() if text}


def _value(properties: Fields) -> float | None:
    """A numeric `value`, which leaves the properties."""
    value = number(properties.get("value"))
    if value is not None:
        del properties["value"]
    return value


def _object(value: Any, path: str) -> Fields:
    """An object; nothing, empty text and PHP's empty array count as an empty one."""
    if value is None or value in ("", []):
        return {}
    if isinstance(value, dict):
        return value
    raise Invalid(f"{path}: Expected an object")


def _present(fields: Fields) -> Fields:
    """The fields that say something: 0 and false do; null, empty text, arrays and objects do not."""
    return {key: value for key, value in fields.items() if value or value == 0}


def _text(value: Any, path: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise Invalid(f"{path}: Expected text")
