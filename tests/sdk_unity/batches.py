"""Requests of the Unity SDK as a small server sees and answers them."""

import json

from tests.sdk_python.answering import Asked, Turn

TAKEN = Turn(body='{"accepted":30,"rejected":0,"errors":[]}')
ALL_TAKEN = [TAKEN] * 60


def names(asked: Asked) -> list[str]:
    return [event["name"] for event in json.loads(asked.body)["events"]]


def many(count: int, name: str = "Event:") -> list[str]:
    return ["Session:Start", *(f"{name}{at}" for at in range(count))]
