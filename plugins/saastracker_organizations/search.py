"""Organizations by their ids and names, for those who type a part of one."""

from collections.abc import Sequence

from saastracker.contracts import Match, Reader
from saastracker.matching import closeness
from saastracker.told import Memory


def search(memory: Memory, reader: Reader, project: str, text: str, limit: int) -> Sequence[Match]:
    told = memory.told(reader, project)
    named = {org for org, about in told.organizations.items() if closeness(text, [about.name]) is not None}
    found = named.union(reader.ids(project, "org", text, limit))
    ranked = sorted((closeness(text, [told.name(org), org]), told.name(org) or org, org) for org in found)
    return [Match(org, title, org if title != org else "") for _, title, org in ranked[:limit]]
