"""Sessions by how they began and ended, which filters on events cannot say."""

import numpy as np

from saastracker.actors import Actors
from saastracker.contracts import Reader
from saastracker.scope import Scope, Span
from saastracker.visits import Visits, visits
from saastracker_sessions import PARAMETERS


def chosen(reader: Reader, scope: Scope, actors: Actors, span: Span) -> Visits | None:
    """The sessions of a span that the scope chooses; None: all of its environment."""
    asked = {each.name: value for each in PARAMETERS if (value := scope.parameters.get(each.name))}
    if not (asked or scope.filters):
        return None
    found = visits(reader, scope, actors, span)
    for name, value in asked.items():
        codes = getattr(found.row, name)
        known = np.unique(codes[codes > 0]).tolist()
        texts = reader.texts(known)
        found = found.only(np.isin(codes, [code for code in known if texts[code] == value]))
        if name in {"entry", "exit"}:
            found = found.only(found.row.pages > 0)
    return found
